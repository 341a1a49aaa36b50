/**
 * How far a recording has come, by the relay's clock as long as that agrees with ours. Pure: instants are arguments.
 *
 * The relay's clock aligns the speakers with each other. But the relay may lie, and one that says "tomorrow" must not make a file as
 * long as a day: anything further ahead than real time allows is treated as happening now.
 */

import { timestampDelta } from '../sequence.js';
import type { Milliseconds } from '../units.js';

/** How far the relay's clock may be ahead of the time that has really passed: 10 s, for a delayed start. */
export const MAX_AHEAD_OF_REAL_MS: Milliseconds = 10_000;

/** Plus one part in a thousand, for clocks that drift. */
const DRIFT = 0.001;

/** The latest position in a recording after `elapsedMs` of real time, in ms from its start. */
export function furthestMs(elapsedMs: Milliseconds): Milliseconds {
  return elapsedMs * (1 + DRIFT) + MAX_AHEAD_OF_REAL_MS;
}

export class RecordingClock {
  /** The relay's time when the recording began: ms, 32 bit. */
  readonly originRelayTimeMs: number;
  readonly #begunAt: Milliseconds;
  /** How often the relay's clock was too far ahead, and ours was used. */
  disbelieved = 0;

  constructor(originRelayTimeMs: number, begunAt: Milliseconds) {
    this.originRelayTimeMs = originRelayTimeMs;
    this.#begunAt = begunAt;
  }

  /** How long the recording has really lasted, in ms. */
  elapsedMs(now: Milliseconds): Milliseconds {
    return Math.max(0, now - this.#begunAt);
  }

  /** `relayTimeMs`, or, if that is too far ahead, what the relay's clock should say at `now`: ms, 32 bit. */
  believed(relayTimeMs: number, now: Milliseconds): number {
    const elapsedMs = this.elapsedMs(now);
    if (timestampDelta(this.originRelayTimeMs, relayTimeMs) <= furthestMs(elapsedMs)) return relayTimeMs;
    this.disbelieved += 1;
    return (this.originRelayTimeMs + Math.round(elapsedMs)) >>> 0;
  }
}
