/**
 * Randomness that can be had again: one seed for a test run, printed by the tests that use it.
 *
 *     HOTMIC_SEED=12345 node dist/test/run.js dist/test/voice/ring_threads.test.js
 */

const DEFAULT_SEED = 20_240_613;

/** The seed of this run: HOTMIC_SEED, or always the same one. */
export const SEED: number = Number(process.env.HOTMIC_SEED ?? DEFAULT_SEED) | 0;

/** A generator of 32-bit numbers (mulberry32): the same seed gives the same numbers, on every thread. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** The next number, unsigned, 32 bit. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** The next number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit);
  }

  /** `length` random bytes. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 1) bytes[at] = this.next();
    return bytes;
  }
}
