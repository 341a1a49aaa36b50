/**
 * Decibels and factors of amplitude. Pure.
 *
 * A gain of `db` multiplies samples by 10^(db / 20): the definition of a level of a field quantity in ISO 80000-1 and IEC 60027-3.
 */

/** A gain or a level in dB. Levels are in dBFS, see `level_meter.ts`. */
export type Decibels = number;

/** The floor of every level: about the quantisation noise of 16 bits. Silence, too, is -96 dBFS here, and not minus infinity. */
export const SILENCE_DB: Decibels = -96;

/** The factor of a gain: 0 dB is exactly 1, 6.02 dB is about 2, minus infinity is 0. */
export function factorOfDb(db: Decibels): number {
  return 10 ** (db / 20);
}

/** The gain of a factor of 0 or more, at least `SILENCE_DB`. */
export function dbOfFactor(factor: number): Decibels {
  return Math.max(SILENCE_DB, 20 * Math.log10(factor));
}

/** The gain of a factor of power, which is the square of one of amplitude; at least `SILENCE_DB`. */
export function dbOfPower(power: number): Decibels {
  return Math.max(SILENCE_DB, 10 * Math.log10(power));
}
