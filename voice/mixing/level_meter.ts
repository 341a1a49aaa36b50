/**
 * How loud sound is: its RMS over about 100 ms, and its peak, in dBFS. Pure. Also usable alone, for a microphone.
 *
 * 0 dBFS is full scale as in AES17 and IEC 61606: the RMS level of a sine whose peaks are at full scale, 32,768. So peak and RMS of that sine both
 * read 0 dBFS; a square wave reads up to +3.01 dBFS RMS. Programs that call the same sine -3.01 dBFS have another definition.
 *
 * RMS is the root of an exponential average of the squares, with a time constant of 100 ms. The peak rises at once and falls by 20 dB in 1.7 s,
 * as in IEC 60268-10, type I. Both depend only on the samples, and not on how these are divided into pulls.
 *
 * Real-time: `update` and `skip` allocate nothing.
 */

import { type Samples, samplesOfMs, VOICE_RATE_HZ } from '../units.js';
import { type Decibels, dbOfFactor, dbOfPower, factorOfDb } from './decibels.js';

/** A level in dBFS, from -96 (silence) to 0; `rmsDb` up to 3.01. */
export interface Level {
  readonly rmsDb: Decibels;
  readonly peakDb: Decibels;
}

/** The amplitude of full scale. */
export const FULL_SCALE = 32_768;

/** The mean square of a sine at full scale: 0 dBFS. */
export const FULL_SCALE_POWER = FULL_SCALE ** 2 / 2;

/** Factors per sample: of the mean square, and of the peak. */
const FORGET = Math.exp(-1 / samplesOfMs(100));
const FALL = factorOfDb(-20 / (1.7 * VOICE_RATE_HZ));

/** How loud a stream of PCM is now. */
export class LevelMeter {
  #meanSquare = 0;
  #peak = 0;

  /** Measures `pcm[0, samples)`: mono, 24 kHz. */
  update(pcm: Int16Array, samples: Samples = pcm.length): void {
    let meanSquare = this.#meanSquare;
    let peak = this.#peak;
    for (let i = 0; i < samples; i++) {
      const sample = pcm[i]!;
      const square = sample * sample;
      meanSquare = square + (meanSquare - square) * FORGET;
      peak = Math.max(Math.abs(sample), peak * FALL);
    }
    this.#meanSquare = meanSquare;
    this.#peak = peak;
  }

  /** Measures `samples` of silence, in one step. */
  skip(samples: Samples): void {
    if (this.#peak < 1) {
      this.reset();
      return;
    }
    this.#meanSquare *= FORGET ** samples;
    this.#peak *= FALL ** samples;
  }

  /** The present level. */
  level(): Level {
    return {
      rmsDb: dbOfPower(this.#meanSquare / FULL_SCALE_POWER),
      peakDb: dbOfFactor(this.#peak / FULL_SCALE),
    };
  }

  /** Forgets what it measured. */
  reset(): void {
    this.#meanSquare = 0;
    this.#peak = 0;
  }
}
