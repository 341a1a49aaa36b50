/** How far a listener has read on their connection, by their acknowledgements. */

import type { Milliseconds } from '../../../voice/units.js';

/** An acknowledgement counts for what was published up to this long after the acknowledged frame: clients answer no more often. */
export const SETTLED_MS: Milliseconds = 10;
/** What the least delay is taken to be before the first acknowledgement. */
const UNKNOWN_DELAY_MS: Milliseconds = 250;
/** No listener is given longer than this: they say themselves how long their acknowledgements take. */
export const MAX_DELAY_MS: Milliseconds = 1000;
/** The least delay is that of the last one to two of these. */
const WINDOW_MS: Milliseconds = 10_000;

export class Reading {
  /** Everything published up to this instant is read. */
  #readUntil: Milliseconds;
  #owedAt: Milliseconds = Number.POSITIVE_INFINITY;
  #least: Milliseconds = Number.POSITIVE_INFINITY;
  #leastBefore: Milliseconds = Number.POSITIVE_INFINITY;
  #windowSince: Milliseconds;
  /** Since when they are parked; null while they are not. */
  #parkedAt: Milliseconds | null = null;

  /** Of a new connection. */
  constructor(now: Milliseconds) {
    this.#readUntil = now;
    this.#windowSince = now;
  }

  get isParked(): boolean {
    return this.#parkedAt !== null;
  }

  get parkedAt(): Milliseconds | null {
    return this.#parkedAt;
  }

  /** Everything published up to this instant is read, or counts as if it were. */
  get settledUntil(): Milliseconds {
    return this.#readUntil + SETTLED_MS;
  }

  /** They no longer hear a topic at which this frame, the oldest one, is not acknowledged; Infinity: none is owed. They still owe it. */
  owes(at: Milliseconds): void {
    this.#owedAt = Math.min(this.#owedAt, at);
  }

  /** The oldest of those frames; Infinity without one. */
  get owedAt(): Milliseconds {
    return this.#owedAt;
  }

  /** The shortest time that an acknowledgement took lately: what the path takes when nothing waits. */
  leastDelay(): Milliseconds {
    const least = Math.min(this.#least, this.#leastBefore);
    return least === Number.POSITIVE_INFINITY ? UNKNOWN_DELAY_MS : Math.min(least, MAX_DELAY_MS);
  }

  /** They have read what was published up to `until`. */
  acknowledged(until: Milliseconds, now: Milliseconds): void {
    if (now - this.#windowSince >= WINDOW_MS) {
      this.#leastBefore = now - this.#windowSince < 2 * WINDOW_MS ? this.#least : Number.POSITIVE_INFINITY;
      this.#least = Number.POSITIVE_INFINITY;
      this.#windowSince = now;
    }
    this.#least = Math.min(this.#least, now - until);
    this.#readUntil = Math.max(this.#readUntil, until);
    if (this.#owedAt <= this.settledUntil) this.#owedAt = Number.POSITIVE_INFINITY;
  }

  park(now: Milliseconds): void {
    this.#parkedAt = now;
  }

  /** They get voice again: nothing from before is owed. */
  unpark(now: Milliseconds): void {
    this.#parkedAt = null;
    this.#readUntil = now;
    this.#owedAt = Number.POSITIVE_INFINITY;
  }
}
