/**
 * Promises that wait for Steam's answer: for a call result or a ticket by its handle, for a verdict by SteamID.
 *
 * Pure: events and instants come in. A promise ends with its answer, its time limit, its AbortSignal, or the Steam's end, whichever
 * is first; an answer after that is ignored.
 */

import { HotmicError } from '../voice/error.js';
import type { Milliseconds } from '../voice/units.js';
import type { FailedCall, SignalName, Signals, SteamEvent } from './signals.js';

/** Options of every promise of the typed layer. */
export interface CallOptions {
  /** When it is aborted, the promise rejects with its reason. */
  readonly signal?: AbortSignal;
  /** After this long, in ms, 1 to 3600000, the promise rejects with ERR_HOTMIC_STEAM_TIMEOUT. Default 20000. */
  readonly timeoutMs?: Milliseconds;
}

/** The most promises at a time. */
const MAX_PENDING = 256;

const DEFAULT_TIMEOUT_MS = 20_000;

/**
 * How a wait ends. It runs while the event is handled and not a microtask later: a ticket must have its owner before the next event
 * or the Steam's end.
 */
export interface Settlement<Keys, T> {
  /** Turns the answer into the promise's value. What it throws rejects the promise. */
  answered(keys: Keys): T;
  /** No answer is awaited any more: releases what was acquired. What it throws becomes the promise's reason. */
  gaveUp?(): void;
}

interface Pending {
  readonly action: string;
  /** The frame in which the call was made. */
  readonly frame: number;
  /** Whether an answer with these keys is for it. */
  readonly isFor: (name: SignalName, keys: Signals[SignalName]) => boolean;
  readonly expiresAt: Milliseconds;
  readonly timeoutMs: Milliseconds;
  /** True when the event was for this one, which is then over. */
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
   * Checks options before Steam is called.
   *
   * @throws RangeError for a time limit out of range; the signal's reason when it is already aborted; HotmicError
   * ERR_HOTMIC_STEAM_CALL when 256 are already waiting.
   */
  check(action: string, { signal, timeoutMs = DEFAULT_TIMEOUT_MS }: CallOptions): void {
    if (!(typeof timeoutMs === 'number' && timeoutMs >= 1 && timeoutMs <= 3_600_000)) {
      throw new RangeError(`Cannot ${action}: timeoutMs is ${timeoutMs}, expected 1 to 3600000`);
    }
    signal?.throwIfAborted();
    if (this.#pending.size >= MAX_PENDING) {
      throw new HotmicError(
        'ERR_HOTMIC_STEAM_CALL',
        `Cannot ${action}: ${MAX_PENDING} calls are already waiting`,
      );
    }
  }

  /**
   * Waits for the signal that `isIts` recognises.
   *
   * @param action For messages: "request a store URL".
   * @param call The call's handle, whose failure ends the wait; 0n for what comes as a broadcast.
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

  /** Settles the promises that wait for this event: a call result the first one, a broadcast all. */
  handle(event: SteamEvent | FailedCall): void {
    for (const pending of [...this.#pending]) {
      if (pending.take(event) && event.call !== 0n) return;
    }
  }

  /** A frame of callbacks begins. */
  beginFrame(): void {
    this.#frame += 1;
  }

  /** Steam has flushed its callbacks: calls from before this frame without an answer will not get one. */
  failFlushed(): void {
    for (const pending of [...this.#pending]) {
      if (pending.frame === this.#frame) continue;
      const text = `Cannot ${pending.action}: Steam lost its callbacks (ipc_failure) and the answer with them`;
      pending.fail(new HotmicError('ERR_HOTMIC_STEAM_CALL', text));
    }
  }

  /** Rejects what waits for an answer with these keys: it will not come. */
  withdraw<Name extends SignalName>(name: Name, keys: Signals[Name], why: string): void {
    for (const pending of [...this.#pending]) {
      if (!pending.isFor(name, keys)) continue;
      pending.fail(new HotmicError('ERR_HOTMIC_STEAM_CALL', `Cannot ${pending.action}: ${why}`));
    }
  }

  /** Rejects what has waited too long. */
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
