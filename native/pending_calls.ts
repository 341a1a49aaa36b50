/**
 * Promises that wait for Steam's answer: for a call result by its handle, for a ticket by its, for a verdict by SteamID.
 *
 * Pure: events and instants come in. A promise is over with its answer, its time limit, its AbortSignal, or the Steam's end,
 * whichever is first; what then comes is nobody's.
 */

import { HotmicError } from '../voice/error.js';
import type { Milliseconds } from '../voice/units.js';
import type { FailedCall, SignalName, Signals, SteamEvent } from './signals.js';

/** What every promise of the typed layer takes. */
export interface CallOptions {
  /** Gives up when it is aborted, with its reason. */
  readonly signal?: AbortSignal;
  /** Gives up after this long, in ms, 1 to 3600000, with ERR_HOTMIC_STEAM_TIMEOUT. Default 20000. */
  readonly timeoutMs?: Milliseconds;
}

/** Promises at a time. */
const MAX_PENDING = 256;

const DEFAULT_TIMEOUT_MS = 20_000;

/**
 * What becomes of a wait. It runs while the event is handled and not a microtask later: a ticket must have its owner before the next
 * event, or the Steam's end, comes.
 */
export interface Settlement<Keys, T> {
  /** Makes of the answer what the promise gives. What it throws rejects the promise. */
  answered(keys: Keys): T;
  /** No answer will be taken any more: gives back what was taken. What it throws is the promise's reason. */
  gaveUp?(): void;
}

interface Pending {
  readonly action: string;
  /** The frame in which it was asked. */
  readonly frame: number;
  /** Whether an answer with these keys is its own. */
  readonly isFor: (name: SignalName, keys: Signals[SignalName]) => boolean;
  readonly expiresAt: Milliseconds;
  readonly timeoutMs: Milliseconds;
  /** True when the event was this one's and it is over. */
  take(event: SteamEvent | FailedCall): boolean;
  fail(reason: unknown): void;
}

export class PendingCalls {
  readonly #pending = new Set<Pending>();
  readonly #onCount: (pending: number) => void;
  #frame = 0;

  /** @param onCount Called with the number of promises that wait, whenever it changes. */
  constructor(onCount: (pending: number) => void = () => undefined) {
    this.#onCount = onCount;
  }

  /** Promises that wait now. */
  get size(): number {
    return this.#pending.size;
  }

  /**
   * Checks options before anything is asked of Steam.
   *
   * @throws RangeError for a time limit out of range; the signal's reason when it is aborted already; HotmicError
   * ERR_HOTMIC_STEAM_CALL when 256 wait already.
   */
  check(action: string, { signal, timeoutMs = DEFAULT_TIMEOUT_MS }: CallOptions): void {
    if (!(typeof timeoutMs === 'number' && timeoutMs >= 1 && timeoutMs <= 3_600_000)) {
      throw new RangeError(`Cannot ${action}: timeoutMs is ${timeoutMs}, expected 1 to 3600000`);
    }
    signal?.throwIfAborted();
    if (this.#pending.size >= MAX_PENDING) {
      throw new HotmicError('ERR_HOTMIC_STEAM_CALL', `Cannot ${action}: ${MAX_PENDING} calls wait already`);
    }
  }

  /**
   * Waits for the signal that `isIts` knows again.
   *
   * @param action For messages: "request a store URL".
   * @param call The call's handle, whose failure ends the wait; 0n for what comes by broadcast.
   */
  wait<Name extends SignalName, T>(
    action: string,
    name: Name,
    call: bigint,
    isIts: (keys: Signals[Name]) => boolean,
    now: Milliseconds,
    { signal, timeoutMs = DEFAULT_TIMEOUT_MS }: CallOptions,
    settlement: Settlement<Signals[Name], T>,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const abort = () => pending.fail(signal?.reason);
      const over = () => {
        signal?.removeEventListener('abort', abort);
        if (this.#pending.delete(pending)) this.#onCount(this.#pending.size);
      };
      const pending: Pending = {
        action,
        frame: this.#frame,
        isFor: (other, keys) => other === name && isIts(keys as Signals[Name]),
        expiresAt: now + timeoutMs,
        timeoutMs,
        take: (event) => {
          if (event.signal !== name || (call !== 0n && event.call !== call)) return false;
          if (event.keys === null) {
            const text = `Cannot ${action}: Steam lost the call (IO failure)`;
            pending.fail(new HotmicError('ERR_HOTMIC_STEAM_CALL', text));
            return true;
          }
          const keys = event.keys as unknown as Signals[Name];
          if (!isIts(keys)) return false;
          over();
          try {
            resolve(settlement.answered(keys));
          } catch (refusal) {
            reject(refusal);
          }
          return true;
        },
        fail: (reason) => {
          over();
          try {
            settlement.gaveUp?.();
            reject(reason);
          } catch (fault) {
            reject(fault);
          }
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#pending.add(pending);
      this.#onCount(this.#pending.size);
    });
  }

  /** Settles whoever waited for this event. Of several, a call result settles one, a broadcast all. */
  handle(event: SteamEvent | FailedCall): void {
    for (const pending of [...this.#pending]) {
      if (pending.take(event) && event.call !== 0n) return;
    }
  }

  /** A frame of callbacks begins. */
  beginFrame(): void {
    this.#frame += 1;
  }

  /** Steam has flushed its callbacks: what was asked before this frame and is not answered yet will not be. */
  failFlushed(): void {
    for (const pending of [...this.#pending]) {
      if (pending.frame === this.#frame) continue;
      const text = `Cannot ${pending.action}: Steam lost its callbacks (ipc_failure), and with them the answer`;
      pending.fail(new HotmicError('ERR_HOTMIC_STEAM_CALL', text));
    }
  }

  /** Gives up what waits for an answer with these keys: it will not come. */
  withdraw<Name extends SignalName>(name: Name, keys: Signals[Name], why: string): void {
    for (const pending of [...this.#pending]) {
      if (!pending.isFor(name, keys)) continue;
      pending.fail(new HotmicError('ERR_HOTMIC_STEAM_CALL', `Cannot ${pending.action}: ${why}`));
    }
  }

  /** Gives up what has waited too long. */
  expire(now: Milliseconds): void {
    for (const pending of [...this.#pending]) {
      if (now < pending.expiresAt) continue;
      const text = `Cannot ${pending.action}: no answer from Steam within ${pending.timeoutMs} ms`;
      pending.fail(new HotmicError('ERR_HOTMIC_STEAM_TIMEOUT', text));
    }
  }

  /** Rejects all. */
  fail(reason: (action: string) => unknown): void {
    for (const pending of [...this.#pending]) pending.fail(reason(pending.action));
  }
}
