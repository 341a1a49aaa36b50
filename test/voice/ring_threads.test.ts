/** The ring between real threads: nothing is lost, reordered or torn, and nobody spins. */

import { once } from 'node:events';
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { allocateRing, RingProducer } from '../../voice/ring.js';
import { SEED } from '../kit/random.js';
import {
  type Consumed,
  consumeAsync,
  type Produced,
  produce,
  type RingReport,
  type RingTask,
} from './ring_worker.js';

const ENTRIES = 200_000;
/** Entries of ENTRIES while a consumer is known to be blocked before each. */
const LOCKSTEP_ENTRIES = 300;

t.test('a producer on another thread: every entry arrives whole and in order', async (t) => {
  t.comment(`seed ${SEED}`);
  const task: RingTask = {
    role: 'produce',
    // A small ring that starts just below 2^32: it wraps thousands of times, and its positions once.
    storage: allocateRing(4096, 2 ** 32 - 8 * 1000),
    seed: SEED,
    entries: ENTRIES,
    maxBytes: 1000,
  };
  const worker = start(task);
  const ended = worker.report('produced');
  const consumed = await consumeAsync(task, () => {});
  const produced = await ended;
  checkAll(t, task, produced, consumed);
});

t.test('a consumer on another thread, blocking: every entry arrives whole and in order', async (t) => {
  t.comment(`seed ${SEED + 1}`);
  const task: RingTask = {
    role: 'consume',
    storage: allocateRing(2048, 2 ** 32 - 8 * 1000),
    seed: SEED + 1,
    entries: ENTRIES,
    maxBytes: 500,
  };
  const worker = start(task);
  const ended = worker.report('consumed');
  const produced = await produce(task);
  checkAll(t, task, produced, await ended);
});

for (const role of ['consume', 'consume-async'] as const) {
  t.test(
    `a consumer that waits (${role}) is woken by each commit and by the close, and does not spin`,
    async (t) => {
      const task: RingTask = { role, storage: allocateRing(1024), seed: 0, entries: 0, maxBytes: 0 };
      const worker = start(task);
      const ended = worker.report('consumed');
      await worker.report('waiting');
      const producer = new RingProducer(task.storage);
      for (let index = 0; index < LOCKSTEP_ENTRIES; index += 1) {
        // The consumer has had time to read everything and to turn many times, if turning is what it does.
        for (let turn = 0; turn < 20; turn += 1) await turnOfEventLoop();
        // On a busy machine it may need more.
        let place = producer.reserve(8);
        for (let turn = 0; !place && turn < 1_000_000; turn += 1) {
          await turnOfEventLoop();
          place = producer.reserve(8);
        }
        t.ok(place, `entry ${index} has room`);
        producer.commit(0, index, index / 2);
      }
      for (let turn = 0; turn < 200; turn += 1) await turnOfEventLoop();
      producer.close();
      const consumed = await ended;
      t.equal(consumed.verified, LOCKSTEP_ENTRIES);
      t.equal(consumed.fault, null);
      // An entry is one turn, and the wait before it one; a wake that comes twice for one commit may add another.
      t.ok(consumed.turns <= 3 * LOCKSTEP_ENTRIES + 10, `${consumed.turns} turns`);
      await worker.exited;
    },
  );

  t.test(`a consumer that waits (${role}) is woken by a close alone`, async (t) => {
    const task: RingTask = { role, storage: allocateRing(1024), seed: 0, entries: 0, maxBytes: 0 };
    const worker = start(task);
    const ended = worker.report('consumed');
    await worker.report('waiting');
    new RingProducer(task.storage).close();
    const consumed = await ended;
    t.equal(consumed.verified, 0);
    t.ok(consumed.turns <= 4, `${consumed.turns} turns`);
    await worker.exited;
  });
}

t.test('a consumer that waits without blocking does not keep its thread alive', async (t) => {
  const storage = allocateRing(1024);
  const worker = start({ role: 'idle-async', storage, seed: 0, entries: 0, maxBytes: 0 });
  await worker.report('waiting');
  t.equal(await worker.exited, 0, 'it ended by itself, with the wait still open');
});

interface RunningWorker {
  /** The first report of that kind. */
  report<Kind extends RingReport['kind']>(kind: Kind): Promise<Extract<RingReport, { kind: Kind }>>;
  /** The exit code. */
  readonly exited: Promise<number>;
}

function start(task: RingTask): RunningWorker {
  const worker = new Worker(new URL('./ring_worker.js', import.meta.url), { workerData: task });
  const exited = once(worker, 'exit').then(([code]) => Number(code));
  return {
    exited,
    report: (kind) =>
      new Promise((resolve, reject) => {
        worker.on('message', (report: RingReport) => {
          if (report.kind === kind) resolve(report as Extract<RingReport, { kind: typeof kind }>);
        });
        worker.once('error', reject);
        void exited.then((code) => reject(new Error(`worker ended with ${code} before it was '${kind}'`)));
      }),
  };
}

function checkAll(t: Test, task: RingTask, produced: Produced, consumed: Consumed): void {
  t.equal(consumed.fault, null);
  t.equal(consumed.verified, task.entries);
  t.equal(produced.committed, task.entries);
  t.strictSame(new RingProducer(task.storage).counts(), {
    committed: task.entries,
    refused: 0,
    discarded: 0,
  });
  t.ok(consumed.turns <= 3 * task.entries + 10, `${consumed.turns} turns of the consumer`);
  t.comment(`${produced.retried} reservations found the ring full and were tried again`);
}
