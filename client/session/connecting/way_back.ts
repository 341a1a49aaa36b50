/** Where to connect, and when to connect again after a loss. Pure: instants and randomness are arguments. */

import type { HotmicError } from '../../../voice/error.js';
import type { Milliseconds } from '../../../voice/units.js';
import { retryAfterMs } from '../../transport/upgrade_refusal.js';
import { lostForGoodError } from '../endings.js';
import { Reconnect, type ReconnectStep } from './reconnect.js';
import { type RedirectCounts, type RedirectRefusal, Redirects } from './redirects.js';

/** The next step: an attempt, or the end with this error. */
export type BackStep =
  | Extract<ReconnectStep, { kind: 'try' }>
  | { readonly kind: 'give-up'; readonly error: HotmicError };

export class WayBack {
  readonly #reconnect: Reconnect;
  readonly #redirects: Redirects;
  #url: URL;
  /** The relay to go to when this one closes. */
  #redirect: URL | null = null;
  /** Why we are away. */
  #lostBy: HotmicError | null = null;

  /** @throws RangeError for hosts that are not hosts, or more than 256. */
  constructor(url: URL, hosts: readonly string[] | undefined, random: () => number) {
    this.#url = url;
    this.#redirects = new Redirects(url, hosts);
    this.#reconnect = new Reconnect(random);
  }

  /** The relay for the next connection. */
  get url(): URL {
    return this.#url;
  }

  /** Why the connection was lost; null if it never was. */
  get lostBy(): HotmicError | null {
    return this.#lostBy;
  }

  /** Whether the time to replace the lost connection is up. */
  isOver(now: Milliseconds): boolean {
    return this.#reconnect.isOver(now);
  }

  counts(): RedirectCounts {
    return this.#redirects.counts();
  }

  /** The relay names another one for the time when it closes, or none. Returns why we will not go there, or null. */
  noteRedirect(goTo: string | null, mayMove: boolean, now: Milliseconds): RedirectRefusal | null {
    this.#redirect = null;
    if (goTo === null) return null;
    const judged = mayMove
      ? this.#redirects.judge(goTo, this.#url, now)
      : this.#redirects.refuse('no-credential');
    if (typeof judged === 'string') return judged;
    this.#redirect = judged;
    return null;
  }

  /** The connection is lost. If the relay redirected us, the next one goes there; returns whether it does. */
  turn(now: Milliseconds): boolean {
    if (!this.#redirect) return false;
    this.#url = this.#redirect;
    this.#redirect = null;
    this.#redirects.followed(now);
    return true;
  }

  /** The connection is lost, and we have `withinMs` to replace it. */
  lost(error: HotmicError, why: 'broken' | 'closed', withinMs: Milliseconds, now: Milliseconds): BackStep {
    this.#lostBy = error;
    return this.#next(this.#reconnect.lost(why, withinMs, now), error);
  }

  /** An attempt failed. */
  failed(error: HotmicError, now: Milliseconds): BackStep {
    const lostBy = this.#lostBy ?? error;
    return this.#next(this.#reconnect.failed(now, retryAfterMs(error)), lostForGoodError(lostBy, error));
  }

  #next(step: ReconnectStep, error: HotmicError): BackStep {
    return step.kind === 'try' ? step : { kind: 'give-up', error };
  }
}
