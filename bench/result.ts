/** The result of every benchmark: a table on standard output, and out/bench/<name>.json for programs. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';

export interface Row {
  /** `hotmic` for ours, otherwise the name of what it is compared with. */
  readonly subject: string;
  readonly case: string;
  /** What was measured. A ratio names its base. */
  readonly metric: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
}

export interface Result {
  readonly name: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly versions: Readonly<Record<string, string>>;
  /** The random seed, or null. */
  readonly seed: number | null;
  /** Why the figures are void, or null. */
  readonly void: string | null;
  /** What could not be compared, each with its reason. */
  readonly skipped?: readonly string[];
  readonly rows: readonly Row[];
  /** The raw results, round by round, if the trial keeps them. */
  readonly raw?: unknown;
}

/** One benchmark. */
export interface Trial {
  readonly name: string;
  readonly about: string;
  run(): Promise<{
    rows: Row[];
    void: string | null;
    /** Versions of what the trial added, besides Hotmic and Node. */
    versions?: Record<string, string>;
    skipped?: string[];
    raw?: unknown;
  }>;
}

/** A row with the median and the spread of `values`, one per run. */
export function row(
  subject: string,
  name: string,
  metric: string,
  unit: string,
  values: readonly number[],
): Row {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return {
    subject,
    case: name,
    metric,
    unit,
    median,
    min: sorted[0]!,
    max: sorted.at(-1)!,
    runs: values.length,
  };
}

/** Runs a trial, prints its table and writes its result file. */
export async function measure(trial: Trial): Promise<Result> {
  console.log(`\n${trial.name}: ${trial.about}`);
  const before = machine();
  const { rows, void: reason, versions: more = {}, skipped = [], raw } = await trial.run();
  const result: Result = {
    name: trial.name,
    machine: before,
    versions: { ...versions(), ...more },
    seed: null,
    void: reason,
    skipped,
    rows,
    ...(raw === undefined ? {} : { raw }),
  };
  mkdirSync('out/bench', { recursive: true });
  writeFileSync(`out/bench/${trial.name}.json`, `${JSON.stringify(result, null, 2)}\n`);
  console.log(render(result));
  return result;
}

function machine(): Result['machine'] {
  const cores = cpus();
  return {
    cpu: cores[0]?.model ?? 'unknown',
    cores: cores.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release()}`,
    loadBefore: Number(loadavg()[0]?.toFixed(2)),
  };
}

function versions(): Result['versions'] {
  const hotmic = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  return { hotmic: hotmic.version, node: process.version, v8: process.versions.v8 };
}

/** The result as a table. */
export function render({ name, machine, versions, rows, void: reason, skipped = [] }: Result): string {
  const cells = rows.map((row) => [
    row.subject,
    row.case,
    row.metric,
    figure(row.median),
    row.runs === 1 ? '' : `${figure(row.min)} … ${figure(row.max)}`,
    row.unit,
    String(row.runs),
  ]);
  const all = [['subject', 'case', 'metric', 'median', 'min … max', 'unit', 'runs'], ...cells];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((cell) => cell[column]!.length)));
  const isText = (column: number) => column < 3 || column === 5;
  const lines = all.map((line) =>
    line.map((cell, i) => (isText(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  );
  const head = `${machine.cpu}, ${machine.cores} cores, load ${machine.loadBefore}`;
  const made = Object.entries(versions).map(([what, version]) => `\n${what}: ${version}`);
  const missing = skipped.map((what) => `\nSKIPPED ${what}`);
  const verdict = reason === null ? '' : `\nVOID: ${reason}`;
  return `${lines.join('\n')}\n${head}; out/bench/${name}.json${made.join('')}${missing.join('')}${verdict}`;
}

/** A number as printed in the tables. */
export function figure(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return value.toPrecision(3);
}
