/**
 * Small numbers that rest before they are reused: a voice frame with the old meaning of a slot or a channel may still be under way,
 * and its listener would attribute it to the new one.
 */

import type { Milliseconds } from '../../../voice/units.js';

/** Bounded by `count`. */
export class RestingNumbers {
  readonly #first: number;
  readonly #count: number;
  readonly #restMs: Milliseconds;
  readonly #taken = new Set<number>();
  /** When each number was last freed, by its distance from the first. */
  readonly #freedAt: Milliseconds[] = [];

  /** `count` numbers from `first` on; each rests for `restMs`. */
  constructor(first: number, count: number, restMs: Milliseconds) {
    this.#first = first;
    this.#count = count;
    this.#restMs = restMs;
  }

  /**
   * Takes the lowest free number that was never used or has rested. When all free numbers are resting, takes the one that has
   * rested longest. Null when none is free.
   */
  take(now: Milliseconds): number | null {
    let longestRested: number | null = null;
    for (let at = 0; at < this.#count; at++) {
      const number = this.#first + at;
      if (this.#taken.has(number)) continue;
      const freedAt = this.#freedAt[at];
      if (freedAt === undefined || now - freedAt >= this.#restMs) {
        this.#taken.add(number);
        return number;
      }
      if (longestRested === null || freedAt < this.#freedAt[longestRested - this.#first]!) {
        longestRested = number;
      }
    }
    if (longestRested !== null) this.#taken.add(longestRested);
    return longestRested;
  }

  /** Frees a number; its rest begins. */
  free(number: number, now: Milliseconds): void {
    this.#taken.delete(number);
    this.#freedAt[number - this.#first] = now;
  }
}
