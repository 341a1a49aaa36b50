/**
 * From the 24 kHz of playout to the rate of a sound output, in pulls of any length. Which samples are due is counted in whole numbers, so
 * that nothing drifts, however long it plays.
 */

import { type Samples, VOICE_RATE_HZ } from '../../voice/units.js';
import { RESAMPLER_RATES_HZ, Resampler } from '../../wasm/resampler.js';

/** How much sound at 24 kHz each pull at another rate needs. Pure. */
export class OutputRate {
  readonly rateHz: number;
  /** `#inputs` samples at 24 kHz are as long as `#outputs` at `rateHz`: their ratio in lowest terms. */
  readonly #inputs: number;
  readonly #outputs: number;
  /** Samples at 24 kHz since the two last fell together. */
  phase: Samples = 0;
  /** Samples at `rateHz` that were made and not asked for yet. */
  spare: Samples = 0;

  /** @throws RangeError unless the rate is a whole number from 8000 to 192000. */
  constructor(rateHz: number) {
    if (!Number.isInteger(rateHz) || rateHz < 8000 || rateHz > RESAMPLER_RATES_HZ.max) {
      const wanted = `a whole number from 8000 to ${RESAMPLER_RATES_HZ.max}`;
      throw new RangeError(`Cannot play: the rate is ${rateHz} Hz, expected ${wanted}`);
    }
    const common = greatestDivisor(VOICE_RATE_HZ, rateHz);
    this.rateHz = rateHz;
    this.#inputs = VOICE_RATE_HZ / common;
    this.#outputs = rateHz / common;
  }

  /** The fewest samples at 24 kHz with which the next `samples` at `rateHz` can be made. Changes nothing. */
  inputFor(samples: Samples): Samples {
    const wanted = this.#madeBy(this.phase) + samples - this.spare;
    return Math.max(0, Math.floor(((wanted - 1) * this.#inputs) / this.#outputs) + 1 - this.phase);
  }

  /** These samples at `rateHz` were made from what `inputFor` said. */
  made(samples: Samples): void {
    const phase = this.phase + this.inputFor(samples);
    this.spare += this.#madeBy(phase) - this.#madeBy(this.phase) - samples;
    this.phase = phase % this.#inputs;
  }

  /** What a resampler has made of so many samples since the two rates fell together: see `Resampler`. */
  #madeBy(inputs: Samples): Samples {
    return Math.ceil((inputs * this.#outputs) / this.#inputs);
  }
}

/** One channel at another rate. All converters of one `OutputRate` are in step, whenever they begin. */
export class RateConverter {
  readonly #resampler: Resampler | null;
  /** What was made and not asked for yet. */
  #spare: Int16Array;
  #spares: Samples;

  /** Takes up to 20 ms for the first of a rate. @throws HotmicError ERR_HOTMIC_CODEC before `initCodec`. */
  constructor({ rateHz, phase, spare }: OutputRate) {
    this.#resampler = rateHz === VOICE_RATE_HZ ? null : new Resampler(VOICE_RATE_HZ, rateHz);
    this.#spare = new Int16Array(1024);
    this.#spares = spare;
    this.#resampler?.streamPcm(new Int16Array(phase), new Int16Array(this.#room(phase)));
  }

  /**
   * Writes `samples` to `out`: to `first` and every `step`-th place behind it.
   *
   * @param pcm As many samples at 24 kHz as `OutputRate.inputFor` said.
   */
  convert(pcm: Int16Array, out: Int16Array, samples: Samples, first = 0, step = 1): void {
    if (!this.#resampler) {
      for (let at = 0; at < samples; at++) out[first + at * step] = pcm[at]!;
      return;
    }
    const room = this.#spares + this.#room(pcm.length);
    if (this.#spare.length < room) {
      const longer = new Int16Array(room);
      longer.set(this.#spare.subarray(0, this.#spares));
      this.#spare = longer;
    }
    this.#spares += this.#resampler.streamPcm(pcm, this.#spare, this.#spares);
    for (let at = 0; at < samples; at++) out[first + at * step] = this.#spare[at]!;
    this.#spare.copyWithin(0, samples, this.#spares);
    this.#spares -= samples;
  }

  /** Frees the resampler. A second call does nothing. */
  free(): void {
    this.#resampler?.free();
  }

  #room(samples: Samples): Samples {
    const { toHz = 1, fromHz = 1 } = this.#resampler ?? {};
    return Math.ceil((samples * toHz) / fromHz);
  }
}

function greatestDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestDivisor(other, one % other);
}
