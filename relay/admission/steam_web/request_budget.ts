/**
 * Bounds all requests together, whoever causes them: per second, with a burst, and in any 24 hours. Pure: time is an
 * argument.
 */

import type { Milliseconds } from '../../../voice/units.js';

export interface RequestBudgetBounds {
  readonly perSecond: number;
  readonly perDay: number;
}

export type BudgetAnswer =
  /** It may be sent after `waitMs`, and is counted. */
  | { readonly kind: 'granted'; readonly waitMs: Milliseconds }
  | { readonly kind: 'spent'; readonly reason: 'rate-budget-spent' | 'daily-budget-spent' };

/** The burst after a quiet time, as the requests of this many seconds. */
export const BURST_S = 5;
const HOUR_MS: Milliseconds = 3_600_000;
/** The current hour and the 24 before it: at least the last 24 hours. */
const HOURS = 25;

export class RequestBudget {
  readonly #bounds: RequestBudgetBounds;
  /** When the bucket would be full again. */
  #fullAt: Milliseconds = Number.NEGATIVE_INFINITY;
  /** Requests by hour, the hour's number modulo `HOURS`. */
  readonly #byHour = new Float64Array(HOURS);
  #hour = Number.NEGATIVE_INFINITY;

  constructor(bounds: RequestBudgetBounds) {
    this.#bounds = bounds;
  }

  /** Reserves one request, to be sent within `maxWaitMs`. Requests are served in the order of their reservation. */
  reserve(now: Milliseconds, maxWaitMs: Milliseconds): BudgetAnswer {
    const { perSecond, perDay } = this.#bounds;
    if (this.lastDay(now) >= perDay) return { kind: 'spent', reason: 'daily-budget-spent' };
    const intervalMs = 1000 / perSecond;
    const fullAt = Math.max(this.#fullAt, now) + intervalMs;
    const waitMs = Math.max(0, fullAt - BURST_S * 1000 - now);
    if (waitMs > maxWaitMs) return { kind: 'spent', reason: 'rate-budget-spent' };
    this.#fullAt = fullAt;
    this.#byHour[this.#hour % HOURS]! += 1;
    return { kind: 'granted', waitMs };
  }

  /** Requests granted in the last 24 to 25 hours: it counts whole hours. */
  lastDay(now: Milliseconds): number {
    const hour = Math.floor(now / HOUR_MS);
    // A clock that steps back forgets nothing.
    if (hour > this.#hour) {
      const passed = Math.min(HOURS, hour - this.#hour);
      for (let i = 0; i < passed; i++) this.#byHour[(hour - i) % HOURS] = 0;
      this.#hour = hour;
    }
    return this.#byHour.reduce((sum, requests) => sum + requests, 0);
  }
}
