/**
 * Runs the prebuilt addons, the codec, the client and the capture on the other platforms, as far as this machine can: `make
 * test-platforms`, or `node dist/test/platforms/main.js win32-x64` for one. First the smoke of each part, then the tests that stand for
 * it; `--smoke` leaves out the tests, which take most of an hour under emulation. `--file voice/ring.test.js` (repeatable) runs that test again
 * and keeps the rest of what the last run wrote. Writes what held to `out/platforms/NAME.json`, from
 * which docs/platforms.md takes it. A platform whose tools cannot be had is skipped with the reason.
 */

import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ADDONS, binaryPath, PLATFORMS } from '../../native/prebuild/targets.js';
import { startRelay } from '../../relay/server.js';
import { readMachO } from '../native/prebuild/mach_o.js';
import { readTap } from '../test_file.js';
import { EMULATIONS, type Emulation, TESTS } from './platforms.js';
import {
  CELLS,
  type Cell,
  type CellName,
  type PlatformResult,
  type SmokeLine,
  type TestCounts,
} from './result.js';

const OUT = 'out/platforms';
/** A watchdog, in seconds: emulation is slow, and the machine may be busy. */
const WATCHDOG_S = 1800;

interface FileEnd {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Assertions below the sentences, too. */
  readonly assertions: number;
}

/** Runs a program there; standard output and error go to files, because Node has no pipes in Wine. */
async function runThere({ command, env }: Emulation, args: readonly string[], output: string) {
  const [out, err] = [openSync(`${output}.tap`, 'w'), openSync(`${output}.err`, 'w')];
  const [program = '', ...first] = command;
  const child = spawn(program, [...first, ...args], {
    env: { ...process.env, TAP_TIMEOUT: String(WATCHDOG_S), ...env },
    stdio: ['ignore', out, err],
    timeout: (WATCHDOG_S + 60) * 1000,
  });
  const ending = await new Promise<string | null>((resolve) => {
    child.on('error', ({ message }) => resolve(message));
    child.on('close', (code, signal) => resolve(code === 0 ? null : (signal ?? `exit code ${code}`)));
  });
  closeSync(out);
  closeSync(err);
  const read = (file: string) => readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
  return { ending, text: read(`${output}.tap`), errors: read(`${output}.err`) };
}

