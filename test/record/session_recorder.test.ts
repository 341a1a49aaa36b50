/** A session recorded live: many speakers, one clock, one length. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import t from 'tap';
import { type RecordedFrame, SessionRecorder } from '../../record/session_recorder.js';
import type { HotmicError } from '../../voice/error.js';
import { readWav } from '../../voice/wav.js';
import { StandInFile } from './stand_in_file.js';

const FRAME = 480;
const ORIGIN = 0xfffff000;

/** What is recorded here in a moment was spoken in two days. */
function clock(): () => number {
  let now = -1;
  return () => {
    now += 1;
    return Math.min(1, now) * 48 * 3_600_000;
  };
}

function samplesOf(path: string): Int16Array {
  const wav = readWav(readFileSync(path));
  if (wav.kind === 'malformed') throw new Error(wav.reason);
  return wav.samplesInt16();
}

/** A frame of speaker `account`, whose last sample is spoken `endMs` after the recording began. */
function spoken(
  account: number,
  endMs: number,
  value: number,
  more: Partial<RecordedFrame> = {},
): RecordedFrame {
  return {
    slot: account,
    name: `player ${account}`,
    steamId: BigInt(account),
    marker: false,
    timestamp: (account * 1_000_003 + endMs * 24) >>> 0,
    relayTimeMs: (ORIGIN + endMs) >>> 0,
    pcm: new Int16Array(FRAME).fill(value),
    ...more,
  };
}

function spans(pcm: Int16Array): [from: number, to: number, value: number][] {
  const found: [number, number, number][] = [];
  for (let at = 0; at < pcm.length; at++) {
    const last = found.at(-1);
    if (pcm[at] === 0) continue;
    if (last && last[1] === at && last[2] === pcm[at]) last[1] = at + 1;
    else found.push([at, at + 1, pcm[at]!]);
  }
  return found;
}

t.test('every speaker has a track of the same length, and the mix has them all', async (t) => {
  const folder = join(t.testdir(), 'made', 'on the way');
  const recorder = await SessionRecorder.create(folder, { originRelayTimeMs: ORIGIN, clock: clock() });
  for (let at = 1; at <= 50; at++) {
    t.ok(recorder.take(spoken(1, 1_000 + at * 20, 100, { marker: at === 1 })));
    if (at <= 25) t.ok(recorder.take(spoken(2, 1_500 + at * 20, 7, { marker: at === 1 })));
  }
  await recorder.flush();
  const session = await recorder.finish();

  t.equal(session.samples, 48_000);
  t.match(session, { clippedSamples: 0, mixError: null, refusedSpeakers: 0, refusedFrames: 0 });
  t.same(
    session.tracks.map(({ name, steamId, path, samples, error }) => [
      name,
      steamId,
      basename(path),
      samples,
      error,
    ]),
    [
      ['player 1', 1n, 'player_1-1.wav', 48_000, null],
      ['player 2', 2n, 'player_2-2.wav', 48_000, null],
    ],
  );
  const [one, two] = session.tracks.map((track) => samplesOf(track.path));
  t.same(spans(one!), [[24_000, 48_000, 100]]);
  t.same(spans(two!), [[36_000, 48_000, 7]]);
  t.equal(session.mixPath, join(folder, 'mix.wav'));
  t.same(spans(samplesOf(session.mixPath!)), [
    [24_000, 36_000, 100],
    [36_000, 48_000, 107],
  ]);
});

t.test('a recording that ends in silence has the requested length', async (t) => {
  const recorder = await SessionRecorder.create(t.testdir(), { originRelayTimeMs: ORIGIN, clock: clock() });
  recorder.take(spoken(1, 1_000, 5));
  const session = await recorder.finish((ORIGIN + 10_000) >>> 0);
  t.equal(session.samples, 240_000);
  t.equal(samplesOf(session.tracks[0]!.path).length, 240_000);
  t.equal(samplesOf(session.mixPath!).length, 240_000);
});

