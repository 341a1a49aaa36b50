/**
 * How far a recording has come, by the relay's clock as long as that agrees with ours. Pure: instants are arguments.
 *
 * The relay's clock places the speakers against each other. But it is the relay's word, and a relay that says "tomorrow" must not make a file
 * of a day's length: what lies further ahead than real time allows is taken to happen now.
 */

import { timestampDelta } from './sequence.js';
import type { Milliseconds } from './units.js';

/** How far the relay's clock may be ahead of the time that really went by: 10 s, for a start that was delayed. */
export const MAX_AHEAD_OF_REAL_MS: Milliseconds = 10_000;

/** And one part in a thousand, for clocks that drift. */
const DRIFT = 0.001;

/** The furthest that anything of a recording may lie after `elapsedMs` of real time, in ms from its start. */
export function furthestMs(elapsedMs: Milliseconds): Milliseconds {
  return elapsedMs * (1 + DRIFT) + MAX_AHEAD_OF_REAL_MS;
}

export class RecordingClock {
  /** The relay's time when the recording began: ms, 32 bit. */
  readonly originRelayTimeMs: number;
  readonly #begunAt: Milliseconds;
  /** Times that the relay's clock was too far ahead, and ours counted. */
  disbelieved = 0;

  constructor(originRelayTimeMs: number, begunAt: Milliseconds) {
    this.originRelayTimeMs = originRelayTimeMs;
    this.#begunAt = begunAt;
  }

  /** How long the recording has really gone on, in ms. */
  elapsedMs(now: Milliseconds): Milliseconds {
    return Math.max(0, now - this.#begunAt);
  }

  /** `relayTimeMs`, or where that is too far ahead, what the relay's clock should say at `now`: ms, 32 bit. */
  believed(relayTimeMs: number, now: Milliseconds): number {
    const elapsedMs = this.elapsedMs(now);
    if (timestampDelta(this.originRelayTimeMs, relayTimeMs) <= furthestMs(elapsedMs)) return relayTimeMs;
    this.disbelieved += 1;
    return (this.originRelayTimeMs + Math.round(elapsedMs)) >>> 0;
  }
}
