/** The ring on one thread: roles, layout, refusal, age, closing, misuse. */

import t from 'tap';
import { allocateRing, RingConsumer, RingProducer, ringStorageBytes } from '../../voice/ring.js';
import { SEED, SeededRandom } from '../kit/random.js';

/** Bytes of an entry's header, and of the words in front of the data. */
const ENTRY_HEADER = 16;
const DATA_AT = 256;

t.test('storage is the capacity and a head of 256 bytes', async (t) => {
  t.equal(ringStorageBytes(64), 64 + 256);
  t.equal(ringStorageBytes(65536), 65536 + 256);
  t.equal(ringStorageBytes(2 ** 30), 2 ** 30 + 256);
  t.equal(allocateRing(1024).byteLength, 1024 + 256);
});

t.test('a capacity is a power of two from 64 to 2^30', async (t) => {
  for (const capacity of [
    0,
    1,
    32,
    63,
    65,
    96,
    100,
    -64,
    64.5,
    2 ** 31,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ]) {
    t.throws(() => ringStorageBytes(capacity), RangeError, `storage of ${capacity}`);
    t.throws(() => allocateRing(capacity), RangeError, `ring of ${capacity}`);
  }
});

t.test('a first position is a multiple of 8', async (t) => {
  for (const position of [1, 4, 12, 2 ** 32 - 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => allocateRing(64, position), RangeError, String(position));
  }
  for (const position of [0, 8, 2 ** 31, 2 ** 32 - 8]) {
    const { producer, consumer } = ring(64, position);
    put(producer, 16, 3);
    t.equal(consumer.read()?.tag, 3, String(position));
  }
});

t.test('memory that holds no ring is refused by both roles', async (t) => {
  for (const bytes of [0, 100, 1024]) {
    t.throws(() => new RingProducer(new SharedArrayBuffer(bytes)), `a producer on ${bytes} bytes`);
    t.throws(() => new RingConsumer(new SharedArrayBuffer(bytes)), `a consumer on ${bytes} bytes`);
  }
});

t.test('an entry comes out as it went in', async (t) => {
  const { producer, consumer } = ring(1024);
  const room = producer.reserve(5)!;
  t.equal(room.length, 5);
  room.set([1, 2, 3, 4, 5]);
  producer.commit(5, 0xfedcba98, 1234.5625);
  const entry = consumer.read()!;
  t.strictSame([...entry.bytes], [1, 2, 3, 4, 5]);
  t.equal(entry.tag, 0xfedcba98, 'a tag is unsigned');
  t.equal(entry.capturedAt, 1234.5625, 'an instant has fractions');
});

t.test('the words in front of the data are where the layout says', async (t) => {
  const storage = allocateRing(1024, 2 ** 32 - 64);
  const producer = new RingProducer(storage);
  const consumer = new RingConsumer(storage);
  const view = new DataView(storage);
  t.equal(view.getUint32(4, true), 1024, 'capacity');
  t.equal(view.getUint32(64, true), 2 ** 32 - 64, 'write position');
  t.equal(view.getUint32(128, true), 2 ** 32 - 64, 'read position');
  put(producer, 5, 7, 1.5);
  t.equal(view.getUint32(64, true), 2 ** 32 - 64 + 24, 'an entry of 5 bytes takes 24');
  t.equal(view.getUint32(72, true), 1, 'committed');
  t.equal(view.getUint32(192, true), 1, 'signal');
  const at = DATA_AT + 1024 - 64;
  t.equal(view.getUint32(at, true), 5, 'size');
  t.equal(view.getUint32(at + 4, true), 7, 'tag');
  t.equal(view.getFloat64(at + 8, true), 1.5, 'capturedAt');
  consumer.read();
  consumer.release();
  t.equal(view.getUint32(128, true), 2 ** 32 - 64 + 24, 'read position');
  t.equal(producer.reserve(1024 - 16 - 512)?.length, 496, 'padding, then the front');
  t.equal(view.getUint32(DATA_AT + 1024 - 40, true), 0xffffffff, 'padding');
  producer.close();
  t.equal(view.getUint32(196, true), 1, 'closed');
  t.equal(view.getUint32(192, true), 2, 'signal');
});

