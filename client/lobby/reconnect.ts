/**
 * When to try again after a connection broke: at once, then later each time, with chance in it, until the time is over. Pure: instants and
 * randomness are arguments.
 *
 * When a relay ends, thousands come back together. Chance spreads them, and whoever fails waits longer.
 */

import type { Milliseconds } from '../../voice/units.js';

/** The wait before the second try is up to this long; each further one up to twice as long, up to the maximum. */
const FIRST_WAIT_MS: Milliseconds = 250;
const MAX_WAIT_MS: Milliseconds = 4000;

/** A relay that closed told everybody at the same moment: the first try is spread over this time. */
const SPREAD_MS: Milliseconds = 1000;

/** A connection that broke sooner after the last break than this was none: the waits go on growing. */
const STEADY_MS: Milliseconds = 10_000;

/** The longest wait that the relay may ask for, whatever its Retry-After says. */
const MAX_ASKED_WAIT_MS: Milliseconds = 60_000;

/** What to do next. */
export type ReconnectStep =
  | { readonly kind: 'try'; readonly afterMs: Milliseconds }
  | { readonly kind: 'give-up' };

/** One connection's tries to come back. */
export class Reconnect {
  readonly #random: () => number;
  #endsAt: Milliseconds = 0;
  #waitMs: Milliseconds = FIRST_WAIT_MS;
  #lostAt: Milliseconds = Number.NEGATIVE_INFINITY;

  /** @param random Gives numbers from 0 up to 1, as Math.random does. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The connection broke, or the relay closed it. There is `withinMs` to come back. */
  lost(why: 'broken' | 'closed', withinMs: Milliseconds, now: Milliseconds): ReconnectStep {
    this.#endsAt = now + withinMs;
    const isSteady = now - this.#lostAt >= STEADY_MS;
    this.#lostAt = now;
    // A relay that lets us in and cuts at once, again and again, is not asked without a pause.
    if (!isSteady) return this.failed(now);
    this.#waitMs = FIRST_WAIT_MS;
    return this.#tryAfter(why === 'closed' ? this.#random() * SPREAD_MS : 0, now);
  }

  /** A try came to nothing. `askedWaitMs`: the relay asks to wait at least so long, which counts up to a minute. */
  failed(now: Milliseconds, askedWaitMs: Milliseconds = 0): ReconnectStep {
    // At least half of it: with less, some would try again and again.
    const waitMs = this.#waitMs * (0.5 + this.#random() / 2);
    this.#waitMs = Math.min(MAX_WAIT_MS, this.#waitMs * 2);
    if (askedWaitMs <= waitMs) return this.#tryAfter(waitMs, now);
    // The relay told others the same.
    return this.#tryAfter(Math.min(askedWaitMs, MAX_ASKED_WAIT_MS) + this.#random() * SPREAD_MS, now);
  }

  /** The last try is made in time. */
  #tryAfter(waitMs: Milliseconds, now: Milliseconds): ReconnectStep {
    const leftMs = this.#endsAt - now;
    if (leftMs <= 0) return { kind: 'give-up' };
    return { kind: 'try', afterMs: Math.min(waitMs, leftMs) };
  }
}
