/** How late a speaker's frames come, by their timestamps against the relay's clock. docs/protocol.md, "Staleness". */

import { AgeFilter } from '../../../voice/age_filter.js';
import { type Milliseconds, msOfSamples } from '../../../voice/units.js';
import type { SpeakerFields } from '../../../voice/wire.js';

/** More is allowed from a marker to the first frame in time: voice activation begins with what was said before. */
const PREROLL_MS: Milliseconds = 500;

/** Of one speaker's connection. */
export class Lateness {
  readonly #staleAfterMs: Milliseconds;
  readonly #filter: AgeFilter;
  /** The last timestamp, and the same without wrapping, in samples from 0; null before the first frame. */
  #timestamp: number | null = null;
  #elapsed = 0;
  #talkspurt: 'begins' | 'goes-on' = 'goes-on';

  constructor(staleAfterMs: Milliseconds) {
    this.#staleAfterMs = staleAfterMs;
    this.#filter = new AgeFilter(staleAfterMs);
  }

  /** Whether a frame comes too late to be heard. Real-time: no allocation. */
  judge({ timestamp, marker }: SpeakerFields, now: Milliseconds): 'in-time' | 'stale' {
    this.#elapsed += (timestamp - (this.#timestamp ?? timestamp)) | 0;
    this.#timestamp = timestamp;
    if (marker) this.#talkspurt = 'begins';
    const delay = now - msOfSamples(this.#elapsed);
    const judged = this.#filter.judge(delay, now, this.#talkspurt === 'begins' ? PREROLL_MS : 0);
    const age = delay - (this.#filter.base ?? delay);
    if (age <= this.#staleAfterMs) this.#talkspurt = 'goes-on';
    return judged;
  }
}
