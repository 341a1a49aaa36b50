/** The figures of hearing sets in docs/relay-cost.md are those of the committed result. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { insertFigures, lastResult } from '../../../bench/figures_page.js';
import { HEARING_SUBJECTS, type HearingTurn, hearing, hearingRows } from '../../../bench/relay/hearing.js';
import { HEARING_KEPT, HEARING_PAGE, hearingTable } from '../../../bench/relay/hearing_figures.js';

type Raw = { readonly turns: readonly HearingTurn[] };

t.test('the committed figures are made from the raw result, and the page shows them', async (t) => {
  const kept = lastResult(HEARING_KEPT);
  t.equal(kept.name, hearing.name);
  t.same(hearingRows((kept.raw as Raw).turns), kept.rows);
  const page = readFileSync(HEARING_PAGE.path, 'utf8');
  t.equal(insertFigures(HEARING_PAGE, page, hearingTable(kept)), page);
});

t.test('in each round no listener got a frame from outside their set, and nothing was lost', async (t) => {
  const nothing = {
    outside: 0,
    lost: 0,
    doubled: 0,
    reordered: 0,
    foreign: 0,
    damaged: 0,
    closed: 0,
    failed: 0,
  };
  for (const turn of (lastResult(HEARING_KEPT).raw as Raw).turns) {
    for (const subject of HEARING_SUBJECTS) t.match(turn[subject], nothing, subject);
    t.ok(turn['sets that change'].hears! > 0, 'the relay told listeners of their sets');
  }
});
