/**
 * Copies the result of the last `make bench ONLY=hearing` to bench/results/hearing.json, and writes its figures into docs/relay-cost.md,
 * between its two marks. Refuses a void result.
 *
 *     node dist/bench/relay/hearing_figures.js
 */

import { fileURLToPath } from 'node:url';
import type { FiguresPage } from '../figures_page.js';
import type { Result } from '../result.js';
import { keepFigures, machineLine, table } from './figures_table.js';

export const HEARING_KEPT = 'bench/results/hearing.json';
export const HEARING_PAGE: FiguresPage = {
  path: 'docs/relay-cost.md',
  begin: '<!-- hearing figures: written by bench/relay/hearing_figures.ts -->',
  end: '<!-- end of hearing figures -->',
};

/** One line per metric, one column per subject. */
export function hearingTable(result: Result): string {
  const { rows, versions } = result;
  const counted = `Median of ${rows[0]?.runs} turns, and the lowest and highest`;
  return [...table(rows), '', machineLine(result, counted, `Sets: ${versions.sets}. `)].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  keepFigures('hearing', HEARING_KEPT, HEARING_PAGE, hearingTable);
}
