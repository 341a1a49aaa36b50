/**
 * Makes quiet speakers louder and loud ones quieter, slowly: automatic gain control of one speaker. Pure.
 *
 * It measures the level of active speech, as ITU-T P.56 defines it: the mean power of the time in which somebody speaks. Here that is every
 * block of 20 ms above -50 dBFS, and 10 dB above the quietest block of the last 3 s (noise is estimated by its minimum, as in R. Martin, Noise power
 * spectral density estimation based on optimal smoothing and minimum statistics, IEEE Trans. Speech and Audio Processing 9 (5), 2001). So
 * silence does not count, nor does quiet or even noise: the gain stays where it is.
 *
 * The gain goes to where active speech is at -20 dBFS (RMS, see `level_meter.ts`), by at most 12 dB up or down. It moves in active speech only,
 * after half a second of it, by at most 3 dB per second, and more slowly near its goal: at most 0.06 dB from one block to the next, so that it
 * does not pump within a word.
 *
 * Real-time: no allocation.
 */

import { FRAME_MS, FRAME_SAMPLES, type Samples } from '../units.js';
import { type Decibels, dbOfPower, factorOfDb } from './decibels.js';
import { FULL_SCALE_POWER } from './level_meter.js';

/** Active speech after levelling, in dBFS. */
export const LEVELLING_TARGET_DB: Decibels = -20;
/** The largest gain, up or down. */
export const LEVELLING_MOST_DB: Decibels = 12;

const BLOCK: Samples = FRAME_SAMPLES;
const BLOCKS_PER_SECOND = 1000 / FRAME_MS;
/** What is quieter is not speech, and below the second one not even a microphone's noise. */
const QUIET_DB: Decibels = -50;
const EMPTY_DB: Decibels = -70;
const ABOVE_NOISE_DB: Decibels = 10;
/** The noise is the quietest block of this and the previous window. */
const NOISE_WINDOW = 1.5 * BLOCKS_PER_SECOND;
/** Blocks of active speech that the mean is over, and those before the gain moves. */
const MEMORY = 3 * BLOCKS_PER_SECOND;
const FIRST = 0.5 * BLOCKS_PER_SECOND;
const MOST_PER_BLOCK_DB: Decibels = 3 / BLOCKS_PER_SECOND;
/** Share of the way to the goal per block. */
const APPROACH = 1 / BLOCKS_PER_SECOND;

export class Levelling {
  #energy = 0;
  #samples: Samples = 0;
  #blocks = 0;
  #quietest: Decibels = 0;
  #quietestBefore: Decibels = 0;
  /** Blocks of active speech, up to MEMORY, and their mean power. */
  #active = 0;
  #meanPower = 0;
  #gainDb: Decibels = 0;
  #factor = 1;

  /** The factor for this speaker now, 0.25 to 4. */
  get factor(): number {
    return this.#factor;
  }

  /** Listens to `pcm[0, samples)`, which is not changed. Silence of which the caller knows may be left out. */
  update(pcm: Int16Array, samples: Samples): void {
    for (let i = 0; i < samples; i++) {
      const sample = pcm[i]!;
      this.#energy += sample * sample;
      this.#samples += 1;
      if (this.#samples === BLOCK) this.#block();
    }
  }

  /** Begins again, at 0 dB. */
  reset(): void {
    this.#energy = 0;
    this.#samples = 0;
    this.#blocks = 0;
    this.#quietest = 0;
    this.#quietestBefore = 0;
    this.#active = 0;
    this.#meanPower = 0;
    this.#gainDb = 0;
    this.#factor = 1;
  }

  #block(): void {
    const power = this.#energy / BLOCK / FULL_SCALE_POWER;
    this.#energy = 0;
    this.#samples = 0;
    const level = dbOfPower(power);
    if (level <= EMPTY_DB) return;
    const noise = this.#noise(level);
    if (level < QUIET_DB || level < noise + ABOVE_NOISE_DB) return;
    this.#active = Math.min(this.#active + 1, MEMORY);
    this.#meanPower += (power - this.#meanPower) / this.#active;
    if (this.#active >= FIRST) this.#move();
  }

  /** The level of the noise, with this block in it. */
  #noise(level: Decibels): Decibels {
    if (this.#blocks === NOISE_WINDOW) {
      this.#blocks = 0;
      this.#quietestBefore = this.#quietest;
      this.#quietest = 0;
    }
    this.#blocks += 1;
    this.#quietest = Math.min(this.#quietest, level);
    return Math.min(this.#quietest, this.#quietestBefore);
  }

  #move(): void {
    const missing = LEVELLING_TARGET_DB - dbOfPower(this.#meanPower);
    const goal = Math.max(-LEVELLING_MOST_DB, Math.min(LEVELLING_MOST_DB, missing));
    const step = (goal - this.#gainDb) * APPROACH;
    this.#gainDb += Math.max(-MOST_PER_BLOCK_DB, Math.min(MOST_PER_BLOCK_DB, step));
    this.#factor = factorOfDb(this.#gainDb);
  }
}
