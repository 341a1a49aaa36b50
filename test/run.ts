/**
 * Runs the tests and says at the end how many passed: one line per file as it ends, every failure in full, then what was skipped
 * and why, then what coverage and the slowest files were, and last `N passed, N failed`.
 *
 *     node dist/test/run.js                    all
 *     node dist/test/run.js --fast             the pure parts, in under a minute
 *     node dist/test/run.js dist/test/x.js …   these files
 *
 * A test file is a program that prints TAP (node-tap's assertions); each runs in a process of its own, a few at a time. One sentence,
 * `t.test(…)` at the top of a file, counts as one. The raw TAP of all files is kept in out/test.tap.
 */

import { mkdirSync, openSync, readdirSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { COVERED_TESTS, Coverage } from './coverage.js';
import { buildStandIns } from './kit/stand_in_steam.js';
import { type FileResult, runTestFile } from './test_file.js';
import { firstToRun, isFast } from './tiers.js';

const TESTS = 'dist/test';
/** Many tests wait for the pace of speech: with one more than there are cores, none of them idles. */
const AT_ONCE = availableParallelism() + 1;
const SLOWEST_SHOWN = 5;

const started = performance.now();
mkdirSync('out', { recursive: true });
const log = openSync('out/test.tap', 'w');

const names = process.argv.slice(2);
const isFastRun = names[0] === '--fast';
const all = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.test.js'),
);
const isWhole = names.length === 0;
const files = isFastRun
  ? all.filter(isFast)
  : isWhole
    ? all
    : names.map((name) => name.replace(new RegExp(`^(\\./)?${TESTS}/`), ''));
files.sort(firstToRun);

// Built once, not by each test that needs them at the same time.
if (isWhole) await buildStandIns();
const coverage = isWhole ? new Coverage('out') : null;

const results: FileResult[] = [];
const waiting = [...files];
await Promise.all(Array.from({ length: Math.min(AT_ONCE, files.length) }, work));

const short = coverage ? await coverage.report() : [];
const passed = sum(({ passed }) => passed);
const failed = sum(({ failed }) => failed) + short.length;
const skipped = results.flatMap(({ name, skipped }) => skipped.map((it) => `${name}: ${it}`));
console.log('');
for (const line of skipped) console.log(`SKIPPED ${line}`);
for (const line of short) console.log(`FAILED coverage of ${line} or more`);
for (const { name, failures } of results) for (const it of failures) console.log(`FAILED ${name}: ${it}`);
if (isWhole) {
  const slowest = results.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST_SHOWN);
  console.log(`Slowest: ${slowest.map(({ name, seconds }) => `${name} ${seconds.toFixed(0)} s`).join(', ')}`);
}
if (isFastRun) {
  console.log(
    `Left out: ${all.length - files.length} of ${all.length} files, which use sockets, processes, workers, the codec or Steam's libraries.`,
  );
  console.log('`make test` runs them all.');
}
console.log(`${files.length} files in ${spell((performance.now() - started) / 1000)}`);
console.log(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

/** Takes one file after the other until none is left. */
async function work(): Promise<void> {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const env = coverage && COVERED_TESTS.test(name) ? coverage.env : {};
    const result = await runTestFile(TESTS, name, env);
    results.push(result);
    show(result);
  }
}

function show({ name, passed, failed, seconds, tap, complaints }: FileResult): void {
  writeSync(log, `# ${name}\n${tap}`);
  const progress = `[${String(results.length).padStart(String(files.length).length)}/${files.length}]`;
  const verdict = failed > 0 ? `FAILED ${failed} of ${failed + passed}` : 'ok';
  console.log(`${progress} ${name.replace(/\.test\.js$/, '')}: ${verdict}, ${seconds.toFixed(1)} s`);
  for (const line of complaints) console.log(`    ${line}`);
}

function sum(of: (result: FileResult) => number): number {
  return results.reduce((total, result) => total + of(result), 0);
}

function spell(seconds: number): string {
  return seconds < 60
    ? `${seconds.toFixed(0)} s`
    : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}
