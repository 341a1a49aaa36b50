/** The latency side channel: notes from all stages, in any order, become percentiles. */

import t from 'tap';
import { STAGES, StageLog } from '../../client/stage_log.js';

/** Notes all stages of one frame captured at `at`; each stage takes one ms more than the one before. */
function noteAll(log: StageLog, slot: number, sequence: number, at: number): void {
  log.taken(slot, sequence, at, at + 1);
  log.relayed(slot, sequence, at + 3);
  log.decoded(slot, sequence, at + 6, at + 10);
}

t.test('the notes of a frame may come in any order', async (t) => {
  const notes: ((log: StageLog) => void)[] = [
    (log) => log.taken(2, 9, 1000, 1001),
    (log) => log.relayed(2, 9, 1003),
    (log) => log.decoded(2, 9, 1006, 1010),
  ];
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  for (const order of orders) {
    const log = new StageLog();
    for (const [done, at] of order.entries()) {
      t.equal(log.latencies(), null, `nothing came through after ${done} of 3`);
      notes[at]!(log);
    }
    const latencies = log.latencies();
    t.same(
      STAGES.map((stage) => Math.round(latencies![stage].p50Ms)),
      [1, 2, 3, 4, 10],
      `order ${order}`,
    );
  }
});

t.test('percentiles cover all frames, separately for each stage', async (t) => {
  const log = new StageLog();
  for (let i = 1; i <= 100; i += 1) {
    log.taken(0, i, 0, i);
    log.relayed(0, i, i);
    log.decoded(0, i, i, i);
  }
  const latency = log.latencies()!['capture→ring'];
  t.equal(latency.frames, 100);
  t.ok(Math.abs(latency.p50Ms - 50) < 0.1, `p50 ${latency.p50Ms}`);
  t.ok(Math.abs(latency.p99Ms - 99) < 0.1, `p99 ${latency.p99Ms}`);
  t.ok(Math.abs(latency.maxMs - 100) < 0.1, `max ${latency.maxMs}`);
  t.equal(log.latencies()!.decode.maxMs, 0);
});

t.test('there are latencies for each speaker, and for all together', async (t) => {
  const log = new StageLog();
  for (let i = 0; i < 10; i += 1) noteAll(log, 1, i, i);
  for (let i = 0; i < 30; i += 1) noteAll(log, 2, i, i);
  t.equal(log.latencies(1)!['in all'].frames, 10);
  t.equal(log.latencies(2)!['in all'].frames, 30);
  t.equal(log.latencies()!['in all'].frames, 40);
  t.equal(log.latencies(3), null);
});

t.test('frames of two speakers with the same sequence are kept apart, also after it wraps', async (t) => {
  const log = new StageLog();
  log.taken(1, 5, 0, 1);
  log.relayed(2, 5, 2);
  log.decoded(1, 5, 3, 4);
  t.equal(log.latencies(), null);
  log.relayed(1, 5, 2);
  t.equal(log.latencies(1)!['in all'].frames, 1);
  noteAll(log, 1, 5, 100);
  t.equal(log.latencies(1)!['in all'].frames, 2, 'the same sequence 65536 frames later');
});

t.test('incomplete frames are bounded: the oldest is dropped and counted', async (t) => {
  const log = new StageLog();
  for (let i = 0; i < 65_536; i += 1) log.relayed(0, i, i);
  t.equal(log.givenUp, 0);
  for (let i = 0; i < 10; i += 1) log.relayed(1, i, i);
  t.equal(log.givenUp, 10);
  log.taken(0, 9, 0, 1);
  log.decoded(0, 9, 10, 11);
  t.equal(log.latencies(), null, 'the oldest are gone');
  log.taken(0, 11, 9, 10);
  log.decoded(0, 11, 12, 13);
  t.equal(log.latencies()!['in all'].frames, 1, 'the others are not');
});

t.test('slightly different clocks, and a frame from yesterday, stay within the scale', async (t) => {
  const log = new StageLog();
  log.taken(0, 0, 10, 10);
  log.relayed(0, 0, 9.9);
  log.decoded(0, 0, 10, 86_400_000);
  const latencies = log.latencies()!;
  t.equal(latencies['ring→relay'].maxMs, 0);
  t.ok(Math.abs(latencies.decode.maxMs - 60_000) < 100, `${latencies.decode.maxMs} is the end of the scale`);
});
