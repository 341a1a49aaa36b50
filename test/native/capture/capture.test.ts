/** The capture worker on a real thread, driving a Steam whose every answer is scripted. */

import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  type Capture,
  type CaptureOptions,
  embeddedSteam,
  startCapture,
} from '../../../native/capture/capture.js';
import { CaptureTag, captureKind } from '../../../voice/capture_tag.js';
import type { HotmicError } from '../../../voice/error.js';
import { opusFrames, readPacket } from '../../../voice/packet.js';
import { VoiceResult } from '../../../voice/voice_result.js';
import { END_OF_RECORDING_PACKET, SILENCE_PACKET, TWO_GROUPS_OF_DTX } from '../../kit/golden_packets.js';
import { SEED, SeededRandom } from '../../kit/random.js';
import { type Answer, Board, numberedPacket, type ScriptedSteamOptions } from './scripted_steam.js';

/** One entry of the ring, copied. */
interface Read {
  readonly bytes: Uint8Array;
  readonly tag: number;
  readonly capturedAt: number;
}

const MODULE = new URL('./scripted_steam.js', import.meta.url).href;
const NO_DATA: Answer = { kind: 'result', result: VoiceResult.VOICE_RESULT_NO_DATA };
const TOO_SMALL: Answer = { kind: 'result', result: VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL };
const packet = (bytes: Uint8Array): Answer => ({ kind: 'packet', bytes });
const REAL_TAIL = [TWO_GROUPS_OF_DTX, END_OF_RECORDING_PACKET, SILENCE_PACKET];

t.test(
  'what Steam gives comes out of the ring byte for byte and in order, with NO_DATA between or not',
  async (t) => {
    t.comment(`seed ${SEED}`);
    const random = new SeededRandom(SEED);
    const given = Array.from({ length: 60 }, (_, n) =>
      random.bytes([1, 18, 8192][n] ?? 1 + random.below(1500)),
    );
    const talking = given.flatMap((bytes) => [
      ...new Array<Answer>(random.below(3)).fill(NO_DATA),
      packet(bytes),
    ]);
    const { capture } = await start(t, { talking, steamId: 2n ** 64n - 2n }, { frameHz: 1000 });
    t.equal(capture.steamId, 2n ** 64n - 2n);
    capture.startVoiceRecording();
    const read = await readEntries(capture, given.length);
    for (const [n, bytes] of given.entries()) {
      if (Buffer.compare(read[n]!.bytes, bytes) !== 0)
        t.fail(`packet ${n} of ${bytes.length} bytes is another`);
    }
    t.ok(
      read.every(({ tag }) => tag === CaptureTag.talking),
      'each captured with the key down',
    );
    t.ok(
      read.every(({ capturedAt }, n) => n === 0 || capturedAt >= read[n - 1]!.capturedAt),
      'at instants that never go back',
    );
  },
);

t.test('the instants are of the monotonic clock that this thread has too', async (t) => {
  const { capture } = await start(t, { talking: [packet(SILENCE_PACKET)] });
  const before = nowMs();
  capture.startVoiceRecording();
  const [entry] = await readEntries(capture, 1);
  t.ok(entry!.capturedAt >= before && entry!.capturedAt <= nowMs());
});

t.test('packets after key-up are tagged as the tail, and an entry without bytes ends them', async (t) => {
  const { capture, board } = await start(t, {
    talking: [packet(numberedPacket(0))],
    tail: REAL_TAIL.map(packet),
  });
  for (let recording = 0; recording < 3; recording += 1) {
    capture.startVoiceRecording();
    const [talked] = await readEntries(capture, 1);
    t.match(talked, { tag: CaptureTag.talking, bytes: numberedPacket(0) });
    capture.stopVoiceRecording();
    const tail = await readEntries(capture, 4);
    t.strictSame(
      tail.map(({ tag }) => captureKind(tag)),
      [CaptureTag.draining, CaptureTag.draining, CaptureTag.draining, CaptureTag.end],
    );
    t.strictSame(
      tail.map(({ bytes }) => bytes),
      [...REAL_TAIL, new Uint8Array(0)],
    );
  }
  const polls = board.count('calls');
  await capture.close();
  t.equal(board.count('calls'), polls, 'between recordings getVoice is not called');
});