t.test('an empty ring reads null', async (t) => {
  const { producer, consumer } = ring(64);
  t.equal(consumer.read(), null);
  producer.reserve(8);
  t.equal(consumer.read(), null, 'a reservation is not an entry');
  producer.commit(8, 0, 0);
  t.ok(consumer.read());
  consumer.release();
  t.equal(consumer.read(), null, 'and is empty again');
});

t.test('reading again without releasing gives the same entry', async (t) => {
  const { producer, consumer } = ring(256);
  put(producer, 8, 1);
  put(producer, 8, 2);
  t.equal(consumer.read()?.tag, 1);
  t.equal(consumer.read()?.tag, 1);
  consumer.release();
  t.equal(consumer.read()?.tag, 2);
});

t.test('an entry is published by its commit, with what was used of its reservation', async (t) => {
  const { producer, consumer } = ring(256);
  const room = producer.reserve(100)!;
  room.set([9, 8, 7]);
  producer.commit(3, 0, 0);
  t.strictSame([...consumer.read()!.bytes], [9, 8, 7]);
  put(producer, 112, 0);
  t.equal(producer.reserve(89), null, '24 and 128 bytes are taken, 104 are not');
  t.equal(producer.reserve(104 - ENTRY_HEADER)?.length, 88);
});

t.test('a commit of 0 bytes is an entry', async (t) => {
  const { producer, consumer } = ring(64);
  producer.reserve(16);
  producer.commit(0, 5, 2);
  t.match(consumer.read(), { tag: 5, capturedAt: 2 });
  t.equal(consumer.read()?.bytes.length, 0);
  consumer.release();
  t.equal(consumer.read(), null);
});

t.test('a reservation of 0 bytes can be committed, and only once', async (t) => {
  const { producer, consumer } = ring(64);
  t.equal(producer.reserve(0)?.length, 0);
  t.throws(() => producer.commit(1, 5, 2), RangeError, 'more than the 0 bytes reserved');
  producer.commit(0, 5, 2);
  t.throws(() => producer.commit(0, 5, 2), RangeError, 'a second time');
  t.match(consumer.read(), { tag: 5, bytes: new Uint8Array(0) });
  consumer.release();
  t.equal(consumer.read(), null);
});

t.test('a reservation that was never committed is taken back by the next', async (t) => {
  const { producer, consumer } = ring(256);
  producer.reserve(112)!.fill(0xee);
  const room = producer.reserve(10)!;
  room.fill(3);
  producer.commit(10, 1, 0);
  t.match(consumer.read(), { tag: 1, bytes: new Uint8Array(10).fill(3) });
  consumer.release();
  t.equal(consumer.read(), null);
});

t.test('a reservation taken back after padding leaves no trace', async (t) => {
  const { producer, consumer } = ring(256);
  for (let tag = 0; tag < 6; tag += 1) put(producer, 16, tag); // 6 × 32 bytes: 64 to the end
  for (let tag = 0; tag < 6; tag += 1) {
    consumer.read();
    consumer.release();
  }
  t.ok(producer.reserve(100), 'would pad 64 and start at the front');
  put(producer, 16, 6);
  put(producer, 16, 7);
  t.equal(consumer.read()?.tag, 6, 'but this one fits behind the others');
  consumer.release();
  t.equal(consumer.read()?.tag, 7);
});

t.test('a full ring refuses and overwrites nothing', async (t) => {
  const { storage, producer, consumer } = ring(256);
  for (let tag = 0; tag < 8; tag += 1) put(producer, 16, tag); // 8 × 32 bytes: to the last byte
  const before = new Uint8Array(storage, DATA_AT).slice();
  for (let tries = 0; tries < 5; tries += 1) t.equal(producer.reserve(16), null);
  t.equal(producer.reserve(0), null, 'not even nothing has room');
  t.strictSame(new Uint8Array(storage, DATA_AT), before);
  t.strictSame(consumer.counts(), { committed: 8, refused: 0, discarded: 0 });
  for (let tag = 0; tag < 8; tag += 1) {
    t.equal(consumer.read()?.tag, tag);
    consumer.release();
  }
  t.equal(consumer.read(), null);
  t.ok(producer.reserve(16), 'and takes more when there is room');
});

