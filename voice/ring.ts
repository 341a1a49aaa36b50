/**
 * PacketRing: packets of any length from one thread to another over a SharedArrayBuffer, without locks.
 *
 * Roles: exactly one producer, exactly one consumer, each on any thread. The producer reserves room, has it written in
 * place (by Steam's getVoice), and commits what was written. The consumer reads in place and releases. Neither ever waits
 * for the other inside these calls; the consumer may wait for data, without spinning.
 *
 * Staleness: a full ring refuses a reservation; the producer takes its packet elsewhere, so that the source does not age, and
 * counts the loss (`refuse`). Nothing is overwritten, so what is inside grows old when the consumer stops: the consumer
 * discards by age (`discardOlderThan`) and counts that too.
 *
 * Memory, in bytes. Positions count bytes ever written, modulo 2³²; position AND (capacity − 1) is the place:
 *
 *     0        u32  magic           128   u32  read position      (consumer's cache line)
 *     4        u32  capacity        132   u32  discarded for age
 *     64       u32  write position  192   u32  signal: goes up at each commit and at close
 *     68       u32  refused, full   196   u32  closed
 *     72       u32  committed       200   u32  waiting: 1 when the consumer may be waiting
 *                                   256 … data
 *
 * An entry is 8-aligned and contiguous: u32 size, u32 tag, f64 capturedAt, then its bytes. Where one would straddle the end,
 * a size of 0xFFFFFFFF pads to the end and the entry starts at the front. Entries are
 * little-endian, the words in the byte order of the machine.
 *
 * What holds it together, all accesses by Atomics being sequentially consistent:
 *
 * - Data before position. An entry is written with plain accesses, then the write position is stored atomically; the consumer
 *   loads that before it reads the entry. The read position does the same for room that is written anew.
 * - Each side keeps the other's position as it last saw it, and loads it again only when that one leaves nothing to do: then
 *   the other's cache line stays where it is. An old position is never wrong, it only promises less.
 * - A wake costs a system call, so there is one only for a consumer that waits. It takes the signal's value, says that it
 *   waits, looks for entries once more, and sleeps while the signal has that value. The producer publishes, looks whether
 *   anybody waits, and if so takes that word back, raises the signal, and wakes. Either the consumer's second look finds the
 *   entry, or the producer's look comes after the announcement. The signal goes up after the word is taken back, never
 *   before: an announcement that was lost to the taking back has then an old signal, and its sleep ends before it begins.
 */

const MAGIC = 0x474e5248; // 'HRNG'
const DATA_AT = 256;
const ENTRY_HEADER_BYTES = 16;
const PADDING = 0xffffffff;

const Word = {
  magic: 0,
  capacity: 1,
  written: 16,
  refused: 17,
  committed: 18,
  read: 32,
  discarded: 33,
  signal: 48,
  closed: 49,
  waiting: 50,
} as const;

/** Bytes of shared memory for a ring that holds `capacityBytes`, a power of two from 64 to 2³⁰, headers of entries included. */
export function ringStorageBytes(capacityBytes: number): number {
  const isPowerOfTwo = Number.isInteger(capacityBytes) && (capacityBytes & (capacityBytes - 1)) === 0;
  if (!isPowerOfTwo || capacityBytes < 64 || capacityBytes > 2 ** 30) {
    throw new RangeError(
      `Cannot lay out a ring: capacity is ${capacityBytes}, expected a power of two, 64 to 2^30`,
    );
  }
  return DATA_AT + capacityBytes;
}

/**
 * Allocates a ring's shared memory. Send it to the other thread; each side then makes its own role on it.
 *
 * `firstPosition` is where the positions start, 0 by default; a multiple of 8. Tests start just below 2³².
 */
export function allocateRing(capacityBytes: number, firstPosition = 0): SharedArrayBuffer {
  if (!Number.isInteger(firstPosition) || firstPosition % 8 !== 0) {
    throw new RangeError(
      `Cannot allocate a ring: firstPosition is ${firstPosition}, expected a multiple of 8`,
    );
  }
  const storage = new SharedArrayBuffer(ringStorageBytes(capacityBytes));
  const words = new Int32Array(storage, 0, DATA_AT / 4);
  words[Word.capacity] = capacityBytes;
  words[Word.written] = firstPosition | 0;
  words[Word.read] = firstPosition | 0;
  Atomics.store(words, Word.magic, MAGIC);
  return storage;
}

/** What a ring has counted since it was allocated, each modulo 2³². */
export interface RingCounts {
  readonly committed: number;
  /** Lost because the ring was full, or the packet larger than what may be reserved, as the producer said by `refuse`. */
  readonly refused: number;
  /** Discarded by the consumer for their age. */
  readonly discarded: number;
}

/** The shared words and bytes, and what both roles do with them. */
class RingMemory {
  readonly words: Int32Array;
  readonly view: DataView;
  readonly capacity: number;

