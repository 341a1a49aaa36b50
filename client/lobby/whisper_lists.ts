/**
 * The lists of slots that our whispers go to, one after the other, each for what was captured while it was in force. Pure.
 *
 * The relay knows one list, and changes it at once. So a change waits here until the voice before it was sent, and no longer than
 * `MAX_WAIT_MS`; a whisper that was captured for another list than the relay's goes nowhere.
 */

import type { Milliseconds } from '../../voice/units.js';

/** The longest that a change waits for voice from before it: as old as a publisher lets voice become. */
export const MAX_WAIT_MS: Milliseconds = 500;

/** Changes that wait at most. Beyond them all are made at once. */
const MAX_WAITING = 8;

interface Change {
  readonly slots: readonly number[];
  readonly at: Milliseconds;
}

export class WhisperLists {
  #waiting: Change[] = [];
  /** Since when the relay's list is the one in force. */
  #since: Milliseconds = Number.NEGATIVE_INFINITY;
  /** What the relay was told last. In a new place nothing was, and it has nobody. */
  #told: readonly number[] | null = null;

  /** We are in a place that has nobody to whisper to; what was captured before is for nobody here. */
  begin(now: Milliseconds): void {
    this.#waiting = [];
    this.#since = now;
    this.#told = null;
  }

  /** Whispers captured from `at` on are for these. What is returned goes to the relay now; null: it has to wait. */
  change(slots: readonly number[], at: Milliseconds): readonly number[] | null {
    this.#waiting.push({ slots, at });
    const isFirst = !this.#told?.length && this.#waiting.length === 1;
    return isFirst || this.#waiting.length > MAX_WAITING ? this.settle(at) : null;
  }

  /** No voice captured before `instant` will be sent any more: the list that the relay should now have, if that is another. */
  settle(instant: Milliseconds): readonly number[] | null {
    const due = this.#waiting.filter(({ at }) => at <= instant);
    const newest = due.at(-1);
    if (!newest) return null;
    this.#waiting = this.#waiting.slice(due.length);
    this.#since = newest.at;
    this.#told = newest.slots;
    return newest.slots;
  }

  /** What to tell the relay after a connection broke, for a change may have been lost with it. Null: nothing. */
  resume(now: Milliseconds): readonly number[] | null {
    this.settle(now);
    return this.#told;
  }

  /** When the change was asked for that waits longest; null when none does. */
  get oldestChange(): Milliseconds | null {
    return this.#waiting[0]?.at ?? null;
  }

  /** Whether sound from between these instants was meant for the relay's list, all of it. */
  isForRelays(from: Milliseconds, to: Milliseconds): boolean {
    const next = this.#waiting[0];
    return from >= this.#since && (next === undefined || to < next.at);
  }
}
