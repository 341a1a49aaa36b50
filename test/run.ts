/**
 * Runs all tests with node-tap and says in the end how many passed: a line for each file, the whole of each failure, and last
 * `N passed, N failed`, with what was skipped and why before it.
 *
 * One sentence, `t.test(…)` at the top of a file, counts as one. The raw TAP is kept in out/test.tap.
 */

import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Depth 0 is a test file, depth 1 a sentence in it, deeper ones its assertions. */
const RESULT = /^( *)(not ok|ok) \d+ - (.*)$/;

mkdirSync('out', { recursive: true });
const log = createWriteStream('out/test.tap');
const tap = spawn('node_modules/.bin/tap', ['--reporter=tap', ...process.argv.slice(2)], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = new Promise<number>((resolve) => tap.on('close', (code) => resolve(code ?? 1)));

let passed = 0;
let failed = 0;
let failedInFile = 0;
const skipped: string[] = [];
/** The failure whose diagnostics are being printed: its indentation, or −1. */
let printing = -1;

for await (const line of createInterface({ input: tap.stdout })) {
  log.write(`${line}\n`);
  const result = RESULT.exec(line);
  if (!result) {
    if (printing >= 0 && line.search(/\S/) > printing) console.log(line);
    continue;
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

const code = await ended;
for (const line of skipped) console.log(`SKIPPED ${line}`);
if (code !== 0 && failed === 0) {
  console.log(`tap ended with ${code}`);
  failed = 1;
}
console.log(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
