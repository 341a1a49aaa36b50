/**
 * The frames of one topic that asked for acknowledgements: when they were published, and whose they were. Written for each flagged frame, not
 * for each listener.
 */

import type { Milliseconds } from '../../../voice/units.js';

export class Flags {
  readonly #at: Float64Array;
  readonly #by: unknown[];
  #count = 0;
  #lastAt: Milliseconds = Number.NEGATIVE_INFINITY;
  /** When somebody other than the speaker of the last one published. */
  #othersAt: Milliseconds = Number.NEGATIVE_INFINITY;

  /** @param kept How many are remembered: those within the longest time that a listener is given. */
  constructor(kept: number) {
    this.#at = new Float64Array(kept);
    this.#by = new Array(kept).fill(null);
  }

  /** When the last one was published; -Infinity before any. */
  get lastAt(): Milliseconds {
    return this.#lastAt;
  }

  /**
   * A frame of this speaker is published: whether it should ask for acknowledgements, at most every `everyMs`. Nobody acknowledges their own
   * frames. So that speakers are asked too, they take turns while several speak. Real-time: no allocation.
   */
  isDue(speaker: unknown, now: Milliseconds, everyMs: Milliseconds): boolean {
    const isLast = speaker === this.#by[(this.#count + this.#at.length - 1) % this.#at.length];
    if (!isLast) this.#othersAt = now;
    const since = now - this.#lastAt;
    if (since < everyMs) return false;
    return !isLast || this.#othersAt <= this.#lastAt || since >= 2 * everyMs;
  }

  /** It asks for them. Real-time: no allocation. */
  add(speaker: unknown, now: Milliseconds): void {
    const place = this.#count % this.#at.length;
    this.#at[place] = now;
    this.#by[place] = speaker;
    this.#count += 1;
    this.#lastAt = now;
  }

  /** How many there have been. */
  get count(): number {
    return this.#count;
  }

  /**
   * When the oldest one behind this instant was published that is not the listener's own; Infinity without one.
   *
   * @param from How many there were when the listener began to hear the topic.
   */
  oldestAfter(instant: Milliseconds, from: number, listener: unknown): Milliseconds {
    let oldest = Number.POSITIVE_INFINITY;
    const first = Math.max(from, this.#count - this.#at.length);
    for (let number = this.#count - 1; number >= first; number--) {
      const at = this.#at[number % this.#at.length]!;
      if (at <= instant) break;
      if (this.#by[number % this.#at.length] !== listener) oldest = at;
    }
    return oldest;
  }
}
