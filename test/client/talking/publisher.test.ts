/** Push-to-talk over a ring that the test fills like a capture worker, at instants that the test chooses. */

import t, { type Test } from 'tap';
import type { VoiceTarget } from '../../../client/session/voice_target.js';
import { Publisher, type PublisherOptions } from '../../../client/talking/publisher.js';
import { startCapture } from '../../../native/capture/capture.js';
import { CaptureTag, endTag, nextRequest } from '../../../voice/capture_tag.js';
import { packetSamples, readPacket } from '../../../voice/packet.js';
import { allocateRing, RingConsumer, RingProducer } from '../../../voice/ring.js';
import type { NumberedPacket } from '../../../voice/talkspurt.js';
import { FRAME_SAMPLES } from '../../../voice/units.js';
import { VoiceEncoder } from '../../../wasm/compress.js';
import { loadCodec } from '../../../wasm/load.js';
import { END_OF_RECORDING_PACKET, SILENCE_PACKET, TWO_GROUPS_OF_DTX } from '../../kit/golden_packets.js';
import { SEED, SeededRandom } from '../../kit/random.js';
import { frameOf, opusOp, packetOfOps, RATE_24K } from '../../kit/raw_packet.js';
import { tonePcm } from '../../kit/tone.js';
import {
  type Answer,
  Board,
  numberedPacket,
  type ScriptedSteamOptions,
} from '../../native/capture/scripted_steam.js';

/** The Opus sequence before the first of END_OF_RECORDING_PACKET. */
const BEFORE_END = 0x185;

/** A packet of one frame of 20 ms. */
function talk(opusSequence: number): Uint8Array {
  return packetOfOps(RATE_24K + opusOp(frameOf(opusSequence, '48010203')));
}

/** A publisher with a simulated capture worker. */
class Stage {
  readonly published: NumberedPacket[] = [];
  readonly commands: string[] = [];
  readonly producer: RingProducer;
  readonly publisher: Publisher;
  /** The clock of both. */
  now = 1000;
  /** The number of the newest key-down. */
  request = 0;

  constructor(options: Partial<PublisherOptions> = {}) {
    const storage = allocateRing(65_536);
    this.producer = new RingProducer(storage);
    this.publisher = new Publisher({
      capture: {
        ring: new RingConsumer(storage),
        startVoiceRecording: () => {
          this.commands.push('start');
          this.request = nextRequest(this.request);
          return this.request;
        },
        stopVoiceRecording: () => this.commands.push('stop'),
      },
      clock: () => this.now,
      publish: (packet) => this.published.push({ ...packet, packet: packet.packet.slice() }),
      ...options,
    });
  }

  capture(packet: Uint8Array, tag: number = CaptureTag.talking, capturedAt = this.now): void {
    const room = this.producer.reserve(8192);
    if (!room) throw new Error('the ring is full');
    room.set(packet);
    this.producer.commit(packet.length, tag, capturedAt);
  }

  /** What the embedded Steam returns after key-up. */
  captureTail(): void {
    this.capture(END_OF_RECORDING_PACKET, CaptureTag.draining);
    this.capture(SILENCE_PACKET, CaptureTag.draining);
    this.captureEnd();
  }

  captureEnd(capturedAt = this.now): void {
    this.capture(new Uint8Array(0), endTag(this.request), capturedAt);
  }

