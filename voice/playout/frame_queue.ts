/**
 * What waits to be played of one speaker: the frames, silences and ends of their packets, in the order of the media clock.
 *
 * Bounds: `MAX_QUEUED` entries; one more drops the oldest. Memory of entries is reused: an entry keeps the room of the largest Opus frame
 * that it held, usually 128 bytes, so 32 KB in all, and at most 2 MB for a speaker who only sends frames of 8 KB.
 *
 * Real-time: allocates entries and room until it has seen the largest burst, and nothing after that.
 */

import { sequenceDelta } from '../sequence.js';
import type { Samples } from '../units.js';

/** Entries at most: 5 s of Steam's frames. */
export const MAX_QUEUED = 256;

const SMALLEST_ROOM_BYTES = 128;

/** One frame, one silence that the speaker sent, or the end of a talkspurt. */
export interface QueuedEntry {
  kind: 'frame' | 'silence' | 'end';
  /** First sample on the media clock, unwrapped. */
  position: Samples;
  samples: Samples;
  /** Of its voice frame. */
  sequence: number;
  /** Whether a talkspurt begins here. */
  starts: 'talkspurt' | 'nothing';
  /** The Opus packet: the first `bytes` of `data`, which is longer. */
  data: Uint8Array;
  bytes: number;
  /** Sequence of the Opus frame within its recording. */
  opusSequence: number;
  /** Whether a recording ended before it, so that its decoder starts afresh. */
  follows: 'recording-end' | 'frame';
}

export class FrameQueue {
  /** The first `#count` are queued, in order: by position, then by sequence. Arrays that shrink would allocate when they grow again. */
  readonly #entries: QueuedEntry[] = [];
  #count = 0;
  readonly #free: QueuedEntry[] = [];
  #freeCount = 0;

  get length(): number {
    return this.#count;
  }

  get first(): QueuedEntry | null {
    return this.#count > 0 ? this.#entries[0]! : null;
  }

  /** Where the last entry ends; −∞ when the queue is empty. */
  get end(): Samples {
    if (this.#count === 0) return Number.NEGATIVE_INFINITY;
    const last = this.#entries[this.#count - 1]!;
    return last.position + last.samples;
  }

  /**
   * An entry to be filled and then given to `insert`. It may be one that was dropped.
   *
   * @param bytes Room that its `data` needs.
   */
  take(bytes: number): QueuedEntry {
    let entry: QueuedEntry;
    if (this.#freeCount > 0) {
      this.#freeCount -= 1;
      entry = this.#free[this.#freeCount]!;
    } else {
      entry = {
        kind: 'end',
        position: 0,
        samples: 0,
        sequence: 0,
        starts: 'nothing',
        data: new Uint8Array(SMALLEST_ROOM_BYTES),
        bytes: 0,
        opusSequence: 0,
        follows: 'frame',
      };
    }
    if (entry.data.length < bytes) {
      let room = entry.data.length;
      while (room < bytes) room *= 2;
      entry.data = new Uint8Array(room);
    }
    return entry;
  }

  /** Puts a filled entry in its place. Drop the first before, when `length` is MAX_QUEUED. */
  insert(entry: QueuedEntry): void {
    let at = this.#count;
    this.#count += 1;
    while (at > 0 && comesAfter(this.#entries[at - 1]!, entry)) {
      this.#entries[at] = this.#entries[at - 1]!;
      at -= 1;
    }
    this.#entries[at] = entry;
  }

  /** Removes the first entry. It stays readable until the next `take`. */
  dropFirst(): void {
    const first = this.first;
    if (!first) return;
    this.#count -= 1;
    for (let i = 0; i < this.#count; i++) this.#entries[i] = this.#entries[i + 1]!;
    this.#free[this.#freeCount] = first;
    this.#freeCount += 1;
  }

  /** Cuts `samples` off the front of the first entry, which stays. */
  cutFirst(samples: Samples): void {
    const first = this.first;
    if (!first) return;
    first.position += samples;
    first.samples -= samples;
  }

  clear(): void {
    while (this.#count > 0) this.dropFirst();
  }
}

function comesAfter(left: QueuedEntry, right: QueuedEntry): boolean {
  if (left.position !== right.position) return left.position > right.position;
  return sequenceDelta(right.sequence, left.sequence) > 0;
}
