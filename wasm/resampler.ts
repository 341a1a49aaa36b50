/**
 * Resampling in the WebAssembly module: streams of any length, floats or s16, continuous across calls.
 */

import { HotmicError } from '../voice/error.js';
import * as glue from './glue.js';
import {
  checkArray,
  checkSpan,
  copySamples,
  freed,
  isCodecReady,
  notReady,
  STAGING,
  staging,
} from './module.js';

/** The lowest and highest rate of `Resampler`, in Hz. */
export const RESAMPLER_RATES_HZ = { min: 4000, max: 192_000 } as const;

/** Ratios of rates in use at a time in one thread: each has a filter of its own. */
const MAX_RATIOS = 64;

/** The longest input of one `stretchPcm`: 3 s at 24 kHz. */
export const MAX_STRETCH_SAMPLES = 72_000;

/**
 * Brings a mono stream from one rate to another, continuous across calls. Level to 0.8 of the lower Nyquist
 * frequency; images and aliases below -95 dB. Below 400 bytes of the module's memory until `free()` for
 * a ratio up, 10 kB at most; and once for all with one ratio the filter, about 100 to 270 kB, freed with the last of them.
 *
 * Output sample n stands at input time n * fromHz / toHz - delaySamples: after N input samples exactly
 * ceil(N * toHz / fromHz) have come out. To get the tail of a clip, feed `delaySamples` zeros.
 *
 * @throws RangeError for a rate that is no whole number from 4000 to 192000; HotmicError ERR_HOTMIC_CODEC before
 *   `initCodec`, or while 64 other ratios are in use. The first of a ratio takes up to 20 ms (it computes the filter): not for a
 *   real-time thread.
 */
export class Resampler {
  readonly fromHz: number;
  readonly toHz: number;
  /**
   * By how many input samples the output lags, always, streamed or stretched: 32 for rates up, 32 * fromHz / toHz rounded up
   * to the next multiple of 8 for down (72 from 24000 to 11025 Hz).
   */
  readonly delaySamples: number;
  readonly #maxInput: number;
  readonly #maxStream: number;
  #handle = 0;
  #out = new Float32Array(0);

