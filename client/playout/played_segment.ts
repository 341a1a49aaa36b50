/** What a pull of a speaker's sound is made of. */

import { timestampAfter } from '../../voice/sequence.js';
import type { Samples } from '../../voice/units.js';

/** A part of what `pull` wrote. */
export interface PlayedSegment {
  /**
   * `speech` was decoded from a frame that arrived. `concealed` stands for sound that was due and missing; after 100 ms it is silent. `silence`
   * is DTX, a silence that the speaker sent, the time between talkspurts, and the wait before one.
   */
  readonly kind: 'speech' | 'concealed' | 'silence';
  /** Length at 24 kHz, at least 1. The segments of one pull add up to the length of its output. */
  readonly samples: Samples;
  /**
   * Media timestamp of the first sample, 32 bit as in the voice header; null outside a talkspurt. The ranges of `speech` never overlap.
   * A range that was concealed may be heard as `speech` afterwards, if its packet came late but not too late.
   */
  readonly timestamp: number | null;
  /** The media time that it stands for: differs from `samples` where the sound was stretched or shortened. */
  readonly mediaSamples: Samples;
}

export type Mutable<T> = { -readonly [name in keyof T]: T[name] };

/** The segments of one pull. Real-time: reuses them, and allocates only for the most that a pull has had. */
export class SegmentList {
  readonly #segments: Mutable<PlayedSegment>[] = [];
  /** `#lists[n]` has the first n segments: an array that is cut and filled again would allocate. */
  readonly #lists: (readonly PlayedSegment[])[] = [[]];
  #count = 0;

  clear(): void {
    this.#count = 0;
  }

  /** Adds `samples` of a block, from its sample `from` on. A part of a block stands for a part of its media time. */
  add(block: PlayedSegment, from: Samples, samples: Samples): void {
    if (this.#count === this.#segments.length) {
      this.#segments.push({ kind: 'silence', samples: 0, timestamp: null, mediaSamples: 0 });
      this.#lists.push(this.#segments.slice());
    }
    const segment = this.#segments[this.#count]!;
    this.#count += 1;
    const mediaFrom = Math.floor((from * block.mediaSamples) / block.samples);
    const mediaTo = Math.floor(((from + samples) * block.mediaSamples) / block.samples);
    segment.kind = block.kind;
    segment.samples = samples;
    segment.timestamp = block.timestamp === null ? null : timestampAfter(block.timestamp, mediaFrom);
    segment.mediaSamples = mediaTo - mediaFrom;
  }

  /** Valid until the next `add`. */
  list(): readonly PlayedSegment[] {
    return this.#lists[this.#count]!;
  }
}
