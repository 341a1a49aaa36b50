/** An hour of talk between two drifting clocks, in simulated time: the delay stays where it is, and memory too. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { type Packet, readPacket } from '../../../voice/packet.js';
import { JitterBuffer } from '../../../voice/playout/jitter_buffer.js';
import { FRAME_SAMPLES, type Samples } from '../../../voice/units.js';
import { headerOf } from '../../kit/playout/voice_header.js';
import { SEED, SeededRandom } from '../../kit/random.js';
import { frameOf, opusOp, packetOfOps, RATE_24K } from '../../kit/raw_packet.js';
import { SOUND } from '../../kit/speakers.js';

t.comment(`HOTMIC_SEED=${SEED}`);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const HOUR_MS = 3_600_000;
const PACKET = packetOfOps(RATE_24K + opusOp(frameOf(0, SOUND)));
const READ = wholePacket();

function wholePacket(): Packet {
  const read = readPacket(PACKET);
  if (read.kind === 'malformed') throw new Error(read.detail);
  return read;
}

/** A period of 8 ms, of what a frame may be changed by; once in 130 ms. */
const PERIOD: Samples = 192;
const FRAMES_PER_CHANGE = 6;

interface Hour {
  /** Least and largest delay of speech in each five minutes, against the fastest packet. */
  readonly delays: readonly { least: number; most: number }[];
  readonly concealedMs: number;
  readonly changedMs: number;
  readonly heapGrowth: number;
  readonly buffer: JitterBuffer;
}

/** Talkspurts of 2 to 10 s with pauses of 0.2 to 4 s, or one that lasts the whole hour. */
function hour(ppm: number, jitterMs: number, manner: 'talkspurts' | 'without a pause'): Hour {
  const random = new SeededRandom(SEED);
  const buffer = new JitterBuffer();
  const delays: { least: number; most: number }[] = [];
  let [concealed, changed, sinceChange, left] = [0, 0, 0, 0];
  let [sequence, frame, endFrame] = [0, 0, 0];
  let isFirst = true;
  let heapBefore = 0;
  const arrivalOf = (index: number) => (index + 1) * 20 * (1 + ppm / 1e6) + 30;
  let nextAt = arrivalOf(0);
  for (let now = 0; now < HOUR_MS; now += 20) {
    if (now === HOUR_MS / 6) {
      collect();
      heapBefore = process.memoryUsage().heapUsed;
    }
    while (nextAt <= now) {
      if (frame >= endFrame) endFrame = frame + (manner === 'talkspurts' ? 100 + random.below(400) : HOUR_MS);
      const isLast = frame + 1 >= endFrame;
      const header = headerOf(sequence & 0xffff, (frame * FRAME_SAMPLES) >>> 0, {
        marker: isFirst,
        terminator: isLast,
      });
      buffer.push(header, READ, PACKET, nextAt);
      sequence += 1;
      isFirst = isLast;
      frame += isLast ? 1 + 10 + random.below(190) : 1;
      nextAt = Math.max(nextAt, arrivalOf(frame) + random.below(jitterMs * 1000 + 1) / 1000);
    }
    let at = Math.min(left, FRAME_SAMPLES);
    left -= at;
    while (at < FRAME_SAMPLES) {
      const popped = buffer.pop(now, at, FRAME_SAMPLES - at);
      let { samples } = popped;
      if (popped.kind === 'conceal' && popped.sound === 'speech') concealed += samples;
      if (popped.kind === 'frame') {
        const slot = Math.floor(now / 300_000);
        // Not of the first 10 s, in which the network is learned.
        if (now > 10_000) {
          delays[slot] ??= { least: Number.POSITIVE_INFINITY, most: 0 };
          const delay = now + at / 24 - arrivalOf(popped.position! / FRAME_SAMPLES);
          delays[slot].least = Math.min(delays[slot].least, delay);
          delays[slot].most = Math.max(delays[slot].most, delay);
        }
        sinceChange += 1;
        if (popped.excess !== 0 && sinceChange >= FRAMES_PER_CHANGE) {
          const change = Math.max(-PERIOD, Math.min(PERIOD, -popped.excess));
          samples += change;
          changed += Math.abs(change);
          sinceChange = 0;
        }
      }
      const played = Math.min(samples, FRAME_SAMPLES - at);
      left += samples - played;
      at += played;
    }
  }
  collect();
  const heapGrowth = process.memoryUsage().heapUsed - heapBefore;
  return { delays, concealedMs: concealed / 24, changedMs: changed / 24, heapGrowth, buffer };
}

for (const manner of ['talkspurts', 'without a pause'] as const) {
  for (const [ppm, jitterMs] of [
    [200, 0],
    [-200, 0],
    [0, 15],
    [200, 15],
    [-200, 15],
  ] as const) {
    t.test(
      `an hour ${manner}, ${ppm} ppm, jitter within ${jitterMs} ms: the delay does not wander`,
      async (t) => {
        const { delays, concealedMs, changedMs, heapGrowth, buffer } = hour(ppm, jitterMs, manner);
        t.equal(delays.length, 12);
        // A talkspurt begins with the target (25 ms at most) after its first packet, which has jitter of its own (15), in the next pull (20).
        for (const { least, most } of delays)
          t.ok(least >= -2 && most <= 60, `${least.toFixed(1)} to ${most.toFixed(1)} ms`);
        t.equal(concealedMs, 0);
        t.equal(buffer.lostSamples, 0);
        // 720 ms of drift in an hour, and what the jitter asks for.
        t.ok(changedMs <= 3000, `${changedMs.toFixed(0)} ms stretched and shortened`);
        t.ok(heapGrowth < 500_000, `${heapGrowth} bytes`);
      },
    );
  }
}
