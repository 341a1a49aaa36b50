/** The figures of docs/staleness.md are those of the result that is committed. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { insertFigures, lastResult } from '../../bench/figures_page.js';
import { CUT_KEPT, CUT_PAGE, caseTables } from '../../bench/stall/figures.js';

t.test('the page has the figures of the committed result', async (t) => {
  const page = readFileSync(CUT_PAGE.path, 'utf8');
  t.equal(insertFigures(CUT_PAGE, page, caseTables(lastResult(CUT_KEPT))), page);
});
