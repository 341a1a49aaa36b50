/** Where speech goes in a recording: two clocks, both of which wrap, drift, jitter or lie. */

import fc from 'fast-check';
import t from 'tap';
import { LATE_WINDOW_MS, MAX_AHEAD_MS, SpeakerTimeline } from '../../../voice/recording/timeline.js';
import { FRAME_SAMPLES, samplesOfMs } from '../../../voice/units.js';
import { SEED, SeededRandom } from '../../kit/random.js';

const FRAME = FRAME_SAMPLES;

interface Spoken {
  marker?: boolean;
  samples?: number;
}

/** A frame whose media clock reads `timestamp` and that reached the relay at `relayTimeMs`; both wrap. */
function frame(timestamp: number, relayTimeMs: number, { marker = false, samples = FRAME }: Spoken = {}) {
  return { timestamp: timestamp >>> 0, relayTimeMs: relayTimeMs >>> 0, marker, samples };
}

t.test('the first frame ends at its relay time', async (t) => {
  const timeline = new SpeakerTimeline(5_000);
  t.equal(timeline.place(frame(123_456, 6_000, { marker: true })), 24_000 - FRAME);
  t.equal(timeline.end, 24_000);
});

t.test('a frame that began before the recording lies at its start', async (t) => {
  for (const relayTimeMs of [5_005, 5_000, 1_000]) {
    t.equal(new SpeakerTimeline(5_000).place(frame(9, relayTimeMs)), 0, `relay time ${relayTimeMs}`);
  }
});

t.test('two speakers who speak at one moment lie side by side, whatever their media clocks', async (t) => {
  const one = new SpeakerTimeline(1_000);
  const other = new SpeakerTimeline(1_000);
  t.equal(one.place(frame(17, 4_000)), other.place(frame(0xdeadbeef, 4_000)));
});

t.test('both clocks wrap', async (t) => {
  const table: [name: string, timestamp: number, originMs: number][] = [
    ['neither', 0, 0],
    ['the media clock, after the third frame', 0xffffffff - 3 * FRAME, 0],
    ['the relay clock, before the first frame', 0, 0xffffffff - 500],
    ['the relay clock, after the third frame', 0, 0xffffffff - 1_050],
    ['both', 0xffffffff - 3 * FRAME, 0xffffffff - 1_050],
  ];
  for (const [name, timestamp, originMs] of table) {
    const timeline = new SpeakerTimeline(originMs);
    const positions = Array.from({ length: 8 }, (_, at) =>
      timeline.place(frame(timestamp + at * FRAME, originMs + 1_000 + at * 20, { marker: at === 0 })),
    );
    const first = 24_000 - FRAME;
    t.same(
      positions,
      positions.map((_, at) => first + at * FRAME),
      name,
    );
    t.equal(timeline.reanchored, 0, name);
  }
});

t.test('jitter of the network does not move audio', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  const timeline = new SpeakerTimeline(0);
  const delayMs = () => random.below(190);
  const first = timeline.place(frame(0, 1_000 + delayMs(), { marker: true }));
  for (let at = 1; at < 20_000; at++) {
    // Talkspurts of a second, a second of silence after each.
    const spokenAt = at * FRAME + Math.floor(at / 50) * 24_000;
    const relayMs = 1_000 + spokenAt / 24 + delayMs();
    const position = timeline.place(frame(spokenAt, Math.round(relayMs), { marker: at % 50 === 0 }));
    if (position !== first + spokenAt)
      t.fail(`frame ${at} lies at ${position}, expected ${first + spokenAt}`);
  }
  t.equal(timeline.reanchored, 0);
  t.equal(timeline.pushed, 0);
});

