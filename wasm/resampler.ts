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

/** The most ratios of rates in use at a time in one thread: each has its own filter. */
const MAX_RATIOS = 64;

/** The longest input of one `stretchPcm`: 3 s at 24 kHz. */
export const MAX_STRETCH_SAMPLES = 72_000;

/**
 * Converts a mono stream from one rate to another, continuous across calls. Flat up to 0.8 of the lower Nyquist frequency; images and
 * aliases below -95 dB. Until `free()` it takes less than 400 bytes of the module's memory for a ratio up, 10 kB at most; all resamplers
 * of one ratio share a filter of about 100 to 270 kB, which is freed with the last of them.
 *
 * Output sample n is at input time n * fromHz / toHz - delaySamples: after N input samples exactly ceil(N * toHz / fromHz) have come
 * out. To get the tail of a clip, feed `delaySamples` zeros.
 *
 * @throws RangeError unless both rates are whole numbers from 4000 to 192000; HotmicError ERR_HOTMIC_CODEC before `initCodec`, or while
 *   64 other ratios are in use. The first of a ratio takes up to 20 ms (it computes the filter): do not make it on a real-time thread.
 */
export class Resampler {
  readonly fromHz: number;
  readonly toHz: number;
  /**
   * By how many input samples the output always lags, streamed or stretched: 32 for rates up, 32 * fromHz / toHz rounded up to the next
   * multiple of 8 for rates down (72 from 24000 to 11025 Hz).
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
   * @returns The output; valid until the next call, which overwrites it.
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
   * @param out Needs room for ceil(pcm.length * toHz / fromHz), which is sometimes one more than comes out.
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
   * evenly, for callers that must know the count in advance: from 24000 to 11025 Hz a frame of 480 gives 220 and not 220.5. The sound
   * continues from the call before, without a click. If the count matches the exact ratio, the samples are the same as `streamPcm`'s.
   * Mixed with `streamPcm` or `process`, a call starts at its own first sample, whatever fraction they left. Real-time.
   *
   * @param samplesIn 0 to MAX_STRETCH_SAMPLES.
   * @param samplesOut Within one of samplesIn * toHz / fromHz; at most 144,000; 0 without input.
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

  /** Forgets the sound so far: the next call is like the first of a new resampler. */
  reset(): void {
    glue.resampler_reset(this.#live());
  }

  /** Frees the memory. A second call does nothing; any other use throws. */
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
  return new HotmicError('ERR_HOTMIC_CODEC', `Cannot resample: the module returned ${answer}`);
}
