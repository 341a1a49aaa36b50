/**
 * How fast sound is stretched or shortened: as little at a time as gets rid of the excess. Pure.
 *
 * Each removed or added period of the pitch is paid for with time: at 6 % a period of 8 ms comes every 130 ms. More excess allows more. Where the
 * sound does not resemble itself enough, it is left alone; if that goes on, less resemblance is enough, so that the delay always gets there.
 *
 * Real-time: no allocation; a search of some 20,000 multiplications per changed frame.
 */

import { type Samples, samplesOfMs } from '../units.js';
import { LONGEST_PERIOD, shorten, stretch } from './time_scale.js';

/** Share of the sound that is added or removed, up to an excess of so much. */
const RATES: readonly { readonly upTo: Samples; readonly rate: number }[] = [
  { upTo: samplesOfMs(40), rate: 0.06 },
  { upTo: samplesOfMs(100), rate: 0.15 },
  { upTo: samplesOfMs(200), rate: 0.3 },
  { upTo: Number.POSITIVE_INFINITY, rate: 0.5 },
];

/** Resemblance that is enough at once, and by how much less is enough after each frame in vain. */
const RESEMBLANCE = 0.9;
const PATIENCE = 0.03;

export class Pace {
  /** Samples that may be added or removed now; below 0 after a long period. */
  #credit: Samples = 0;
  #inVain = 0;
  /** Added and removed in all. */
  stretchedSamples: Samples = 0;
  shortenedSamples: Samples = 0;

  /**
   * Stretches or shortens the block `pcm[blockAt, blockAt + samples)` by one period, if `excess` asks for it and it is time. Memory as for
   * `stretch`.
   *
   * @param excess Delay to be removed (above 0) or added (below 0).
   * @returns The change of the block's length.
   */
  adjust(pcm: Int16Array, blockAt: number, samples: Samples, excess: Samples): Samples {
    if (excess === 0) {
      this.#inVain = 0;
      return 0;
    }
    const { rate } = RATES.find(({ upTo }) => Math.abs(excess) <= upTo)!;
    this.#credit = Math.min(this.#credit + samples * rate, LONGEST_PERIOD);
    if (this.#credit <= 0) return 0;
    const least = RESEMBLANCE - PATIENCE * this.#inVain;
    const change =
      excess > 0
        ? -shorten(pcm, blockAt, samples, excess, least)
        : stretch(pcm, blockAt, samples, -excess, least);
    this.#inVain = change === 0 ? this.#inVain + 1 : 0;
    this.#credit -= Math.abs(change);
    if (change < 0) this.shortenedSamples -= change;
    else this.stretchedSamples += change;
    return change;
  }
}