async function runFile(emulation: Emulation, file: string): Promise<FileEnd> {
  const output = `${OUT}/${emulation.name}.${file.replaceAll('/', '-')}`;
  const { ending, text, errors } = await runThere(emulation, [`dist/test/${file}`], output);
  const { passed, failed, failures, skipped, complaints } = readTap(file, text, ending);
  const assertions = text.split('\n').filter((line) => /^\s+ok \d/.test(line) && !/# SKIP/.test(line)).length;
  console.log(`  ${file}: ${failed > 0 ? `FAILED ${failed} of ${failed + passed}` : `ok, ${passed} passed`}`);
  for (const line of skipped) console.log(`    SKIPPED ${line}`);
  if (failed > 0)
    for (const line of [...failures, ...complaints, ...errors.split('\n')]) console.log(`    ${line}`);
  return { passed, failed, skipped: skipped.length, assertions };
}

type Total = Omit<FileEnd, 'skipped'>;

/** What to run: the smoke, the smoke and all tests, or only these test programs. */
type Depth = 'smoke' | 'tests' | readonly string[];

/** Runs a platform's parts, or says why it cannot: null. */
async function runPlatform(emulation: Emulation, depth: Depth, relayUrl: string): Promise<Total | null> {
  const { name, platform, how, extra } = emulation;
  const prepared = spawnSync('sh', ['test/platforms/prepare.sh', name], { encoding: 'utf8' });
  const version = prepared.status === 0 ? await runThere(emulation, ['--version'], `${OUT}/${name}`) : null;
  if (version === null || version.ending !== null) {
    console.log(`SKIPPED ${name}: ${(version?.errors ?? prepared.stderr).trim().split('\n').at(-1)}`);
    return null;
  }
  const node = version.text.trim().replace(/^v/, '');
  console.log(`${name}, Node ${node}, ${how}`);
  const isAgain = typeof depth !== 'string';
  const before = isAgain ? read(name) : null;
  const cells: Partial<Record<CellName, Cell>> = { ...before?.cells };
  const tests: Record<string, TestCounts> = { ...before?.tests };
  const keep = () => write(name, { platform, how, node, cells, ...(depth !== 'smoke' && { tests }) });
  const total = { passed: 0, failed: 0, assertions: 0 };
  for (const cell of isAgain ? [] : CELLS) {
    cells[cell] = await runSmokes(emulation, cell, relayUrl);
    if (cells[cell].startsWith('pass')) total.passed += 1;
    if (cells[cell].startsWith('fail')) total.failed += 1;
    keep();
  }
  if (depth === 'smoke') return total;
  for (const cell of CELLS) {
    for (const file of [...(TESTS[cell] ?? []), ...(extra[cell] ?? [])]) {
      if (isAgain && !depth.includes(file)) continue;
      const { assertions, ...counts } = await runFile(emulation, file);
      const { passed, failed } = counts;
      tests[file] = counts;
      total.assertions += assertions;
      total.passed += passed;
      total.failed += failed;
      // A failure of this file that another run has left.
      if (cells[cell]?.startsWith(`fail: ${file}:`)) cells[cell] = 'pass';
      if (failed > 0 && !cells[cell]?.startsWith('fail'))
        cells[cell] = `fail: ${file}: ${failed} of ${failed + passed}`;
      keep();
    }
  }
  console.log(`  ${total.assertions} assertions in ${total.passed + total.failed} sentences`);
  return total;
}

/** The smoke of one part, also in a Node under another name where the platform has one. */
async function runSmokes(emulation: Emulation, cell: CellName, relayUrl: string): Promise<Cell> {
  const { name, renamed } = emulation;
  const end = await runSmoke(emulation, cell, relayUrl);
  console.log(`  ${cell}: ${end}`);
  if (cell !== 'addon' || renamed === undefined) return end;
  const other = await runSmoke({ ...emulation, name: `${name}-renamed`, command: renamed }, cell, relayUrl);
  console.log(`  ${cell}, in a Node under another name: ${other}`);
  return end === 'pass' ? other : end;
}

/** Runs the smoke of one part. The client's relay is at `relayUrl`. */
async function runSmoke(emulation: Emulation, cell: CellName, relayUrl: string): Promise<Cell> {
  const output = `${OUT}/${emulation.name}.smoke-${cell.replaceAll(' ', '_')}`;
  const args = ['dist/test/platforms/smoke.js', cell, '--relay', relayUrl];
  const { ending, text } = await runThere(emulation, args, output);
  const json = text.split('\n').findLast((line) => line.startsWith('{"platform"'));
  if (json === undefined) return `fail: no result: ${ending ?? 'exit code 0'}`;
  return (JSON.parse(json) as SmokeLine).cells[cell] ?? 'fail: no result';
}

/** @throws Error when this platform has not run yet. */
function read(name: string): PlatformResult {
  return JSON.parse(readFileSync(`${OUT}/${name}.json`, 'utf8')) as PlatformResult;
}

function write(name: string, result: PlatformResult): void {
  writeFileSync(`${OUT}/${name}.json`, `${JSON.stringify(result, null, 2)}\n`);
}

mkdirSync(OUT, { recursive: true });
const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    smoke: { type: 'boolean', default: false },
    file: { type: 'string', multiple: true, default: [] },
  },
});
const depth = values.smoke ? 'smoke' : values.file.length > 0 ? values.file : 'tests';
const relay = await startRelay({ dev: true });
let [passed, failed, skipped] = [0, 0, 0];
for (const emulation of EMULATIONS) {
  if (wanted.length > 0 && !wanted.includes(emulation.name)) continue;
  const end = await runPlatform(emulation, depth, relay.url);
  if (end === null) skipped += 1;
  passed += end?.passed ?? 0;
  failed += end?.failed ?? 0;
}
await relay.close();
// What nothing here can run: test/native/prebuild/binaries.test.ts reads the files.
for (const platform of PLATFORMS) {
  if (platform.format !== 'mach-o' || wanted.length > 0) continue;
  const isSigned = readMachO(binaryPath(ADDONS[0]!, platform)).signature !== null;
  const checked = isSigned
    ? 'symbols, load commands and signature checked'
    : 'symbols and load commands checked; not signed';
  const how = `built only (${checked})`;
  const { name } = platform;
  write(name, { platform: name, how, node: '', cells: { addon: 'built' } });
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
