/**
 * Captured packets in this thread: what a ring is between threads, without shared memory, which a page has only if its server isolates it.
 * Bounded; a full queue drops what comes and counts it, as a ring does.
 */

import type { RingCounts, RingEntry } from '../../voice/ring.js';
import type { Milliseconds } from '../../voice/units.js';
import type { PacketSource } from './packet_source.js';

/** About 9 s of one voice. */
const MAX_BYTES = 65_536;
/** Also bounds packets that are empty: the ends of recordings. */
const MAX_ENTRIES = 4096;

/** A queue with one writer and one reader, in one thread. */
export class PacketQueue implements PacketSource {
  readonly #entries: RingEntry[] = [];
  #bytes = 0;
  #committed = 0;
  #refused = 0;
  #discarded = 0;
  #state: 'open' | 'closed' = 'open';
  /** Ends the waits. */
  readonly #wakes = new Set<() => void>();

  /** Adds a packet, which is copied, or drops it when the queue is full or closed. See `CaptureTag` for `tag`. */
  push(bytes: Uint8Array, capturedAt: Milliseconds, tag: number): void {
    const isFull = this.#bytes + bytes.length > MAX_BYTES || this.#entries.length >= MAX_ENTRIES;
    if (isFull || this.#state === 'closed') {
      this.#refused += 1;
      return;
    }
    this.#entries.push({ bytes: bytes.slice(), capturedAt, tag });
    this.#bytes += bytes.length;
    this.#committed += 1;
    this.#wake();
  }

  /** Nothing more will come. What is there can still be read. */
  close(): void {
    this.#state = 'closed';
    this.#wake();
  }

  get closed(): boolean {
    return this.#state === 'closed' && this.#entries.length === 0;
  }

  read(): RingEntry | null {
    return this.#entries[0] ?? null;
  }

  release(): void {
    this.#bytes -= this.#entries.shift()?.bytes.length ?? 0;
  }

  discardOlderThan(instant: Milliseconds, keeps: (tag: number) => boolean = () => false): number {
    let discarded = 0;
    for (let oldest = this.read(); oldest; oldest = this.read()) {
      if (oldest.capturedAt >= instant || keeps(oldest.tag)) break;
      this.release();
      discarded += 1;
    }
    this.#discarded += discarded;
    return discarded;
  }

  /** Resolves when there is a packet or the queue is closed. Nothing else is waited for, so `_timeoutMs` has no effect. */
  async waitAsync(_timeoutMs: number): Promise<void> {
    if (this.#entries.length > 0 || this.#state === 'closed') return;
    await new Promise<void>((resolve) => this.#wakes.add(resolve));
  }

  /** What the queue has counted. A copy. */
  counts(): RingCounts {
    return { committed: this.#committed, refused: this.#refused, discarded: this.#discarded };
  }

  #wake(): void {
    for (const wake of this.#wakes) wake();
    this.#wakes.clear();
  }
}