t.test('a speaker who reconnects continues in the same track, even with a new media clock', async (t) => {
  const folder = t.testdir();
  const recorder = await SessionRecorder.create(folder, { originRelayTimeMs: ORIGIN, clock: clock() });
  recorder.take(spoken(1, 1_000, 1, { timestamp: 999 + 24_000_000, marker: true }));
  // Another slot, another name, another media clock; and the frame with the marker did not get here.
  recorder.take(spoken(1, 5_000, 2, { timestamp: 999, slot: 12, name: 'renamed' }));
  recorder.take(spoken(1, 5_033, 3, { timestamp: 999 + FRAME, slot: 12, name: 'renamed' }));
  const { tracks } = await recorder.finish();
  t.equal(tracks.length, 1);
  t.equal(tracks[0]!.name, 'player 1', 'the first name stays');
  t.same(spans(samplesOf(tracks[0]!.path)), [
    [24_000 - FRAME, 24_000, 1],
    [120_000 - FRAME, 120_000, 2],
    [120_000, 120_000 + FRAME, 3],
  ]);
});

t.test('speakers beyond the bound are refused and counted', async (t) => {
  const folder = t.testdir();
  const recorder = await SessionRecorder.create(folder, {
    originRelayTimeMs: ORIGIN,
    clock: clock(),
    maxTracks: 2,
  });
  for (const account of [1, 2, 3, 3, 4, 1]) {
    t.equal(recorder.take(spoken(account, 1_000, 1)), account <= 2, `speaker ${account}`);
  }
  const session = await recorder.finish();
  t.equal(session.tracks.length, 2);
  t.equal(session.refusedSpeakers, 2);
  t.equal(session.refusedFrames, 3);
});

t.test('by default 64 speakers have tracks', async (t) => {
  const recorder = await SessionRecorder.create(t.testdir(), { originRelayTimeMs: ORIGIN, clock: clock() });
  for (let account = 1; account <= 70; account++) recorder.take(spoken(account, 1_000, 600));
  const session = await recorder.finish();
  t.equal(session.tracks.length, 64);
  t.equal(session.refusedSpeakers, 6);
  t.equal(session.clippedSamples, FRAME, '64 times 600 is beyond 16 bit');
});

t.test('one track that fails does not stop the others', async (t) => {
  const folder = t.testdir();
  const full = new StandInFile();
  full.room = 44 + 2 * 24_000;
  const told: [string, string][] = [];
  const recorder = await SessionRecorder.create(folder, {
    originRelayTimeMs: ORIGIN,
    clock: clock(),
    openFile: async (path) => (basename(path) === 'player_2-2.wav' ? full : open(path, 'wx')),
    onTrackError: ({ name }, error: HotmicError) => told.push([name, error.code]),
  });
  for (let at = 0; at < 10; at++) {
    for (const account of [1, 2, 3]) recorder.take(spoken(account, 1_000 + at * 20, account));
    await recorder.flush();
  }
  t.same(told, [['player 2', 'ERR_HOTMIC_DISK_FULL']]);
  t.equal(recorder.take(spoken(2, 2_000, 2)), false, 'its PCM is refused');
  const session = await recorder.finish();
  t.same(
    session.tracks.map(({ samples, error }) => [samples, error?.code ?? null]),
    [
      [28_320, null],
      [24_000, 'ERR_HOTMIC_DISK_FULL'],
      [28_320, null],
    ],
  );
  t.equal(session.tracks[1]!.refusedSamples, 10 * FRAME);
  t.equal(full.bytes.readUInt32LE(40), 48_000, 'what it has is playable');
});

t.test('a mix that fails leaves the tracks', async (t) => {
  const files: StandInFile[] = [];
  const recorder = await SessionRecorder.create(t.testdir(), {
    originRelayTimeMs: ORIGIN,
    clock: clock(),
    openFile: async () => {
      const file = new StandInFile();
      files.push(file);
      return file;
    },
  });
  recorder.take(spoken(1, 1_000, 1));
  const session = await recorder.finish();
  t.match(session, { mixPath: null, mixError: { code: 'ERR_HOTMIC_FILE' }, samples: 24_000 });
  t.equal(files[0]!.bytes.length, 44 + 48_000);
});

t.test('hostile names stay in the folder, and get different files', async (t) => {
  const parent = t.testdir({ session: {} });
  const folder = join(parent, 'session');
  const recorder = await SessionRecorder.create(folder, { originRelayTimeMs: ORIGIN, clock: clock() });
  const names = [
    '../../x',
    '..',
    'CON',
    '',
    'mix',
    'same',
    'same',
    'SAME',
    '\u202egpj',
    'x'.repeat(5000),
    '\0/',
  ];
  for (const [at, name] of names.entries()) recorder.take(spoken(at + 1, 1_000, 1, { name }));
  const session = await recorder.finish();
  t.ok(session.tracks.every((track) => track.error === null));
  t.equal(readdirSync(folder).length, names.length + 1);
  t.same(readdirSync(parent), ['session'], 'nothing got out');
  t.same(
    session.tracks.map((track) => track.name),
    names,
    'the names as they were are in the result',
  );
});

