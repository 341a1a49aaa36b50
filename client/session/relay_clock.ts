/**
 * Keeps relay times on one clock for a whole membership. The clock of another relay started at another time, which code that records or
 * measures age must not notice. Pure.
 */

import type { Milliseconds } from '../../voice/units.js';
import type { VoiceHeader } from '../../voice/wire.js';

export class RelayClock {
  #joinedAt: Milliseconds = 0;
  #originMs = 0;
  /** How far the present relay's clock is behind the first one's, in ms. */
  #shiftMs = 0;

  /** The first relay's clock when we joined: ms, 32 bit. */
  get originMs(): number {
    return this.#originMs;
  }

  /** We joined, for the first time. */
  begin(relayTimeMs: number, now: Milliseconds): void {
    this.#originMs = relayTimeMs;
    this.#joinedAt = now;
  }

  /** We joined again, where the clock shows another time. */
  rejoin(relayTimeMs: number, now: Milliseconds): void {
    this.#shiftMs = this.#originMs + Math.round(now - this.#joinedAt) - relayTimeMs;
  }

  /** The header with its relay time on the first clock. */
  header(header: VoiceHeader): VoiceHeader {
    if (this.#shiftMs === 0) return header;
    return { ...header, relayTimeMs: (header.relayTimeMs + this.#shiftMs) >>> 0 };
  }
}
