/** How many lines a command prints for messages of a relay: an endlessly talking relay must not fill a log. */

import { TokenBucket } from '../voice/token_bucket.js';
import type { Milliseconds } from '../voice/units.js';

const LINES_PER_SECOND = 50;
const LINES_AT_ONCE = 500;

export class LineBudget {
  readonly #now: () => Milliseconds;
  readonly #bucket: TokenBucket;
  /** Lines that were not printed. */
  leftOut = 0;

  constructor(now: () => Milliseconds) {
    this.#now = now;
    this.#bucket = new TokenBucket(LINES_PER_SECOND, LINES_AT_ONCE, now());
  }

  /** Whether one more line may be printed now; counts it either way. */
  take(): boolean {
    if (!this.#bucket.has(1, this.#now())) {
      this.leftOut += 1;
      return false;
    }
    this.#bucket.take(1);
    return true;
  }
}