t.test('the packets of a tail come in one game frame', async (t) => {
  const { capture } = await start(t, { talking: [], tail: REAL_TAIL.map(packet) }, { frameHz: 4 });
  capture.startVoiceRecording();
  capture.stopVoiceRecording();
  const tail = await readEntries(capture, 4);
  t.ok(
    tail[3]!.capturedAt - tail[0]!.capturedAt < 250,
    'less than the frame of 250 ms that each would have waited',
  );
});

t.test('a key pressed again during the tail goes on, and no end comes between', async (t) => {
  const tail = new Array<Answer>(50).fill(packet(SILENCE_PACKET));
  const { capture } = await start(t, { afterwards: 'numbered', tail });
  capture.startVoiceRecording();
  await readEntries(capture, 1);
  capture.stopVoiceRecording();
  await readUntil(capture, ({ tag }) => tag === CaptureTag.draining);
  capture.startVoiceRecording();
  const read = await readUntil(capture, ({ tag, bytes }) => tag === CaptureTag.talking && bytes.length > 18);
  t.notOk(read.some(({ tag }) => captureKind(tag) === CaptureTag.end));
});

t.test('key-up without key-down, and a second key-down, do nothing', async (t) => {
  const { capture, board } = await start(t, { afterwards: 'numbered' });
  capture.stopVoiceRecording();
  capture.startVoiceRecording();
  capture.startVoiceRecording();
  const read = await readEntries(capture, 5);
  t.strictSame(
    read.map(({ bytes }) => bytes),
    Array.from({ length: 5 }, (_, n) => numberedPacket(n)),
  );
  t.equal(board.count('stops'), 0);
  capture.stopVoiceRecording();
  capture.stopVoiceRecording();
  const ends = await readUntil(capture, ({ tag }) => captureKind(tag) === CaptureTag.end);
  t.equal(ends.filter(({ tag }) => captureKind(tag) === CaptureTag.end).length, 1);
  t.equal(board.count('stops'), 1);
});

t.test('getVoice is called frame after frame, whether there is sound or not', async (t) => {
  const { capture, board } = await start(t, { talking: [] }, { frameHz: 1000 });
  capture.startVoiceRecording();
  await board.reaches('calls', 100);
  capture.stopVoiceRecording();
  await readUntil(capture, ({ tag }) => captureKind(tag) === CaptureTag.end);
  const counts = await capture.close();
  t.equal(counts.polls, board.count('calls'), 'and each call is counted');
  t.equal(counts.packets, 0);
});

t.test('Steam writes straight into the ring’s memory', async (t) => {
  const { capture, board } = await start(t, { afterwards: 'numbered' });
  capture.startVoiceRecording();
  await readEntries(capture, 50);
  t.ok(board.count('intoShared') >= 50);
  t.equal(board.count('intoScratch'), 0);
});

t.test('a packet that no relay would pass is removed, and the next call goes on', async (t) => {
  const large = packet(new Uint8Array(9000));
  const talking = [packet(SILENCE_PACKET), large, large, packet(SILENCE_PACKET)];
  const { capture, board } = await start(t, { talking });
  capture.startVoiceRecording();
  await readEntries(capture, 2);
  t.match(await closed(capture), { tooLarge: 2, packets: 2 });
  t.equal(board.count('given'), 4, 'Steam does not keep them');
});

t.test('a result that means that Steam will give no voice ends the capture and is reported', async (t) => {
  for (const [result, name] of [
    [VoiceResult.VOICE_RESULT_RESTRICTED, 'VOICE_RESULT_RESTRICTED (6)'],
    [VoiceResult.VOICE_RESULT_NOT_INITIALIZED, 'VOICE_RESULT_NOT_INITIALIZED (1)'],
  ] as const) {
    const failed = failure();
    const { capture } = await start(t, { talking: [{ kind: 'result', result }] }, { onFailed: failed.tell });
    capture.startVoiceRecording();
    const message = `Cannot capture: getVoice returned ${name}`;
    t.match(await failed.told, { code: 'ERR_HOTMIC_CAPTURE', message });
    await t.rejects(capture.close(), { code: 'ERR_HOTMIC_CAPTURE' });
  }
});

