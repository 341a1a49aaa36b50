/**
 * How long the frames of several speakers wait to be sent together, by how busy the relay is: a listener then gets one send for several
 * frames. An idle relay lets none wait. Pure.
 */

import type { Milliseconds } from '../../voice/units.js';

/** The most that a frame waits. */
export const MAX_WINDOW_MS: Milliseconds = 5;

const STEP_MS: Milliseconds = 0.5;
const STEP_EVERY_MS: Milliseconds = 50;
/** Busier than this, frames wait longer; less busy than `RELAXED_LOAD`, shorter. Shares of a core. */
const BUSY_LOAD = 0.5;
const RELAXED_LOAD = 0.45;

export class CoalescingWindow {
  #ms: Milliseconds = 0;
  #steppedAt: Milliseconds = Number.NEGATIVE_INFINITY;

  /** The window now, 0 to 5 ms. */
  get ms(): Milliseconds {
    return this.#ms;
  }

  /** Whether `step` would do anything. Real-time. */
  isDue(now: Milliseconds): boolean {
    return now - this.#steppedAt >= STEP_EVERY_MS;
  }

  /** Moves by at most half a millisecond, at most every 50 ms. */
  step(load: number, now: Milliseconds): void {
    if (!this.isDue(now)) return;
    this.#steppedAt = now;
    if (load > BUSY_LOAD) this.#ms = Math.min(MAX_WINDOW_MS, this.#ms + STEP_MS);
    else if (load < RELAXED_LOAD) this.#ms = Math.max(0, this.#ms - STEP_MS);
  }
}
