/** When a tool that ended is started again: at once, then after growing waits. Pure; instants are arguments. */

import type { Milliseconds } from '../../voice/units.js';

const FIRST_WAIT_MS: Milliseconds = 250;
const LONGEST_WAIT_MS: Milliseconds = 5000;
/** A tool that worked for so long ended because of something new, such as a plug that was pulled. */
const WORKED_MS: Milliseconds = 5000;

export class Restarts {
  #waitMs: Milliseconds = FIRST_WAIT_MS;

  /** It ended after it had worked for `workedMs`; 0 if it never did. Returns how long to wait. */
  ended(workedMs: Milliseconds): Milliseconds {
    if (workedMs >= WORKED_MS) this.#waitMs = FIRST_WAIT_MS;
    const waitMs = this.#waitMs;
    this.#waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
    return waitMs;
  }
}
