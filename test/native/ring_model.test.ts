/**
 * The ring's native model: it has the layout of voice/ring.ts and reads and writes the same bytes, it is clean under the
 * sanitizers, and a model that breaks the ring's promises is not.
 */

import { spawnSync } from 'node:child_process';
import t from 'tap';
import { allocateRing, RingConsumer, RingProducer } from '../../voice/ring.js';
import { SEED, SeededRandom } from '../kit/random.js';

const SCRIPT = 'test/native/harness/run.sh';
/** Not core_locks beside it: its arguments mean something else. */
const PROGRAM = 'test/native/harness/ring_model.cpp';
/** What the script ends with when it cannot build here. */
const SKIPPED = 3;
const STRESS_ENTRIES = 20_000;

function harness(kind: string, args: string, defines = '') {
  const { status, stdout, stderr } = spawnSync('sh', [SCRIPT, kind, PROGRAM], {
    encoding: 'utf8',
    env: { ...process.env, HARNESS_ARGS: args, HARNESS_DEFINES: defines, HARNESS_TIMEOUT_S: '30' },
    timeout: 300_000,
  });
  return { status, text: stdout + stderr };
}

const skipReason = ({ status, text }: { status: number | null; text: string }): string | null =>
  status === SKIPPED ? (/SKIPPED .*/.exec(text)?.[0] ?? 'SKIPPED') : null;

const plain = harness('plain', 'layout');
const skip = skipReason(plain) ?? false;

function model(args: readonly string[], input?: Uint8Array): Buffer {
  const { status, stdout } = spawnSync('out/harness/plain/ring_model', args, input ? { input } : {});
  t.equal(status, 0, `ring_model ${args.join(' ')}`);
  return stdout;
}

/** A ring's memory as it is. */
const imageOf = (storage: SharedArrayBuffer): Uint8Array => new Uint8Array(storage).slice();

t.test('the model has the layout of the ring', { skip }, async (t) => {
  const layout = Object.fromEntries(
    model(['layout'])
      .toString()
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string])
      .map(([name, value]) => [name, Number(value)]),
  );
  // Each word is set to something that no other word holds, by the ring's own calls.
  const storage = allocateRing(1024, 2 ** 32 - 512);
  const producer = new RingProducer(storage);
  const consumer = new RingConsumer(storage);
  for (let tag = 0; tag < 5; tag += 1) {
    producer.reserve(8);
    producer.commit(8, tag, tag);
  }
  for (let count = 0; count < 7; count += 1) producer.refuse();
  t.equal(consumer.discardOlderThan(3), 3);
  const view = new DataView(storage);
  const at = (name: string) => view.getUint32(layout[name]!, true);
  t.equal(view.getUint32(0, true), layout.magic);
  t.equal(at('capacityAt'), 1024);
  t.equal(at('writtenAt'), 2 ** 32 - 512 + 5 * 24);
  t.equal(at('readAt'), 2 ** 32 - 512 + 3 * 24);
  t.equal(at('committedAt'), 5);
  t.equal(at('refusedAt'), 7);
  t.equal(at('discardedAt'), 3);
  t.equal(at('signalAt'), 5);
  t.equal(at('closedAt'), 0);
  t.equal(at('waitingAt'), 0);
  const first = layout.dataAt! + 1024 - 512;
  t.equal(view.getUint32(first + 4 * 24, true), 8, 'the size of the fifth entry');
  t.equal(layout.entryHeaderBytes, 16);
  for (let count = 0; count < 2; count += 1) {
    consumer.read();
    consumer.release();
  }
  const waiting = consumer.waitAsync(60_000);
  t.equal(at('waitingAt'), 1);
  producer.close();
  t.equal(at('closedAt'), 1);
  t.equal(at('waitingAt'), 0, 'taken back by the one who wakes');
  await waiting;
});

t.test('the ring reads what the model wrote', { skip }, async (t) => {
  const image = model(['write', '7', '20']);
  const storage = new SharedArrayBuffer(image.length);
  new Uint8Array(storage).set(image);
  const consumer = new RingConsumer(storage);
  const random = new SeededRandom(7);
  for (let tag = 0; tag < 1020; tag += 1) {
    const bytes = random.bytes(random.below(40));
    if (tag < 1000) continue;
    const entry = consumer.read();
    t.match(entry, { tag, capturedAt: tag / 2 });
    t.strictSame([...(entry?.bytes ?? [])], [...bytes]);
    consumer.release();
  }
  t.equal(consumer.read(), null);
});

t.test('the model reads what the ring wrote', { skip }, async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  const storage = allocateRing(2048, 2 ** 32 - 8000);
  const producer = new RingProducer(storage);
  const consumer = new RingConsumer(storage);
  const wanted: string[] = [];
  for (let tag = 0; tag < 620; tag += 1) {
    const bytes = random.bytes(random.below(40));
    producer.reserve(40)!.set(bytes);
    producer.commit(bytes.length, tag, tag / 2);
    if (tag < 600) {
      consumer.read();
      consumer.release();
    } else wanted.push(`${tag} ${tag / 2} ${Buffer.from(bytes).toString('hex')}`);
  }
  t.strictSame(
    model(['read'], imageOf(storage))
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => line.trimEnd()),
    wanted.map((line) => line.trimEnd()),
  );
});

for (const kind of ['tsan', 'asan', 'ubsan']) {
  t.test(`two threads through the model are clean under ${kind}`, async (t) => {
    const run = harness(kind, `stress ${STRESS_ENTRIES} ${SEED}`);
    const reason = skipReason(run);
    if (reason !== null) {
      t.comment(reason);
      t.pass(reason, { skip: reason });
      return;
    }
    t.equal(run.status, 0, run.text);
    t.match(run.text, /ring_model: .* ok\n/);
  });
}

for (const [mutation, what] of [
  ['PUBLISH_EARLY', 'publishes the position before the data'],
  ['PLAIN_POSITION', 'publishes the position by a plain store'],
]) {
  t.test(`ThreadSanitizer sees a ring that ${what}`, async (t) => {
    const run = harness('tsan', `stress ${STRESS_ENTRIES} ${SEED}`, `-DMUTATE_${mutation}`);
    const reason = skipReason(run);
    if (reason !== null) {
      t.comment(reason);
      t.pass(reason, { skip: reason });
      return;
    }
    t.equal(run.status, 1);
    t.match(run.text, /WARNING: ThreadSanitizer: data race/);
    t.match(run.text, /ring_model FAILED/);
  });
}
