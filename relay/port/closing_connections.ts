/**
 * Closed WebSockets whose TCP connection may still be open. Pure.
 *
 * uWebSockets reports the end of a WebSocket when the close frame is sent. The other side may then keep the TCP connection open, which needs an
 * open file, for as long as uWebSockets allows, and its end is not reported. So each one counts for that long, open or not.
 */

import type { Milliseconds } from '../../voice/units.js';

/** The longest time that a closed WebSocket keeps its file: half of the idle timeout of 32 s, and the 4 s granularity of uWebSockets. */
export const CLOSING_MS: Milliseconds = 20_000;

/** Those that begin within this time end together, so that the number of entries is bounded. */
const TOGETHER_MS: Milliseconds = 100;

interface Batch {
  readonly firstAt: Milliseconds;
  lastAt: Milliseconds;
  count: number;
}

export class ClosingConnections {
  /** The oldest first; at most one per `TOGETHER_MS` of `CLOSING_MS`, and one more. */
  #batches: Batch[] = [];
  #count = 0;

  /** How many there may be at `now`. */
  count(now: Milliseconds): number {
    while (this.#batches.length > 0 && now - this.#batches[0]!.lastAt >= CLOSING_MS) {
      this.#count -= this.#batches.shift()!.count;
    }
    return this.#count;
  }

  /** One more is closed. `now` never goes back. */
  add(now: Milliseconds): void {
    this.count(now);
    this.#count += 1;
    const newest = this.#batches.at(-1);
    if (newest && now - newest.firstAt < TOGETHER_MS) {
      newest.lastAt = now;
      newest.count += 1;
    } else {
      this.#batches.push({ firstAt: now, lastAt: now, count: 1 });
    }
  }
}
