/**
 * Copies the result of the last `make bench ONLY=idle` to bench/results/idle.json, and writes its figures into docs/relay-cost.md, between its
 * two marks. Refuses a void result.
 *
 *     node dist/bench/relay/idle_figures.js
 */

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type FiguresPage, insertFigures, lastResult } from '../figures_page.js';
import { figure, type Result } from '../result.js';
import { IDLE_SUBJECTS } from './idle.js';

export const IDLE_KEPT = 'bench/results/idle.json';
export const IDLE_PAGE: FiguresPage = {
  path: 'docs/relay-cost.md',
  begin: '<!-- idle figures: written by bench/relay/idle_figures.ts -->',
  end: '<!-- end of idle figures -->',
};

/** One line per subject. */
export function idleTable({ rows, machine, versions }: Result): string {
  const { cpu, cores, memoryGiB, os, loadBefore } = machine;
  const cell = (subject: string, metric: string) => {
    const row = rows.find((it) => it.subject === subject && it.metric === metric)!;
    return `${figure(row.median)} ${row.unit} (${figure(row.min)} … ${figure(row.max)})`;
  };
  return [
    '|  | CPU of the process | begins to run |',
    '| --- | --- | --- |',
    ...IDLE_SUBJECTS.map(
      (subject) => `| ${subject} | ${cell(subject, 'CPU')} | ${cell(subject, 'slices')} |`,
    ),
    '',
    `Median of ${rows[0]?.runs} runs, and the lowest and highest. ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${os}, load ${loadBefore} at the start; ` +
      `Node ${versions.node}. Scheduled ${versions.scheduling}.`,
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const made = 'out/bench/idle.json';
  const result = lastResult(made);
  copyFileSync(made, IDLE_KEPT);
  const { path } = IDLE_PAGE;
  writeFileSync(path, insertFigures(IDLE_PAGE, readFileSync(path, 'utf8'), idleTable(result)));
}
