/**
 * What the embedded Steam has to report: callbacks and call results in order, bounded, until runCallbacks returns them; and the
 * answers that a test has prepared.
 */

import { FailureType } from '../enums.js';
import type { CallResultName, FailedCall, SignalName, Signals, SteamEvent } from '../signals.js';
import type { NextAnswer } from '../steam_controls.js';

/** The most events that wait, and that one runCallbacks returns. */
const MAX_EVENTS = 1024;

/** Learns what becomes of an event. */
export interface Follower {
  /** Called before the event is returned: false withdraws it. Default true. */
  isWanted?(): boolean;
  /** The event was returned, or lost. */
  onGone(): void;
}

interface Waiting {
  readonly event: SteamEvent | FailedCall;
  readonly follower: Follower | null;
}

type AnswerOf<Kind extends NextAnswer['kind']> = Extract<NextAnswer, { kind: Kind }>;

export class EmbeddedCalls {
  readonly #waiting: Waiting[] = [];
  #lost = 0;
  #tellLost = false;
  #lastCall = 0n;
  readonly #answers = new Map<NextAnswer['kind'], NextAnswer>();

  /** Events that were lost because nobody called runCallbacks: the oldest beyond 1024. */
  get lost(): number {
    return this.#lost;
  }

  /** Adds a callback. When too many wait, the oldest is lost, and the next frame begins with ipc_failure, as with Steam. */
  tell<Name extends SignalName>(signal: Name, keys: Signals[Name], follower: Follower | null = null): void {
    this.#push({ signal, keys, call: 0n } as SteamEvent, follower);
  }

  /**
   * Accepts a call; its result comes with the next runCallbacks. `null` stands for an IO failure.
   *
   * @returns The call's handle; 0n when too many events are waiting already.
   */
  answer<Name extends CallResultName>(
    signal: Name,
    keys: Signals[Name] | null,
    follower: Follower | null = null,
  ): bigint {
    if (this.#waiting.length >= MAX_EVENTS) return 0n;
    this.#lastCall += 1n;
    const call = this.#lastCall;
    const failed = this.next('call-failure') !== null;
    const event = failed || keys === null ? { signal, keys: null, call } : { signal, keys, call };
    this.#push(event as SteamEvent | FailedCall, follower);
    return call;
  }

  /** Whether the next call fails, whatever it is. */
  get nextFails(): boolean {
    return this.#answers.has('call-failure');
  }

  /** The waiting events, oldest first, at most 1024. */
  take(): (SteamEvent | FailedCall)[] {
    const events: (SteamEvent | FailedCall)[] = [];
    if (this.#tellLost) {
      this.#tellLost = false;
      const keys = { type: FailureType.FAILURE_FLUSHED_CALLBACK_QUEUE };
      events.push({ signal: 'ipc_failure', keys, call: 0n });
    }
    for (const { event, follower } of this.#waiting.splice(0, MAX_EVENTS - events.length)) {
      if (follower?.isWanted?.() === false) continue;
      follower?.onGone();
      events.push(event);
    }
    return events;
  }

  /** Prepares an answer; it replaces another of its kind. */
  lay(answer: NextAnswer): void {
    this.#answers.set(answer.kind, answer);
  }

  /** Takes the prepared answer of this kind, or null. */
  next<Kind extends NextAnswer['kind']>(kind: Kind): AnswerOf<Kind> | null {
    const answer = this.#answers.get(kind) ?? null;
    this.#answers.delete(kind);
    return answer as AnswerOf<Kind> | null;
  }

  #push(event: SteamEvent | FailedCall, follower: Follower | null): void {
    if (this.#waiting.length >= MAX_EVENTS) {
      this.#waiting.shift()?.follower?.onGone();
      this.#lost += 1;
      this.#tellLost = true;
    }
    this.#waiting.push({ event, follower });
  }
}
