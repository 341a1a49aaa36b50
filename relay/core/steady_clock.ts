/**
 * Unix time that a jump of the machine's clock does not move ahead: sanctions end by it. A clock that was set wrong, by NTP or in a
 * machine that resumes, must not end them all.
 *
 * It follows the machine's clock, also back, where sanctions then hold longer. A clock that is suddenly more than a minute ahead is
 * not followed until it has been ahead for an hour; until then time passes as the monotonic clock says. Pure: both clocks are
 * arguments.
 */

import type { Milliseconds } from '../../voice/units.js';

/** A step ahead that is taken at once. */
const STEP_S = 60;
/** For how long the machine's clock is to be ahead before it is believed. */
const BELIEVED_AFTER_MS: Milliseconds = 3_600_000;

export class SteadyClock {
  #unixSeconds = 0;
  /** When that was the time; null before the first reading, which is believed. */
  #at: Milliseconds | null = null;
  #aheadSince: Milliseconds | null = null;

  /**
   * The time to go by, in seconds.
   *
   * @param now Monotonic; never goes back.
   * @param unixSeconds What the machine's clock says.
   */
  read(now: Milliseconds, unixSeconds: number): number {
    if (this.#at === null) return this.#follow(now, unixSeconds);
    const expected = Math.floor(this.#unixSeconds + (now - this.#at) / 1000);
    if (unixSeconds <= expected + STEP_S) return this.#follow(now, unixSeconds);
    this.#aheadSince ??= now;
    if (now - this.#aheadSince >= BELIEVED_AFTER_MS) return this.#follow(now, unixSeconds);
    return expected;
  }

  #follow(now: Milliseconds, unixSeconds: number): number {
    this.#unixSeconds = unixSeconds;
    this.#at = now;
    this.#aheadSince = null;
    return unixSeconds;
  }
}
