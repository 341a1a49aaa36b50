/**
 * Asks Steam's web API who owns a ticket, so that neither a slow Steam nor a storm of tickets does harm. Every question has a
 * deadline; few are asked at once, and few wait. Answers are bounded, failures are retried after random pauses, and all requests
 * together keep to a budget. While Steam is down, only an occasional probe asks it.
 *
 * Steam expects the publisher key in the query. So no URL, and nothing that `fetch` throws, ever leaves this file.
 */

import type { Milliseconds } from '../../../voice/units.js';
import { monotonicMs } from '../../system/clock.js';
import {
  readSteamAnswer,
  type SteamAnswer,
  type SteamFault,
  type SteamFaultReason,
  steamFault,
} from './answer.js';
import { type BreakerOutcome, type BreakerPass, CircuitBreaker } from './circuit_breaker.js';
import { RequestBudget, type RequestBudgetBounds } from './request_budget.js';
import { WaitingLine } from './waiting_line.js';

/** The network, clock, randomness and timers; tests have their own. */
export interface SteamWebIo {
  /** As the global `fetch`: rejects when `signal` is aborted. */
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** In ms; never goes backwards. */
  now(): Milliseconds;
  /** 0 up to, not including, 1. */
  random(): number;
  /** Calls back once after `ms`. Returns a function that cancels it. */
  after(ms: Milliseconds, callback: () => void): () => void;
}

