/** The format of a benchmark's result, and the names of benchmarks. */

import { spawnSync } from 'node:child_process';
import t from 'tap';
import { type Result, render, row } from '../../bench/result.js';

t.test('a row has the median and the spread of its runs', async (t) => {
  t.same(row('hotmic', '4 talkers', 'in all p50', 'ms', [3, 1, 2]), {
    subject: 'hotmic',
    case: '4 talkers',
    metric: 'in all p50',
    unit: 'ms',
    median: 2,
    min: 1,
    max: 3,
    runs: 3,
  });
  t.equal(
    row('hotmic', '', '', '', [4, 1, 2, 3]).median,
    2.5,
    'of an even number, the middle of the two in the middle',
  );
});

t.test('a void result says so, and why', async (t) => {
  const result: Result = {
    name: 'stages',
    machine: { cpu: 'abacus', cores: 2, loadBefore: 0 },
    versions: {},
    seed: 1,
    void: null,
    rows: [row('hotmic', 'flood', 'throughput', 'packets/s', [1_234_567])],
  };
  t.match(render(result), /1,234,567/);
  t.notMatch(render(result), /VOID/);
  t.match(render({ ...result, void: 'game frames were late' }), /VOID: game frames were late/);
});

t.test('a benchmark that does not exist is named in the error', async (t) => {
  const { status, stderr } = spawnSync(process.execPath, ['dist/bench/main.js', 'stagez'], {
    encoding: 'utf8',
  });
  t.equal(status, 2);
  t.match(
    stderr,
    /Unknown benchmark "stagez": expected one of ring, steam, codec, stages, mouth, key, processing, mix, storm, pause, relay/,
  );
});