t.test("on the caller's thread it does the same: packets, tail, end, counts", async (t) => {
  const { capture, board } = await start(
    t,
    { talking: [packet(numberedPacket(0))], tail: REAL_TAIL.map(packet) },
    { thread: 'caller' },
  );
  for (let recording = 0; recording < 2; recording += 1) {
    capture.startVoiceRecording();
    const [talked] = await readEntries(capture, 1);
    t.match(talked, { tag: CaptureTag.talking, bytes: numberedPacket(0) });
    capture.stopVoiceRecording();
    const tail = await readEntries(capture, 4);
    t.equal(captureKind(tail[3]!.tag), CaptureTag.end);
  }
  t.match(await closed(capture), { packets: 8, tooLarge: 0 });
  t.equal(board.count('closes'), 1);
  capture.startVoiceRecording();
  t.equal(board.count('late'), 0, 'a capture that is over calls Steam no more');
});

t.test("a Steam that cannot be opened on the caller's thread rejects with its code", async (t) => {
  const board = new Board();
  const steam = { module: MODULE, options: { board: board.memory, broken: ['open'] } };
  await t.rejects(startCapture({ steam, thread: 'caller' }), { code: 'ERR_HOTMIC_INPUT' });
});

t.test('a packet that stays too large ends the capture', async (t) => {
  const failed = failure();
  const talking = [packet(SILENCE_PACKET), ...new Array<Answer>(120).fill(TOO_SMALL), packet(SILENCE_PACKET)];
  const { capture, board } = await start(t, { talking }, { frameHz: 1000, onFailed: failed.tell });
  capture.startVoiceRecording();
  t.match(await failed.told, {
    name: 'HotmicError',
    code: 'ERR_HOTMIC_CAPTURE',
    message: 'Cannot capture: a packet of more than 524288 bytes blocks the next ones',
  });
  t.equal((await readUntilClosed(capture)).length, 1, 'what came before can still be read');
  await t.rejects(capture.close(), { code: 'ERR_HOTMIC_CAPTURE' });
  await board.reaches('closes', 1);
  t.equal(board.count('calls'), 121);
  t.equal(board.count('late'), 0, 'and Steam is not called again');
  t.equal(failed.times, 1);
});

t.test('59 answers of too little room in a row, time and again, end nothing', async (t) => {
  const failed = failure();
  const stuck = new Array<Answer>(118).fill(TOO_SMALL);
  const talking = [...stuck, packet(SILENCE_PACKET), ...stuck, packet(SILENCE_PACKET)];
  const { capture } = await start(t, { talking }, { frameHz: 1000, onFailed: failed.tell });
  capture.startVoiceRecording();
  await readEntries(capture, 2);
  t.match(await closed(capture), { tooLarge: 118, packets: 2 });
  t.equal(failed.times, 0);
});

t.test(
  'a full ring never keeps getVoice from being called; what was dropped is counted, what follows is fresh',
  async (t) => {
    const { capture, board } = await start(
      t,
      { afterwards: 'numbered' },
      { frameHz: 1000, ringBytes: 32_768 },
    );
    capture.startVoiceRecording();
    // Nobody reads: about 190 packets fit.
    await board.reaches('intoScratch', 400);
    t.ok(board.count('calls') >= board.count('intoScratch') + board.count('intoShared') - 1);
    const kept: number[] = [];
    for (let entry = capture.ring.read(); entry && kept.length < 100; entry = capture.ring.read()) {
      kept.push(numberOf(entry.bytes));
      capture.ring.release();
    }
    t.strictSame(
      kept,
      Array.from({ length: 100 }, (_, n) => n),
      'what was inside is whole',
    );
    const older = await readUntil(capture, ({ bytes }) => bytes.length > 0 && numberOf(bytes) >= 590);
    const fresh = numberOf(older.at(-1)!.bytes);
    t.ok(fresh >= 590, `behind the dropped ones comes ${fresh}, which Steam gave after them`);
    const next = await readEntries(capture, 20);
    t.strictSame(
      next.map(({ bytes }) => numberOf(bytes)),
      Array.from({ length: 20 }, (_, n) => fresh + 1 + n),
      'and then all of them again',
    );
    capture.stopVoiceRecording();
    await readUntil(capture, ({ tag }) => captureKind(tag) === CaptureTag.end);
    const { packets } = await capture.close();
    const { committed, refused } = capture.ring.counts();
    t.equal(packets, board.count('given'));
    t.equal(refused, packets - (committed - 1), 'given less committed; the end is no packet');
    t.ok(refused >= 400);
  },
);

