/** Which frames are lost, and how a stream with losses is decoded. */

import { SeededRandom } from '../../test/kit/random.js';
import { FRAME_MS, FRAME_SAMPLES, type Milliseconds, VOICE_RATE_HZ } from '../../voice/units.js';
import type { PlcModule } from './module.js';

/** A pattern of losses: this share of the frames, in bursts of this length. */
export interface Losses {
  readonly name: string;
  readonly share: number;
  /** Of each burst; null for frames that are lost independently of each other. */
  readonly burstMs: Milliseconds | null;
}

const BURST_SHARE = 0.1;

export const LOSSES: readonly Losses[] = [
  ...[1, 3, 5, 10].map((percent) => ({ name: `${percent} %`, share: percent / 100, burstMs: null })),
  ...[40, 80, 120, 160, 200].map((burstMs) => ({
    name: `10 % in bursts of ${burstMs} ms`,
    share: BURST_SHARE,
    burstMs,
  })),
];

/** Frames at the beginning that are never lost: there is nothing yet to go on from. */
const SPARED = 10;

/** For each frame, 1 if it is lost. Every pattern loses at least one frame or burst. */
export function lostFrames({ share, burstMs }: Losses, frames: number, seed: number): Uint8Array {
  const random = new SeededRandom(seed);
  const chance = () => random.next() / 2 ** 32;
  const lost = new Uint8Array(frames);
  const burst = burstMs === null ? 1 : burstMs / FRAME_MS;
  // Between bursts at least one frame arrives, and the mean makes up the share.
  const meanGap = (burst * (1 - share)) / share;
  const begins = burstMs === null ? share : 1 / meanGap;
  for (let at = SPARED; at + burst <= frames; at++) {
    if (chance() >= begins) continue;
    lost.fill(1, at, at + burst);
    if (burstMs !== null) at += burst;
  }
  if (!lost.includes(1)) lost.fill(1, frames >> 1, (frames >> 1) + burst);
  return lost;
}

/** Decodes packets of one frame each, at 24 kHz, with some lost. */
export function heard(
  module: PlcModule,
  packets: readonly Uint8Array[],
  lost: Uint8Array,
  how: { readonly plc: 'deep' | 'classic'; readonly fec: boolean },
): Int16Array {
  const decoder = module.open(VOICE_RATE_HZ, how.plc);
  const pcm = new Int16Array(packets.length * FRAME_SAMPLES);
  for (const [at, packet] of packets.entries()) {
    const next = lost[at + 1] === 0 ? packets[at + 1] : undefined;
    if (lost[at] === 0) {
      decoder.stage(packet);
      decoder.decode(packet.length);
    } else if (how.fec && next !== undefined) {
      decoder.stage(next);
      decoder.fec(next.length);
    } else {
      decoder.conceal(FRAME_SAMPLES);
    }
    decoder.read(FRAME_SAMPLES, pcm, at * FRAME_SAMPLES);
  }
  decoder.free();
  return pcm;
}