t.test('an entry that was lost is counted by the producer that gave it up, and seen by both', async (t) => {
  const { producer, consumer } = ring(128);
  put(producer, 48, 0);
  put(producer, 48, 0);
  t.equal(producer.reserve(8), null);
  t.equal(producer.counts().refused, 0, 'null alone counts nothing: the producer may try again');
  producer.refuse();
  producer.refuse();
  const counts = { committed: 2, refused: 2, discarded: 0 };
  t.strictSame(producer.counts(), counts);
  t.strictSame(consumer.counts(), counts);
  t.equal(consumer.read()?.bytes.length, 48, 'and nothing else is changed');
});

t.test('a refusal leaves no reservation open', async (t) => {
  const { producer } = ring(64);
  for (let tag = 0; tag < 2; tag += 1) put(producer, 16, tag);
  t.equal(producer.reserve(8), null);
  t.throws(() => producer.commit(0, 0, 0), RangeError);
});

t.test('an entry is contiguous: one that would straddle the end starts at the front', async (t) => {
  const { storage, producer, consumer } = ring(256);
  for (let tag = 0; tag < 4; tag += 1) put(producer, 40, tag); // 4 × 56: 32 to the end
  t.equal(producer.reserve(40), null, '32 at the end are too few, and the front is taken');
  for (let tag = 0; tag < 2; tag += 1) {
    consumer.read();
    consumer.release();
  }
  const room = producer.reserve(40)!;
  t.equal(room.byteOffset, DATA_AT + ENTRY_HEADER, 'at the front');
  t.equal(room.length, 40);
  t.equal(room.buffer, storage);
  room.fill(7);
  producer.commit(40, 4, 0);
  for (const tag of [2, 3, 4]) {
    t.equal(consumer.read()?.tag, tag);
    t.equal(consumer.read()?.bytes.length, 40);
    consumer.release();
  }
  t.equal(consumer.read(), null);
});

t.test('an entry that ends with the memory needs no padding', async (t) => {
  const { producer, consumer } = ring(128);
  for (let tag = 0; tag < 50; tag += 1) {
    const room = producer.reserve(48)!;
    t.equal(room.byteOffset, DATA_AT + ENTRY_HEADER + (tag % 2) * 64);
    producer.commit(48, tag, 0);
    t.equal(consumer.read()?.tag, tag);
    consumer.release();
  }
});

t.test('sizes are rounded up to 8, and neighbours keep their bytes', async (t) => {
  for (let size = 1; size <= 24; size += 1) {
    const { producer, consumer } = ring(256);
    const fits = Math.floor(256 / (ENTRY_HEADER + Math.ceil(size / 8) * 8));
    for (let tag = 0; tag < fits; tag += 1) put(producer, size, tag, tag, tag + 1);
    t.equal(producer.reserve(size), null, `size ${size}: ${fits} fit and no more`);
    for (let tag = 0; tag < fits; tag += 1) {
      const entry = consumer.read();
      t.ok(
        entry?.tag === tag &&
          entry.capturedAt === tag &&
          entry.bytes.length === size &&
          entry.bytes.every((byte) => byte === tag + 1),
        `size ${size}, entry ${tag}`,
      );
      consumer.release();
    }
  }
});

t.test('writing all that was reserved touches no entry and no word', async (t) => {
  const { storage, producer, consumer } = ring(512);
  for (let tag = 0; tag < 3; tag += 1) put(producer, 24, tag, 0, 0xa0 + tag);
  consumer.read();
  consumer.release();
  const words = new Uint8Array(storage, 0, DATA_AT).slice();
  producer.reserve(240)!.fill(0xee);
  t.strictSame(new Uint8Array(storage, 0, DATA_AT), words, 'the words in front');
  for (const tag of [1, 2]) {
    const entry = consumer.read()!;
    t.ok(entry.tag === tag && entry.bytes.every((byte) => byte === 0xa0 + tag), `entry ${tag}`);
    consumer.release();
  }
  t.equal(consumer.read(), null, 'and what was not committed is not there');
});

