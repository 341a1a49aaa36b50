/**
 * Runs all tests with node-tap and says in the end how many passed: a line for each file, the whole of each failure, and last
 * `N passed, N failed`, with what was skipped and why before it.
 *
 * One sentence, `t.test(…)` at the top of a file, counts as one. The raw TAP is kept in out/test.tap. Named files run alone;
 * without, all do: first those that go at the pace of speech or of another thread, then those that want the processor, or the
 * ones would take from the others what they are to have in time.
 */

import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { COVERED_TESTS, Coverage } from './coverage.js';
import { buildStandIns } from './kit/stand_in_steam.js';

/** Depth 0 is a test file, depth 1 a sentence in it, deeper ones its assertions. */
const RESULT = /^( *)(not ok|ok) \d+ - (.*)$/;

const TESTS = 'dist/test';
/** What computes or compiles for long: the codec's tests, the addon's, the relay's explorations; and what floods a relay. */
const COMPUTES =
  /^(wasm|fuzz|bench|hostile|kit)\/|^docs_codec|codec_memory|^relay\/core\/(broken_rule|mute_rule|random)|^native\/(open_steam|package|real\/(addon|calls|open|threads|voice)|ring_model|stress|user_table)/;

/** Of those, the ones that take minutes. */
const LONGEST = /^(relay\/core\/mute_rule|wasm\/oracle)\./;

mkdirSync('out', { recursive: true });
const log = createWriteStream('out/test.tap');

let passed = 0;
let failed = 0;
let failedInFile = 0;
const skipped: string[] = [];
/** The failure whose diagnostics are being printed: its indentation, or −1. */
let printing = -1;

const named = process.argv.slice(2);
const all = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.js'))
  .sort();
const paced = all.filter((name) => !COMPUTES.test(name));
const paths = (names: readonly string[]) => names.map((name) => `${TESTS}/${name}`);

let code = 0;
const short: string[] = [];
if (named.length > 0) {
  code = await run(named);
} else {
  // Once, and not by each test that needs them, all at a time.
  await buildStandIns();
  const coverage = new Coverage('out');
  code = await run(paths(paced.filter((name) => COVERED_TESTS.test(name))), coverage.env);
  code = Math.max(code, await run(paths(paced.filter((name) => !COVERED_TESTS.test(name)))));
  // The two that take minutes first: behind the others, one of them would run alone at the end.
  const computing = all.filter((name) => COMPUTES.test(name));
  const byLength = [
    ...computing.filter((name) => LONGEST.test(name)),
    ...computing.filter((name) => !LONGEST.test(name)),
  ];
  code = Math.max(code, await run(paths(byLength)));
  short.push(...(await coverage.report()));
}
for (const line of skipped) console.log(`SKIPPED ${line}`);
for (const line of short) console.log(`FAILED coverage of ${line} or more`);
failed += short.length;
if (code !== 0 && failed === 0) {
  console.log(`tap ended with ${code}`);
  failed = 1;
}
console.log(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

/** Runs files with `env` added to the environment, counts and prints. Returns tap's exit code. */
async function run(files: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  const tap = spawn('node_modules/.bin/tap', ['--reporter=tap', ...files], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number>((resolve) => tap.on('close', (code) => resolve(code ?? 1)));
  for await (const line of createInterface({ input: tap.stdout })) take(line);
  return ended;
}

function take(line: string): void {
  log.write(`${line}\n`);
  const result = RESULT.exec(line);
  if (!result) {
    if (printing >= 0 && line.search(/\S/) > printing) console.log(line);
    return;
  }
  const [, indent = '', verdict, title = ''] = result;
  const depth = indent.length / 4;
  const isFailure = verdict === 'not ok' && !/ # (TODO|SKIP)/i.test(title);
  printing = isFailure && depth > 0 ? indent.length : -1;
  if (isFailure && depth > 0) console.log(line);
  if (depth === 1) {
    const skip = / # SKIP ?(.*)$/i.exec(title);
    if (skip) skipped.push(title.replace(/ # SKIP/i, ': skipped, because'));
    else if (isFailure) failedInFile += 1;
    else passed += 1;
  }
  if (depth === 0) {
    // A file that failed without a failing sentence did not run to its end.
    failed += isFailure ? Math.max(1, failedInFile) : 0;
    failedInFile = 0;
    console.log(
      `${isFailure ? 'FAILED' : 'ok    '} ${title.replace(/^dist\/test\//, '').replace(' # time=', '  ')}`,
    );
  }
}
