/**
 * Order and loss of one speaker's voice frames as they arrive, for what decodes each of them at once: a recorder, an analysis. What plays
 * sound orders by timestamps instead (`playout/`).
 */

import { sequenceAfter, sequenceDelta } from '../sequence.js';
import type { SpeakerFields } from '../wire.js';

export class FrameOrder {
  #expected: number | null = null;
  /**
   * Frames that never arrived, by the gaps within talkspurts. A gap between talkspurts does not count: the target may have changed there, so the
   * missing frames may have been for others.
   */
  lost = 0;
  /** Frames that arrived after their successor, as when one was sent twice. */
  late = 0;

  /**
   * Takes the next frame that arrived.
   *
   * @returns `next`: decode it. `restart`: decode it, and nothing before it belongs to it. The speaker said something to others in between, or left
   * and joined again with a new sequence. `late`: do not.
   */
  take({ sequence, marker }: Pick<SpeakerFields, 'sequence' | 'marker'>): 'next' | 'restart' | 'late' {
    const ahead = this.#expected === null ? 0 : sequenceDelta(this.#expected, sequence);
    if (ahead < 0 && !marker) {
      this.late += 1;
      return 'late';
    }
    this.#expected = sequenceAfter(sequence);
    if (ahead === 0) return 'next';
    if (marker) return 'restart';
    this.lost += ahead;
    return 'next';
  }
}
