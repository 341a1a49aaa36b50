/**
 * Tells where a speaker's recording begins, and their decoder with it: behind an end marker, where the sequence of Opus frames goes back, and at a
 * talkspurt that does not continue it. A gap within a recording does not count.
 */

import { sequenceAfter, sequenceDelta } from '../sequence.js';
import type { QueuedEntry } from './frame_queue.js';

export class RecordingOrder {
  #expected: number | null = null;

  /** Whether a recording begins with this frame, which is decoded next. */
  beginsWith(frame: QueuedEntry): boolean {
    const ahead = this.#expected === null ? -1 : sequenceDelta(this.#expected, frame.opusSequence);
    this.#expected = sequenceAfter(frame.opusSequence);
    return ahead < 0 || frame.follows === 'recording-end' || (frame.starts === 'talkspurt' && ahead > 0);
  }

  /** The next frame is the first of a recording. */
  restart(): void {
    this.#expected = null;
  }
}