  constructor(storage: SharedArrayBuffer) {
    this.words = new Int32Array(storage, 0, DATA_AT / 4);
    if (Atomics.load(this.words, Word.magic) !== MAGIC)
      throw new TypeError('Cannot open a ring: the memory holds none');
    this.capacity = this.words[Word.capacity]!;
    this.view = new DataView(storage, DATA_AT, this.capacity);
  }

  /** A view of `bytes` of the data. `subarray` would do, and costs more. */
  bytesAt(place: number, bytes: number): Uint8Array {
    return new Uint8Array(this.view.buffer, DATA_AT + place, bytes);
  }

  counts(): RingCounts {
    return {
      committed: Atomics.load(this.words, Word.committed) >>> 0,
      refused: Atomics.load(this.words, Word.refused) >>> 0,
      discarded: Atomics.load(this.words, Word.discarded) >>> 0,
    };
  }

  signal(): void {
    const { words } = this;
    const isWaiting = Atomics.load(words, Word.waiting) !== 0;
    if (isWaiting) Atomics.store(words, Word.waiting, 0);
    Atomics.add(words, Word.signal, 1);
    if (isWaiting) Atomics.notify(words, Word.signal);
  }
}

/** The writing end. Real-time: no lock; one small view allocated a reservation. */
export class RingProducer {
  readonly #memory: RingMemory;
  /** Room of the open reservation, padding not counted; −1 when none is open. */
  #reserved = -1;
  #reservedAt = 0;
  /** The read position when it was last loaded. */
  #knownRead: number;

  constructor(storage: SharedArrayBuffer) {
    this.#memory = new RingMemory(storage);
    this.#knownRead = Atomics.load(this.#memory.words, Word.read);
  }