t.test('an empty ring has room for every entry that it accepts, wherever its positions are', async (t) => {
  // Refused by an empty ring would be refused for ever: nothing that the consumer does makes room.
  for (let size = 0; size <= 112; size += 1) {
    for (let first = 0; first < 256; first += 8) {
      const { producer, consumer } = ring(256, first);
      put(producer, size, 3, 0, size);
      const bytes = consumer.read()?.bytes;
      if (bytes?.length !== size || bytes.some((byte) => byte !== size))
        t.fail(`${size} bytes at ${first} are torn`);
    }
  }
});

t.test('positions cross 2^32 in the middle of everything', async (t) => {
  const { producer, consumer } = ring(256, 2 ** 32 - 512);
  for (let tag = 0; tag < 100; tag += 1) {
    put(producer, 10 + (tag % 60), tag, tag, tag);
    const entry = consumer.read();
    t.ok(
      entry?.tag === tag &&
        entry.bytes.length === 10 + (tag % 60) &&
        entry.bytes.every((byte) => byte === tag),
      `entry ${tag}`,
    );
    consumer.release();
  }
  t.equal(consumer.read(), null);
});

t.test('a ring that is full while its positions cross 2^32 still refuses', async (t) => {
  const { producer, consumer } = ring(256, 2 ** 32 - 128);
  for (let tag = 0; tag < 8; tag += 1) put(producer, 16, tag);
  t.equal(producer.reserve(0), null);
  for (let tag = 0; tag < 8; tag += 1) {
    t.equal(consumer.read()?.tag, tag);
    consumer.release();
  }
  t.equal(consumer.read(), null);
});

t.test('entries are discarded by age, the older first, and counted', async (t) => {
  const { producer, consumer } = ring(1024);
  for (let tag = 0; tag < 6; tag += 1) put(producer, 8, 0, tag * 20);
  t.equal(consumer.discardOlderThan(0), 0);
  t.equal(consumer.discardOlderThan(60), 3, 'captured at 0, 20 and 40; 60 is not older than 60');
  t.equal(consumer.read()?.capturedAt, 60);
  consumer.release();
  t.equal(consumer.discardOlderThan(1000), 2);
  t.equal(consumer.read(), null);
  t.equal(consumer.discardOlderThan(1000), 0, 'an empty ring has none');
  t.strictSame(producer.counts(), { committed: 6, refused: 0, discarded: 5 });
});

t.test('an entry that is kept by its tag ends the discarding, however old', async (t) => {
  const { producer, consumer } = ring(1024);
  const isEnd = (tag: number) => tag >= 0x80000000;
  for (const tag of [0, 1, 0x80000001, 0, 2]) put(producer, 8, tag, 0);
  t.equal(consumer.discardOlderThan(10, isEnd), 2);
  t.equal(consumer.read()?.tag, 0x80000001);
  t.equal(consumer.discardOlderThan(10, isEnd), 0);
  consumer.read();
  consumer.release();
  t.equal(consumer.discardOlderThan(10, isEnd), 2);
  t.equal(consumer.read(), null);
  t.equal(consumer.counts().discarded, 4);
});

t.test('discarding leaves no entry held', async (t) => {
  const { producer, consumer } = ring(1024);
  for (const capturedAt of [0, 20, 40]) put(producer, 8, 0, capturedAt);
  t.equal(consumer.discardOlderThan(20), 1, 'and looked at the next one, which is young');
  t.throws(() => consumer.release(), RangeError, 'but nobody has read that one');
  t.equal(consumer.read()?.capturedAt, 20);
  consumer.release();
  t.equal(consumer.discardOlderThan(1000), 1);
  t.throws(() => consumer.release(), RangeError, 'nor one of an empty ring');
  put(producer, 8, 4, 0);
  t.equal(
    consumer.discardOlderThan(1000, (tag) => tag === 4),
    0,
  );
  t.throws(() => consumer.release(), RangeError, 'nor one that its tag keeps');
  t.equal(consumer.read()?.tag, 4, 'which is still there');
});

