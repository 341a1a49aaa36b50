/**
 * Copies the results of the last `make bench ONLY=stall`, `ONLY=cut` and `ONLY=pause` to bench/results/, writes their figures into docs/staleness.md,
 * each between its two marks, and draws docs/staleness.svg of the first. Refuses a void result.
 *
 *     node dist/bench/stall/figures.js stall
 */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FiguresPage } from '../figures_page.js';
import { type Panel, renderPlot, type Series } from '../plot.js';
import { keepFigures, table } from '../relay/figures_table.js';
import type { Result } from '../result.js';
import { type Run, TROUBLE_MS } from './scene.js';

export const STALL_KEPT = 'bench/results/stall.json';
export const STALL_PAGE: FiguresPage = {
  path: 'docs/staleness.md',
  begin: '<!-- stall figures: written by bench/stall/figures.ts -->',
  end: '<!-- end of stall figures -->',
};
export const CUT_KEPT = 'bench/results/cut.json';
export const CUT_PAGE: FiguresPage = {
  path: 'docs/staleness.md',
  begin: '<!-- cut figures: written by bench/stall/figures.ts -->',
  end: '<!-- end of cut figures -->',
};
export const PAUSE_KEPT = 'bench/results/pause.json';
export const PAUSE_PAGE: FiguresPage = {
  path: 'docs/staleness.md',
  begin: '<!-- pause figures: written by bench/stall/figures.ts -->',
  end: '<!-- end of pause figures -->',
};
export const STALL_PLOT = 'docs/staleness.svg';

/** What is drawn: so long from the end of the stall, in ms. */
const DRAWN_MS = 400;

const COLORS = ['#8250df', '#bf8700', '#1a7f37', '#cf222e', '#0969da'];

/** A plot, and a table for each case. */
export function stallTables(result: Result): string {
  const plot =
    '![The age of what a listener hears after a stall of 20 s, beside other relays](staleness.svg)';
  return `${plot}\n\n${caseTables(result)}`;
}

/** A table for each case. */
export function caseTables(result: Result): string {
  const { rows, machine, versions, skipped = [] } = result;
  const { cpu, cores, memoryGiB, os, loadBefore } = machine;
  const cases = [...new Set(rows.map((row) => row.case))];
  return [
    ...cases.flatMap((name) => [`**${name}**`, '', ...table(rows.filter((row) => row.case === name)), '']),
    `Medians of ${rows[0]?.runs} runs, with the lowest and the highest. ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${os}, load ${loadBefore} at the ` +
      `start; Node ${versions.node}.${skipped.length > 0 ? ` Left out: ${skipped.join('; ')}.` : ''}`,
  ].join('\n');
}

/** The age of what is heard, from shortly before the stall ends. */
export function stallPlot(result: Result): string {
  const runs = (result.raw as readonly Run[]).filter(
    (run) => run.ages.length > 0 && run.case.endsWith('plain'),
  );
  // Ours is drawn last, on top.
  const names = [...new Set(runs.map((run) => run.subject))].reverse();
  const series: Series[] = names.map((name, at) => ({
    name,
    color: COLORS[(at + COLORS.length - names.length) % COLORS.length]!,
    mark: name === 'hotmic' ? 'circle' : 'dot',
  }));
  const panels: Panel[] = [...new Set(runs.map((run) => run.case))].map((name) => ({
    title: name.replace(', plain', ''),
    subtitle: 'the oldest voice that is heard in each 20 ms',
    points: Object.fromEntries(
      runs
        .filter((run) => run.case === name)
        .map(({ subject, ages }) => [
          subject,
          ages
            .map(([at, age]) => ({ x: at - TROUBLE_MS, y: age / 1000 }))
            .filter(({ x }) => x >= 0 && x <= DRAWN_MS),
        ]),
    ),
  }));
  return renderPlot({
    title: 'The age of what a listener hears after a stall of 20 s',
    xLabel: 'ms since the stall ended',
    yLabel: 'age in s',
    xMax: DRAWN_MS,
    xStep: 100,
    yLeast: 20,
    series,
    panels,
    columns: 2,
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = process.argv.slice(2);
  if (wanted.includes('stall'))
    writeFileSync(STALL_PLOT, stallPlot(keepFigures('stall', STALL_KEPT, STALL_PAGE, stallTables)));
  if (wanted.includes('cut')) keepFigures('cut', CUT_KEPT, CUT_PAGE, caseTables);
  if (wanted.includes('pause')) keepFigures('pause', PAUSE_KEPT, PAUSE_PAGE, caseTables);
}
