/** The figures of docs/staleness.md and its plot are those of the result that is committed. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { insertFigures, lastResult } from '../../bench/figures_page.js';
import { STALL_KEPT, STALL_PAGE, STALL_PLOT, stallPlot, stallTables } from '../../bench/stall/figures.js';

t.test('the page has the figures of the committed result', async (t) => {
  const page = readFileSync(STALL_PAGE.path, 'utf8');
  t.equal(insertFigures(STALL_PAGE, page, stallTables(lastResult(STALL_KEPT))), page);
});

t.test('the plot is drawn from it', async (t) => {
  t.equal(readFileSync(STALL_PLOT, 'utf8'), stallPlot(lastResult(STALL_KEPT)));
});
