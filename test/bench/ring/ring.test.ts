/** When a run of the ring benchmark is valid, and how its figures get into the document. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { type Result, row } from '../../../bench/result.js';
import { ringTable, withFigures } from '../../../bench/ring/figures.js';
import { METHODS } from '../../../bench/ring/methods.js';
import { quantile, tooLate } from '../../../bench/ring/ring.js';
import { runJob } from '../../../bench/ring/run.js';

t.test('a quantile is the smallest value that its share does not exceed', async (t) => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  t.equal(quantile(values, 0.5), 50);
  t.equal(quantile(values, 0.99), 99);
  t.equal(quantile(values, 1), 100);
  t.equal(quantile([7], 0.99), 7);
});

t.test('figures are void when more than one packet in a hundred left late', async (t) => {
  const lateness = (late: number) => Array.from({ length: 200 }, (_, index) => (index < late ? 1001 : 1000));
  t.equal(tooLate(lateness(2)), null);
  t.match(tooLate(lateness(3)), /1\.5 % of the paced packets were sent more than 1000 µs late/);
});

for (const method of METHODS) {
  t.test(`every packet comes through: ${method.subject}, ${method.name}`, async (t) => {
    const flatOut = await runJob(method, { warmUp: 10, packets: 5000, packetBytes: 700, paceMs: 0 });
    t.ok(flatOut.received.elapsedMs > 0);
    t.equal(flatOut.received.hopsUs.length, 0);
    const paced = await runJob(method, { warmUp: 2, packets: 10, packetBytes: 16, paceMs: 1 });
    t.equal(paced.received.hopsUs.length, 10);
    t.ok(
      paced.received.hopsUs.every((hop) => hop > 0),
      'no packet came before it was sent',
    );
    t.equal(paced.sent.latenessUs.length, 10);
    t.ok(
      paced.sent.latenessUs.every((late) => late >= 0),
      'none left before it was due',
    );
  });
}

t.test('the table has a line per metric and a column per method', async (t) => {
  const result: Result = {
    name: 'ring',
    machine: { cpu: 'abacus', cores: 2, memoryGiB: 1, os: 'none', loadBefore: 0.5 },
    versions: { node: 'v20', 'ringbuf.js': '0.4.0' },
    seed: null,
    void: null,
    rows: [
      row('hotmic', 'worker', 'hop p50', 'µs', [1, 2, 3]),
      row('other', 'main', 'hop p50', 'µs', [4]),
      row('hotmic', 'worker', 'flat out / other', '×', [4]),
      row('generator', 'all', 'late', 'µs', [5]),
    ],
  };
  const table = ringTable(result);
  t.match(table, '|  | hotmic: worker | other: main |');
  t.match(table, '| hop p50 | 2.00 µs (1.00 … 3.00) | 4.00 µs |');
  t.match(table, 'abacus, 2 cores');
  t.notMatch(table, /late|flat/);
  const page = withFigures(readFileSync('docs/latency.md', 'utf8'), table);
  t.match(page, table);
  t.equal(withFigures(page, table), page, 'writing twice changes nothing');
  t.throws(() => withFigures('no marks', table), /has no marks for them/);
});
