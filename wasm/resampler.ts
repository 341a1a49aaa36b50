/**
 * Resampling in the WebAssembly module: streams of any length, continuous across calls.
 */

import { HotmicError } from '../voice/error.js';
import { freed, glue, isCodecReady, notReady, staging } from './module.js';

/** The lowest and highest rate of `Resampler`, in Hz. */
export const RESAMPLER_RATES_HZ = { min: 4000, max: 192_000 } as const;

/**
 * Brings a mono stream from one rate to another, continuous across calls. Flat to 0.8 of the lower Nyquist frequency,
 * aliases below -80 dB. 20 to 550 kB of the module's memory until `free()`.
 *
 * Output sample n stands at input time n * fromHz / toHz - delaySamples: after N input samples exactly
 * ceil(N * toHz / fromHz) have come out. To get the tail of a clip, feed `delaySamples` zeros.
 *
 * @throws RangeError for a rate that is no whole number from 4000 to 192000; HotmicError ERR_HOTMIC_CODEC before
 *   `initCodec`. Making one takes up to 20 ms (it computes the filter): not for a real-time thread.
 */
export class Resampler {
  readonly fromHz: number;
  readonly toHz: number;
  /** By how many input samples the output lags, always: 36 for rates up, 36 * fromHz / toHz, rounded up a little, for down. */
  readonly delaySamples: number;
  readonly #maxInput: number;
  #handle = 0;
  #out = new Float32Array(0);

  constructor(fromHz: number, toHz: number) {
    for (const rate of [fromHz, toHz]) {
      if (!Number.isInteger(rate) || rate < RESAMPLER_RATES_HZ.min || rate > RESAMPLER_RATES_HZ.max) {
        const { min, max } = RESAMPLER_RATES_HZ;
        throw new RangeError(`Cannot make Resampler: ${rate} Hz, wants a whole number from ${min} to ${max}`);
      }
    }
    if (!isCodecReady()) throw notReady();
    this.fromHz = fromHz;
    this.toHz = toHz;
    this.#handle = glue.resampler_new(fromHz, toHz);
    if (this.#handle === 0) throw new HotmicError('ERR_HOTMIC_CODEC', 'Cannot make Resampler: refused');
    this.delaySamples = glue.resampler_delay(this.#handle);
    this.#maxInput = glue.resampler_max_input(this.#handle);
  }

  /**
   * Resamples the next `input`, of any length; it is only read. Real-time: allocates only when `input` is longer
   * than any before.
   *
   * @returns What came out; valid until the next call, which writes over it.
   * @throws HotmicError ERR_HOTMIC_CODEC after `free()`.
   */
  process(input: Float32Array): Float32Array {
    if (this.#handle === 0) throw freed('Resampler');
    const most = Math.ceil((input.length * this.toHz) / this.fromHz) + 1;
    if (this.#out.length < most) this.#out = new Float32Array(most);
    const out = this.#out;
    const area = staging();
    let made = 0;
    for (let start = 0; start < input.length; start += this.#maxInput) {
      const count = Math.min(this.#maxInput, input.length - start);
      for (let i = 0; i < count; i++) area.input[i] = input[start + i]!;
      const outputs = glue.resampler_process(this.#handle, count);
      if (outputs < 0)
        throw new HotmicError('ERR_HOTMIC_CODEC', `Cannot resample: the module answered ${outputs}`);
      for (let i = 0; i < outputs; i++) out[made + i] = area.output[i]!;
      made += outputs;
    }
    return out.subarray(0, made);
  }

  /** Gives the memory back. A second call does nothing; any other use throws. */
  free(): void {
    if (this.#handle !== 0) glue.resampler_free(this.#handle);
    this.#handle = 0;
  }
}
