/** Captured packets in this thread: in order, bounded, and what is dropped is counted. */

import t from 'tap';
import { PacketQueue } from '../../../client/talking/packet_queue.js';
import { CaptureTag } from '../../../voice/capture_tag.js';

const { talking, end } = CaptureTag;

t.test('packets come out as they went in, copied', async (t) => {
  const queue = new PacketQueue();
  const bytes = Uint8Array.of(1, 2, 3);
  queue.push(bytes, 10, talking);
  bytes.fill(9);
  queue.push(new Uint8Array(0), 20, end);
  t.same(queue.read(), { bytes: Uint8Array.of(1, 2, 3), capturedAt: 10, tag: talking });
  t.same(queue.read()?.capturedAt, 10, 'until it is released');
  queue.release();
  t.same(queue.read(), { bytes: new Uint8Array(0), capturedAt: 20, tag: end });
  queue.release();
  t.equal(queue.read(), null);
  t.same(queue.counts(), { committed: 2, refused: 0, discarded: 0 });
});

t.test('a reader waits for a packet, or for the end', async (t) => {
  const queue = new PacketQueue();
  const waits = [queue.waitAsync(1), queue.waitAsync(1)];
  queue.push(Uint8Array.of(1), 0, talking);
  await Promise.all(waits);
  await queue.waitAsync(1);
  queue.release();
  const last = queue.waitAsync(1);
  queue.close();
  await last;
  await queue.waitAsync(1);
  t.equal(queue.closed, true);
});

t.test('a closed queue is over once it is read', async (t) => {
  const queue = new PacketQueue();
  queue.push(Uint8Array.of(1), 0, talking);
  queue.close();
  t.equal(queue.closed, false);
  queue.push(Uint8Array.of(2), 0, talking);
  t.equal(queue.counts().refused, 1);
  queue.release();
  t.equal(queue.closed, true);
});

t.test('what is old is discarded, up to what is to be kept', async (t) => {
  const queue = new PacketQueue();
  for (const [at, tag] of [
    [1, talking],
    [2, talking],
    [3, end],
    [4, talking],
  ] as const)
    queue.push(Uint8Array.of(at), at, tag);
  t.equal(
    queue.discardOlderThan(10, (tag) => tag === end),
    2,
  );
  t.equal(queue.read()?.capturedAt, 3);
  t.equal(queue.discardOlderThan(4), 1);
  t.equal(queue.read()?.capturedAt, 4);
  t.equal(queue.counts().discarded, 3);
});

t.test('a full queue refuses what comes, in bytes and in entries', async (t) => {
  const queue = new PacketQueue();
  for (let at = 0; at < 10; at++) queue.push(new Uint8Array(8192), at, talking);
  t.same(queue.counts(), { committed: 8, refused: 2, discarded: 0 });
  queue.release();
  queue.push(new Uint8Array(8192), 11, talking);
  t.equal(queue.counts().committed, 9);
  const ends = new PacketQueue();
  for (let at = 0; at < 5000; at++) ends.push(new Uint8Array(0), at, end);
  t.equal(ends.counts().committed, 4096);
});
