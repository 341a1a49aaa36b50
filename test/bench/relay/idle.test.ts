/** The figures of a silent relay in docs/relay-cost.md are those of the committed result. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { insertFigures, lastResult } from '../../../bench/figures_page.js';
import { type IdleRun, type idle, idleRows } from '../../../bench/relay/idle.js';
import { IDLE_KEPT, IDLE_PAGE, idleTable } from '../../../bench/relay/idle_figures.js';

t.test('the committed figures are made from the raw result, and the page shows them', async (t) => {
  const kept = lastResult(IDLE_KEPT);
  const name: (typeof idle)['name'] = kept.name;
  t.equal(name, 'idle');
  t.same(idleRows((kept.raw as { readonly runs: readonly IdleRun[] }).runs), kept.rows);
  const page = readFileSync(IDLE_PAGE.path, 'utf8');
  t.equal(insertFigures(IDLE_PAGE, page, idleTable(kept)), page);
});