  constructor(fromHz: number, toHz: number) {
    for (const rate of [fromHz, toHz]) {
      if (!Number.isInteger(rate) || rate < RESAMPLER_RATES_HZ.min || rate > RESAMPLER_RATES_HZ.max) {
        const { min, max } = RESAMPLER_RATES_HZ;
        throw new RangeError(
          `Cannot make Resampler: ${rate} Hz, expected a whole number from ${min} to ${max}`,
        );
      }
    }
    if (!isCodecReady()) throw notReady();
    this.fromHz = fromHz;
    this.toHz = toHz;
    this.#handle = glue.resampler_new(fromHz, toHz);
    if (this.#handle === 0)
      throw new HotmicError(
        'ERR_HOTMIC_CODEC',
        `Cannot make Resampler: ${MAX_RATIOS} other ratios are in use; free the resamplers of one first`,
      );
    this.delaySamples = glue.resampler_delay(this.#handle);
    this.#maxInput = glue.resampler_max_input(this.#handle);
    this.#maxStream = glue.resampler_max_stream(this.#handle);
  }

  /**
   * Resamples the next `input`, of any length; it is only read. Real-time: allocates only when `input` is longer
   * than any before.
   *
   * @returns What came out; valid until the next call, which writes over it.
   * @throws HotmicError ERR_HOTMIC_CODEC after `free()`.
   */
  process(input: Float32Array): Float32Array {
    const handle = this.#live();
    const most = Math.ceil((input.length * this.toHz) / this.fromHz) + 1;
    if (this.#out.length < most) this.#out = new Float32Array(most);
    const out = this.#out;
    const area = staging();
    let made = 0;
    for (let start = 0; start < input.length; start += this.#maxInput) {
      const count = Math.min(this.#maxInput, input.length - start);
      copySamples(input, start, count, area.input, 0);
      const outputs = glue.resampler_process(handle, count);
      if (outputs < 0) throw refused(outputs);
      copySamples(area.output, 0, outputs, out, made);
      made += outputs;
    }
    return out.subarray(0, made);
  }

  /**
   * Resamples the next `pcm`, of any length, at the exact ratio, into `out` from `outOffset`. Both arrays are only used
   * during the call. Real-time: allocates no more than views; about 12 µs for 480 samples from 24 to 44.1 kHz.
   *
   * @param out Wants room for ceil(pcm.length * toHz / fromHz), which is one more than comes out now and then.
   * @returns The samples written.
   * @throws RangeError when `out` has no room; HotmicError ERR_HOTMIC_CODEC after `free()`.
   */
  streamPcm(pcm: Int16Array, out: Int16Array, outOffset = 0): number {
    const handle = this.#live();
    checkArray('resample: pcm', pcm, Int16Array);
    const most = Math.ceil((pcm.length * this.toHz) / this.fromHz);
    checkSpan('resample: out', out, Int16Array, outOffset, most);
    const area = staging();
    let made = 0;
    for (let start = 0; start < pcm.length; start += this.#maxStream) {
      const count = Math.min(this.#maxStream, pcm.length - start);
      copySamples(pcm, start, count, area.pcm, 0);
      const outputs = glue.resampler_stream(handle, count);
      if (outputs < 0) throw refused(outputs);
      copySamples(area.resampled, 0, outputs, out, outOffset + made);
      made += outputs;
    }
    return made;
  }

  /**
   * Resamples `pcm[pcmOffset, pcmOffset + samplesIn)` to exactly `samplesOut` samples in `out` from `outOffset`, spaced
   * evenly, for who must know the count beforehand: at 24000 to 11025 Hz a frame of 480 gives 220 and not 220.5. The sound
   * goes on from the call before, without a click. Where the count is the exact ratio's, the samples are `streamPcm`'s.
   * Mixed with `streamPcm` or `process`, a call starts at its own first sample, whatever fraction they left. Real-time.
   *
   * @param samplesIn 0 to MAX_STRETCH_SAMPLES.
   * @param samplesOut At most one off samplesIn * toHz / fromHz; at most 144,000; 0 for no input.
   * @throws RangeError for other counts, or without room; HotmicError ERR_HOTMIC_CODEC after `free()`.
   */
  stretchPcm(
    pcm: Int16Array,
    pcmOffset: number,
    samplesIn: number,
    out: Int16Array,
    outOffset: number,
    samplesOut: number,
  ): void {
    const handle = this.#live();
    checkSpan('resample: pcm', pcm, Int16Array, pcmOffset, samplesIn);
    if (samplesIn > MAX_STRETCH_SAMPLES) throw this.#wrongCounts(samplesIn, samplesOut);
    checkSpan('resample: out', out, Int16Array, outOffset, samplesOut);
    copySamples(pcm, pcmOffset, samplesIn, staging().pcm, 0);
    const made = glue.resampler_stretch(handle, samplesIn, samplesOut);
    if (made !== samplesOut) throw this.#wrongCounts(samplesIn, samplesOut);
    copySamples(staging().resampled, 0, made, out, outOffset);
  }

  /** Forgets the sound so far: the next call is as a new resampler's first. */
  reset(): void {
    glue.resampler_reset(this.#live());
  }

  /** Gives the memory back. A second call does nothing; any other use throws. */
  free(): void {
    if (this.#handle !== 0) glue.resampler_free(this.#handle);
    this.#handle = 0;
  }

  #live(): number {
    if (this.#handle === 0) throw freed('Resampler');
    return this.#handle;
  }

  #wrongCounts(samplesIn: number, samplesOut: number): RangeError {
    const wanted = `at most ${MAX_STRETCH_SAMPLES} to at most ${STAGING.pcmSamples}, as ${this.fromHz} to ${this.toHz} Hz`;
    return new RangeError(`Cannot resample: ${samplesIn} samples to ${samplesOut}, expected ${wanted}`);
  }
}

function refused(answer: number): HotmicError {
  return new HotmicError('ERR_HOTMIC_CODEC', `Cannot resample: the module answered ${answer}`);
}
