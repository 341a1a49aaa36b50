/**
 * Tells each lobby how many of its listeners are not listed: at most once per second, however many come and go. So a lobby that fills
 * with listeners costs a message to each of them per second, and not one for each of the others who joins.
 */

import type { Milliseconds } from '../../../voice/units.js';
import type { Turn } from '../turn.js';

/** A lobby hears its number at most this often. */
export const HEADCOUNT_MS: Milliseconds = 1000;

/** A lobby. */
export interface Counted {
  /** Tells everyone in it, unless they heard it within the last second. */
  tellHeadcount(turn: Turn): 'told' | 'later';
  /** When it may hear it again. */
  readonly headcountDueAt: Milliseconds;
}

export class Headcounts {
  /** Lobbies whose number has changed since they heard it. Bounded by the lobbies that ended within the last second, and all others. */
  readonly #changed = new Set<Counted>();
  /** None of those is due before this. */
  #dueNext: Milliseconds = Number.POSITIVE_INFINITY;

  changed(lobby: Counted): void {
    this.#changed.add(lobby);
    this.#dueNext = Math.min(this.#dueNext, lobby.headcountDueAt);
  }

  /** When a tick next has something to do; infinite when never. */
  get deadline(): Milliseconds {
    return this.#dueNext;
  }

  tick(turn: Turn): void {
    if (turn.now < this.#dueNext) return;
    this.#dueNext = Number.POSITIVE_INFINITY;
    for (const lobby of this.#changed) {
      if (lobby.tellHeadcount(turn) === 'told') this.#changed.delete(lobby);
      else this.#dueNext = Math.min(this.#dueNext, lobby.headcountDueAt);
    }
  }
}
