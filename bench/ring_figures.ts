/**
 * Writes the figures of the last `make bench ONLY=ring` into docs/latency.md, between its two marks. A void result is refused.
 *
 *     node dist/bench/ring_figures.js
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { figure, type Result, type Row } from './result.js';

const BEGIN = '<!-- ring figures: written by bench/ring_figures.ts -->';
const END = '<!-- end of ring figures -->';
const PAGE = 'docs/latency.md';

/** One row a way, one column a metric: the median, and from the slowest to the fastest round. */
export function ringTable({ rows, machine, versions }: Result): string {
  const compared = rows.filter(({ metric, subject }) => !metric.includes(' / ') && subject !== 'generator');
  const metrics = [...new Set(compared.map(({ metric }) => metric))];
  const ways = [...new Set(compared.map((row) => `${row.subject}: ${row.case}`))];
  const cell = ({ median, min, max, runs, unit }: Row) =>
    runs === 1 ? `${figure(median)} ${unit}` : `${figure(median)} ${unit} (${figure(min)} … ${figure(max)})`;
  const lines = metrics.map((metric) => {
    const cells = ways.map((way) =>
      compared.find((row) => row.metric === metric && `${row.subject}: ${row.case}` === way),
    );
    return `| ${[metric, ...cells.map((row) => (row ? cell(row) : ''))].join(' | ')} |`;
  });
  const { cpu, cores, memoryGiB, os, loadBefore } = machine;
  return [
    `| ${['', ...ways].join(' | ')} |`,
    `|${' --- |'.repeat(ways.length + 1)}`,
    ...lines,
    '',
    `Median, and the lowest and highest round. ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${os}, load ${loadBefore} at the start; ` +
      `Node ${versions.node}, ringbuf.js ${versions['ringbuf.js']}.`,
  ].join('\n');
}

/** The page with `table` between its marks. @throws Error when it lacks one. */
export function withFigures(page: string, table: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`Cannot write figures: ${PAGE} lacks its marks`);
  return `${page.slice(0, from + BEGIN.length)}\n\n${table}\n\n${page.slice(to)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = JSON.parse(readFileSync('out/bench/ring.json', 'utf8')) as Result;
  if (result.void !== null) throw new Error(`Cannot write figures: the last result is void, ${result.void}`);
  writeFileSync(PAGE, withFigures(readFileSync(PAGE, 'utf8'), ringTable(result)));
}