t.test('a network that stalls within a talkspurt does not move audio', async (t) => {
  // The stall begins around the frame that opens a new window, for there it is most easily taken for lateness.
  for (let stall = 490; stall < 515; stall++) {
    const timeline = new SpeakerTimeline(0);
    const moved: number[] = [];
    for (let at = 0; at < 3_000; at++) {
      // A thousand frames come at once, when the last of them was spoken.
      const passedAt = at >= stall && at < stall + 1_000 ? stall + 1_000 : at;
      const position = timeline.place(frame(at * FRAME, 1_000 + passedAt * 20, { marker: at === 0 }));
      if (position !== 24_000 - FRAME + at * FRAME) moved.push(at);
    }
    t.same(moved, [], `stalled from frame ${stall}`);
    t.equal(timeline.reanchored, 0);
  }
});

t.test('frames that were lost leave a gap of their length', async (t) => {
  const timeline = new SpeakerTimeline(0);
  const first = timeline.place(frame(0, 1_000, { marker: true }));
  t.equal(timeline.place(frame(5 * FRAME, 1_030)), first + 5 * FRAME);
});

t.test('at a marker the relay clock counts where they disagree by more than 200 ms', async (t) => {
  const table: [name: string, relayMs: number, position: number, reanchored: number][] = [
    ['as expected', 11_000, 264_000 - FRAME, 0],
    ['200 ms late', 11_200, 264_000 - FRAME, 0],
    ['200 ms early', 10_800, 264_000 - FRAME, 0],
    ['201 ms late', 11_201, 11_201 * 24 - FRAME, 1],
    ['201 ms early', 10_799, 10_799 * 24 - FRAME, 1],
    ['after an hour of sleep', 3_611_000, 3_611_000 * 24 - FRAME, 1],
  ];
  for (const [name, relayMs, position, reanchored] of table) {
    const timeline = new SpeakerTimeline(0);
    timeline.place(frame(0, 1_000, { marker: true }));
    t.equal(timeline.place(frame(240_000, relayMs, { marker: true })), position, name);
    t.equal(timeline.reanchored, reanchored, name);
    t.equal(
      timeline.place(frame(240_000 + FRAME, relayMs + 20)),
      position + FRAME,
      `${name}, and on from there`,
    );
  }
});

t.test('a media clock that restarts is followed from the marker on', async (t) => {
  const timeline = new SpeakerTimeline(0);
  timeline.place(frame(4_000_000_000, 1_000, { marker: true }));
  t.equal(timeline.place(frame(0, 61_000, { marker: true })), 61_000 * 24 - FRAME);
});

t.test('sound that would overlap placed audio comes after it, and is counted', async (t) => {
  const timeline = new SpeakerTimeline(0);
  timeline.place(frame(0, 1_000, { marker: true, samples: 24_000 }));
  t.equal(timeline.end, 24_000);
  t.equal(timeline.place(frame(0, 1_010)), 24_000, 'the same timestamp again');
  t.equal(
    timeline.place(frame(24_000 + FRAME, 1_030)),
    24_000 + FRAME,
    'and the next one is where it belongs',
  );
  t.equal(timeline.pushed, 1);
});

t.test('a frame of no samples moves nothing', async (t) => {
  const timeline = new SpeakerTimeline(0);
  t.equal(timeline.place(frame(0, 1_000, { samples: 0 })), 24_000);
  t.equal(timeline.end, 24_000);
});

/** When a frame of an Opus clock that is fast by `ppm` was spoken, in true ms: its 480 samples take a little less than 20 ms. */
function trueMs(timestamp: number, ppm: number): number {
  return 1_000 + timestamp / (24 * (1 + ppm / 1e6));
}

t.test('a day of drift at 100 ppm stays within 205 ms, either way', async (t) => {
  for (const ppm of [100, -100]) {
    const timeline = new SpeakerTimeline(0);
    let worst = 0;
    // A talkspurt of 4 s, every 20 s, of a day.
    for (let talkspurt = 0; talkspurt < 4_320; talkspurt++) {
      for (let at = 0; at < 200; at++) {
        const timestamp = talkspurt * 480_000 + at * FRAME;
        const spokenMs = trueMs(timestamp, ppm);
        const position = timeline.place(frame(timestamp, Math.round(spokenMs + 20), { marker: at === 0 }));
        worst = Math.max(worst, Math.abs(position - spokenMs * 24));
      }
    }
    t.ok(worst > samplesOfMs(190), `${ppm} ppm drift away`);
    t.ok(worst <= samplesOfMs(205), `and come back: worst ${worst / 24} ms`);
    t.ok(timeline.reanchored > 30, `${timeline.reanchored} times`);
  }
});

