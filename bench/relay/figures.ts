/**
 * Copies the result of the last `make bench ONLY=relay` to bench/results/relay.json, writes its figures into docs/relay-cost.md, between its two
 * marks, and the cost of ws into the file that the relay's first line is made of. Refuses a void result.
 *
 *     node dist/bench/relay/figures.js
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type FiguresPage, insertFigures } from '../figures_page.js';
import type { Result } from '../result.js';
import { keepFigures, machineLine, table } from './figures_table.js';

export const PAGE = 'docs/relay-cost.md';
export const KEPT = 'bench/results/relay.json';
export const COST = 'relay/port/sockets/cost.ts';
const MARKED: FiguresPage = {
  path: PAGE,
  begin: '<!-- relay figures: written by bench/relay/figures.ts -->',
  end: '<!-- end of relay figures -->',
};

/** One table per case, with one line per metric and one column per subject. */
export function relayTables(result: Result): string {
  const { rows, skipped = [] } = result;
  const cases = [...new Set(rows.map((row) => row.case))];
  return [
    ...cases.flatMap((name) => [`**${name}**`, '', ...table(rows.filter((row) => row.case === name)), '']),
    ...skipped.map((what) => `Not measured: ${what}.\n`),
    machineLine(result, 'Median, and the lowest and highest round'),
  ].join('\n');
}

/** The page with `tables` between its marks. @throws Error if a mark is missing. */
export function withRelayFigures(text: string, tables: string): string {
  return insertFigures(MARKED, text, tables);
}

/** The source of relay/port/sockets/cost.ts with the ratios of this result. */
export function withCost(source: string, { rows }: Pick<Result, 'rows'>): string {
  const ratio = (name: string): string => {
    const found = rows.find(
      ({ subject, case: own, unit }) => subject === 'hotmic on ws' && own === name && unit === '×',
    );
    if (!found) throw new Error(`Cannot write the cost of ws: the result has no ratio for ${name}`);
    return found.median.toFixed(1);
  };
  return source.replace(/plain: [\d.]+, tls: [\d.]+/, `plain: ${ratio('plain')}, tls: ${ratio('TLS')}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = keepFigures('relay', KEPT, MARKED, relayTables);
  writeFileSync(COST, withCost(readFileSync(COST, 'utf8'), result));
}
