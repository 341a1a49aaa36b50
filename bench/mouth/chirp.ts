/** A chirp that is found again in decoded sound, sample by sample. */

import { type Samples, samplesOfMs, VOICE_RATE_HZ } from '../../voice/units.js';

/** A linear sweep from 500 to 3500 Hz within 40 ms, under a Hann window, at half of full scale. Such a sweep has one sharp correlation peak. */
export const CHIRP: Float64Array = Float64Array.from({ length: samplesOfMs(40) }, (_, at) => {
  const seconds = at / VOICE_RATE_HZ;
  const length = 0.04;
  const phase = 2 * Math.PI * (500 * seconds + ((3500 - 500) * seconds * seconds) / (2 * length));
  return 16_384 * Math.sin(phase) * 0.5 * (1 - Math.cos((2 * Math.PI * seconds) / length));
});

/** A chirp that was found. */
export interface FoundChirp {
  /** Of its first sample. */
  readonly at: Samples;
  /** Normalised correlation there, up to 1. */
  readonly likeness: number;
}

/** Finds the chirps in `pcm` with a likeness of at least `least`, each at the sample where it fits best. None overlap. */
export function findChirps(pcm: Int16Array, least = 0.6): FoundChirp[] {
  const length = CHIRP.length;
  const energy = CHIRP.reduce((sum, value) => sum + value * value, 0);
  const found: FoundChirp[] = [];
  let own = 0;
  for (let i = 0; i < length && i < pcm.length; i++) own += pcm[i]! ** 2;
  for (let at = 0; at + length <= pcm.length; at++) {
    if (own > 0) {
      let sum = 0;
      // Where there is hardly any sound, there is no chirp.
      if (own > energy / 100) for (let i = 0; i < length; i++) sum += pcm[at + i]! * CHIRP[i]!;
      const likeness = sum / Math.sqrt(own * energy);
      if (likeness >= least) {
        const before = found.at(-1);
        if (before === undefined || at - before.at >= length) found.push({ at, likeness });
        else if (likeness > before.likeness) found[found.length - 1] = { at, likeness };
      }
    }
    own += (pcm[at + length] ?? 0) ** 2 - pcm[at]! ** 2;
  }
  return found;
}
