/** What is played, concealed and skipped when: the decisions of the jitter buffer, without any sound. */

import t from 'tap';
import { readPacket } from '../../../voice/packet.js';
import { JitterBuffer } from '../../../voice/playout/jitter_buffer.js';
import type { DelayBounds } from '../../../voice/playout/playout_delay.js';
import { FRAME_SAMPLES } from '../../../voice/units.js';
import type { VoiceHeader } from '../../../voice/wire.js';
import { headerOf } from '../../kit/playout/voice_header.js';
import { frameOf, opusOp, packetOfOps, RATE_24K, u16Hex } from '../../kit/raw_packet.js';
import { SOUND } from '../../kit/speakers.js';

/** 20 ms each; every frame has its own Opus sequence. */
function framesPacket(sequence: number, frames = 1, opus = SOUND, tail = ''): Uint8Array {
  const payload = Array.from({ length: frames }, (_, at) => frameOf(sequence + at, opus)).join('');
  return packetOfOps(RATE_24K + opusOp(payload + tail));
}
/** With the bit that says that it repeats the frame before it. */
const REPEATING = SOUND.replace('689f', '68df');
const silencePacket = (samples: number) => packetOfOps(`${RATE_24K}00${u16Hex(samples)}`);

/** One decision, in short: `frame 3` is that of timestamp 3 × 480. */
interface Decision {
  readonly what: string;
  readonly samples: number;
  readonly at: number;
}

/** A buffer with an output that asks for 20 ms every 20 ms, from instant 10 on. */
class Bench {
  readonly buffer: JitterBuffer;
  readonly decisions: Decision[] = [];
  #now = 10;
  #left = 0;

  constructor(bounds?: DelayBounds) {
    this.buffer = new JitterBuffer(bounds);
  }

  /** A packet of one frame, said from `index` × 20 ms on, so complete 20 ms later. */
  frame(index: number, arrivedAt: number, flags: Partial<VoiceHeader> = {}, opus = SOUND): void {
    this.packet(index, index * FRAME_SAMPLES, framesPacket(index, 1, opus), arrivedAt, flags);
  }

  packet(
    sequence: number,
    timestamp: number,
    packet: Uint8Array,
    arrivedAt: number,
    flags: Partial<VoiceHeader> = {},
  ) {
    const read = readPacket(packet);
    if (read.kind === 'malformed') throw new Error(read.detail);
    this.buffer.push(headerOf(sequence & 0xffff, timestamp >>> 0, flags), read, packet, arrivedAt);
  }

