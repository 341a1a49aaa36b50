/** Whether several people speak in a lobby at the same time: only their frames can be sent together. */

import type { Milliseconds } from '../../../voice/units.js';

/** Two who speak change places within this time: packets play at most this long as a rule. */
const RECENT_MS: Milliseconds = 100;

export class RecentTalkers {
  #last: unknown = null;
  /** When somebody else than before spoke, the last time and the time before. */
  #changedAt: Milliseconds = Number.NEGATIVE_INFINITY;
  #changedBefore: Milliseconds = Number.NEGATIVE_INFINITY;

  /** A frame of this speaker is published. Somebody who takes over from another is still one. Real-time: no allocation. */
  note(speaker: unknown, now: Milliseconds): 'one' | 'several' {
    if (speaker !== this.#last) {
      this.#last = speaker;
      this.#changedBefore = this.#changedAt;
      this.#changedAt = now;
    }
    return now - this.#changedBefore <= RECENT_MS ? 'several' : 'one';
  }
}
