/**
 * Writes the figures of the last `make bench ONLY=ring` into docs/latency.md, between its two marks. Refuses a void result.
 *
 *     node dist/bench/ring/figures.js
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type FiguresPage, insertFigures, lastResult } from '../figures_page.js';
import { figure, type Result, type Row } from '../result.js';
import { VOICE_CASES } from './voice.js';

const PAGE: FiguresPage = {
  path: 'docs/latency.md',
  begin: '<!-- ring figures: written by bench/ring/figures.ts -->',
  end: '<!-- end of ring figures -->',
};

/** One table for the ring and its peers, and one for getVoice into the ring. */
export function ringTable({ rows, machine, versions }: Result): string {
  const isVoice = (row: Row) => (VOICE_CASES as readonly string[]).includes(row.case);
  const compared = rows.filter(({ metric, subject }) => !metric.includes(' / ') && subject !== 'generator');
  const { cpu, cores, memoryGiB, os, loadBefore } = machine;
  return [
    ...table(
      compared.filter((row) => !isVoice(row)),
      (row) => `${row.subject}: ${row.case}`,
    ),
    '',
    ...table(compared.filter(isVoice), (row) => row.case),
    '',
    `Median, and the lowest and highest round. ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${os}, load ${loadBefore} at the start; ` +
      `Node ${versions.node}, ringbuf.js ${versions['ringbuf.js']}.`,
  ].join('\n');
}

/** A table with one column per method and one row per metric: the median, and the lowest and highest round. */
function table(rows: readonly Row[], methodOf: (row: Row) => string): string[] {
  if (rows.length === 0) return [];
  const metrics = [...new Set(rows.map(({ metric }) => metric))];
  const methods = [...new Set(rows.map(methodOf))];
  const cell = ({ median, min, max, runs, unit }: Row) =>
    runs === 1 ? `${figure(median)} ${unit}` : `${figure(median)} ${unit} (${figure(min)} … ${figure(max)})`;
  const lines = metrics.map((metric) => {
    const cells = methods.map((method) =>
      rows.find((row) => row.metric === metric && methodOf(row) === method),
    );
    return `| ${[metric, ...cells.map((row) => (row ? cell(row) : ''))].join(' | ')} |`;
  });
  return [`| ${['', ...methods].join(' | ')} |`, `|${' --- |'.repeat(methods.length + 1)}`, ...lines];
}

/** The page with `table` between its marks. @throws Error if a mark is missing. */
export function withFigures(text: string, table: string): string {
  return insertFigures(PAGE, text, table);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const table = ringTable(lastResult('out/bench/ring.json'));
  writeFileSync(PAGE.path, withFigures(readFileSync(PAGE.path, 'utf8'), table));
}
