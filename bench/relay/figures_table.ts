/** How the figures of the relay's benchmarks are written into docs/relay-cost.md and kept under bench/results/. */

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { type FiguresPage, insertFigures, lastResult } from '../figures_page.js';
import { figure, type Result, type Row } from '../result.js';

/** One line per metric and one column per subject. */
export function table(rows: readonly Row[]): string[] {
  const subjects = [...new Set(rows.map(({ subject }) => subject))];
  const metrics = [...new Set(rows.map(({ metric }) => metric))];
  const lines = metrics.map((metric) => {
    const cells = subjects.map((subject) => {
      const row = rows.find((row) => row.metric === metric && row.subject === subject);
      return row ? `${figure(row.median)} ${row.unit} (${figure(row.min)} … ${figure(row.max)})` : '';
    });
    return `| ${[metric, ...cells].join(' | ')} |`;
  });
  return [`| ${['', ...subjects].join(' | ')} |`, `|${' --- |'.repeat(subjects.length + 1)}`, ...lines];
}

/** The line below a table. `counted` is what its figures are of, `more` what else was set. */
export function machineLine({ machine, versions }: Result, counted: string, more = ''): string {
  const { cpu, cores, memoryGiB, os, loadBefore } = machine;
  return (
    `${counted}. ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${os}, load ${loadBefore} at the start; Node ${versions.node}. ` +
    `Packets: ${versions.packets}. ${more}Scheduled ${versions.scheduling}.`
  );
}

/** Copies the last result of the benchmark `name` to `kept`, and writes its figures into their page. @throws Error for a void result. */
export function keepFigures(
  name: string,
  kept: string,
  page: FiguresPage,
  figuresOf: (result: Result) => string,
): Result {
  const made = `out/bench/${name}.json`;
  const result = lastResult(made);
  copyFileSync(made, kept);
  writeFileSync(page.path, insertFigures(page, readFileSync(page.path, 'utf8'), figuresOf(result)));
  return result;
}