/** The system's own. */
export const SYSTEM_IO: SteamWebIo = {
  fetch: (url, init) => fetch(url, init),
  now: monotonicMs,
  random: () => Math.random(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** The question, and its bounds. */
export interface SteamWebQuestion {
  /** The method's address, without query. */
  readonly url: string;
  readonly key: string;
  readonly appId: number;
  readonly identity: string;
  /** Most time for a question with all its attempts, waiting included. */
  readonly deadlineMs: Milliseconds;
  /** Most time for one attempt; at most half of `deadlineMs`. */
  readonly attemptMs: Milliseconds;
  /** Questions under way at once. */
  readonly atOnce: number;
  /** Questions that may wait for their turn. */
  readonly waiting: number;
  /** Bounds of all requests together. */
  readonly budget: RequestBudgetBounds;
}

/** Why a question has no answer. Append only. */
export type Unavailable = SteamFaultReason | 'busy' | 'closing' | 'rate-budget-spent' | 'daily-budget-spent';

export interface NoAnswer {
  readonly kind: 'unavailable';
  readonly reason: Unavailable;
}

export interface SteamWebCounts {
  /** Requests sent. */
  readonly requests: number;
  /** Requests that repeated a failed one. */
  readonly retries: number;
  /** Questions not asked, because too many were under way. */
  readonly turnedAway: number;
  /** Questions not asked, or not retried, because the request budget was spent. */
  readonly overBudget: number;
  /** Requests in the last 24 hours. */
  readonly requestsInDay: number;
  /** Most requests in 24 hours. */
  readonly requestsPerDay: number;
  /** Times that the circuit breaker opened: Steam was down or slow, or told us to stop asking. */
  readonly breakerOpened: number;
}

const MAX_ATTEMPTS = 3;
/** The pause before the first retry; each next one is twice as long. */
const PAUSE_MS: Milliseconds = 250;
/** With less time left than this, no attempt is made: it would only be aborted. */
const MIN_ATTEMPT_MS: Milliseconds = 200;
const BREAKER = { failures: 8, coolDownMs: 1000, maxCoolDownMs: 15_000 };

/** Aborted by us: the question's deadline passed, or we close. */
const CUT = Symbol('cut');

export class SteamWebApi {
  readonly #question: SteamWebQuestion;
  readonly #io: SteamWebIo;
  readonly #line: WaitingLine;
  readonly #breaker: CircuitBreaker<SteamFaultReason>;
  readonly #budget: RequestBudget;
  readonly #underWay = new Set<AbortController>();
  #isClosed = false;
  #requests = 0;
  #retries = 0;
  #turnedAway = 0;
  #overBudget = 0;

  constructor(question: SteamWebQuestion, io: SteamWebIo) {
    this.#question = question;
    this.#io = io;
    this.#line = new WaitingLine(question);
    this.#breaker = new CircuitBreaker(BREAKER, () => io.random());
    this.#budget = new RequestBudget(question.budget);
  }

  counts(): SteamWebCounts {
    return {
      requests: this.#requests,
      retries: this.#retries,
      turnedAway: this.#turnedAway,
      overBudget: this.#overBudget,
      requestsInDay: this.#budget.lastDay(this.#io.now()),
      requestsPerDay: this.#question.budget.perDay,
      breakerOpened: this.#breaker.opened,
    };
  }

  /**
   * Asks about a ticket, in hexadecimal. Never rejects; resolves within `deadlineMs`, whatever `fetch` does.
   */
  async ask(ticket: string): Promise<SteamAnswer | NoAnswer> {
    if (this.#isClosed) return unavailable('closing');
    const open = this.#breaker.blocks(this.#io.now());
    if (open) return unavailable(open.cause);
    const place = this.#line.enter();
    if (!place) return this.#refuseBusy();
    const over = new AbortController();
    this.#underWay.add(over);
    const deadline = this.#io.now() + this.#question.deadlineMs;
    const cancel = this.#io.after(this.#question.deadlineMs, () => over.abort());
    try {
      if ((await orAborted(place.turn, over.signal)) === CUT) {
        return this.#isClosed ? unavailable('closing') : this.#refuseBusy();
      }
      return await this.#askWithin(ticket, deadline, over.signal);
    } finally {
      cancel();
      this.#underWay.delete(over);
      place.leave();
    }
  }

  /** Aborts everything under way. Later questions get no answer. */
  close(): void {
    this.#isClosed = true;
    for (const over of this.#underWay) over.abort();
  }

  #refuseBusy(): NoAnswer {
    this.#turnedAway += 1;
    return unavailable('busy');
  }

  async #askWithin(
    ticket: string,
    deadline: Milliseconds,
    over: AbortSignal,
  ): Promise<SteamAnswer | NoAnswer> {
    for (let attempt = 1; ; attempt++) {
      const now = this.#io.now();
      // Checked before the budget, so that a question that is not asked spends nothing.
      const blocked = this.#breaker.blocks(now);
      if (blocked) return unavailable(blocked.cause);
      const budgeted = this.#budget.reserve(now, Math.max(0, deadline - now - MIN_ATTEMPT_MS));
      if (budgeted.kind === 'spent') {
        this.#overBudget += 1;
        return unavailable(budgeted.reason);
      }
      if (budgeted.waitMs > 0) await this.#pause(budgeted.waitMs, over);
      if (over.aborted) return unavailable(this.#isClosed ? 'closing' : 'steam-slow');
      const pass = this.#breaker.pass(this.#io.now());
      if (pass.kind === 'open') return unavailable(pass.cause);
      this.#requests += 1;
      if (attempt > 1) this.#retries += 1;
      const outcome = await this.#attempt(ticket, over);
      this.#settle(pass, outcome);
      if (outcome === CUT) return unavailable(this.#isClosed ? 'closing' : 'steam-slow');
      if (outcome.kind !== 'fault') return outcome;
      const pauseMs = this.#pauseBefore(attempt + 1, outcome);
      if (pauseMs === null || this.#io.now() + pauseMs + MIN_ATTEMPT_MS > deadline) {
        return unavailable(outcome.reason);
      }
      await this.#pause(pauseMs, over);
    }
  }

  async #attempt(ticket: string, over: AbortSignal): Promise<SteamAnswer | SteamFault | typeof CUT> {
    const attempt = new AbortController();
    const cut = () => attempt.abort();
    over.addEventListener('abort', cut, { once: true });
    const cancel = this.#io.after(this.#question.attemptMs, cut);
    try {
      const outcome = await orAborted(this.#exchange(ticket, attempt.signal), attempt.signal);
      if (over.aborted) return CUT;
      // The attempt's own time was over, and `fetch` failed because of that.
      const isFault = outcome === CUT || outcome.kind === 'fault';
      return isFault && attempt.signal.aborted ? steamFault('steam-slow') : outcome;
    } finally {
      cancel();
      over.removeEventListener('abort', cut);
    }
  }

  /** Never rejects, since nobody may be waiting for it any more. */
  async #exchange(ticket: string, signal: AbortSignal): Promise<SteamAnswer | SteamFault> {
    const { url, key, appId, identity } = this.#question;
    const query = new URLSearchParams({ key, appid: String(appId), ticket, identity });
    const headers = { accept: 'application/json' };
    try {
      const response = await this.#io.fetch(`${url}?${query}`, { headers, redirect: 'manual', signal });
      return await readSteamAnswer(response);
    } catch {
      return steamFault('steam-down');
    }
  }

  #settle(pass: BreakerPass, outcome: SteamAnswer | SteamFault | typeof CUT): void {
    this.#breaker.settle(pass, breakerOutcomeOf(outcome), this.#io.now());
  }

  /**
   * Null when a retry does not help: the failure is permanent, or the breaker is open and Steam gave no Retry-After. Otherwise a random
   * value between half and all of the pause, so that many retries do not come at once.
   */
  #pauseBefore(attempt: number, { reason, retryAfterMs }: SteamFault): Milliseconds | null {
    if (attempt > MAX_ATTEMPTS || reason === 'key-refused' || reason === 'answer-strange') return null;
    const closedMs = this.#breaker.waitMs(this.#io.now());
    if (closedMs > 0 && retryAfterMs === null) return null;
    return closedMs + PAUSE_MS * 2 ** (attempt - 2) * (0.5 + this.#io.random() / 2);
  }

  async #pause(ms: Milliseconds, over: AbortSignal): Promise<void> {
    let cancel = (): void => undefined;
    const pause = new Promise<void>((resolve) => {
      cancel = this.#io.after(ms, resolve);
    });
    await orAborted(pause, over);
    cancel();
  }
}

function breakerOutcomeOf(outcome: SteamAnswer | SteamFault | typeof CUT): BreakerOutcome<SteamFaultReason> {
  if (outcome === CUT) return { kind: 'unknown' };
  // A refused ticket also shows that Steam is up.
  if (outcome.kind !== 'fault') return { kind: 'succeeded' };
  const { reason: cause, retryAfterMs } = outcome;
  const saysEnough = retryAfterMs !== null || cause === 'rate-limited' || cause === 'key-refused';
  return saysEnough ? { kind: 'tripped', cause, forMs: retryAfterMs ?? 0 } : { kind: 'failed', cause };
}

/** The value of `promise`, or CUT as soon as `signal` is aborted. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | typeof CUT> {
  if (signal.aborted) return CUT;
  let abort = (): void => undefined;
  const aborted = new Promise<typeof CUT>((resolve) => {
    abort = () => resolve(CUT);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function unavailable(reason: Unavailable): NoAnswer {
  return { kind: 'unavailable', reason };
}
