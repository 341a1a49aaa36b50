/**
 * What the embedded Steam has to tell: callbacks and call results in order, bounded, until runCallbacks brings them; and the
 * answers that a test has laid ready.
 */

import { FailureType } from '../enums.js';
import type { CallResultName, FailedCall, SignalName, Signals, SteamEvent } from '../signals.js';
import type { NextAnswer } from '../steam_controls.js';

/** Events that wait at most, and that one runCallbacks brings. */
const MAX_EVENTS = 1024;

/** Who follows what becomes of an event. */
export interface Follower {
  /** Asked when it is to be brought: false withdraws it. Left out: it is wanted. */
  isWanted?(): boolean;
  /** It was brought, or lost. */
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

  /** A callback. When too many wait the oldest is lost, and the next frame begins with ipc_failure, as Steam's does. */
  tell<Name extends SignalName>(signal: Name, keys: Signals[Name], follower: Follower | null = null): void {
    this.#push({ signal, keys, call: 0n } as SteamEvent, follower);
  }

  /**
   * Takes a call; its result comes with the next runCallbacks, `null` for none: an IO failure.
   *
   * @returns The call's handle; 0n when too much waits already.
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

  /** Whether the next call fails whatever it asks. */
  get nextFails(): boolean {
    return this.#answers.has('call-failure');
  }

  /** What waits, the oldest first, at most 1024. */
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

  /** Lays an answer ready, in place of another of its kind. */
  lay(answer: NextAnswer): void {
    this.#answers.set(answer.kind, answer);
  }

  /** Takes the answer of this kind that lies ready, or null. */
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