  /** Pulls until `untilMs` and returns what was decided meanwhile. Sound is never stretched here. */
  pull(untilMs: number): string[] {
    const from = this.decisions.length;
    for (; this.#now < untilMs; this.#now += 20) {
      let at = Math.min(this.#left, FRAME_SAMPLES);
      this.#left -= at;
      while (at < FRAME_SAMPLES) {
        const popped = this.buffer.pop(this.#now, at, FRAME_SAMPLES - at);
        const index = popped.position === null ? '' : ` ${popped.position / FRAME_SAMPLES}`;
        const what = `${popped.kind}${index}${popped.frame && popped.kind === 'conceal' ? ' fec' : ''}`;
        this.decisions.push({ what, samples: popped.samples, at: this.#now + at / 24 });
        const played = Math.min(popped.samples, FRAME_SAMPLES - at);
        this.#left += popped.samples - played;
        at += played;
      }
    }
    return this.decisions.slice(from).map(({ what }) => what);
  }
}

const MARKER = { marker: true };
const TERMINATOR = { terminator: true };

t.test('a talkspurt begins when its first frame has the target delay', async (t) => {
  const bench = new Bench();
  bench.frame(0, 20, MARKER);
  bench.frame(1, 40);
  t.strictSame(bench.pull(50), ['silence', 'silence']);
  bench.frame(2, 60);
  // 40 ms after its arrival, in the middle of a pull: at 50 it would be too early to be sure of it.
  t.strictSame(bench.pull(70), ['silence']);
  bench.frame(3, 80);
  t.strictSame(bench.pull(90), ['frame 0']);
  t.equal(bench.buffer.delayMs(90), 40 + 20 - 10 + 0);
});

t.test('frames that came out of order are played in order', async (t) => {
  const bench = new Bench();
  bench.frame(0, 20, MARKER);
  for (const index of [2, 1, 4, 3]) bench.frame(index, 20 + index);
  t.strictSame(
    bench.pull(160).filter((what) => what.startsWith('frame')),
    ['frame 0', 'frame 1', 'frame 2', 'frame 3', 'frame 4'],
  );
});

t.test('a duplicate is counted and played once', async (t) => {
  const bench = new Bench();
  bench.frame(0, 20, MARKER);
  bench.frame(0, 21, MARKER);
  bench.frame(1, 40);
  bench.frame(1, 40);
  t.strictSame(
    bench.pull(110).filter((what) => what.startsWith('frame')),
    ['frame 0', 'frame 1'],
  );
  bench.frame(1, 115);
  t.equal(bench.buffer.duplicatePackets, 3);
  t.equal(bench.buffer.latePackets, 0);
});

/** Frames 0 to `count` − 1 in time, without those in `lost`; played until the frame after. */
function talking(bench: Bench, count: number, lost: readonly number[] = []): void {
  for (let index = 0; index < count; index++) {
    const opus = lost.includes(index - 1) ? REPEATING : SOUND;
    if (!lost.includes(index)) bench.frame(index, 20 + index * 20, index === 0 ? MARKER : {}, opus);
    bench.pull(30 + index * 20);
  }
}

t.test('a lost frame is concealed when it is due, with the FEC of the next, and counted', async (t) => {
  const bench = new Bench();
  talking(bench, 20, [10]);
  const what = bench.decisions.map((decision) => decision.what);
  t.strictSame(what.slice(what.indexOf('frame 9'), what.indexOf('frame 12')), [
    'frame 9',
    'conceal 10 fec',
    'frame 11',
  ]);
  t.equal(bench.buffer.lostSamples, FRAME_SAMPLES);
  t.equal(bench.buffer.underruns, 0);
});

t.test('of a longer gap, its length is that of the timestamps, and the last frame has the FEC', async (t) => {
  const bench = new Bench();
  talking(bench, 6);
  for (const index of [6, 7, 11, 12]) bench.frame(index, 150, {}, index === 11 ? REPEATING : SOUND);
  const what = bench.pull(330);
  t.strictSame(what.slice(what.indexOf('frame 7')).slice(0, 6), [
    'frame 7',
    'conceal 8',
    'conceal 9',
    'conceal 10 fec',
    'frame 11',
    'frame 12',
  ]);
  t.equal(bench.buffer.lostSamples, 3 * FRAME_SAMPLES);
});

t.test('without FEC in the next frame, a lost one is concealed from what was before it', async (t) => {
  const bench = new Bench();
  talking(bench, 6);
  for (const index of [6, 7, 9, 10]) bench.frame(index, 150);
  const what = bench.pull(330);
  t.equal(what[what.indexOf('frame 7') + 1], 'conceal 8');
});

t.test('a frame that comes after it was given up for lost is late: counted, and never played', async (t) => {
  const bench = new Bench();
  talking(bench, 20, [10]);
  bench.frame(10, 425);
  bench.frame(20, 425);
  t.equal(bench.buffer.latePackets, 1);
  t.notOk(bench.pull(500).includes('frame 10'));
});

t.test('sound that is due and missing is concealed in pieces of 10 ms, at once', async (t) => {
  const bench = new Bench();
  talking(bench, 10);
  const what = bench.pull(330);
  const missing = what.slice(what.indexOf('conceal 10'));
  t.strictSame(missing.slice(0, 4), ['conceal 10', 'conceal 10.5', 'conceal 11', 'conceal 11.5']);
  t.equal(bench.buffer.underruns, 1);
  t.equal(bench.buffer.lostSamples, 0, 'it may still come');
});

t.test('if it then comes, it is played after all, and the delay has grown by the wait', async (t) => {
  const bench = new Bench();
  talking(bench, 10);
  const before = bench.buffer.delayMs(210);
  const concealed = bench.pull(330).filter((what) => what.startsWith('conceal')).length;
  for (let index = 10; index < 16; index++) bench.frame(index, 335);
  t.strictSame(bench.pull(390), ['frame 10', 'frame 11', 'frame 12']);
  t.equal(bench.buffer.delayMs(390) - before, concealed * 10 - 0);
  t.equal(bench.buffer.lostSamples, 0);
  t.equal(bench.buffer.skippedSamples, 0);
});

t.test('if what comes next shows that it was lost, nothing is concealed twice', async (t) => {
  const bench = new Bench();
  talking(bench, 10);
  const missing = bench.pull(270).filter((what) => what.startsWith('conceal'));
  // As many frames as were concealed were lost.
  const next = 10 + missing.length / 2;
  bench.frame(next, 275);
  t.equal(bench.pull(290)[0], `frame ${next}`);
  t.equal(bench.buffer.lostSamples, (missing.length / 2) * FRAME_SAMPLES);
});

t.test(
  'after a stall of 2 s the next sound has no more than the usual delay, and the old sound is skipped',
  async (t) => {
    const bench = new Bench();
    talking(bench, 50);
    bench.pull(3020);
    for (let index = 50; index < 150; index++) bench.frame(index, 3020);
    for (let index = 150; index < 160; index++) {
      bench.frame(index, 20 + index * 20);
      bench.pull(30 + index * 20);
    }
    const first = bench.decisions.find(({ what, at }) => at > 3020 && what.startsWith('frame'))!;
    const delay = first.at - Number(first.what.split(' ')[1]) * 20 - 20;
    t.ok(delay >= 0 && delay <= 60, `${first.what} at ${first.at}: ${delay} ms behind`);
    t.ok(bench.buffer.skippedSamples > 90 * FRAME_SAMPLES);
    t.equal(bench.buffer.lostSamples, 0);
  },
);

t.test('a talkspurt ends with its terminator, and what was said in between is not missing', async (t) => {
  const bench = new Bench();
  talking(bench, 5);
  bench.packet(5, 5 * FRAME_SAMPLES, silencePacket(0), 122, TERMINATOR);
  const what = bench.pull(250);
  t.strictSame(what.slice(-4), ['silence', 'silence', 'silence', 'silence']);
  t.notOk(what.some((one) => one.startsWith('conceal')));
  bench.packet(6, 50 * FRAME_SAMPLES, framesPacket(0), 1020, MARKER);
  bench.packet(7, 51 * FRAME_SAMPLES, framesPacket(1), 1040);
  t.ok(bench.pull(1100).includes('frame 50'));
  t.equal(bench.buffer.lostSamples, 0);
  t.equal(bench.buffer.underruns, 0);
});

t.test('without a terminator a talkspurt is given up after 1 s', async (t) => {
  const bench = new Bench();
  talking(bench, 5);
  const what = bench.pull(3000);
  const concealed = what.filter((one) => one.startsWith('conceal')).length;
  t.equal(concealed * 10, 1000);
  t.equal(what.at(-1), 'silence');
});

t.test('missing sound after DTX is silence, and no underrun', async (t) => {
  const bench = new Bench();
  talking(bench, 5);
  for (let index = 5; index < 10; index++) bench.frame(index, 125, {}, '68');
  bench.pull(600);
  t.equal(bench.buffer.underruns, 0);
});

t.test('a new talkspurt begins at the target again, whatever the delay before', async (t) => {
  const bench = new Bench();
  talking(bench, 10);
  bench.pull(330);
  for (let index = 10; index < 16; index++) bench.frame(index, 335);
  bench.packet(16, 16 * FRAME_SAMPLES, silencePacket(0), 342, TERMINATOR);
  bench.pull(1000);
  bench.frame(60, 1220, MARKER);
  bench.frame(61, 1240);
  bench.frame(62, 1260);
  bench.pull(1500);
  const { at } = bench.decisions.find(({ what }) => what === 'frame 60')!;
  const late = at - 1220 - bench.buffer.targetMs;
  t.ok(late >= 0 && late < 20, `${at} ms, target ${bench.buffer.targetMs} ms`);
});

t.test('a silence that the speaker sent is shortened first, where there is too much delay', async (t) => {
  const bench = new Bench();
  // The first packet of a recording holds eight frames: they are played at once, and late.
  bench.packet(0, 0, framesPacket(0, 8), 160, MARKER);
  bench.pull(170);
  bench.frame(8, 180);
  bench.pull(190);
  bench.frame(9, 200);
  bench.packet(10, 10 * FRAME_SAMPLES, silencePacket(4800), 202);
  bench.pull(410);
  for (const index of [20, 21, 22]) {
    bench.packet(index - 9, index * FRAME_SAMPLES, framesPacket(index - 10), 20 + index * 20);
    bench.pull(30 + index * 20);
  }
  bench.pull(550);
  const from = bench.decisions.find(({ what }) => what === 'frame 9')!;
  const to = bench.decisions.find(({ what }) => what === 'frame 20')!;
  t.ok(to.at - from.at < 180, `${to.at - from.at} ms instead of 220`);
  t.equal(bench.buffer.skippedSamples, 0, 'silence is no sound');
  t.equal(bench.buffer.lostSamples, 0);
});

t.test(
  'a frame with too much delay asks to be shortened, and one with too little to be stretched',
  async (t) => {
    const bench = new Bench();
    talking(bench, 150);
    t.ok(bench.buffer.targetMs <= 20, `${bench.buffer.targetMs} ms`);
    bench.frame(150, 3020);
    t.ok(bench.buffer.pop(3030, 0, FRAME_SAMPLES).excess > 0);

    const slow = new Bench();
    for (let index = 0; index < 400; index++) {
      slow.frame(index, 20 + index * 20 + (index % 10 === 0 ? 60 : 0), index === 0 ? MARKER : {});
      slow.pull(30 + index * 20);
    }
    t.ok(slow.buffer.targetMs >= 60, `${slow.buffer.targetMs} ms`);
  },
);

t.test('sequences and timestamps wrap without a gap', async (t) => {
  const bench = new Bench();
  const first = 2 ** 32 - 3 * FRAME_SAMPLES;
  for (let index = 0; index < 8; index++) {
    const timestamp = (first + index * FRAME_SAMPLES) % 2 ** 32;
    bench.packet(65_533 + index, timestamp, framesPacket(index), 20 + index * 20, index === 0 ? MARKER : {});
    bench.pull(30 + index * 20);
  }
  bench.pull(250);
  t.equal(bench.decisions.filter(({ what }) => what.startsWith('frame')).length, 8);
  t.equal(bench.buffer.lostSamples, 0);
  t.equal(bench.buffer.restarts, 0);
});

t.test('a speaker who joined again is heard at once, though their clock starts again', async (t) => {
  const bench = new Bench();
  for (let index = 0; index < 20; index++) {
    bench.packet(
      index,
      1_000_000 + index * FRAME_SAMPLES,
      framesPacket(index),
      20 + index * 20,
      index ? {} : MARKER,
    );
    bench.pull(30 + index * 20);
  }
  for (let index = 0; index < 5; index++)
    bench.packet(index, index * FRAME_SAMPLES, framesPacket(index), 520 + index * 20, index ? {} : MARKER);
  bench.pull(660);
  t.equal(bench.buffer.restarts, 1);
  t.ok(bench.decisions.some(({ what }) => what === 'frame 0'));
});

t.test('a queue that is full drops the oldest frames', async (t) => {
  const bench = new Bench();
  for (let index = 0; index < 300; index++) bench.frame(index, 20, index ? {} : MARKER);
  t.equal(bench.buffer.overflowedFrames, 44);
});

t.test('a packet of more than 3 s is refused', async (t) => {
  const bench = new Bench();
  bench.packet(0, 0, framesPacket(0, 151, '68'), 20, MARKER);
  t.equal(bench.buffer.refusedPackets, 1);
  t.strictSame(bench.pull(30), ['silence']);
});

t.test('a bound out of its range is refused', async (t) => {
  t.throws(() => new JitterBuffer({ minDelayMs: -1 }), { name: 'RangeError' });
  t.throws(() => new JitterBuffer({ maxDelayMs: 1001 }), { name: 'RangeError' });
  t.throws(() => new JitterBuffer({ minDelayMs: 100, maxDelayMs: 50 }), { name: 'RangeError' });
  t.throws(() => new JitterBuffer({ maxDelayMs: Number.NaN }), { name: 'RangeError' });
});

t.test(
  'a talkspurt that waited behind a stall begins at what is live, and the decoder gets what is before that',
  async (t) => {
    const bench = new Bench();
    for (let index = 0; index < 50; index++) bench.frame(index, index * 20 + 20, index === 0 ? MARKER : {});
    bench.packet(50, 50 * FRAME_SAMPLES, silencePacket(0), 1020, TERMINATOR);
    bench.pull(1700);
    // Said from 1400 ms on; nothing came through until 1700.
    for (let index = 70; index < 84; index++) bench.frame(index, 1700, index === 70 ? MARKER : {});
    const played = bench.pull(1740).filter((what) => what.startsWith('frame') || what.startsWith('feed'));
    t.same(played, ['feed 72', 'feed 73', 'feed 74', 'frame 75.5', 'frame 76', 'frame 77']);
    t.equal(bench.buffer.lostSamples, 0);
    t.ok(bench.buffer.skippedSamples > 0, 'skipped, and not lost: it came');
  },
);

t.test('what is passed moves the buffer on, and counts as neither lost nor late', async (t) => {
  const bench = new Bench();
  const pass = (index: number) => {
    const bytes = framesPacket(index);
    const read = readPacket(bytes);
    if (read.kind === 'malformed') throw new Error(read.detail);
    bench.buffer.pass(headerOf(index, index * FRAME_SAMPLES, {}), read, index * 20 + 20);
  };
  for (let index = 0; index < 10; index++) bench.frame(index, index * 20 + 20, index === 0 ? MARKER : {});
  bench.pull(200);
  for (let index = 10; index < 50; index++) pass(index);
  for (let index = 50; index < 60; index++) bench.frame(index, index * 20 + 20);
  t.equal(
    bench.pull(1100).find((what) => what.startsWith('frame')),
    'frame 50',
  );
  const { lostSamples, skippedSamples, latePackets, passedSamples } = bench.buffer;
  t.same([lostSamples, skippedSamples, latePackets, passedSamples], [0, 0, 0, 40 * FRAME_SAMPLES]);
  pass(20);
  t.equal(bench.buffer.duplicatePackets, 1, 'a duplicate is one here too');
});
