/**
 * Copies the result of the last `make bench ONLY=audience` to bench/results/audience.json, and writes its figures into docs/relay-cost.md,
 * between its two marks. Refuses a void result.
 *
 *     node dist/bench/relay/audience_figures.js
 */

import { fileURLToPath } from 'node:url';
import type { FiguresPage } from '../figures_page.js';
import { figure, type Result } from '../result.js';
import { keepFigures, machineLine } from './figures_table.js';

export const AUDIENCE_KEPT = 'bench/results/audience.json';
export const AUDIENCE_PAGE: FiguresPage = {
  path: 'docs/relay-cost.md',
  begin: '<!-- audience figures: written by bench/relay/audience_figures.ts -->',
  end: '<!-- end of audience figures -->',
};

/** One line per metric. */
export function audienceTable(result: Result): string {
  const { rows } = result;
  return [
    '|  | median | lowest and highest round |',
    '| --- | --- | --- |',
    ...rows.map(
      ({ metric, unit, median, min, max }) =>
        `| ${metric} | ${figure(median)} ${unit} | ${figure(min)} … ${figure(max)} |`,
    ),
    '',
    machineLine(result, `${rows[0]?.runs} rounds`),
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  keepFigures('audience', AUDIENCE_KEPT, AUDIENCE_PAGE, audienceTable);
}
