/** The figures of a large audience in docs/relay-cost.md are those of the committed result. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { insertFigures, lastResult } from '../../../bench/figures_page.js';
import { type audience, audienceRows } from '../../../bench/relay/audience.js';
import { AUDIENCE_KEPT, AUDIENCE_PAGE, audienceTable } from '../../../bench/relay/audience_figures.js';

type Raw = { readonly rounds: Parameters<typeof audienceRows>[0] };

t.test('the committed figures are made from the raw result, and the page shows them', async (t) => {
  const kept = lastResult(AUDIENCE_KEPT);
  const name: (typeof audience)['name'] = kept.name;
  t.equal(name, 'audience');
  t.same(audienceRows((kept.raw as Raw).rounds), kept.rows);
  const page = readFileSync(AUDIENCE_PAGE.path, 'utf8');
  t.equal(insertFigures(AUDIENCE_PAGE, page, audienceTable(kept)), page);
});

t.test('in each round all joined, and everything that was sent reached everyone', async (t) => {
  for (const round of (lastResult(AUDIENCE_KEPT).raw as Raw).rounds) {
    t.equal(round.joined, 5008);
    t.match(round, { lost: 0, doubled: 0, reordered: 0, foreign: 0, damaged: 0, closed: 0 });
    t.ok(round.deliveries / (round.sent * 5007) > 0.99, 'nearly all of it within the time that counts');
  }
});
