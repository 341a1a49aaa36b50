/**
 * Stretches or shortens speech by one period of its pitch, without a click: time-scale modification, as in WSOLA. Pure.
 *
 * To shorten, the first period of a block is faded into the one after it. To stretch, the period before the block is faded in once more. The
 * period is the lag of 2.5 to 15 ms at which the sound resembles itself most. Where nothing resembles (consonants, noise) the block is left
 * as it is; quiet blocks may be cut anywhere.
 *
 * `continueInto` makes any other seam inaudible: it continues the old sound by its period, and fades that into the new.
 *
 * All work on an array that holds what was played before, then the block: `pcm[blockAt − HISTORY, blockAt)` is history.
 * Real-time: no allocation; a search takes some 20,000 multiplications.
 */

import { type Samples, samplesOfMs } from '../units.js';

export const SHORTEST_PERIOD: Samples = samplesOfMs(2.5);
export const LONGEST_PERIOD: Samples = samplesOfMs(15);

/** Sound before the block that must be there (zeros at first): a longest period, and what is compared. */
export const HISTORY: Samples = LONGEST_PERIOD + samplesOfMs(10);

/** Length of a fade, unless a period is shorter. */
export const FADE: Samples = samplesOfMs(5);

/** The longest stretch of sound that is compared. */
const COMPARED: Samples = samplesOfMs(10);

/** Mean square below which sound is quiet: an RMS of 40, −58 dBFS. */
const QUIET = 40 * 40;

/** At least this similar. */
export type Similarity = number;

/**
 * Removes one period from `pcm[blockAt, blockAt + samples)`; what follows moves forward.
 *
 * @param atMost The longest period to remove.
 * @param least Normalised correlation that the two periods must have, −1 to 1, unless they are quiet.
 * @returns The samples removed; 0 if nothing fits.
 */
export function shorten(
  pcm: Int16Array,
  blockAt: number,
  samples: Samples,
  atMost: Samples,
  least: Similarity,
): Samples {
  const longest = Math.min(LONGEST_PERIOD, atMost, samples - FADE);
  if (longest < SHORTEST_PERIOD) return 0;
  const period = findPeriod(pcm, blockAt, samples, 1, longest, least);
  if (period === 0) return 0;
  const fade = Math.min(period, FADE * 2, samples - period);
  for (let i = 0; i < fade; i++) {
    const weight = (i + 1) / (fade + 1);
    const old = pcm[blockAt + i]!;
    pcm[blockAt + i] = Math.round(old + (pcm[blockAt + period + i]! - old) * weight);
  }
  pcm.copyWithin(blockAt + fade, blockAt + period + fade, blockAt + samples);
  return period;
}

/**
 * Inserts one period before `pcm[blockAt, blockAt + samples)`, made of the last period of the history; the block moves back. `pcm` needs room
 * for `samples + LONGEST_PERIOD` from `blockAt`.
 *
 * @param atMost The longest period to insert.
 * @param least As for `shorten`.
 * @returns The samples inserted; 0 if nothing fits.
 */
export function stretch(
  pcm: Int16Array,
  blockAt: number,
  samples: Samples,
  atMost: Samples,
  least: Similarity,
): Samples {
  const longest = Math.min(LONGEST_PERIOD, atMost, samples);
  if (longest < SHORTEST_PERIOD) return 0;
  const period = findPeriod(pcm, blockAt, samples, -1, longest, least);
  if (period === 0) return 0;
  pcm.copyWithin(blockAt + period, blockAt, blockAt + samples);
  // From the block's own start to the history's end: both neighbours are continued.
  for (let i = 0; i < period; i++) {
    const weight = (i + 1) / (period + 1);
    const next = pcm[blockAt + period + i]!;
    pcm[blockAt + i] = Math.round(next + (pcm[blockAt - period + i]! - next) * weight);
  }
  return period;
}

/**
 * Makes the seam between the history and the block inaudible, where the block does not continue it: the history goes on by its own period,
 * and fades into the block within 5 ms.
 */
export function continueInto(pcm: Int16Array, blockAt: number, samples: Samples): void {
  const fade = Math.min(FADE, samples);
  const isQuiet = energy(pcm, blockAt - FADE, FADE) < QUIET * FADE;
  const period = isQuiet ? 0 : findPeriod(pcm, blockAt - FADE, FADE, -1, LONGEST_PERIOD, -1);
  for (let i = 0; i < fade; i++) {
    const weight = (i + 1) / (fade + 1);
    const old = isQuiet ? 0 : pcm[blockAt - period + (i % period)]!;
    pcm[blockAt + i] = Math.round(old + (pcm[blockAt + i]! - old) * weight);
  }
}

/**
 * The lag at which `pcm[at, …)` resembles itself most, looking `direction` samples ahead (1) or back (−1); 0 if that is less similar than
 * `least`. Looks at every second lag with every second sample, then around the best at all.
 */
function findPeriod(
  pcm: Int16Array,
  at: number,
  samples: Samples,
  direction: 1 | -1,
  longest: Samples,
  least: Similarity,
): Samples {
  let best = 0;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let lag = SHORTEST_PERIOD; lag <= longest; lag += 2) {
    const score = similarity(pcm, at, comparedAt(lag, samples, direction), direction * lag, 2);
    // Of equals, as where all is quiet, the longest.
    if (score < bestScore) continue;
    best = lag;
    bestScore = score;
  }
  if (best === 0) return 0;
  const around = best;
  bestScore = Number.NEGATIVE_INFINITY;
  const to = Math.min(longest, around + 1);
  for (let lag = Math.max(SHORTEST_PERIOD, around - 1); lag <= to; lag++) {
    const score = similarity(pcm, at, comparedAt(lag, samples, direction), direction * lag, 1);
    if (score < bestScore) continue;
    best = lag;
    bestScore = score;
  }
  return bestScore >= least ? best : 0;
}

/** How much can be compared at `lag`: looking ahead, not beyond the block. */
function comparedAt(lag: Samples, samples: Samples, direction: 1 | -1): Samples {
  return Math.min(COMPARED, direction === 1 ? samples - lag : samples);
}

/** Normalised correlation of two stretches, −1 to 1; 1 if both are quiet. */
function similarity(pcm: Int16Array, at: number, length: Samples, lag: number, step: number): Similarity {
  let cross = 0;
  let here = 0;
  let there = 0;
  for (let i = 0; i < length; i += step) {
    const x = pcm[at + i]!;
    const y = pcm[at + lag + i]!;
    cross += x * y;
    here += x * x;
    there += y * y;
  }
  const quiet = (QUIET * length) / step;
  if (here < quiet && there < quiet) return 1;
  return cross / Math.sqrt(here * there + 1);
}

function energy(pcm: Int16Array, at: number, length: Samples): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += pcm[at + i]! ** 2;
  return sum;
}
