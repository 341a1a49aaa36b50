/**
 * Copies the result of the last `make bench ONLY=plc` to bench/results/plc.json, and writes its figures into docs/playout.md, between its
 * two marks. Refuses a void result.
 *
 *     node dist/bench/plc/figures.js
 */

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type FiguresPage, insertFigures, lastResult } from '../figures_page.js';
import { type Result, type Row, row } from '../result.js';
import { LOSSES } from './losses.js';
import type { Raw, Scored } from './plc.js';
import { CALLS } from './timing.js';

export const PAGE = 'docs/playout.md';
export const KEPT = 'bench/results/plc.json';
const MARKED: FiguresPage = {
  path: PAGE,
  begin: '<!-- plc figures: written by bench/plc/figures.ts -->',
  end: '<!-- end of plc figures -->',
};

export function plcTables(result: Result): string {
  const { machine, versions, skipped = [] } = result;
  return [
    '**Size**, in kB',
    '',
    ...sizeTable(result.rows),
    '',
    '**Processor time of a call**, in ms: p50 (p99), medians of the rounds, with the lowest and the highest p50 in brackets',
    '',
    ...timeTable(result.rows),
    '',
    ...qualityTables(result.raw as Raw),
    ...skipped.map((what) => `Not measured: ${what}.\n`),
    `Measured on one core of ${machine.cpu}, which other work shared (load ${machine.loadBefore}), Node ${versions.node}; native: ` +
      `${versions['native libopus'] ?? 'not measured'}. Scores: ${versions.quality ?? 'not measured'}.`,
  ].join('\n');
}

function sizeTable(rows: readonly Row[]): string[] {
  const own = rows.filter((one) => one.case === 'size');
  const names = [...new Set(own.map(({ subject }) => subject))];
  const kB = (subject: string, metric: string) =>
    (own.find((one) => one.subject === subject && one.metric === metric)!.median / 1000).toFixed(0);
  const memory = (subject: string) => {
    const found = rows.find((one) => one.subject === subject && one.case === 'a decoder');
    return found === undefined ? '' : (found.median / 1000).toFixed(1);
  };
  return [
    '| | raw | gzip | brotli | a decoder |',
    '| --- | --- | --- | --- | --- |',
    ...names.map(
      (name) =>
        `| ${name} | ${kB(name, 'raw')} | ${kB(name, 'gzip')} | ${kB(name, 'brotli')} | ${memory(name)} |`,
    ),
  ];
}

function timeTable(rows: readonly Row[]): string[] {
  const own = rows.filter(({ metric, unit }) => unit === 'µs' && metric === 'p50');
  const names = [...new Set(own.map(({ subject }) => subject))];
  const ms = (microseconds: number) => (microseconds / 1000).toPrecision(2);
  const cell = (subject: string, call: string) => {
    const of = (metric: string) =>
      rows.find((one) => one.subject === subject && one.case === call && one.metric === metric)!;
    const { median, min, max } = of('p50');
    return `${ms(median)} (${ms(of('p99').median)}) [${ms(min)} … ${ms(max)}]`;
  };
  return [
    `| | ${CALLS.join(' | ')} |`,
    `|${' --- |'.repeat(CALLS.length + 1)}`,
    ...names.map((name) => `| ${name} | ${CALLS.map((call) => cell(name, call)).join(' | ')} |`),
  ];
}

/** For each way with FEC and without, a table with one line per pattern of losses. */
function qualityTables({ scored }: Raw): string[] {
  const ways = [...new Set(scored.map(({ fec }) => fec))];
  return ways.flatMap((fec) => {
    const lines = LOSSES.map(({ name }) => {
      const own = scored.filter((one) => one.fec === fec && one.losses === name);
      const human = own.filter(({ kind }) => kind === 'human');
      const metrics = ['pesq', 'stoi'] as const;
      const cells = metrics.flatMap((metric) => {
        const digits = metric === 'pesq' ? 2 : 3;
        const median = (of: (one: Scored) => number) => middle(own.map(of)).toFixed(digits);
        return [
          `${median((one) => one.classic[metric])} → ${median((one) => one.deep[metric])}`,
          gain(own, metric, digits),
          human.length === 0 ? '' : gain(human, metric, digits),
        ];
      });
      return `| ${[name, ...cells].join(' | ')} |`;
    });
    return [
      `**Quality, ${fec}**: classic → deep, and the gain on the same losses: median (lowest … highest)`,
      '',
      '| lost | PESQ | gain | gain, human | STOI | gain | gain, human |',
      `|${' --- |'.repeat(7)}`,
      ...lines,
      '',
    ];
  });
}

function gain(own: readonly Scored[], metric: 'pesq' | 'stoi', digits: number): string {
  const { median, min, max } = row(
    '',
    '',
    '',
    '',
    own.map((one) => one.deep[metric] - one.classic[metric]),
  );
  const signed = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
  return `${signed(median)} (${signed(min)} … ${signed(max)})`;
}

function middle(values: readonly number[]): number {
  return row('', '', '', '', values).median;
}

/** The page's text with `tables` between its marks. @throws Error if a mark is missing. */
export function withPlcFigures(text: string, tables: string): string {
  return insertFigures(MARKED, text, tables);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const made = 'out/bench/plc.json';
  const result = lastResult(made);
  copyFileSync(made, KEPT);
  writeFileSync(PAGE, withPlcFigures(readFileSync(PAGE, 'utf8'), plcTables(result)));
}