t.test('a ring that is full at the end still gets the end, when there is room', async (t) => {
  const { capture, board } = await start(t, { afterwards: 'numbered' }, { frameHz: 1000, ringBytes: 32_768 });
  capture.startVoiceRecording();
  await board.reaches('intoScratch', 1);
  capture.stopVoiceRecording();
  await board.reaches('stops', 1);
  await board.reaches('calls', board.count('calls') + 10);
  const read = await readUntil(capture, ({ tag }) => captureKind(tag) === CaptureTag.end);
  t.equal(read.filter(({ tag }) => captureKind(tag) === CaptureTag.end).length, 1);
  t.equal(read.at(-1)?.bytes.length, 0);
});

t.test('a getVoice that throws ends the capture with its code, and the ring is closed', async (t) => {
  const table: [thrown: Answer, code: string][] = [
    [{ kind: 'throw', message: 'Cannot hear', code: 'ERR_HOTMIC_INPUT' }, 'ERR_HOTMIC_INPUT'],
    [{ kind: 'throw', message: 'Cannot hear' }, 'ERR_HOTMIC_CAPTURE'],
  ];
  for (const [thrown, code] of table) {
    const failed = failure();
    const talking = [packet(SILENCE_PACKET), thrown];
    const { capture, board } = await start(t, { talking }, { onFailed: failed.tell });
    capture.startVoiceRecording();
    t.match(await failed.told, { name: 'HotmicError', code, message: 'Cannot hear' });
    const left = await readUntilClosed(capture);
    t.strictSame(
      left.map(({ bytes }) => bytes),
      [SILENCE_PACKET],
      'what was captured before can still be read',
    );
    await t.rejects(capture.close(), { code }, 'closing says the same');
    await board.reaches('closes', 1);
    t.equal(board.count('closes'), 1, 'and Steam was given back');
    t.equal(board.count('late'), 0, 'and not called again');
    t.equal(failed.times, 1);
  }
});

t.test('a start or stop that throws ends the capture with its code too', async (t) => {
  for (const broken of ['start', 'stop'] as const) {
    const failed = failure();
    const { capture, board } = await start(t, { broken: [broken] }, { onFailed: failed.tell });
    capture.startVoiceRecording();
    capture.stopVoiceRecording();
    t.match(await failed.told, { code: 'ERR_HOTMIC_INPUT', message: `Cannot ${broken}` });
    await readUntilClosed(capture);
    await board.reaches('closes', 1);
    t.equal(board.count('closes'), 1, 'Steam was given back');
    t.equal(board.count('late'), 0, 'and not called again');
    t.equal(failed.times, 1);
  }
});

t.test('a Steam that does not open rejects with its code', async (t) => {
  const failed = failure();
  const board = new Board();
  const broken: ScriptedSteamOptions = { board: board.memory, broken: ['open'] };
  await t.rejects(startCapture({ steam: { module: MODULE, options: broken }, onFailed: failed.tell }), {
    code: 'ERR_HOTMIC_INPUT',
    message: 'Cannot open',
  });
  const missing = new URL('../no_such_steam.js', import.meta.url).href;
  await t.rejects(startCapture({ steam: { module: missing, options: null } }), {
    code: 'ERR_HOTMIC_CAPTURE',
    message: 'no_such_steam',
  });
  const noWav = embeddedSteam({
    steamId: 1n,
    input: { kind: 'wav', path: join(t.testdir(), 'missing.wav') },
  });
  await t.rejects(startCapture({ steam: noWav }), { code: 'ERR_HOTMIC_INPUT', message: 'missing.wav' });
  t.equal(failed.times, 0, 'which is not told twice');
});