t.test('an open microphone with one marker a day, whose clock is slow, stays within 205 ms', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  const timeline = new SpeakerTimeline(0);
  let early = 0;
  let late = 0;
  for (let at = 0; at < 4_320_000; at++) {
    const spokenMs = trueMs(at * FRAME, -100);
    const jitterMs = at === 0 ? 0 : random.below(100);
    const relayMs = Math.round(spokenMs + 20 + jitterMs);
    const position = timeline.place(frame(at * FRAME, relayMs, { marker: at === 0 }));
    early = Math.max(early, spokenMs * 24 - position);
    late = Math.max(late, position - spokenMs * 24);
  }
  t.ok(early <= samplesOfMs(205), `never more than ${early / 24} ms too early`);
  t.ok(late <= samplesOfMs(5), `nor ${late / 24} ms too late: jitter of 100 ms is not taken for drift`);
  t.ok(timeline.reanchored > 30, `${timeline.reanchored} gaps of 200 ms make up for 8.6 s`);
});

t.test('an open microphone whose clock is fast is never laid over itself', async (t) => {
  const timeline = new SpeakerTimeline(0);
  let end = 0;
  for (let at = 0; at < 400_000; at++) {
    const relayMs = Math.round(trueMs(at * FRAME, 50_000));
    const position = timeline.place(frame(at * FRAME, relayMs, { marker: at === 0 }));
    if (position < end) t.fail(`frame ${at} lies at ${position}, before ${end}`);
    end = position + FRAME;
  }
  t.equal(end, 24_000 - FRAME + 400_000 * FRAME, 'all of it is there, one frame behind the other');
  t.ok(timeline.reanchored > 0);
});

t.test('a speaker who lies about time cannot place audio in the future', async (t) => {
  const timeline = new SpeakerTimeline(0);
  timeline.place(frame(0, 1_000, { marker: true }));
  const position = timeline.place(frame(0x7fffffff, 1_020));
  t.equal(position, 1_020 * 24 - FRAME);
  t.equal(timeline.place(frame(0x7fffffff + FRAME, 1_040)), 1_040 * 24 - FRAME, 'and is heard on');
});

t.test('whatever comes, positions are whole, 0 or more, in order, and not in the future', async (t) => {
  t.comment(`seed ${SEED}`);
  const u32 = fc.integer({ min: 0, max: 0xffffffff });
  const step = fc.record({
    timestamp: fc.oneof(u32, fc.constant(null)),
    marker: fc.boolean(),
    relayStepMs: fc.oneof(fc.nat(40), fc.nat(2 * LATE_WINDOW_MS)),
    samples: fc.nat(4 * FRAME),
  });
  const everyHolds = fc.property(u32, fc.array(step, { maxLength: 60 }), (originMs, steps) => {
    const timeline = new SpeakerTimeline(originMs);
    let relayMs = 0;
    let timestamp = 0;
    let end = 0;
    for (const { timestamp: told, marker, relayStepMs, samples } of steps) {
      relayMs += relayStepMs;
      timestamp = told ?? timestamp + samples;
      const position = timeline.place(frame(timestamp, originMs + relayMs, { marker, samples }));
      const most = Math.max(end, 0, samplesOfMs(relayMs + MAX_AHEAD_MS) - samples);
      if (!Number.isInteger(position) || position < end || position > most) return false;
      end = position + samples;
      if (timeline.end !== end) return false;
    }
    return true;
  });
  fc.assert(everyHolds, { seed: SEED, numRuns: 2000 });
});
