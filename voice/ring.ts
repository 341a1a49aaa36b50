/**
 * PacketRing: packets of any length from one thread to another over a SharedArrayBuffer, without locks.
 *
 * Roles: exactly one producer, exactly one consumer, each on any thread. The producer reserves space, has it written in place (by
 * Steam's getVoice), and commits what was written. The consumer reads in place and releases. Neither ever waits for the other inside
 * these calls; the consumer may wait for data, without spinning.
 *
 * Staleness: a full ring refuses a reservation. The producer still takes its packet from the source, so that the source does not age,
 * and counts the loss (`refuse`). Nothing is overwritten, so entries grow old when the consumer stops: it discards them by age
 * (`discardOlderThan`) and counts that, too.
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
 * An entry is 8-aligned and contiguous: u32 size, u32 tag, f64 capturedAt, then its bytes. If one would straddle the end, a size of
 * 0xFFFFFFFF pads to the end and the entry starts at the front. Entries are little-endian, the words in the machine's byte order.
 *
 * Why it is correct, given that all accesses through Atomics are sequentially consistent:
 *
 * - Data before position. An entry is written with plain accesses, then the write position is stored atomically; the consumer loads
 *   that before it reads the entry. The read position does the same for space that is reused.
 * - Each side caches the other's position, and loads it again only when the cached one leaves nothing to do, so the other's cache
 *   line stays where it is. An old position is never wrong: it only promises less.
 * - A wake costs a system call, so only a waiting consumer gets one. The consumer reads the signal, sets the waiting flag, looks for
 *   entries once more, and sleeps while the signal is unchanged. The producer publishes, reads the flag, and if it is set, clears it,
 *   raises the signal, and wakes. Either the consumer's second look finds the entry, or the producer reads the flag after it was set.
 *   The signal goes up after the flag is cleared, never before: if the clearing erased a newer flag, the consumer has an old signal
 *   value, and its sleep ends at once.
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

/** Bytes of shared memory for a ring that holds `capacityBytes`, a power of two from 64 to 2³⁰, including the entries' headers. */
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
 * Allocates a ring's shared memory. Send it to the other thread; each side then makes its own end of it.
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
  /** Lost because the ring was full or the packet too large to reserve; counted by `refuse`. */
  readonly refused: number;
  /** Discarded by the consumer because of their age. */
  readonly discarded: number;
}

/** The shared words and bytes, and what both ends do with them. */
class RingMemory {
  readonly words: Int32Array;
  readonly view: DataView;
  readonly capacity: number;

  constructor(storage: SharedArrayBuffer) {
    this.words = new Int32Array(storage, 0, DATA_AT / 4);
    if (Atomics.load(this.words, Word.magic) !== MAGIC)
      throw new TypeError('Cannot open a ring: this memory does not hold one');
    this.capacity = this.words[Word.capacity]!;
    this.view = new DataView(storage, DATA_AT, this.capacity);
  }

  /** A view of `bytes` of the data. `subarray` would work, but costs more. */
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

/** The writing end. Real-time: no lock; one small view allocated per reservation. */
export class RingProducer {
  readonly #memory: RingMemory;
  /** Size of the open reservation without padding; −1 when none is open. */
  #reserved = -1;
  #reservedAt = 0;
  /** The read position when it was last loaded. */
  #knownRead: number;

  constructor(storage: SharedArrayBuffer) {
    this.#memory = new RingMemory(storage);
    this.#knownRead = Atomics.load(this.#memory.words, Word.read);
  }

  /**
   * Contiguous space for up to `maxBytes`, to be written in place; valid until `commit`. Null when the ring is full. A reservation
   * that is never committed costs nothing: the next one replaces it.
   *
   * @param maxBytes 0 to half the capacity less 16.
   */
  reserve(maxBytes: number): Uint8Array | null {
    const { words, view, capacity } = this.#memory;
    // An entry of up to half the ring fits into an empty ring at any position, including its padding.
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
   * Publishes the first `bytes` of the reservation, 0 to what was reserved, and wakes the consumer. `tag` is any u32, `capturedAt`
   * any instant.
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

  /** Counts one lost entry: the ring was full, or the entry too large to reserve. */
  refuse(): void {
    Atomics.add(this.#memory.words, Word.refused, 1);
  }

  /**
   * Says that nothing more will come. The consumer reads what is left and then sees `closed`. May be called for a producer whose
   * thread is gone: it always wakes, because that producer may have ended between clearing the waiting flag and waking.
   */
  close(): void {
    const { words } = this.#memory;
    Atomics.store(words, Word.closed, 1);
    Atomics.store(words, Word.waiting, 0);
    Atomics.add(words, Word.signal, 1);
    Atomics.notify(words, Word.signal);
  }

  /** What the ring has counted. A copy. */
  counts(): RingCounts {
    return this.#memory.counts();
  }
}

/** One packet in the ring. `bytes` are a view of the ring, valid until `release`. */
export interface RingEntry {
  readonly bytes: Uint8Array;
  readonly tag: number;
  readonly capturedAt: number;
}

/** The reading end. Real-time: no lock; one small object and view allocated per entry that is read, none for a discarded one. */
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

  /** The oldest entry, or null when the ring is empty. Reading again without `release` returns the same one. */
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

  /** Returns the space of the entry last read to the producer. */
  release(): void {
    if (this.#held === 0) throw new RangeError('Cannot release: no entry was read');
    this.#give(this.#held);
    this.#held = 0;
  }

  /**
   * Releases entries captured before `instant`, up to the first one that is newer or that `keeps` keeps by its tag. Counts them and
   * returns how many. Do not call it while an entry that was read is still in use.
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
    // `closed` is loaded first: the second load then sees everything committed before the close.
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

  /** What the ring has counted. A copy. */
  counts(): RingCounts {
    return this.#memory.counts();
  }

  /** Position of the oldest entry in the data, −1 when the ring is empty. Releases padding in front of it. */
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
   * The signal's value if there is nothing to do, else null. It is read before the check, so that no commit slips in between, and the
   * waiting flag is set before the last check, so that no commit goes unsignalled. The flag is never cleared here: another wait of
   * this consumer may be open. A flag set in vain costs one wake that nobody hears.
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

/** Bytes that an entry of `bytes` takes, including its header and padding. */
function entryBytes(bytes: number): number {
  return ENTRY_HEADER_BYTES + ((bytes + 7) & ~7);
}
