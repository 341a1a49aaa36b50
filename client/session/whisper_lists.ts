/**
 * The successive lists of slots that our whispers go to. Each applies to what was captured while it was in force. Pure.
 *
 * The relay knows one list and applies a change at once. So a change waits here until the voice captured before it has been sent, for at
 * most `MAX_WAIT_MS`. A whisper captured for a list that is not the relay's present one is not sent.
 */

import type { Milliseconds } from '../../voice/units.js';

/** The longest that a change waits for earlier voice: the default maximum age of voice in a publisher. */
const MAX_WAIT_MS: Milliseconds = 500;

/** The most changes that wait. One more, and all of them are applied at once. */
const MAX_WAITING = 8;

interface Change {
  readonly slots: readonly number[];
  readonly at: Milliseconds;
}

export class WhisperLists {
  #waiting: Change[] = [];
  /** Since when the relay's list has been in force. */
  #since: Milliseconds = Number.NEGATIVE_INFINITY;
  /** The list sent to the relay last; null in a new place, whose list is empty. */
  #sent: readonly number[] | null = null;

  /** We are in a new place, whose list is empty. Whispers captured before are not for anyone in it. */
  begin(now: Milliseconds): void {
    this.#waiting = [];
    this.#since = now;
    this.#sent = null;
  }

  /** Whispers captured from `at` on are for these slots. Returns the list to send to the relay now, or null if it has to wait. */
  change(slots: readonly number[], at: Milliseconds): readonly number[] | null {
    this.#waiting.push({ slots, at });
    const isFirst = !this.#sent?.length && this.#waiting.length === 1;
    return isFirst || this.#waiting.length > MAX_WAITING ? this.settle(at) : null;
  }

  /** No voice captured before `instant` will be sent any more. Returns the list to send to the relay now, or null if it is unchanged. */
  settle(instant: Milliseconds): readonly number[] | null {
    const due = this.#waiting.filter(({ at }) => at <= instant);
    const newest = due.at(-1);
    if (!newest) return null;
    this.#waiting = this.#waiting.slice(due.length);
    this.#since = newest.at;
    this.#sent = newest.slots;
    return newest.slots;
  }

  /** The list to send to the relay after a connection broke, since a change may have been lost with it; null if nothing was sent. */
  resume(now: Milliseconds): readonly number[] | null {
    this.settle(now);
    return this.#sent;
  }

  /** When `settleOverdue` has something to do; null when no change is waiting. */
  get dueAt(): Milliseconds | null {
    const oldest = this.#waiting[0];
    return oldest ? oldest.at + MAX_WAIT_MS : null;
  }

  /** Changes do not wait longer than `MAX_WAIT_MS`. Returns the list to send to the relay now, or null if it is unchanged. */
  settleOverdue(now: Milliseconds): readonly number[] | null {
    const newest = this.#waiting.filter(({ at }) => at + MAX_WAIT_MS <= now).at(-1);
    return newest ? this.settle(newest.at) : null;
  }

  /** Whether all sound between these instants was meant for the relay's present list. */
  isForRelays(from: Milliseconds, to: Milliseconds): boolean {
    const next = this.#waiting[0];
    return from >= this.#since && (next === undefined || to < next.at);
  }
}
