/**
 * One timer for everything in the relay that has to be done at some instant. While nothing is due, nothing runs: a relay in which nobody
 * speaks sleeps.
 */

import type { Milliseconds } from '../../voice/units.js';

/** Something that has work to do when time has passed. */
export interface Timed {
  /** When to call `tick` next; infinite when not at all. */
  deadline(): Milliseconds;
  /** Does what is due at `now`. Its deadline is then later, unless there is more work than one call should do. */
  tick(now: Milliseconds): void;
}

/** Calls `callback` once after so many whole milliseconds, and returns what cancels that. */
export type SetTimer = (callback: () => void, ms: Milliseconds) => () => void;

/** Rings are at least this far apart: what is due between two of them is done together, however many deadlines there are. */
export const RINGS_APART_MS: Milliseconds = 5;
/** Timers of Node take at most 2^31 ms. */
const LONGEST_MS: Milliseconds = 86_400_000;

export class Alarm {
  readonly #parts: readonly Timed[];
  readonly #now: () => Milliseconds;
  readonly #setTimer: SetTimer;
  #state: 'off' | 'on' = 'off';
  /** The timer's instant; infinite without a timer. */
  #setFor: Milliseconds = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | null = null;
  #rangAt: Milliseconds = Number.NEGATIVE_INFINITY;

  /** @param now Never goes back. */
  constructor(parts: readonly Timed[], now: () => Milliseconds, setTimer: SetTimer = nodeTimer) {
    this.#parts = parts;
    this.#now = now;
    this.#setTimer = setTimer;
  }

  /** From now on the parts are ticked. */
  start(): void {
    this.#state = 'on';
    this.#setForNext();
  }

  /** The parts are no longer ticked. */
  stop(): void {
    this.#state = 'off';
    this.#cancel?.();
    this.#cancel = null;
    this.#setFor = Number.POSITIVE_INFINITY;
  }

  /** A part's deadline is this now. To be called when one has come nearer. Real-time: allocates only when the timer is set. */
  wakeAt(deadline: Milliseconds): void {
    if (deadline < this.#setFor) this.#set(deadline);
  }

  #set(deadline: Milliseconds): void {
    const at = Math.max(deadline, this.#rangAt + RINGS_APART_MS);
    if (this.#state === 'off' || at >= this.#setFor) return;
    this.#cancel?.();
    this.#setFor = at;
    const ms = Math.min(LONGEST_MS, Math.max(1, Math.ceil(at - this.#now())));
    this.#cancel = this.#setTimer(() => this.#ring(), ms);
  }

  #setForNext(): void {
    for (const part of this.#parts) this.wakeAt(part.deadline());
  }

  #ring(): void {
    this.#cancel = null;
    this.#setFor = Number.POSITIVE_INFINITY;
    const now = this.#now();
    for (const part of this.#parts) {
      // The timer may be early by less than a millisecond, and what it was set for may be over.
      if (part.deadline() > now) continue;
      this.#rangAt = now;
      part.tick(now);
    }
    this.#setForNext();
  }
}

/** A timer of Node. */
export function nodeTimer(callback: () => void, ms: Milliseconds): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
