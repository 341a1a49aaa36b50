/** How busy the event loop is, which carries all voice. */

import { performance } from 'node:perf_hooks';
import type { Milliseconds } from '../../voice/units.js';

/** A share is that of the time since the last one, of at least this long: shorter ones jump. */
const LEAST_MS: Milliseconds = 50;

export class LoopLoad {
  readonly #utilization: typeof performance.eventLoopUtilization;
  #last: ReturnType<typeof performance.eventLoopUtilization>;
  #readAt: Milliseconds;
  #share = 0;

  constructor(now: Milliseconds, utilization = performance.eventLoopUtilization) {
    this.#utilization = utilization;
    this.#last = utilization();
    this.#readAt = now;
  }

  /** The share of its time that the loop was busy lately, 0 to 1. */
  read(now: Milliseconds): number {
    if (now - this.#readAt >= LEAST_MS) {
      const last = this.#utilization();
      this.#share = this.#utilization(last, this.#last).utilization;
      this.#last = last;
      this.#readAt = now;
    }
    return this.#share;
  }
}
