/** The two clocks of the relay's process. The core and everything else that is pure get their readings as arguments. */

import type { Milliseconds } from '../../voice/units.js';

/** Where this thread's `performance.now` is 0, on CLOCK_MONOTONIC. */
const ORIGIN_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** CLOCK_MONOTONIC: never goes back, and is the same in every thread and process of this machine. Real-time: no allocation. */
export function monotonicMs(): Milliseconds {
  return ORIGIN_MS + performance.now();
}

/** The time of day in whole seconds since 1970. It may jump when the system's clock is set. */
export function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
