/**
 * When to reconnect: at once, then after growing random waits, until the time is up. Pure: instants and randomness are arguments.
 *
 * When a relay stops, thousands of clients reconnect together. Randomness spreads them, and each failed attempt waits longer.
 */

import type { Milliseconds } from '../../../voice/units.js';

/** The longest wait before the second attempt. It doubles with each further attempt, up to the maximum. */
const FIRST_WAIT_MS: Milliseconds = 250;
const MAX_WAIT_MS: Milliseconds = 4000;

/** When the relay closes, all its clients notice at the same moment: their first attempts are spread over this time. */
const SPREAD_MS: Milliseconds = 1000;

/** If the connection breaks again sooner than this after the last break, the waits keep growing. */
const STEADY_MS: Milliseconds = 10_000;

/** The longest wait that the relay may ask for, whatever its Retry-After says. */
const MAX_ASKED_WAIT_MS: Milliseconds = 60_000;

/** What to do next. */
export type ReconnectStep =
  | { readonly kind: 'try'; readonly afterMs: Milliseconds }
  | { readonly kind: 'give-up' };

/** The attempts of one membership to reconnect. */
export class Reconnect {
  readonly #random: () => number;
  #endsAt: Milliseconds = 0;
  #waitMs: Milliseconds = FIRST_WAIT_MS;
  #lostAt: Milliseconds = Number.NEGATIVE_INFINITY;

  /** @param random Returns numbers from 0 up to 1, as Math.random does. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The connection broke, or the relay closed it. We have `withinMs` to reconnect. */
  lost(why: 'broken' | 'closed', withinMs: Milliseconds, now: Milliseconds): ReconnectStep {
    this.#endsAt = now + withinMs;
    const isSteady = now - this.#lostAt >= STEADY_MS;
    this.#lostAt = now;
    // Do not reconnect without a pause to a relay that admits us and disconnects at once, again and again.
    if (!isSteady) return this.failed(now);
    this.#waitMs = FIRST_WAIT_MS;
    return this.#tryAfter(why === 'closed' ? this.#random() * SPREAD_MS : 0, now);
  }

  /** Whether the time to reconnect is up. */
  isOver(now: Milliseconds): boolean {
    return now >= this.#endsAt;
  }

  /** An attempt failed. `askedWaitMs`: the relay asks for at least this wait; at most a minute of it is honored. */
  failed(now: Milliseconds, askedWaitMs: Milliseconds = 0): ReconnectStep {
    // At least half the wait: otherwise some clients would retry at once.
    const waitMs = this.#waitMs * (0.5 + this.#random() / 2);
    this.#waitMs = Math.min(MAX_WAIT_MS, this.#waitMs * 2);
    if (askedWaitMs <= waitMs) return this.#tryAfter(waitMs, now);
    // The relay asked other clients for the same wait.
    return this.#tryAfter(Math.min(askedWaitMs, MAX_ASKED_WAIT_MS) + this.#random() * SPREAD_MS, now);
  }

  /** The last attempt is made before the time is up. */
  #tryAfter(waitMs: Milliseconds, now: Milliseconds): ReconnectStep {
    const leftMs = this.#endsAt - now;
    if (leftMs <= 0) return { kind: 'give-up' };
    return { kind: 'try', afterMs: Math.min(waitMs, leftMs) };
  }
}
