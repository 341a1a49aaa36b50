/**
 * Copies the result of the last `make bench ONLY=playout` to bench/results/playout.json, writes its figures into docs/playout-figures.md,
 * between its two marks, and draws docs/playout.svg. Refuses a void result.
 *
 *     node dist/bench/playout/figures.js
 */

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type FiguresPage, insertFigures, lastResult } from '../figures_page.js';
import { type Panel, renderPlot, type Series } from '../plot.js';
import { figure, type Result } from '../result.js';
import { HEARD_SUBJECTS, type Heard, type Raw, type Total, totalsOf } from './playout.js';
import { CASES, FIXED_MS, fixedName, NETEQ, OURS } from './subjects.js';

export const PAGE = 'docs/playout-figures.md';
export const KEPT = 'bench/results/playout.json';
export const PLOT = 'docs/playout.svg';
const MARKED: FiguresPage = {
  path: PAGE,
  begin: '<!-- playout figures: written by bench/playout/figures.ts -->',
  end: '<!-- end of playout figures -->',
};

const FIXED = 'fixed delays (20, 40, 60, 100, 200 ms)';
const PERFECT = 'perfect buffers of any fixed delay';
const SERIES: readonly Series[] = [
  { name: PERFECT, color: '#c5ccd3', mark: 'line' },
  { name: FIXED, color: '#6e7781', mark: 'dot' },
  { name: NETEQ, color: '#bc4c00', mark: 'diamond' },
  { name: OURS, color: '#0969da', mark: 'circle' },
];

/** One table per case, with one line per subject. */
export function playoutTables({ raw, skipped = [], versions }: Result): string {
  const { runs, heard } = raw as Raw;
  const totals = totalsOf(runs);
  return [
    ...CASES.flatMap(({ name, about }) => {
      const own = totals.filter((total) => total.case === name);
      return [`**${name}** (${about})`, '', ...table(own), ''];
    }),
    ...(heard.length > 0 ? [...heardTable(heard), ''] : []),
    ...skipped.map((what) => `Not measured: ${what}.\n`),
    `Delays are means over the seeds; concealment and clicks are over all of them. Node ${versions.node}` +
      `${versions.neteq === undefined ? '' : `, neteq ${versions.neteq}`}; sound is pulled ${versions.pulls}.`,
  ].join('\n');
}

function table(totals: readonly Total[]): string[] {
  const hasStall = totals.some(({ afterStallMs }) => afterStallMs !== null);
  const heads = ['', 'delay p50', 'delay p95', 'concealed', 'of it beyond saving', 'clicks'];
  if (hasStall) heads.push('delay after the stall');
  const lines = totals.map((total) => {
    const cells = [
      total.subject,
      `${figure(total.delayP50Ms)} ms`,
      `${figure(total.delayP95Ms)} ms`,
      percent(total.concealedShare),
      percent(Math.min(total.concealedShare, total.beyondSavingShare)),
      `${total.clicksPerMinute.toFixed(1)} /min`,
    ];
    if (hasStall) cells.push(`${figure(total.afterStallMs ?? 0)} ms`);
    return `| ${cells.join(' | ')} |`;
  });
  return [`| ${heads.join(' | ')} |`, `|${' --- |'.repeat(heads.length)}`, ...lines];
}

/** PESQ and STOI, one line per case. */
function heardTable(heard: readonly Heard[]): string[] {
  const subjects = HEARD_SUBJECTS.filter((name) => heard.some(({ subject }) => subject === name));
  const lines = CASES.flatMap(({ name }) => {
    const own = subjects.map((subject) => heard.find((one) => one.case === name && one.subject === subject));
    if (own.some((one) => one === undefined)) return [];
    const cells = [...own.map((one) => one!.pesq.toFixed(2)), ...own.map((one) => one!.stoi.toFixed(3))];
    return [`| ${[name, ...cells].join(' | ')} |`];
  });
  const heads = ['PESQ', 'STOI'].flatMap((what) => subjects.map((subject) => `${what} ${subject}`));
  return [
    '**What is heard** (PESQ and STOI per talkspurt, against the same packets decoded without a network)',
    '',
    `| ${['', ...heads].join(' | ')} |`,
    `|${' --- |'.repeat(heads.length + 1)}`,
    ...lines,
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** Delay against concealment, one panel per case. */
export function playoutPlot({ raw }: Result): string {
  const { runs, curves } = raw as Raw;
  const totals = totalsOf(runs);
  const panels: Panel[] = CASES.map(({ name, about }) => {
    const point = (subject: string, label: string) =>
      totals
        .filter((total) => total.case === name && total.subject === subject)
        .map(({ delayP95Ms, concealedShare }) => ({ x: delayP95Ms, y: 100 * concealedShare, label }));
    const perfect = curves.find((curve) => curve.case === name)?.points ?? [];
    return {
      title: name,
      subtitle: about,
      points: {
        [PERFECT]: perfect
          .filter(({ delayMs }) => delayMs <= X_MAX_MS)
          .map(({ delayMs, concealedShare }) => ({ x: delayMs, y: 100 * concealedShare })),
        [FIXED]: FIXED_MS.flatMap((delayMs) => point(fixedName(delayMs), String(delayMs))),
        [NETEQ]: point(NETEQ, NETEQ),
        [OURS]: point(OURS, OURS),
      },
    };
  });
  return renderPlot({
    title: 'Playout on emulated networks: lower left is better',
    xLabel: 'added delay of 95 % of the speech, at most (ms)',
    yLabel: 'concealed or missing (% of audible frames)',
    xMax: X_MAX_MS,
    xStep: 100,
    yLeast: 0.5,
    series: SERIES,
    panels,
    columns: 3,
  });
}

const X_MAX_MS = 400;

/** The page with `tables` between its marks. @throws Error if a mark is missing. */
export function withPlayoutFigures(text: string, tables: string): string {
  return insertFigures(MARKED, text, tables);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const made = 'out/bench/playout.json';
  const result = lastResult(made);
  copyFileSync(made, KEPT);
  writeFileSync(PAGE, withPlayoutFigures(readFileSync(PAGE, 'utf8'), playoutTables(result)));
  writeFileSync(PLOT, playoutPlot(result));
}