t.test('options out of range are refused before a thread is started', async (t) => {
  const steam = embeddedSteam({ steamId: 1n, input: { kind: 'silence' } });
  for (const options of [
    { frameHz: 3 },
    { frameHz: 1001 },
    { frameHz: Number.NaN },
    { ringBytes: 16_384 },
    { ringBytes: 40_000 },
  ]) {
    await t.rejects(startCapture({ steam, ...options }), RangeError, JSON.stringify(options));
  }
});

t.test('embedded Steam options out of range are refused at once', async (t) => {
  const options = { steamId: 1n, input: { kind: 'silence' } } as const;
  for (const [wrong, message] of [
    [{ speed: 0 }, 'Cannot record: speed is 0, expected 0.1 to 1000'],
    [{ speed: Number.NaN }, 'Cannot record: speed is NaN, expected 0.1 to 1000'],
    [{ hangoverMs: 2001 }, 'Cannot record: hangoverMs is 2001, expected 0 to 2000'],
  ] as const) {
    t.throws(() => embeddedSteam({ ...options, ...wrong }), { name: 'RangeError', message });
  }
});

t.test('a ring of the smallest size fits a packet of 8192 bytes', async (t) => {
  const large = new Uint8Array(8192).fill(7);
  const { capture } = await start(
    t,
    // Three are there at once, however late we read; a fourth would be refused.
    { talking: new Array<Answer>(3).fill(packet(large)) },
    { ringBytes: 32_768 },
  );
  capture.startVoiceRecording();
  const read = await readEntries(capture, 3);
  t.ok(read.every(({ bytes }) => Buffer.compare(bytes, large) === 0));
});

t.test('closing while the key is down drains the tail to the end, then closes the ring', async (t) => {
  const { capture, board } = await start(t, { afterwards: 'numbered', tail: REAL_TAIL.map(packet) });
  capture.startVoiceRecording();
  await readEntries(capture, 3);
  const counts = capture.close();
  const rest = await readUntilClosed(capture);
  t.strictSame(
    rest.slice(-4).map(({ tag }) => captureKind(tag)),
    [CaptureTag.draining, CaptureTag.draining, CaptureTag.draining, CaptureTag.end],
  );
  t.strictSame(
    rest.slice(-4, -1).map(({ bytes }) => bytes),
    REAL_TAIL,
  );
  t.match(await counts, { polls: board.count('calls'), packets: board.count('given'), tooLarge: 0 });
  t.equal(board.count('closes'), 1);
  t.equal(board.count('late'), 0);
});

t.test('closing also ends when nobody reads the ring', async (t) => {
  const { capture } = await start(
    t,
    { afterwards: 'numbered', tail: REAL_TAIL.map(packet) },
    { ringBytes: 32_768 },
  );
  capture.startVoiceRecording();
  while (capture.ring.counts().refused === 0)
    await capture.ring.waitAsync(1).then(() => new Promise(setImmediate));
  const { packets } = await capture.close();
  const { committed, refused } = capture.ring.counts();
  t.equal(committed + refused, packets, 'every packet is in the ring or counted; the end found no room');
});

t.test('closing between recordings closes the ring at once', async (t) => {
  const { capture, board } = await start(t, {});
  t.match(await capture.close(), { polls: 0, packets: 0, tooLarge: 0, lateFrames: 0, skippedMs: 0 });
  t.strictSame(await readUntilClosed(capture), []);
  t.equal(board.count('starts'), 0);
  t.equal(board.count('closes'), 1);
});

t.test('a key pressed after closing is ignored, and closing twice is closing', async (t) => {
  const { capture, board } = await start(t, { afterwards: 'numbered', tail: REAL_TAIL.map(packet) });
  capture.startVoiceRecording();
  await readEntries(capture, 1);
  const closes = [capture.close(), capture.close()];
  capture.startVoiceRecording();
  await readUntilClosed(capture);
  const [first, second] = await Promise.all(closes);
  t.strictSame(second, first);
  capture.startVoiceRecording();
  t.strictSame(await capture.close(), first);
  t.equal(board.count('starts'), 1);
  t.equal(board.count('closes'), 1);
  t.equal(board.count('late'), 0);
});

