/**
 * A gain that reaches its target along a straight line, over 10 ms and across pulls, so that no change of it clicks. Pure.
 *
 * A step in the gain is a step in the sound, which is heard as a click. A linear ramp adds at most |x| · |target - gain| / 240 to the change from one
 * sample x to the next. It is that of the Web Audio API's `linearRampToValueAtTime`.
 *
 * Real-time: no allocation.
 */

import { type Samples, samplesOfMs } from '../units.js';

/** How long a change of gain takes: 10 ms. */
export const RAMP: Samples = samplesOfMs(10);

export class GainRamp {
  #target: number;
  /** Change of the gain per sample, and for how many samples more. */
  #step = 0;
  #left: Samples = 0;

  /** @param gain A factor. */
  constructor(gain: number) {
    this.#target = gain;
  }

  /** The factor of the latest sample. */
  get gain(): number {
    return this.#target - this.#step * this.#left;
  }

  /**
   * Begins a ramp from the present gain to `targets[at]`. The same target again changes nothing. The target is passed in memory because V8 may
   * allocate a fraction that is passed to a function.
   */
  aim(targets: Float64Array, at: number): void {
    const target = targets[at]!;
    if (target === this.#target) return;
    this.#step = (target - this.gain) / RAMP;
    this.#target = target;
    this.#left = RAMP;
  }

  /** Has the gain `targets[at]` at once: for sound that is not heard. */
  jump(targets: Float64Array, at: number): void {
    this.#target = targets[at]!;
    this.#left = 0;
  }

  /**
   * Adds `pcm[0, samples)`, multiplied by the gain, to every `stride`th value of `sums` from `at` on. With a gain of 1 the sums of whole numbers
   * are exact.
   */
  mix(pcm: Int16Array, samples: Samples, sums: Float64Array, at: number, stride: number): void {
    const target = this.#target;
    const step = this.#step;
    const ramped = Math.min(this.#left, samples);
    let left = this.#left;
    let to = at;
    for (let i = 0; i < ramped; i++, to += stride) {
      left -= 1;
      sums[to]! += pcm[i]! * (target - step * left);
    }
    this.#left = left;
    if (target === 0) return;
    for (let i = ramped; i < samples; i++, to += stride) sums[to]! += pcm[i]! * target;
  }

  /** Multiplies `sums[from, to)`, in frames of `channels` interleaved values, by the gain. */
  scale(sums: Float64Array, from: number, to: number, channels: number): void {
    const target = this.#target;
    const step = this.#step;
    let left = this.#left;
    let i = from;
    while (left > 0 && i < to) {
      left -= 1;
      const gain = target - step * left;
      for (let channel = 0; channel < channels; channel++, i++) sums[i]! *= gain;
    }
    this.#left = left;
    if (target === 1) return;
    for (; i < to; i++) sums[i]! *= target;
  }
}