  /** Waits until the publisher has read the ring. */
  async read(): Promise<void> {
    // waitAsync settles in a separate task.
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  async over(): Promise<void> {
    this.producer.close();
    await this.publisher.finished();
  }
}

/** Whether `promise` has settled. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  return (
    (await Promise.race([promise, new Promise((resolve) => setImmediate(resolve, pending))])) !== pending
  );
}

t.test('press and release drive the capture, and a talkspurt has a marker and a terminator', async (t) => {
  const stage = new Stage();
  const { publisher } = stage;
  publisher.press();
  t.same(stage.commands, ['start']);
  stage.capture(talk(0));
  stage.now += 20;
  stage.capture(talk(1));
  await stage.read();
  t.equal(stage.published.length, 2, 'voice is published while the key is down');
  const released = publisher.release();
  t.same(stage.commands, ['start', 'stop']);
  t.equal(await isSettled(released), false, 'the tail is still to come');
  stage.now += 200;
  stage.captureTail();
  await released;
  const flags = stage.published.map(({ marker, terminator }) => (marker ? 'M' : terminator ? 'T' : '-'));
  t.equal(flags.join(''), 'M--T');
  t.same(
    stage.published.map(({ sequence }) => sequence),
    [0, 1, 2, 3],
  );
  t.match(publisher.counts(), { talkspurts: 1, packets: 4, malformed: 0, refused: 0, discarded: 0 });
  await stage.over();
});

/** What was published and to whom, as `M0 lobby`. */
function told(published: readonly (readonly [NumberedPacket, VoiceTarget])[]): string[] {
  return published.map(([{ marker, terminator, sequence }, target]) => {
    const flag = marker ? 'M' : terminator ? 'T' : '-';
    return `${flag}${sequence} ${typeof target === 'string' ? target : target.channel}`;
  });
}

t.test('a new target ends the current talkspurt and begins another', async (t) => {
  const published: [NumberedPacket, VoiceTarget][] = [];
  const stage = new Stage({ publish: (...sent) => published.push(sent) });
  const { publisher } = stage;
  publisher.press();
  stage.capture(talk(0));
  await stage.read();
  publisher.speakTo({ channel: 'red' });
  await stage.read();
  t.equal(published.length, 1, 'nothing is sent for it');
  stage.capture(talk(1));
  stage.capture(talk(2));
  await stage.read();
  publisher.speakTo({ channel: 'red' });
  stage.capture(talk(3));
  await stage.read();
  t.same(told(published), ['M0 lobby', 'T1 lobby', 'M2 red', '-3 red', '-4 red']);
  t.match(publisher.counts(), { talkspurts: 2, packets: 5 });
  await stage.over();
});

t.test(
  'the tail goes to the target of its talkspurt; the next talkspurt goes to the new target',
  async (t) => {
    const published: [NumberedPacket, VoiceTarget][] = [];
    const stage = new Stage({ publish: (...sent) => published.push(sent), target: 'whisper' });
    const { publisher } = stage;
    publisher.press();
    stage.capture(talk(0));
    await stage.read();
    const released = publisher.release();
    publisher.speakTo('lobby');
    stage.captureTail();
    await released;
    publisher.press();
    stage.capture(talk(0), CaptureTag.draining);
    await stage.read();
    t.same(told(published), ['M0 whisper', '-1 whisper', 'T2 whisper', 'M3 lobby']);
    await stage.over();
  },
);

t.test(
  'pressing the key again in the tail, for another target, ends one talkspurt and begins another',
  async (t) => {
    const published: [NumberedPacket, VoiceTarget][] = [];
    const stage = new Stage({ publish: (...sent) => published.push(sent) });
    const { publisher } = stage;
    publisher.press();
    stage.capture(talk(0));
    void publisher.release();
    stage.capture(END_OF_RECORDING_PACKET, CaptureTag.draining);
    await stage.read();
    publisher.speakTo({ channel: 'red' });
    publisher.press();
    stage.capture(talk(0));
    await stage.read();
    t.same(told(published), ['M0 lobby', 'T1 lobby', 'M2 red'], 'what was held back is the terminator');
    await stage.over();
  },
);

t.test('release resolves only when the last packet of the tail was published', async (t) => {
  const stage = new Stage();
  stage.publisher.press();
  stage.capture(talk(0));
  await stage.read();
  const released = stage.publisher.release();
  stage.capture(END_OF_RECORDING_PACKET, CaptureTag.draining);
  stage.capture(SILENCE_PACKET, CaptureTag.draining);
  await stage.read();
  t.equal(await isSettled(released), false, 'more packets may follow');
  t.equal(stage.published.length, 2, 'the last one is held back until then');
  stage.captureEnd();
  await released;
  t.equal(stage.published.at(-1)?.terminator, true);
  await stage.over();
});

t.test('a release without a press resolves at once, and a second one with the first', async (t) => {
  const stage = new Stage();
  await stage.publisher.release();
  stage.publisher.press();
  stage.capture(talk(0));
  const both = [stage.publisher.release()];
  stage.now += 10;
  both.push(stage.publisher.release());
  stage.now -= 5;
  stage.captureTail();
  stage.now += 5;
  await Promise.all(both);
  t.equal(stage.published.at(-1)?.terminator, true);
  await stage.publisher.release();
  await stage.over();
});

t.test('talkspurts are counted; sequence and timestamp continue from one to the next', async (t) => {
  const stage = new Stage();
  for (let turn = 0; turn < 3; turn += 1) {
    stage.now += 1000;
    stage.publisher.press();
    stage.capture(talk(BEFORE_END));
    const released = stage.publisher.release();
    stage.captureTail();
    await released;
  }
  await stage.over();
  t.equal(stage.publisher.counts().talkspurts, 3);
  t.same(
    stage.published.map(({ sequence }) => sequence),
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
  );
  const markers = stage.published.filter(({ marker }) => marker);
  t.same(
    markers.map(({ timestamp }) => timestamp),
    [24_000 - FRAME_SAMPLES, 48_000 - FRAME_SAMPLES, 72_000 - FRAME_SAMPLES],
    'a packet ends when it was captured',
  );
});

t.test('a press during the tail continues the same talkspurt', async (t) => {
  const stage = new Stage();
  const { publisher } = stage;
  publisher.press();
  stage.capture(talk(0));
  const first = publisher.release();
  stage.capture(END_OF_RECORDING_PACKET, CaptureTag.draining);
  await stage.read();
  stage.now += 5;
  publisher.press();
  stage.capture(talk(0));
  await stage.read();
  t.equal(await isSettled(first), false, 'its tail was not the last');
  stage.now += 5;
  const second = publisher.release();
  stage.captureTail();
  await Promise.all([first, second]);
  await stage.over();
  t.equal(stage.publisher.counts().talkspurts, 1);
  t.same(
    stage.published.map(({ terminator }) => terminator),
    [false, false, false, false, true],
    'the packet that was held back is not a terminator',
  );
});

t.test('an end entry that crosses a press does not end the next talkspurt', async (t) => {
  const stage = new Stage();
  const { publisher } = stage;
  publisher.press();
  stage.capture(talk(0));
  const first = publisher.release();
  stage.captureTail();
  // The recording is over, but the publisher has not read its end when the key goes down again, and up.
  stage.now += 1;
  publisher.press();
  stage.now += 1;
  const second = publisher.release();
  await stage.read();
  t.equal(await isSettled(second), false, 'the end entry in the ring belongs to the first recording');
  stage.now += 20;
  stage.capture(talk(0));
  stage.captureTail();
  await Promise.all([first, second]);
  t.equal(stage.published.length, 6, 'all of the second is published when its release resolves');
  await stage.over();
});

t.test('a capture that dies still ends its talkspurt', async (t) => {
  const stage = new Stage();
  stage.publisher.press();
  stage.capture(talk(0));
  stage.capture(END_OF_RECORDING_PACKET, CaptureTag.draining);
  await stage.over();
  t.same(
    stage.published.map(({ terminator }) => terminator),
    [false, true],
  );
});

t.test('packets that publish refuses are counted', async (t) => {
  const stage = new Stage({ publish: ({ sequence }) => sequence !== 1 });
  stage.publisher.press();
  for (let i = 0; i < 3; i += 1) stage.capture(talk(i));
  await stage.over();
  t.match(stage.publisher.counts(), { packets: 3, unsent: 1 });
});

t.test('a capture has one publisher', async (t) => {
  const ring = new RingConsumer(allocateRing(65_536));
  const capture = { ring, startVoiceRecording: () => 1, stopVoiceRecording() {} };
  new Publisher({ capture, publish() {} });
  t.throws(() => new Publisher({ capture, publish() {} }), RangeError);
});

t.test('stale packets are discarded and counted; the end entry never is', async (t) => {
  const stage = new Stage({ maxAgeMs: 500 });
  const { publisher } = stage;
  publisher.press();
  for (let i = 0; i < 5; i += 1) stage.capture(talk(i), CaptureTag.talking, 1000 + 100 * i);
  const released = publisher.release();
  stage.capture(END_OF_RECORDING_PACKET, CaptureTag.draining, 1500);
  stage.captureEnd(1500);
  // The thread was busy: it first reads the ring at 1700.
  stage.now = 1700;
  await released;
  t.match(publisher.counts(), { packets: 4, discarded: 2, talkspurts: 1 });
  t.equal(stage.published[0]?.capturedAt, 1200, 'as old as allowed');

  publisher.press();
  stage.capture(talk(0), CaptureTag.talking, 2000);
  stage.now = 2000;
  const again = publisher.release();
  stage.capture(END_OF_RECORDING_PACKET, CaptureTag.draining, 2000);
  stage.captureEnd(2000);
  stage.now = 9000;
  await again;
  t.match(publisher.counts(), { packets: 4, discarded: 4 }, 'all of it was stale, and still it ended');
  await stage.over();
});

t.test('a packet is valid while it is published, even if it was held back', async (t) => {
  const seen: { bytes: string; shared: boolean; samples: number }[] = [];
  const kept: Uint8Array[] = [];
  const stage = new Stage({
    publish: ({ packet }) => {
      const read = readPacket(packet);
      kept.push(packet);
      seen.push({
        bytes: Buffer.from(packet).toString('hex'),
        shared: packet.buffer instanceof SharedArrayBuffer,
        samples: read.kind === 'packet' ? packetSamples(read) : -1,
      });
    },
  });
  stage.publisher.press();
  stage.capture(talk(0));
  const released = stage.publisher.release();
  stage.captureTail();
  await released;
  t.equal(seen[0]?.bytes, Buffer.from(talk(0)).toString('hex'));
  t.equal(seen[0]?.shared, true, 'it lies in the ring');
  t.same(
    seen.map(({ samples }) => samples),
    [480, 6 * 480, 750],
  );
  t.same(
    seen.slice(1).map(({ shared }) => shared),
    [false, false],
    'the ring has long gone on when these are published',
  );
  await stage.over();
});

t.test('an unreadable packet is counted and gets no number', async (t) => {
  const stage = new Stage();
  stage.publisher.press();
  stage.capture(Uint8Array.of(1, 2, 3));
  stage.capture(talk(0));
  await stage.over();
  t.match(stage.publisher.counts(), { malformed: 1, packets: 1 });
  t.match(stage.published, [{ sequence: 0, marker: true }]);
});

t.test('packets refused by a full ring are counted', async (t) => {
  const stage = new Stage();
  stage.producer.refuse();
  stage.producer.refuse();
  t.equal(stage.publisher.counts().refused, 2);
  await stage.over();
});

t.test('finished resolves when the ring is closed and read to its end, and so does a release', async (t) => {
  const stage = new Stage();
  stage.publisher.press();
  stage.capture(talk(0));
  const released = stage.publisher.release();
  const finished = stage.publisher.finished();
  await stage.read();
  t.equal(await isSettled(finished), false);
  stage.capture(talk(1), CaptureTag.draining);
  stage.producer.close();
  await Promise.all([finished, released]);
  t.equal(stage.published.length, 2, 'nothing was left in the ring');

  stage.publisher.press();
  await stage.publisher.release();
  t.pass('a press after the end is not waited for');
});

t.test('the latency side channel gets every packet, with its instants', async (t) => {
  const taken: [number, number, number][] = [];
  const stage = new Stage({ onTaken: (...notes) => taken.push(notes) });
  stage.publisher.press();
  stage.capture(talk(0), CaptureTag.talking, 1000);
  stage.now = 1007;
  await stage.over();
  t.same(taken, [[0, 1000, 1007]]);
});

t.test('the clock is the monotonic one unless another is given', async (t) => {
  const storage = allocateRing(65_536);
  const producer = new RingProducer(storage);
  const taken: number[] = [];
  const publisher = new Publisher({
    capture: { ring: new RingConsumer(storage), startVoiceRecording: () => 1, stopVoiceRecording() {} },
    publish() {},
    onTaken: (_sequence, _capturedAt, takenAt) => taken.push(takenAt),
  });
  const before = Number(process.hrtime.bigint()) / 1e6;
  const room = producer.reserve(8192)!;
  room.set(talk(0));
  producer.commit(talk(0).length, CaptureTag.talking, before);
  producer.close();
  await publisher.finished();
  const after = Number(process.hrtime.bigint()) / 1e6;
  t.ok(before <= taken[0]! && taken[0]! <= after);
});

/** A publisher on the real capture worker, whose Steam is scripted. */
async function realStage(t: Test, script: Omit<ScriptedSteamOptions, 'board'>) {
  const board = new Board();
  const module = new URL('../../native/capture/scripted_steam.js', import.meta.url).href;
  const capture = await startCapture({
    steam: { module, options: { board: board.memory, ...script } },
    frameHz: 250,
  });
  let published = 0;
  let wake: () => void = () => undefined;
  const publisher = new Publisher({
    capture,
    // What waits in the ring while the test blocks this thread must not be discarded.
    maxAgeMs: 60_000,
    publish: () => {
      published += 1;
      wake();
    },
  });
  t.teardown(async () => {
    await capture.close();
    await publisher.finished();
  });
  return {
    board,
    publisher,
    ring: capture.ring,
    published: () => published,
    untilPublished: async (count: number) => {
      while (published < count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

const packetAnswer = (bytes: Uint8Array): Answer => ({ kind: 'packet', bytes });
const REAL_TAIL = [TWO_GROUPS_OF_DTX, END_OF_RECORDING_PACKET, SILENCE_PACKET].map(packetAnswer);

/** Blocks this thread until `isTrue`, so that nothing is read from the ring. */
function holdUntil(isTrue: () => boolean): void {
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  while (!isTrue()) Atomics.wait(nothing, 0, 0, 1);
}

t.test('a key pressed again after the end of a recording waits for its own recording', async (t) => {
  const { publisher, ring, published, untilPublished } = await realStage(t, {
    talking: [packetAnswer(numberedPacket(0))],
    tail: REAL_TAIL,
  });
  publisher.press();
  await untilPublished(1);
  const first = publisher.release();
  // A packet, the tail and the end: the recording is over, and the publisher has not read its end.
  holdUntil(() => ring.counts().committed === 5);
  publisher.press();
  const second = publisher.release();
  t.equal(published(), 1, 'not yet');
  await first;
  t.ok(published() >= 4, `${published()} were published when the first release resolved`);
  await second;
  t.equal(published(), 7, 'and the tail of the second when the second release resolves');
  t.match(publisher.counts(), { malformed: 0, refused: 0, discarded: 0 });
});

t.test('a release resolves when its recording is published, however fast the keys are', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  const { publisher, ring, board, published, untilPublished } = await realStage(t, {
    afterwards: 'numbered',
    tail: REAL_TAIL,
  });
  /** Blocks this thread for a while, during which the worker may be in either state. */
  const holdUp = () => {
    const calls = board.count('calls');
    const more = random.below(4);
    // Once the recording is over, the worker sends nothing more.
    const until = performance.now() + 30;
    holdUntil(() => board.count('calls') >= calls + more || performance.now() > until);
  };
  for (let round = 0; round < 40; round += 1) {
    publisher.press();
    await untilPublished(published() + 1);
    const first = publisher.release();
    const givenBefore = board.count('given');
    holdUp();
    publisher.press();
    holdUp();
    const second = publisher.release();
    await first;
    if (published() < givenBefore)
      t.fail(`round ${round}: ${published()} of the ${givenBefore} that came before`);
    await second;
    // Everything that Steam returned. The recording is over, so nothing more follows.
    if (published() !== board.count('given'))
      t.fail(`round ${round}: ${published()} of ${board.count('given')} were published`);
  }
  const { committed, refused } = ring.counts();
  t.ok(committed > 40 * 5 && refused === 0, `${committed} entries went through the ring`);
  t.match(publisher.counts(), { malformed: 0, discarded: 0, packets: board.count('given') });
});

t.test('muting sends nothing more, not even what waits in the ring, and ends the talkspurt', async (t) => {
  const live: boolean[] = [];
  const stage = new Stage({ onLive: (isLive) => live.push(isLive) });
  const { publisher } = stage;
  publisher.press();
  stage.capture(talk(0));
  await stage.read();
  t.equal(stage.published.length, 1);
  stage.now += 20;
  stage.capture(talk(1));
  publisher.mute();
  publisher.mute();
  t.same(stage.commands, ['start', 'stop'], 'the recording ends');
  stage.now += 20;
  stage.capture(talk(2));
  stage.captureTail();
  await stage.read();
  t.same(
    stage.published.map(({ marker, terminator, samples }) => [marker, terminator, samples]),
    [
      [true, false, FRAME_SAMPLES],
      [false, true, 0],
    ],
    'only a terminator without sound followed',
  );
  publisher.press();
  t.equal(publisher.isLive, false, 'no key ends a mute');
  t.match(publisher.counts(), { muted: 4, packets: 2 });
  t.same(live, [true, false]);
  await stage.over();
});

t.test('nothing said before unmute is sent, and what is said after it is', async (t) => {
  const stage = new Stage();
  const { publisher } = stage;
  publisher.press();
  publisher.mute();
  stage.now += 500;
  stage.capture(talk(0));
  stage.now += 500;
  publisher.unmute();
  t.same(stage.commands, ['start', 'stop', 'start'], 'the key is still down');
  await stage.read();
  t.equal(stage.published.length, 0, 'it was captured while muted');
  stage.now += 300;
  stage.capture(talk(1));
  await stage.read();
  t.equal(stage.published.length, 1);
  t.equal(publisher.isLive, true);
  await stage.over();
  t.equal(publisher.isLive, false, 'there is no capture any more');
});

t.test('a toggle records from one press to the next, and its release resolves at once', async (t) => {
  const stage = new Stage({ mode: 'toggle' });
  const { publisher } = stage;
  publisher.press();
  await publisher.release();
  stage.capture(talk(0));
  await stage.read();
  t.equal(publisher.isLive, true);
  publisher.press();
  await publisher.release();
  stage.captureTail();
  await stage.read();
  t.same(stage.commands, ['start', 'stop']);
  t.equal(publisher.isLive, false);
  t.same(
    stage.published.map(({ terminator }) => terminator),
    [false, false, true],
  );
  await stage.over();
});

t.test(
  'voice activation sends words with their pre-roll, each as a talkspurt, and is live for as long',
  async (t) => {
    let loudness = -80;
    const live: boolean[] = [];
    const stage = new Stage({
      mode: 'voice-activation',
      voiceActivation: { holdMs: 40, prerollMs: 40 },
      loudnessOf: () => loudness,
      onLive: (isLive) => live.push(isLive),
    });
    t.same(stage.commands, ['start'], 'it records all the time');
    let frame = 0;
    const say = async (db: number, count: number) => {
      loudness = db;
      for (let at = 0; at < count; at += 1) {
        stage.now += 20;
        stage.capture(talk(frame++));
        await stage.read();
      }
    };
    await say(-80, 10);
    t.same([stage.published.length, stage.publisher.isLive], [0, false]);
    await say(-20, 3);
    t.same([stage.published.length, stage.publisher.isLive], [5, true], 'two of pre-roll, and three');
    await say(-80, 5);
    t.equal(stage.published.length, 8, 'two of hold, and a terminator');
    await say(-20, 1);
    const flags = stage.published.map(({ marker, terminator }) => (marker ? 'M' : terminator ? 'T' : '-'));
    t.equal(flags.join(''), 'M------TM--');
    t.same(live, [true, false, true]);
    const { packets, quiet } = stage.publisher.counts();
    t.same([packets, quiet], [11, 9], 'of 19, with one terminator made');
    stage.publisher.mute();
    await say(-10, 3);
    t.same([stage.published.length, stage.publisher.isLive], [12, false], 'the terminator');
    await stage.over();
  },
);

t.test('by default voice activation hears what is in the packets', async (t) => {
  loadCodec();
  const stage = new Stage({ mode: 'voice-activation', voiceActivation: { holdMs: 0, prerollMs: 0 } });
  const encoder = new VoiceEncoder(76_561_197_960_265_729n, { framesPerPacket: 5 });
  const room = new Uint8Array(8192);
  const capture = async (pcm: Int16Array) => {
    encoder.write(pcm);
    for (let length = encoder.read(room); length > 0; length = encoder.read(room)) {
      stage.now += 100;
      stage.capture(room.slice(0, length));
      await stage.read();
    }
  };
  await capture(new Int16Array(24_000));
  t.equal(stage.published.length, 0, 'a second of silence');
  await capture(tonePcm(1));
  t.ok(stage.published.length > 5, `${stage.published.length} packets of a second of tone`);
  encoder.free();
  await stage.over();
});

t.test('a wrong mode is refused, before the capture is taken', async (t) => {
  const stage = new Stage();
  t.throws(() => stage.publisher.setMode('loud' as never), {
    message: /expected one of push-to-talk, toggle/,
  });
  await stage.over();
});