  /**
   * Room for up to `maxBytes`, contiguous, to be written in place; valid until `commit`. Null when the ring is full. A
   * reservation that was never committed costs nothing: the next one takes its place.
   *
   * @param maxBytes 0 to half the capacity less 16.
   */
  reserve(maxBytes: number): Uint8Array | null {
    const { words, view, capacity } = this.#memory;
    // An entry of up to half the ring fits into an empty one wherever that stands, padding included.
    const mostBytes = capacity / 2 - ENTRY_HEADER_BYTES;
    if (!Number.isInteger(maxBytes) || maxBytes < 0 || maxBytes > mostBytes) {
      throw new RangeError(
        `Cannot reserve ${maxBytes} bytes: expected 0 to ${mostBytes} in a ring of ${capacity}`,
      );
    }
    const need = entryBytes(maxBytes);
    const written = words[Word.written]!;
    const place = written & (capacity - 1);
    const toEnd = capacity - place;
    const padding = toEnd < need ? toEnd : 0;
    this.#reserved = -1;
    const mostUsed = capacity - padding - need;
    if ((written - this.#knownRead) >>> 0 > mostUsed) {
      this.#knownRead = Atomics.load(words, Word.read);
      if ((written - this.#knownRead) >>> 0 > mostUsed) return null;
    }
    if (padding > 0) view.setUint32(place, PADDING, true);
    this.#reserved = maxBytes;
    this.#reservedAt = (written + padding) | 0;
    const start = (this.#reservedAt & (capacity - 1)) + ENTRY_HEADER_BYTES;
    return this.#memory.bytesAt(start, maxBytes);
  }

  /**
   * Publishes the first `bytes` of the reservation, 0 to what was reserved, and wakes the consumer. `tag` is any u32 of the
   * caller's; `capturedAt` any instant.
   */
  commit(bytes: number, tag: number, capturedAt: number): void {
    const { words, view, capacity } = this.#memory;
    if (!Number.isInteger(bytes) || bytes < 0 || bytes > this.#reserved) {
      const reserved = this.#reserved < 0 ? 'nothing is reserved' : `expected 0 to ${this.#reserved}`;
      throw new RangeError(`Cannot commit ${bytes} bytes: ${reserved}`);
    }
    const place = this.#reservedAt & (capacity - 1);
    view.setUint32(place, bytes, true);
    view.setUint32(place + 4, tag, true);
    view.setFloat64(place + 8, capturedAt, true);
    this.#reserved = -1;
    Atomics.add(words, Word.committed, 1);
    Atomics.store(words, Word.written, (this.#reservedAt + entryBytes(bytes)) | 0);
    this.#memory.signal();
  }

  /** Counts one entry that was lost: the ring was full, or the entry larger than what may be reserved. */
  refuse(): void {
    Atomics.add(this.#memory.words, Word.refused, 1);
  }

  /**
   * Says that nothing more will come. The consumer reads what is left and then sees `closed`. May be said for a producer whose
   * thread is gone: it wakes in any case, for that one may have ended between taking the waiting word back and waking.
   */
  close(): void {
    const { words } = this.#memory;
    Atomics.store(words, Word.closed, 1);
    Atomics.store(words, Word.waiting, 0);
    Atomics.add(words, Word.signal, 1);
    Atomics.notify(words, Word.signal);
  }

  counts(): RingCounts {
    return this.#memory.counts();
  }
}

/** One packet in the ring. `bytes` lie in the ring and are valid until `release`. */
export interface RingEntry {
  readonly bytes: Uint8Array;
  readonly tag: number;
  readonly capturedAt: number;
}

/** The reading end. Real-time: no lock; one small object and view allocated an entry that is read, none for one discarded. */
export class RingConsumer {
  readonly #memory: RingMemory;
  /** Bytes from the read position to behind the entry last read; 0 when none is held. */
  #held = 0;
  /** The write position when it was last loaded. */
  #knownWritten: number;

  constructor(storage: SharedArrayBuffer) {
    this.#memory = new RingMemory(storage);
    this.#knownWritten = this.#memory.words[Word.read]!;
  }

  /** The oldest entry, or null when the ring is empty. Reading again without `release` gives the same one. */
  read(): RingEntry | null {
    const place = this.#oldest();
    if (place < 0) return null;
    const { view } = this.#memory;
    const size = view.getUint32(place, true);
    this.#held = entryBytes(size);
    return {
      bytes: this.#memory.bytesAt(place + ENTRY_HEADER_BYTES, size),
      tag: view.getUint32(place + 4, true),
      capturedAt: view.getFloat64(place + 8, true),
    };
  }

  /** Gives the room of the entry last read back to the producer. */
  release(): void {
    if (this.#held === 0) throw new RangeError('Cannot release: no entry was read');
    this.#give(this.#held);
    this.#held = 0;
  }

  /**
   * Releases entries captured before `instant` until one is not, or until `keeps` holds one back by its tag; counts and returns
   * how many. Not while an entry that was read is still in use.
   */
  discardOlderThan(instant: number, keeps: (tag: number) => boolean = () => false): number {
    const { view } = this.#memory;
    this.#held = 0;
    let count = 0;
    for (let place = this.#oldest(); place >= 0; place = this.#oldest()) {
      if (view.getFloat64(place + 8, true) >= instant || keeps(view.getUint32(place + 4, true))) break;
      this.#give(entryBytes(view.getUint32(place, true)));
      count += 1;
    }
    if (count > 0) Atomics.add(this.#memory.words, Word.discarded, count);
    return count;
  }

  /** True when the producer has closed and everything was read. */
  get closed(): boolean {
    const { words } = this.#memory;
    // Closed first: what was committed before the close is then seen by the second load.
    return Atomics.load(words, Word.closed) === 1 && Atomics.load(words, Word.written) === words[Word.read];
  }

  /** Blocks this thread until there is an entry, the ring is closed, or `timeoutMs` have passed. For workers only. */
  wait(timeoutMs: number): void {
    const seen = this.#idleSignal();
    if (seen !== null) Atomics.wait(this.#memory.words, Word.signal, seen, timeoutMs);
  }

  /** As `wait`, without blocking: for a thread with an event loop. It does not keep the process alive. */
  async waitAsync(timeoutMs: number): Promise<void> {
    const seen = this.#idleSignal();
    if (seen !== null) await Atomics.waitAsync(this.#memory.words, Word.signal, seen, timeoutMs).value;
  }

  counts(): RingCounts {
    return this.#memory.counts();
  }

  /** Where the oldest entry stands in the data, −1 when there is none. Gives padding in front of it back. */
  #oldest(): number {
    const { words, view, capacity } = this.#memory;
    const read = words[Word.read]!;
    if (this.#knownWritten === read) {
      this.#knownWritten = Atomics.load(words, Word.written);
      if (this.#knownWritten === read) return -1;
    }
    const place = read & (capacity - 1);
    if (view.getUint32(place, true) !== PADDING) return place;
    this.#give(capacity - place);
    return 0;
  }

  #give(bytes: number): void {
    const { words } = this.#memory;
    Atomics.store(words, Word.read, (words[Word.read]! + bytes) | 0);
  }

  /**
   * The signal's value if there is nothing to do, else null. Taken before the check, so that no commit slips between; and the
   * wait announced before the last check, so that no commit goes unsignalled. Never taken back: another wait of this consumer
   * may be open. An announcement that comes to nothing costs one wake that nobody hears.
   */
  #idleSignal(): number | null {
    if (!this.#idle) return null;
    const { words } = this.#memory;
    const seen = Atomics.load(words, Word.signal);
    Atomics.store(words, Word.waiting, 1);
    return this.#idle ? seen : null;
  }

  get #idle(): boolean {
    const { words } = this.#memory;
    return Atomics.load(words, Word.written) === words[Word.read] && Atomics.load(words, Word.closed) === 0;
  }
}

/** Bytes that an entry of `bytes` takes, its header and padding included. */
function entryBytes(bytes: number): number {
  return ENTRY_HEADER_BYTES + ((bytes + 7) & ~7);
}
