/**
 * Writes the figures of the last `make bench ONLY=ring` into docs/latency.md, between its two marks. A void result is refused.
 *
 *     node dist/bench/ring/figures.js
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { figure, type Result, type Row } from '../result.js';
import { VOICE_CASES } from './voice.js';

const BEGIN = '<!-- ring figures: written by bench/ring/figures.ts -->';
const END = '<!-- end of ring figures -->';
const PAGE = 'docs/latency.md';

/** The ring and its peers, then getVoice on its way into the ring. */
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

/** One column a way, one row a metric: the median, and from the lowest to the highest round. */
function table(rows: readonly Row[], wayOf: (row: Row) => string): string[] {
  if (rows.length === 0) return [];
  const metrics = [...new Set(rows.map(({ metric }) => metric))];
  const ways = [...new Set(rows.map(wayOf))];
  const cell = ({ median, min, max, runs, unit }: Row) =>
    runs === 1 ? `${figure(median)} ${unit}` : `${figure(median)} ${unit} (${figure(min)} … ${figure(max)})`;
  const lines = metrics.map((metric) => {
    const cells = ways.map((way) => rows.find((row) => row.metric === metric && wayOf(row) === way));
    return `| ${[metric, ...cells.map((row) => (row ? cell(row) : ''))].join(' | ')} |`;
  });
  return [`| ${['', ...ways].join(' | ')} |`, `|${' --- |'.repeat(ways.length + 1)}`, ...lines];
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
