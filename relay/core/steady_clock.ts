/**
 * Unix time that does not jump ahead with the machine's clock: sanctions end by it. A clock set wrong, by NTP or on a machine that wakes
 * up, must not end them all.
 *
 * It follows the machine's clock, also backwards; sanctions then last longer. A clock that is suddenly more than a minute ahead is only
 * followed once it has been ahead for an hour. Until then time passes with the monotonic clock. Both clocks are arguments.
 */

import type { Milliseconds } from '../../voice/units.js';

/** The largest step ahead that is followed at once. */
const STEP_S = 60;
/** How long the machine's clock must be ahead before it is believed. */
const BELIEVED_AFTER_MS: Milliseconds = 3_600_000;

export class SteadyClock {
  #unixSeconds = 0;
  /** The monotonic instant of that time; null before the first reading, which is always believed. */
  #at: Milliseconds | null = null;
  #aheadSince: Milliseconds | null = null;

  /**
   * The steady time, in seconds.
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
