/**
 * Copies the result of the last `make bench ONLY=audience` to bench/results/audience.json, and writes its figures into docs/relay-cost.md,
 * between its two marks. Refuses a void result.
 *
 *     node dist/bench/relay/audience_figures.js
 */

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type FiguresPage, insertFigures, lastResult } from '../figures_page.js';
import { figure, type Result } from '../result.js';

export const AUDIENCE_KEPT = 'bench/results/audience.json';
export const AUDIENCE_PAGE: FiguresPage = {
  path: 'docs/relay-cost.md',
  begin: '<!-- audience figures: written by bench/relay/audience_figures.ts -->',
  end: '<!-- end of audience figures -->',
};

/** One line per metric. */
export function audienceTable({ rows, machine, versions }: Result): string {
  const { cpu, cores, memoryGiB, os, loadBefore } = machine;
  return [
    '|  | median | lowest and highest round |',
    '| --- | --- | --- |',
    ...rows.map(
      ({ metric, unit, median, min, max }) =>
        `| ${metric} | ${figure(median)} ${unit} | ${figure(min)} … ${figure(max)} |`,
    ),
    '',
    `${rows[0]?.runs} rounds. ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${os}, load ${loadBefore} at the start; Node ${versions.node}. ` +
      `Packets: ${versions.packets}. Scheduled ${versions.scheduling}.`,
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const made = 'out/bench/audience.json';
  const result = lastResult(made);
  copyFileSync(made, AUDIENCE_KEPT);
  const { path } = AUDIENCE_PAGE;
  writeFileSync(path, insertFigures(AUDIENCE_PAGE, readFileSync(path, 'utf8'), audienceTable(result)));
}
