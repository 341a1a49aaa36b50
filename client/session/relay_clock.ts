/**
 * The relay's clock as we see it: which voice is too old, and relay times on one clock for a whole membership. The clock of another relay
 * started at another time, which code that records or measures age must not notice. Pure.
 */

import { AgeFilter } from '../../voice/age_filter.js';
import { timestampDelta } from '../../voice/sequence.js';
import type { Milliseconds } from '../../voice/units.js';
import type { VoiceHeader } from '../../voice/wire.js';

/** What a welcome says about the relay's clock. */
interface ClockWelcome {
  readonly relayTimeMs: number;
  /** The age from which on voice is stale; left out if the relay does not say. */
  readonly staleAfterMs?: number | undefined;
}

export class RelayClock {
  #originMs = 0;
  #joinedAt: Milliseconds = 0;
  /** How far the present relay's clock is behind the first one's, in ms. */
  #shiftMs = 0;
  /** The newest relay time of the present relay, and how long after the origin that was, without wrapping. */
  #newestMs = 0;
  #elapsedMs: Milliseconds = 0;
  #budgetMs: Milliseconds | null = null;
  /** Its sender's time is the time since the origin. Null if the relay does not say what is stale, or all is kept. */
  #filter: AgeFilter | null = null;
  readonly #staleVoice: 'drop' | 'keep';

  /** @param staleVoice See `SessionOptions`. */
  constructor(staleVoice: 'drop' | 'keep' = 'drop') {
    this.#staleVoice = staleVoice;
  }

  /** The first relay's clock when we joined: ms, 32 bit. */
  get originMs(): number {
    return this.#originMs;
  }

  /** We joined, for the first time. */
  begin(welcome: ClockWelcome, now: Milliseconds): void {
    this.#originMs = welcome.relayTimeMs;
    this.#joinedAt = now;
    this.#newestMs = welcome.relayTimeMs;
    this.#setFilter(welcome);
    this.heard(welcome.relayTimeMs, now);
  }

  /** We have another connection to the same relay. */
  resume(welcome: ClockWelcome, now: Milliseconds): void {
    if ((welcome.staleAfterMs ?? null) !== this.#budgetMs) this.#setFilter(welcome);
    this.heard(welcome.relayTimeMs, now);
  }

  /** We joined again, where the clock shows another time. */
  rejoin(welcome: ClockWelcome, now: Milliseconds): void {
    this.#elapsedMs = Math.round(now - (this.#filter?.base ?? this.#joinedAt));
    this.#newestMs = welcome.relayTimeMs;
    this.#shiftMs = this.#originMs + this.#elapsedMs - welcome.relayTimeMs;
    this.#setFilter(welcome);
    this.heard(welcome.relayTimeMs, now);
  }

  /** The relay's time came without voice, as in a heartbeat. */
  heard(relayTimeMs: number, now: Milliseconds): void {
    this.#filter?.note(this.#delay(relayTimeMs, now), now);
  }

  /** Whether a frame with this relay time is too old to be heard. Real-time: no allocation. */
  judge(relayTimeMs: number, now: Milliseconds): 'in-time' | 'stale' {
    return this.#filter?.judge(this.#delay(relayTimeMs, now), now) ?? 'in-time';
  }

  /** The header with its relay time on the first clock. */
  header(header: VoiceHeader): VoiceHeader {
    if (this.#shiftMs === 0) return header;
    return { ...header, relayTimeMs: (header.relayTimeMs + this.#shiftMs) >>> 0 };
  }

  /** Our clock minus the relay's, which does not wrap here. */
  #delay(relayTimeMs: number, now: Milliseconds): Milliseconds {
    this.#elapsedMs += timestampDelta(this.#newestMs, relayTimeMs);
    this.#newestMs = relayTimeMs;
    return now - this.#elapsedMs;
  }

  #setFilter({ staleAfterMs }: ClockWelcome): void {
    this.#budgetMs = staleAfterMs ?? null;
    const isFiltered = staleAfterMs !== undefined && this.#staleVoice === 'drop';
    this.#filter = isFiltered ? new AgeFilter(staleAfterMs) : null;
  }
}
