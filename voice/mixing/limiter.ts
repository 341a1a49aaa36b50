/**
 * Keeps a mix below full scale without clipping it hard. Pure.
 *
 * Above the threshold of -3 dBFS the gain is lowered so that the peaks come down to the threshold. Within a pull it looks ahead: the gain begins to
 * fall 2.5 ms before a peak, and rises again with a time constant of 100 ms. One gain serves both channels, so the stereo image stays where it
 * is. (P. Hämäläinen, Smoothing of the control signal without clipped output in digital peak limiters, DAFx 2002; D. Giannoulis, M. Massberg,
 * J. D. Reiss, Digital dynamic range compressor design, J. Audio Eng. Soc. 60 (6), 2012.)
 *
 * It adds no delay, so a peak in the first 2.5 ms of a pull comes too soon for the gain. What is then still above the threshold T goes through
 * a soft knee: T + (F - T) · tanh((x - T) / (F - T)), with F full scale. That cannot exceed F, for any x, in a pull of any length.
 *
 * While nothing is above the threshold, whole numbers pass bit for bit; about half a second after a loud passage that is so again.
 *
 * Real-time: memory for one gain per sample of the largest pull; otherwise no allocation.
 */

import { type Samples, samplesOfMs } from '../units.js';
import { factorOfDb } from './decibels.js';
import { FULL_SCALE } from './level_meter.js';

/** -3 dBFS, in samples' units. */
export const LIMITER_THRESHOLD = FULL_SCALE * factorOfDb(-3);

/** The largest magnitude of a limited sample. */
const MOST = 32_767;
const KNEE = MOST - LIMITER_THRESHOLD;

/** The gain falls from 1 to 0 in 2.5 ms, along a line. */
const ATTACK_STEP = 1 / samplesOfMs(2.5);

/** The gain rises towards a little more than 1, so that it arrives. */
const RELEASE = 1 - Math.exp(-1 / samplesOfMs(100));
const RELEASE_AIM = 1.01;

export class Limiter {
  readonly #channels: number;
  #gain = 1;
  #gains = new Float64Array(0);
  /** Samples that were lowered; those of both channels at one instant count once. */
  limitedSamples: Samples = 0;

  /** @param channels 1, or 2 interleaved ones. */
  constructor(channels: 1 | 2) {
    this.#channels = channels;
  }

  /** Rounds `mix[0, out.length)` to `out`, limited. `mix` is in samples' units, of any magnitude. */
  process(mix: Float64Array, out: Int16Array): void {
    const values = out.length;
    let peak = 0;
    for (let i = 0; i < values; i++) peak = Math.max(peak, Math.abs(mix[i]!));
    if (this.#gain === 1 && peak <= LIMITER_THRESHOLD) {
      for (let i = 0; i < values; i++) out[i] = Math.round(mix[i]!);
      return;
    }
    this.#lookAhead(mix, values);
    const channels = this.#channels;
    let gain = this.#gain;
    for (let i = 0, frame = 0; i < values; frame++) {
      const wanted = this.#gains[frame]!;
      gain =
        wanted < gain
          ? Math.max(wanted, gain - ATTACK_STEP)
          : Math.min(wanted, 1, gain + (RELEASE_AIM - gain) * RELEASE);
      let isLimited = gain < 1;
      for (let channel = 0; channel < channels; channel++, i++) {
        const sample = mix[i]! * gain;
        const over = Math.abs(sample) - LIMITER_THRESHOLD;
        isLimited ||= over > 0;
        out[i] = Math.round(over > 0 ? Math.sign(sample) * knee(over) : sample);
      }
      if (isLimited) this.limitedSamples += 1;
    }
    this.#gain = gain;
  }

  /** The gain that each frame needs, and that lets a gain which falls by ATTACK_STEP per sample reach what the frames after it need. */
  #lookAhead(mix: Float64Array, values: number): void {
    const channels = this.#channels;
    const frames = values / channels;
    if (this.#gains.length < frames) this.#gains = new Float64Array(frames);
    let next = 1;
    for (let frame = frames - 1, i = values - channels; frame >= 0; frame--, i -= channels) {
      const left = Math.abs(mix[i]!);
      const peak = channels === 2 ? Math.max(left, Math.abs(mix[i + 1]!)) : left;
      const needed = peak > LIMITER_THRESHOLD ? LIMITER_THRESHOLD / peak : 1;
      next = Math.min(needed, next + ATTACK_STEP);
      this.#gains[frame] = next;
    }
  }
}

/** What becomes of a magnitude that is `over` the threshold. */
function knee(over: number): number {
  return LIMITER_THRESHOLD + KNEE * Math.tanh(over / KNEE);
}