t.test('discarding makes room for the producer', async (t) => {
  const { producer, consumer } = ring(256);
  for (let tag = 0; tag < 8; tag += 1) put(producer, 16, 0, tag);
  t.equal(producer.reserve(16), null);
  consumer.discardOlderThan(4);
  for (let tag = 0; tag < 4; tag += 1) put(producer, 16, 0, 8 + tag);
  t.equal(producer.reserve(16), null);
  t.equal(consumer.read()?.capturedAt, 4);
});

t.test('discarding goes over the end of the memory', async (t) => {
  const { producer, consumer } = ring(256, 2 ** 32 - 256);
  for (let round = 0; round < 50; round += 1) {
    // 3 × 56 bytes and at most 48 of padding.
    for (let step = 0; step < 3; step += 1) put(producer, 40, 0, round * 3 + step);
    t.equal(consumer.discardOlderThan(round * 3 + 2), 2, `round ${round}`);
    t.equal(consumer.read()?.capturedAt, round * 3 + 2);
    consumer.release();
  }
  t.equal(consumer.counts().discarded, 100);
});

t.test('a ring is closed when its producer has closed it and everything was read', async (t) => {
  const { producer, consumer } = ring(256);
  t.equal(consumer.closed, false);
  put(producer, 8, 1);
  producer.close();
  t.equal(consumer.closed, false, 'an entry is left');
  t.equal(consumer.read()?.tag, 1);
  consumer.release();
  t.equal(consumer.closed, true);
  t.equal(consumer.read(), null);
  producer.close();
  t.equal(consumer.closed, true, 'closing twice is closing');
});

t.test('nobody waits when there is an entry or the ring is closed', async (t) => {
  const { producer, consumer } = ring(256);
  const forever = 600_000;
  put(producer, 8, 1);
  consumer.wait(forever);
  await consumer.waitAsync(forever);
  consumer.read();
  consumer.release();
  producer.close();
  consumer.wait(forever);
  await consumer.waitAsync(forever);
  t.pass('neither blocked');
});

t.test('a wait ends when its time is over', async (t) => {
  const { consumer } = ring(256);
  consumer.wait(1);
  consumer.wait(0);
  await consumer.waitAsync(0);
  t.equal(consumer.read(), null);
});

t.test('waiting without blocking ends with a commit or a close on the same thread', async (t) => {
  const { producer, consumer } = ring(256);
  const alive = setInterval(() => {}, 600_000);
  const byCommit = consumer.waitAsync(600_000);
  put(producer, 8, 1);
  await byCommit;
  t.equal(consumer.read()?.tag, 1);
  consumer.release();
  const byClose = consumer.waitAsync(600_000);
  producer.close();
  await byClose;
  t.equal(consumer.closed, true);
  clearInterval(alive);
});

t.test('a close wakes, whatever a producer that is gone left of the waiting word', async (t) => {
  const storage = allocateRing(256);
  const consumer = new RingConsumer(storage);
  const alive = setInterval(() => {}, 600_000);
  const woken = consumer.waitAsync(600_000);
  // It took the word back, and ended before it woke anybody.
  Atomics.store(new Int32Array(storage), 50, 0);
  new RingProducer(storage).close();
  await woken;
  t.equal(consumer.closed, true);
  clearInterval(alive);
});

t.test('a reservation is a whole number of bytes, up to half the capacity less a header', async (t) => {
  const { producer } = ring(256);
  t.equal(producer.reserve(112)?.length, 112);
  for (const bytes of [
    113,
    240,
    241,
    256,
    1000,
    2 ** 30,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32,
    2 ** 32 + 8,
    Number.POSITIVE_INFINITY,
  ]) {
    t.throws(() => producer.reserve(bytes), RangeError, `${bytes} bytes are too many`);
  }
  for (const bytes of [-1, -8, -(2 ** 31), 0.5, Number.NaN]) {
    t.throws(() => producer.reserve(bytes), RangeError, `${bytes} bytes`);
  }
  t.equal(producer.counts().refused, 0, 'misuse is not a full ring');
});

t.test('a commit needs an open reservation and no more than it has', async (t) => {
  const { producer, consumer } = ring(256);
  t.throws(() => producer.commit(0, 0, 0), RangeError, 'nothing is reserved');
  for (const bytes of [17, 1000, -1, -8, 0.5, Number.NaN]) {
    producer.reserve(16);
    t.throws(() => producer.commit(bytes, 0, 0), RangeError, `${bytes} of 16`);
  }
  t.equal(consumer.read(), null, 'nothing was published');
  producer.reserve(16);
  producer.commit(16, 0, 0);
  t.throws(() => producer.commit(16, 0, 0), RangeError, 'a second time');
});

