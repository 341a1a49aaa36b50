/**
 * Asks Steam's web API whose a ticket is, in such a way that neither a slow Steam nor a storm of tickets does harm: every
 * question has an end, few are asked at once, few wait, an answer is bounded, what fails is asked again with pauses that
 * differ, all requests together keep to a budget, and while Steam is down it is asked by one probe now and then alone.
 *
 * Steam wants the publisher key in the query. So no URL, and nothing that `fetch` throws, ever leaves this file.
 */

import type { Milliseconds } from '../../../voice/units.js';
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

/** The world outside, so that tests have their own. */
export interface SteamWebRim {
  /** As the global one: rejects when `signal` is aborted. */
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** In ms; never goes backwards. */
  now(): Milliseconds;
  /** 0 up to, not including, 1. */
  random(): number;
  /** Calls back once after `ms`. What it returns takes that back. */
  after(ms: Milliseconds, callback: () => void): () => void;
}

/** The real one. */
export const SYSTEM_RIM: SteamWebRim = {
  fetch: (url, init) => fetch(url, init),
  now: () => performance.now(),
  random: () => Math.random(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** What is asked, and within which bounds. */
export interface SteamWebQuestion {
  /** The method's address, without query. */
  readonly url: string;
  readonly key: string;
  readonly appId: number;
  readonly identity: string;
  /** How long a question may take with all its attempts, waiting included. */
  readonly deadlineMs: Milliseconds;
  /** How long one attempt may take; at most half of that. */
  readonly attemptMs: Milliseconds;
  /** Questions under way at once. */
  readonly atOnce: number;
  /** Questions that wait for those. */
  readonly waiting: number;
  /** Requests in all. */
  readonly budget: RequestBudgetBounds;
}

/** Why there is no answer. Append only. */
export type Unavailable = SteamFaultReason | 'busy' | 'closing' | 'rate-budget-spent' | 'daily-budget-spent';

export interface NoAnswer {
  readonly kind: 'unavailable';
  readonly reason: Unavailable;
}

export interface SteamWebCounts {
  /** Requests that were sent. */
  readonly requests: number;
  /** Of those, the ones that were sent again after a failure. */
  readonly retries: number;
  /** Questions that were not asked, because too many were under way. */
  readonly turnedAway: number;
  /** Questions that were not asked, or not again, because the budget of requests was spent. */
  readonly overBudget: number;
  /** Requests of the last 24 hours. */
  readonly requestsInDay: number;
  /** What that may become. */
  readonly requestsPerDay: number;
  /** Times that Steam was found to be down, slow, or against our asking. */
  readonly breakerOpened: number;
}

const MAX_ATTEMPTS = 3;
/** The first pause before asking again; each next one is twice as long. */
const PAUSE_MS: Milliseconds = 250;
/** With less time than this there is no attempt: it would only be cut. */
const MIN_ATTEMPT_MS: Milliseconds = 200;
const BREAKER = { failures: 8, coolDownMs: 1000, maxCoolDownMs: 15_000 };

/** Given up by ourselves: the question's time is over, or we close. */
const CUT = Symbol('cut');

export class SteamWebApi {
  readonly #question: SteamWebQuestion;
  readonly #rim: SteamWebRim;
  readonly #line: WaitingLine;
  readonly #breaker: CircuitBreaker<SteamFaultReason>;
  readonly #budget: RequestBudget;
  readonly #underWay = new Set<AbortController>();
  #isClosed = false;
  #requests = 0;
  #retries = 0;
  #turnedAway = 0;
  #overBudget = 0;

  constructor(question: SteamWebQuestion, rim: SteamWebRim) {
    this.#question = question;
    this.#rim = rim;
    this.#line = new WaitingLine(question);
    this.#breaker = new CircuitBreaker(BREAKER, () => rim.random());
    this.#budget = new RequestBudget(question.budget);
  }

  counts(): SteamWebCounts {
    return {
      requests: this.#requests,
      retries: this.#retries,
      turnedAway: this.#turnedAway,
      overBudget: this.#overBudget,
      requestsInDay: this.#budget.lastDay(this.#rim.now()),
      requestsPerDay: this.#question.budget.perDay,
      breakerOpened: this.#breaker.opened,
    };
  }

  /**
   * Asks about a ticket, in hexadecimal. Never rejects; resolves within `deadlineMs`, whatever `fetch` does.
   */
  async ask(ticket: string): Promise<SteamAnswer | NoAnswer> {
    if (this.#isClosed) return unavailable('closing');
    const open = this.#breaker.blocks(this.#rim.now());
    if (open) return unavailable(open.cause);
    const place = this.#line.enter();
    if (!place) return this.#turnAway();
    const over = new AbortController();
    this.#underWay.add(over);
    const deadline = this.#rim.now() + this.#question.deadlineMs;
    const cancel = this.#rim.after(this.#question.deadlineMs, () => over.abort());
    try {
      if ((await orAborted(place.turn, over.signal)) === CUT) {
        return this.#isClosed ? unavailable('closing') : this.#turnAway();
      }
      return await this.#askWithin(ticket, deadline, over.signal);
    } finally {
      cancel();
      this.#underWay.delete(over);
      place.leave();
    }
  }

  /** Gives up whatever is under way. Those that ask from now on get no answer. */
  close(): void {
    this.#isClosed = true;
    for (const over of this.#underWay) over.abort();
  }

  #turnAway(): NoAnswer {
    this.#turnedAway += 1;
    return unavailable('busy');
  }

  async #askWithin(
    ticket: string,
    deadline: Milliseconds,
    over: AbortSignal,
  ): Promise<SteamAnswer | NoAnswer> {
    for (let attempt = 1; ; attempt++) {
      const now = this.#rim.now();
      // Looked at before the budget: what is not asked spends nothing.
      const blocked = this.#breaker.blocks(now);
      if (blocked) return unavailable(blocked.cause);
      const budgeted = this.#budget.reserve(now, Math.max(0, deadline - now - MIN_ATTEMPT_MS));
      if (budgeted.kind === 'spent') {
        this.#overBudget += 1;
        return unavailable(budgeted.reason);
      }
      if (budgeted.waitMs > 0) await this.#pause(budgeted.waitMs, over);
      if (over.aborted) return unavailable(this.#isClosed ? 'closing' : 'steam-slow');
      const pass = this.#breaker.pass(this.#rim.now());
      if (pass.kind === 'open') return unavailable(pass.cause);
      this.#requests += 1;
      if (attempt > 1) this.#retries += 1;
      const outcome = await this.#attempt(ticket, over);
      this.#settle(pass, outcome);
      if (outcome === CUT) return unavailable(this.#isClosed ? 'closing' : 'steam-slow');
      if (outcome.kind !== 'fault') return outcome;
      const pauseMs = this.#pauseBefore(attempt + 1, outcome);
      if (pauseMs === null || this.#rim.now() + pauseMs + MIN_ATTEMPT_MS > deadline) {
        return unavailable(outcome.reason);
      }
      await this.#pause(pauseMs, over);
    }
  }

  async #attempt(ticket: string, over: AbortSignal): Promise<SteamAnswer | SteamFault | typeof CUT> {
    const attempt = new AbortController();
    const cut = () => attempt.abort();
    over.addEventListener('abort', cut, { once: true });
    const cancel = this.#rim.after(this.#question.attemptMs, cut);
    try {
      const outcome = await orAborted(this.#exchange(ticket, attempt.signal), attempt.signal);
      if (over.aborted) return CUT;
      // Its own time was over: that `fetch` failed follows from it.
      const isFault = outcome === CUT || outcome.kind === 'fault';
      return isFault && attempt.signal.aborted ? steamFault('steam-slow') : outcome;
    } finally {
      cancel();
      over.removeEventListener('abort', cut);
    }
  }

  /** Never rejects: nobody may be listening any more. */
  async #exchange(ticket: string, signal: AbortSignal): Promise<SteamAnswer | SteamFault> {
    const { url, key, appId, identity } = this.#question;
    const query = new URLSearchParams({ key, appid: String(appId), ticket, identity });
    const headers = { accept: 'application/json' };
    try {
      const response = await this.#rim.fetch(`${url}?${query}`, { headers, redirect: 'manual', signal });
      return await readSteamAnswer(response);
    } catch {
      return steamFault('steam-down');
    }
  }

  #settle(pass: BreakerPass, outcome: SteamAnswer | SteamFault | typeof CUT): void {
    this.#breaker.settle(pass, breakerOutcomeOf(outcome), this.#rim.now());
  }

  /**
   * Null when asking again does not help: nor does it while Steam is down for all, unless it said itself when to come back. Else
   * between half and all of what it could be, so that many do not come back at once.
   */
  #pauseBefore(attempt: number, { reason, retryAfterMs }: SteamFault): Milliseconds | null {
    if (attempt > MAX_ATTEMPTS || reason === 'key-refused' || reason === 'answer-strange') return null;
    const closedMs = this.#breaker.waitMs(this.#rim.now());
    if (closedMs > 0 && retryAfterMs === null) return null;
    return closedMs + PAUSE_MS * 2 ** (attempt - 2) * (0.5 + this.#rim.random() / 2);
  }

  async #pause(ms: Milliseconds, over: AbortSignal): Promise<void> {
    let cancel = (): void => undefined;
    const pause = new Promise<void>((resolve) => {
      cancel = this.#rim.after(ms, resolve);
    });
    await orAborted(pause, over);
    cancel();
  }
}

function breakerOutcomeOf(outcome: SteamAnswer | SteamFault | typeof CUT): BreakerOutcome<SteamFaultReason> {
  if (outcome === CUT) return { kind: 'unknown' };
  // A ticket that Steam refuses shows as well that Steam is there.
  if (outcome.kind !== 'fault') return { kind: 'succeeded' };
  const { reason: cause, retryAfterMs } = outcome;
  const saysEnough = retryAfterMs !== null || cause === 'rate-limited' || cause === 'key-refused';
  return saysEnough ? { kind: 'tripped', cause, forMs: retryAfterMs ?? 0 } : { kind: 'failed', cause };
}

/** What `promise` gives, or CUT as soon as `signal` is aborted. */
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
