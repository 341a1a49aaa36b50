/** The meter counts what is heard late, what is missing and what is made up, whatever way a player does it. */

import t from 'tap';
import { beyondSaving, Meter } from '../../../bench/playout/meter.js';
import type { Source } from '../../../bench/playout/source.js';
import type { PlayedSegment } from '../../../client/playout/speaker_playout.js';
import { type NetworkTrace, TRACES } from '../../kit/network.js';

/** Half a second of speech from 1 s on; its 20 frames up to 400 ms are audible, the last 5 are not. */
const FROM = 24_000;
const source: Source = {
  packets: Array.from({ length: 25 }, (_, at) => ({
    header: {
      kind: 'header',
      marker: at === 0,
      terminator: false,
      acknowledge: false,
      opaque: false,
      target: 0,
      sequence: at,
      timestamp: FROM + at * 480,
      slot: 1,
      relaySequence: at,
      relayTimeMs: 0,
    },
    packet: new Uint8Array(0),
    sentMs: 1000 + (at + 1) * 20,
    frames: 1,
  })),
  talkspurts: [{ from: FROM, audible: new Uint8Array(25).fill(1, 0, 20) }],
  samples: 48_000,
};

/** When a frame is played that was captured at 1 s, without any added delay: 20 ms for the frame, and 40 ms of network. */
const LIVE_MS = 1060;

type Piece =
  | ['speech' | 'silence', from: number, ms: number, mediaMs?: number]
  | ['concealed' | 'nothing', ms: number];

/** Plays the pieces one after the other. Positions are in ms of the talkspurt. */
function measure(delayMs: number, pieces: readonly Piece[], trace: NetworkTrace = TRACES.clean) {
  const meter = new Meter(source, trace);
  let nowMs = LIVE_MS + delayMs;
  for (const [kind, first, ms, mediaMs] of pieces) {
    const isMedia = kind === 'speech' || kind === 'silence';
    const length = isMedia ? ms! : first;
    const segment: PlayedSegment = {
      kind: kind === 'nothing' ? 'silence' : kind,
      samples: length * 24,
      timestamp: isMedia ? FROM + first * 24 : null,
      mediaSamples: isMedia ? (mediaMs ?? length) * 24 : 0,
    };
    meter.hear([segment], new Int16Array(segment.samples), nowMs);
    nowMs += length;
  }
  return meter.finish();
}

t.test('speech that is played in time has its delay and no concealment', async (t) => {
  const measured = measure(30, [['speech', 0, 500]]);
  t.match(measured, { delayP50Ms: 30, delayP95Ms: 30, audibleFrames: 20, concealedFrames: 0, clicks: 0 });
  t.equal(measured.afterStallMs, null);
});

t.test('frames that were left out and concealed in their place count once', async (t) => {
  const measured = measure(30, [
    ['speech', 0, 100],
    ['concealed', 60],
    ['speech', 160, 340],
  ]);
  t.match(measured, { concealedFrames: 3, madeUpFrames: 3, unheardFrames: 3, delayP95Ms: 30 });
});

t.test('a hole that is silent counts like one that is concealed', async (t) => {
  const measured = measure(30, [
    ['speech', 0, 100],
    ['nothing', 60],
    ['speech', 160, 340],
  ]);
  t.equal(measured.concealedFrames, 3);
});

t.test('waiting for late frames counts too, and makes what follows later', async (t) => {
  const measured = measure(30, [
    ['speech', 0, 100],
    ['concealed', 60],
    ['speech', 100, 400],
  ]);
  t.match(measured, { concealedFrames: 3, madeUpFrames: 3, unheardFrames: 0, delayP50Ms: 90 });
});

t.test('frames that were left out without a gap count', async (t) => {
  const measured = measure(30, [
    ['speech', 0, 100],
    ['speech', 160, 340],
  ]);
  t.match(measured, { concealedFrames: 3, madeUpFrames: 0, unheardFrames: 3 });
});

t.test('a longer or shorter pause of the speaker counts as nothing', async (t) => {
  t.equal(
    measure(30, [
      ['speech', 0, 420],
      ['concealed', 80],
      ['speech', 420, 80],
    ]).concealedFrames,
    0,
  );
  t.equal(measure(30, [['speech', 0, 400]]).concealedFrames, 0, 'the inaudible end was never played');
});

t.test('before a talkspurt and after its end nothing is missing', async (t) => {
  const measured = measure(-500, [
    ['nothing', 530],
    ['speech', 0, 500],
    ['nothing', 500],
  ]);
  t.match(measured, { concealedFrames: 0, delayP50Ms: 30 });
});

t.test('a talkspurt that was not heard at all is missing', async (t) => {
  t.equal(measure(0, [['nothing', 900]]).concealedFrames, 20);
});

t.test('shortened speech is heard, and its delay falls on the way', async (t) => {
  const measured = measure(130, [['speech', 0, 400, 500]]);
  t.match(measured, { concealedFrames: 0, unheardFrames: 0 });
  t.ok(measured.delayP95Ms > 120 && measured.delayP95Ms <= 130, `${measured.delayP95Ms} ms`);
  t.ok(Math.abs(measured.delayP50Ms - 90) < 3, `${measured.delayP50Ms} ms`);
});

t.test('DTX that is played as silence is heard', async (t) => {
  t.equal(
    measure(30, [
      ['speech', 0, 200],
      ['silence', 200, 300],
    ]).concealedFrames,
    0,
  );
});

t.test('the delay after a stall is the largest after its end', async (t) => {
  const trace = { ...TRACES.clean, stalls: { atMs: 1100, everyMs: 30_000, forMs: 100 } };
  const played: Piece[] = [
    ['speech', 0, 40],
    ['concealed', 100],
    ['speech', 40, 460],
  ];
  const measured = measure(0, played, trace);
  t.ok(Math.abs(measured.afterStallMs! - 100) < 1, `${measured.afterStallMs} ms`);
});

t.test('a drifting clock adds no delay by itself', async (t) => {
  const trace = { ...TRACES.clean, driftPpm: 100_000 };
  const meter = new Meter(source, trace);
  for (let at = 0; at < 500; at += 10) {
    const segment = { kind: 'speech', samples: 240, timestamp: FROM + at * 24, mediaSamples: 240 } as const;
    meter.hear([segment], new Int16Array(240), (1000 + at) / 1.1 + 60 + 25);
  }
  const { delayP50Ms, delayP95Ms } = meter.finish();
  t.ok(
    Math.abs(delayP50Ms - 25) <= 1 && Math.abs(delayP95Ms - 25) <= 1,
    `${delayP50Ms} and ${delayP95Ms} ms`,
  );
});

t.test('beyond saving is what is lost, or later than a delay', async (t) => {
  const arrivals = source.packets.map(({ sentMs }, at) => (at === 3 ? null : sentMs + 40 + at * 10));
  t.equal(beyondSaving(source, TRACES.clean, arrivals, 1000), 1);
  // Frames 11 to 19 are later than 100 ms; from frame 20 on nobody hears a difference.
  t.equal(beyondSaving(source, TRACES.clean, arrivals, 100), 10);
});

t.test('segments that do not add up are refused', async (t) => {
  const meter = new Meter(source, TRACES.clean);
  t.throws(() => meter.hear([], new Int16Array(240), 0), /0 samples in segments of 240/);
});