t.test('a recording in the folder of an earlier one spares it', async (t) => {
  const folder = t.testdir();
  const first = await SessionRecorder.create(folder, { originRelayTimeMs: ORIGIN, clock: clock() });
  first.take(spoken(1, 1_000, 1));
  const before = await first.finish();
  const second = await SessionRecorder.create(folder, { originRelayTimeMs: ORIGIN, clock: clock() });
  second.take(spoken(1, 2_000, 2));
  const after = await second.finish();
  t.equal(basename(after.tracks[0]!.path), 'player_1-1-2.wav');
  t.equal(basename(after.mixPath!), 'mix-2.wav');
  t.equal(statSync(before.tracks[0]!.path).size, 44 + 48_000);
  t.ok(existsSync(before.mixPath!));
});

t.test('a session in which nobody spoke has no tracks and no mix', async (t) => {
  const folder = t.testdir();
  const recorder = await SessionRecorder.create(folder, { originRelayTimeMs: ORIGIN, clock: clock() });
  const session = await recorder.finish();
  t.match(session, { tracks: [], samples: 0, mixPath: null, mixError: null });
  t.same(readdirSync(folder), []);
});

t.test('misuse throws at once', async (t) => {
  const folder = t.testdir({ file: 'x' });
  const options = { originRelayTimeMs: ORIGIN, clock: clock() };
  await t.rejects(SessionRecorder.create(join(folder, 'file'), options), { code: 'ERR_HOTMIC_FILE' });
  await t.rejects(SessionRecorder.create(folder, { ...options, maxTracks: 0 }), { name: 'RangeError' });
  await t.rejects(SessionRecorder.create(folder, { ...options, maxTracks: 257 }), { name: 'RangeError' });
  await t.rejects(SessionRecorder.create(folder, { ...options, maxPendingBytes: 0 }), { name: 'RangeError' });
  const recorder = await SessionRecorder.create(folder, options);
  const finishing = recorder.finish();
  t.equal(recorder.finish(), finishing, 'a second finish is the first');
  t.equal(recorder.take(spoken(1, 1_000, 1)), false, 'voice that comes while it finishes is not taken');
  t.equal(recorder.refusedFrames, 1);
  await finishing;
});

t.test(
  'a relay time a day ahead is not believed: the track is no longer than the recording lasted',
  async (t) => {
    const folder = t.testdir();
    let now = 0;
    const recorder = await SessionRecorder.create(folder, { originRelayTimeMs: ORIGIN, clock: () => now });
    for (let at = 1; at <= 50; at++) {
      now = at * 20;
      // The clock jumps there and back.
      recorder.take(
        spoken(1, at % 2 === 0 ? 86_400_000 : at * 20, 9, { timestamp: at * FRAME, marker: true }),
      );
    }
    const session = await recorder.finish((ORIGIN + 86_400_000) >>> 0);
    t.equal(session.disbelievedTimes, 25);
    t.ok(session.samples <= 24 * 11_001, `${session.samples} samples`);
    t.equal(
      spans(samplesOf(session.tracks[0]!.path)).reduce((sum, [from, to]) => sum + to - from, 0),
      50 * FRAME,
    );
  },
);

t.test('a speaker with more sound than time passed is cut off, and the frames are counted', async (t) => {
  let now = 0;
  const recorder = await SessionRecorder.create(t.testdir(), {
    originRelayTimeMs: ORIGIN,
    clock: () => now,
  });
  const pcm = new Int16Array(72_000).fill(3);
  const take = () => recorder.take(spoken(1, now, 3, { pcm, timestamp: 0 }));
  let taken = 0;
  for (let at = 0; at < 1000; at++) taken += Number(take());
  t.equal(taken, 3, 'of 3 s each, within 10 s');
  now = 6000;
  t.same([take(), take(), take()], [true, true, false]);
  const { samples, aheadFrames } = await recorder.finish();
  t.equal(aheadFrames, 998);
  t.equal(samples, 5 * 72_000);
});
