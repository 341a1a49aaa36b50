/**
 * Stops asking a service that is down, and detects with one probe at a time when it is back. While closed, everything passes. It opens after
 * several failures in a row, or after one that is conclusive; then nothing passes until the cool-down is over. After that one probe passes,
 * and its outcome closes the breaker, or opens it for twice as long.
 *
 * Pure: time and randomness are arguments.
 */

import type { Milliseconds } from '../../../voice/units.js';

export interface BreakerBounds {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long it is open the first time. */
  readonly coolDownMs: Milliseconds;
  /** The longest cool-down without a Retry-After. */
  readonly maxCoolDownMs: Milliseconds;
}

/** The service may be asked. `settle` has to follow with the outcome. */
export interface BreakerPass {
  readonly kind: 'pass';
  readonly period: number;
}

export interface BreakerOpen<Cause extends string> {
  readonly kind: 'open';
  readonly cause: Cause;
}

export type BreakerOutcome<Cause extends string> =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly cause: Cause }
  /** It must not be asked again for at least `forMs`. */
  | { readonly kind: 'tripped'; readonly cause: Cause; readonly forMs: Milliseconds }
  /** Aborted before there was an answer. */
  | { readonly kind: 'unknown' };

export class CircuitBreaker<Cause extends string> {
  readonly #bounds: BreakerBounds;
  readonly #random: () => number;
  /** How often it has opened. A question from an earlier period says nothing about this one. */
  #period = 0;
  #failures = 0;
  #coolDownMs: Milliseconds;
  #open: { readonly cause: Cause; readonly untilMs: Milliseconds } | null = null;
  #isProbing = false;

  /** @param random 0 up to, not including, 1. */
  constructor(bounds: BreakerBounds, random: () => number) {
    this.#bounds = bounds;
    this.#random = random;
    this.#coolDownMs = bounds.coolDownMs;
  }

  /** How often it has opened. */
  get opened(): number {
    return this.#period;
  }

  /** How long until a probe may pass; 0 while it is closed, or cooled down. */
  waitMs(now: Milliseconds): Milliseconds {
    return this.#open ? Math.max(0, this.#open.untilMs - now) : 0;
  }

  /** Why nothing would pass now; null when something would. */
  blocks(now: Milliseconds): BreakerOpen<Cause> | null {
    if (!this.#open || (!this.#isProbing && now >= this.#open.untilMs)) return null;
    return { kind: 'open', cause: this.#open.cause };
  }

  /** Whether the service may be asked now. Each pass is settled exactly once. */
  pass(now: Milliseconds): BreakerPass | BreakerOpen<Cause> {
    const open = this.blocks(now);
    if (open) return open;
    if (this.#open) this.#isProbing = true;
    return { kind: 'pass', period: this.#period };
  }

  settle(pass: BreakerPass, outcome: BreakerOutcome<Cause>, now: Milliseconds): void {
    // Many questions can be under way when it opens. If all of them fail, that is one failure.
    if (pass.period !== this.#period) return;
    switch (outcome.kind) {
      case 'succeeded':
        this.#failures = 0;
        this.#open = null;
        this.#isProbing = false;
        this.#coolDownMs = this.#bounds.coolDownMs;
        return;
      case 'failed':
        this.#failures += 1;
        if (this.#isProbing || this.#failures >= this.#bounds.failures) this.#trip(outcome.cause, 0, now);
        return;
      case 'tripped':
        this.#trip(outcome.cause, outcome.forMs, now);
        return;
      case 'unknown':
        this.#isProbing = false;
        return;
    }
  }

  #trip(cause: Cause, atLeastMs: Milliseconds, now: Milliseconds): void {
    // A random value between half and all of it, so that relays that lost Steam together do not return together.
    const coolDownMs = this.#coolDownMs * (0.5 + this.#random() / 2);
    this.#open = { cause, untilMs: now + Math.max(coolDownMs, atLeastMs) };
    this.#coolDownMs = Math.min(2 * this.#coolDownMs, this.#bounds.maxCoolDownMs);
    this.#period += 1;
    this.#failures = 0;
    this.#isProbing = false;
  }
}
