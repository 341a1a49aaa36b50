/**
 * Small numbers that rest before they are reused: a voice frame with the old meaning of a slot or a channel may still be under way,
 * and its listener would attribute it to the new one.
 */

import type { Milliseconds } from '../../../voice/units.js';

/** Bounded by `count`. Taking and freeing a number cost the logarithm of it at most. */
export class RestingNumbers {
  readonly #first: number;
  readonly #count: number;
  readonly #restMs: Milliseconds;
  /** The numbers from `#first` up to this one, exclusively, were used before. */
  #fresh: number;
  /** Numbers that were freed, and when; the longest resting first. */
  readonly #resting = new Map<number, Milliseconds>();
  /** Numbers that have rested, as a binary heap with the lowest at the front. */
  readonly #rested: number[] = [];

  /** `count` numbers from `first` on; each rests for `restMs`. */
  constructor(first: number, count: number, restMs: Milliseconds) {
    this.#first = first;
    this.#count = count;
    this.#restMs = restMs;
    this.#fresh = first;
  }

  /**
   * Takes the lowest free number that was never used or has rested. When all free numbers are resting, takes the one that has
   * rested longest. Null when none is free. `now` never goes back.
   */
  take(now: Milliseconds): number | null {
    for (const [number, freedAt] of this.#resting) {
      if (now - freedAt < this.#restMs) break;
      this.#resting.delete(number);
      push(this.#rested, number);
    }
    const rested = pop(this.#rested);
    if (rested !== null) return rested;
    if (this.#fresh < this.#first + this.#count) return this.#fresh++;
    const [longestResting] = this.#resting.keys();
    if (longestResting === undefined) return null;
    this.#resting.delete(longestResting);
    return longestResting;
  }

  /** Frees a number that was taken; its rest begins. */
  free(number: number, now: Milliseconds): void {
    this.#resting.set(number, now);
  }
}

function push(heap: number[], number: number): void {
  let at = heap.length;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent]! <= number) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = number;
}

function pop(heap: number[]): number | null {
  const lowest = heap[0];
  const last = heap.pop();
  if (lowest === undefined || last === undefined) return null;
  const size = heap.length;
  if (size === 0) return lowest;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && heap[child + 1]! < heap[child]!) child += 1;
    if (heap[child]! >= last) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return lowest;
}