t.test('the end of the input is reported once', async (t) => {
  let told = 0;
  const { capture } = await start(
    t,
    { talking: [packet(SILENCE_PACKET)], endsInput: true },
    { onInputEnded: () => (told += 1) },
  );
  for (let recording = 0; recording < 2; recording += 1) {
    capture.startVoiceRecording();
    await readEntries(capture, 1);
    capture.stopVoiceRecording();
    await readUntil(capture, ({ tag }) => captureKind(tag) === CaptureTag.end);
  }
  await capture.close();
  t.equal(told, 1);
});

t.test('the embedded Steam records through the worker from its first frame to its end', async (t) => {
  const steam = embeddedSteam({ steamId: 7n, input: { kind: 'tone' }, speed: 20 });
  const capture = await startCapture({ steam, frameHz: 200 });
  t.equal(capture.steamId, 7n);
  capture.startVoiceRecording();
  const read = await readEntries(capture, 5);
  const counts = capture.close();
  read.push(...(await readUntilClosed(capture)));
  await counts;
  t.strictSame(captureKind(read.at(-1)!.tag), CaptureTag.end);
  const sequences = read.flatMap(({ bytes }) => {
    const voice = readPacket(bytes);
    return voice.kind === 'packet' ? opusFrames(voice).map(({ sequence }) => sequence) : [];
  });
  t.strictSame(
    sequences,
    Array.from(sequences, (_, sequence) => sequence),
  );
  t.equal(read.at(-2)?.bytes.length, 18, 'the silence packet is the last');
});

/** A capture worker with a scripted Steam, closed after the test. */
async function start(
  t: Test,
  script: Omit<ScriptedSteamOptions, 'board'>,
  options: Omit<CaptureOptions, 'steam'> = {},
): Promise<{ capture: Capture; board: Board }> {
  const board = new Board();
  const steam = { module: MODULE, options: { board: board.memory, ...script } };
  const capture = await startCapture({ steam, frameHz: 250, ...options });
  t.teardown(async () => {
    const isOver = capture.close().catch(() => undefined);
    await readUntilClosed(capture);
    await isOver;
  });
  return { capture, board };
}

/** The counts of a capture that is closed while somebody reads. */
async function closed(capture: Capture) {
  const counts = capture.close();
  await readUntilClosed(capture);
  return await counts;
}

/** Takes entries until `isLast` is true of one. Rejects if the ring is closed before. */
async function readUntil(capture: Capture, isLast: (entry: Read) => boolean): Promise<Read[]> {
  const entries: Read[] = [];
  while (!capture.ring.closed) {
    const entry = capture.ring.read();
    if (entry === null) {
      await capture.ring.waitAsync(1000);
      continue;
    }
    const copy = { ...entry, bytes: entry.bytes.slice() };
    capture.ring.release();
    entries.push(copy);
    if (isLast(copy)) return entries;
  }
  throw new Error(`the ring was closed after ${entries.length} entries`);
}

async function readEntries(capture: Capture, count: number): Promise<Read[]> {
  let read = 0;
  return await readUntil(capture, () => ++read === count);
}

async function readUntilClosed(capture: Capture): Promise<Read[]> {
  const entries: Read[] = [];
  while (!capture.ring.closed) {
    const entry = capture.ring.read();
    if (entry === null) {
      await capture.ring.waitAsync(1000);
      continue;
    }
    entries.push({ ...entry, bytes: entry.bytes.slice() });
    capture.ring.release();
  }
  return entries;
}

/** The number of a packet of `numbered`. */
function numberOf(bytes: Uint8Array): number {
  const voice = readPacket(bytes);
  if (voice.kind === 'malformed') throw new Error(voice.detail);
  return opusFrames(voice)[0]!.sequence;
}

/** An `onFailed` that can be waited for. */
function failure() {
  const self = {
    times: 0,
    tell: (_error: HotmicError) => {},
    told: Promise.resolve(null as HotmicError | null),
  };
  self.told = new Promise((resolve) => {
    self.tell = (error) => {
      self.times += 1;
      resolve(error);
    };
  });
  return self;
}

function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