t.test('a release needs an entry that was read', async (t) => {
  const { producer, consumer } = ring(256);
  t.throws(() => consumer.release(), RangeError, 'empty');
  put(producer, 8, 1);
  t.throws(() => consumer.release(), RangeError, 'not read');
  consumer.read();
  consumer.release();
  t.throws(() => consumer.release(), RangeError, 'a second time');
});

t.test('a new producer or consumer on the same memory goes on where the old one stopped', async (t) => {
  const { storage, producer, consumer } = ring(256);
  put(producer, 8, 1);
  put(producer, 8, 2);
  consumer.read();
  consumer.release();
  const second = new RingConsumer(storage);
  t.equal(second.read()?.tag, 2);
  put(new RingProducer(storage), 8, 3);
  second.release();
  t.equal(second.read()?.tag, 3);
});

t.test('over any history the ring does what a bounded queue does', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  for (let history = 0; history < 200; history += 1) {
    const capacity = 64 << random.below(5);
    const { producer, consumer } = ring(capacity, (2 ** 32 - 8 * random.below(2000)) % 2 ** 32);
    const queue: { tag: number; bytes: Uint8Array; capturedAt: number }[] = [];
    const counts = { committed: 0, refused: 0, discarded: 0 };
    const fail = (what: string) => t.fail(`history ${history}, ring of ${capacity}: ${what}`);
    for (let step = 0; step < 300; step += 1) {
      const action = random.below(10);
      if (action < 5) {
        // Up to half of the ring, so that an empty one always has room for it.
        const reserved = random.below(capacity / 2 - ENTRY_HEADER + 1);
        const room = producer.reserve(reserved);
        if (room === null) {
          producer.refuse();
          counts.refused += 1;
          if (queue.length === 0) fail('an empty ring refused');
          continue;
        }
        const bytes = random.bytes(random.below(room.length + 1));
        room.fill(0xee);
        room.set(bytes);
        producer.commit(bytes.length, step, step);
        queue.push({ tag: step, bytes, capturedAt: step });
        counts.committed += 1;
        const used = queue.reduce(
          (sum, entry) => sum + ENTRY_HEADER + Math.ceil(entry.bytes.length / 8) * 8,
          0,
        );
        if (used > capacity) fail(`${used} bytes went in`);
      } else if (action < 9) {
        const entry = consumer.read();
        const wanted = queue[0];
        if (!wanted || !entry) {
          if (wanted || entry) fail(`step ${step}: one of the two is empty`);
          continue;
        }
        const isSame =
          entry.tag === wanted.tag &&
          entry.capturedAt === wanted.capturedAt &&
          Buffer.compare(entry.bytes, wanted.bytes) === 0;
        if (!isSame) fail(`step ${step}: another entry`);
        if (random.below(4) === 0) continue;
        consumer.release();
        queue.shift();
      } else {
        const instant = step - random.below(40);
        const older = queue.findIndex((entry) => entry.capturedAt >= instant);
        const wanted = older < 0 ? queue.length : older;
        queue.splice(0, wanted);
        if (consumer.discardOlderThan(instant) !== wanted) fail(`step ${step}: not ${wanted} discarded`);
        counts.discarded += wanted;
      }
    }
    t.strictSame(consumer.counts(), counts, `history ${history}`);
  }
});

function ring(capacity: number, firstPosition = 0) {
  const storage = allocateRing(capacity, firstPosition);
  return { storage, producer: new RingProducer(storage), consumer: new RingConsumer(storage) };
}

/** Commits an entry of `size` bytes, each `fill`; throws when there is no room. */
function put(producer: RingProducer, size: number, tag: number, capturedAt = 0, fill = 0x5a): void {
  const room = producer.reserve(size);
  if (room === null) throw new Error(`no room for ${size} bytes`);
  room.fill(fill);
  producer.commit(size, tag, capturedAt);
}
