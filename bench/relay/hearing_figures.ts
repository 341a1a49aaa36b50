/**
 * Copies the result of the last `make bench ONLY=hearing` to bench/results/hearing.json, and writes its figures into docs/relay-cost.md,
 * between its two marks. Refuses a void result.
 *
 *     node dist/bench/relay/hearing_figures.js
 */

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type FiguresPage, insertFigures, lastResult } from '../figures_page.js';
import { figure, type Result } from '../result.js';
import { HEARING_SUBJECTS } from './hearing.js';

export const HEARING_KEPT = 'bench/results/hearing.json';
export const HEARING_PAGE: FiguresPage = {
  path: 'docs/relay-cost.md',
  begin: '<!-- hearing figures: written by bench/relay/hearing_figures.ts -->',
  end: '<!-- end of hearing figures -->',
};

/** One line per metric, one column per subject. */
export function hearingTable({ rows, machine, versions }: Result): string {
  const { cpu, cores, memoryGiB, os, loadBefore } = machine;
  const metrics = [...new Set(rows.map(({ metric }) => metric))];
  return [
    `|  | ${HEARING_SUBJECTS.join(' | ')} |`,
    '| --- | --- | --- | --- |',
    ...metrics.map((metric) => {
      const cells = HEARING_SUBJECTS.map((subject) => {
        const row = rows.find((it) => it.metric === metric && it.subject === subject);
        return row ? `${figure(row.median)} ${row.unit} (${figure(row.min)} … ${figure(row.max)})` : '';
      });
      return `| ${[metric, ...cells].join(' | ')} |`;
    }),
    '',
    `Median of ${rows[0]?.runs} turns, and the lowest and highest. ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${os}, load ${loadBefore} at the start; ` +
      `Node ${versions.node}. Packets: ${versions.packets}. Sets: ${versions.sets}. Scheduled ${versions.scheduling}.`,
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const made = 'out/bench/hearing.json';
  const result = lastResult(made);
  copyFileSync(made, HEARING_KEPT);
  const { path } = HEARING_PAGE;
  writeFileSync(path, insertFigures(HEARING_PAGE, readFileSync(path, 'utf8'), hearingTable(result)));
}
