/**
 * One relay clock for a whole membership: another relay's began elsewhere, and code that records or measures age must not notice. Pure.
 */

import type { Milliseconds } from '../../voice/units.js';
import type { VoiceHeader } from '../../voice/wire.js';

export class RelayClock {
  #begunAt: Milliseconds = 0;
  #originMs = 0;
  /** What the present relay's clock is behind the first one's, in ms. */
  #shiftMs = 0;

  /** The first relay's clock when we joined: ms, 32 bit. */
  get originMs(): number {
    return this.#originMs;
  }

  /** We joined, for the first time. */
  begin(relayTimeMs: number, now: Milliseconds): void {
    this.#originMs = relayTimeMs;
    this.#begunAt = now;
  }

  /** We joined again, where the clock says something else. */
  goOn(relayTimeMs: number, now: Milliseconds): void {
    this.#shiftMs = this.#originMs + Math.round(now - this.#begunAt) - relayTimeMs;
  }

  /** The header with its relay time on the first clock. */
  header(header: VoiceHeader): VoiceHeader {
    if (this.#shiftMs === 0) return header;
    return { ...header, relayTimeMs: (header.relayTimeMs + this.#shiftMs) >>> 0 };
  }
}
