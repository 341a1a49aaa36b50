/** The committed figures follow from the committed runs, and what we claim about them is true. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { brokenClaims } from '../../../bench/playout/claims.js';
import {
  KEPT,
  PAGE,
  PLOT,
  playoutPlot,
  playoutTables,
  withPlayoutFigures,
} from '../../../bench/playout/figures.js';
import { playoutRows, type Raw, type Run, type Total, totalsOf } from '../../../bench/playout/playout.js';
import { CASES, fixedName, OURS, SUBJECTS } from '../../../bench/playout/subjects.js';
import type { Result } from '../../../bench/result.js';

const kept = JSON.parse(readFileSync(KEPT, 'utf8')) as Result;
const { runs, heard } = kept.raw as Raw;

t.test('the committed result has every subject on every network, with every seed', async (t) => {
  t.equal(kept.void, null);
  for (const { name, seeds } of CASES) {
    for (const { name: subject } of SUBJECTS) {
      const own = runs.filter((run) => run.case === name && run.subject === subject);
      t.same(
        own.map(({ seed }) => seed),
        seeds,
        `${subject} on ${name}`,
      );
    }
  }
});

t.test('page, plot and rows are those of the committed runs', async (t) => {
  t.same(playoutRows(runs, heard), kept.rows);
  const page = readFileSync(PAGE, 'utf8');
  t.equal(withPlayoutFigures(page, playoutTables(kept)), page);
  t.equal(playoutPlot(kept), readFileSync(PLOT, 'utf8'));
});

t.test('no fixed delay is better than ours in both, and the other claims hold too', async (t) => {
  t.same(brokenClaims(totalsOf(runs)), []);
});

t.test('a claim that is broken is noticed', async (t) => {
  const totals = totalsOf(runs);
  const changed = (name: string, subject: string, more: Partial<Total>) => {
    const worse = totals.map((total) =>
      total.case === name && total.subject === subject ? { ...total, ...more } : total,
    );
    return brokenClaims(worse).join('\n');
  };
  const best = { delayP95Ms: 1, concealedShare: 0 };
  t.match(changed('tcp', fixedName(20), best), /^tcp: fixed 20 ms is better in both/m);
  t.match(changed('clean', OURS, { delayP50Ms: 61 }), /^clean: later than fixed 60 ms/m);
  t.match(changed('wifi', OURS, { concealedShare: 1 }), /^wifi: conceals more than half of fixed 60 ms/m);
  t.match(changed('stall', OURS, { afterStallMs: 201 }), /^stall: 201 ms behind live/m);
  t.notMatch(changed('stall', OURS, { afterStallMs: 200 }), /behind live/);
  const others = totals.filter(({ subject }) => subject !== OURS);
  t.throws(() => brokenClaims(others), /there is no hotmic on clean/);
});

t.test('totals add up frames, and take the mean of delays', async (t) => {
  const run: Run = {
    case: 'x',
    subject: 'y',
    seed: 1,
    delayP50Ms: 10,
    delayP95Ms: 20,
    audibleFrames: 100,
    concealedFrames: 1,
    madeUpFrames: 1,
    unheardFrames: 1,
    beyondSavingFrames: 2,
    clicks: 1,
    afterStallMs: 5,
    playedMs: 60_000,
  };
  const other = {
    ...run,
    seed: 2,
    delayP95Ms: 30,
    audibleFrames: 300,
    concealedFrames: 7,
    clicks: 0,
    afterStallMs: 9,
  };
  t.same(totalsOf([run, other]), [
    {
      case: 'x',
      subject: 'y',
      delayP50Ms: 10,
      delayP95Ms: 25,
      concealedShare: 8 / 400,
      beyondSavingShare: 4 / 400,
      clicksPerMinute: 0.5,
      afterStallMs: 9,
    },
  ]);
});
