/**
 * A rate with a burst: the bucket holds up to `burst` tokens, gains `perSecond` of them, and starts full.
 */

import type { Milliseconds } from './units.js';

/** Real-time: no allocation. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: Milliseconds;

  constructor(perSecond: number, burst: number, now: Milliseconds) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledAt = now;
  }

  /** Whether there are `wanted` tokens at `now`. Takes none. */
  has(wanted: number, now: Milliseconds): boolean {
    // A clock that steps back neither adds nor removes tokens.
    const elapsedMs = Math.max(0, now - this.#filledAt);
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs * this.#perSecond) / 1000);
    this.#filledAt = Math.max(now, this.#filledAt);
    return this.#tokens >= wanted;
  }

  /** When there are `wanted` tokens, at most the burst: `now` if there are already, else later. Takes none. */
  readyAt(wanted: number, now: Milliseconds): Milliseconds {
    return this.has(wanted, now) ? now : now + ((wanted - this.#tokens) * 1000) / this.#perSecond;
  }

  /** Takes tokens that `has` or `readyAt` found. */
  take(tokens: number): void {
    this.#tokens -= tokens;
  }
}
