/**
 * Runs the prebuilt addons, the codec, the client and the capture on the other platforms, as far as this machine can: `make
 * test-platforms`, or `node dist/test/platforms/main.js win32-x64` for one. Writes what held to `out/platforms/NAME.json`, from which
 * docs/platforms.md takes it. A platform whose tools cannot be had is skipped with the reason.
 */

import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { readTap } from '../test_file.js';
import { CELLS, type Cell, EMULATIONS, type Emulation } from './platforms.js';

const OUT = 'out/platforms';
/** A watchdog, in seconds: emulation is slow, and the machine may be busy. */
const WATCHDOG_S = 1800;

/** One file of out/platforms/. */
interface PlatformResult {
  readonly platform: string;
  readonly how: string;
  /** Null where none ran. */
  readonly node: string | null;
  /** `none`: not run. */
  readonly cells: Readonly<Record<Cell, 'pass' | 'fail' | 'none'>>;
}

interface FileEnd {
  readonly passed: number;
  readonly failed: number;
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
  return { passed, failed, assertions };
}

/** Runs a platform's files, or says why it cannot: null. */
async function runPlatform(emulation: Emulation): Promise<FileEnd | null> {
  const { name, how, extra } = emulation;
  const prepared = spawnSync('sh', ['test/platforms/prepare.sh', name], { encoding: 'utf8' });
  const version = prepared.status === 0 ? await runThere(emulation, ['--version'], `${OUT}/${name}`) : null;
  if (version === null || version.ending !== null) {
    console.log(`SKIPPED ${name}: ${(version?.errors ?? prepared.stderr).trim().split('\n').at(-1)}`);
    return null;
  }
  const node = version.text.trim().replace(/^v/, '');
  console.log(`${name}, Node ${node}, ${how}`);
  const cells: Record<Cell, 'pass' | 'fail' | 'none'> = {
    codec: 'none',
    client: 'none',
    capture: 'none',
    addon: 'none',
  };
  const total = { passed: 0, failed: 0, assertions: 0 };
  for (const cell of Object.keys(CELLS) as Cell[]) {
    let [passed, failed] = [0, 0];
    for (const file of [...CELLS[cell], ...(extra[cell] ?? [])]) {
      const end = await runFile(emulation, file);
      passed += end.passed;
      failed += end.failed;
      total.assertions += end.assertions;
    }
    cells[cell] = failed > 0 ? 'fail' : passed > 0 ? 'pass' : 'none';
    total.passed += passed;
    total.failed += failed;
  }
  write({ platform: name, how, node, cells });
  console.log(`  ${total.assertions} assertions in ${total.passed + total.failed} sentences`);
  return total;
}

function write(result: PlatformResult): void {
  writeFileSync(`${OUT}/${result.platform}.json`, `${JSON.stringify(result)}\n`);
}

mkdirSync(OUT, { recursive: true });
const wanted = process.argv.slice(2);
let [passed, failed, skipped] = [0, 0, 0];
for (const emulation of EMULATIONS) {
  if (wanted.length > 0 && !wanted.includes(emulation.name)) continue;
  const end = await runPlatform(emulation);
  if (end === null) skipped += 1;
  passed += end?.passed ?? 0;
  failed += end?.failed ?? 0;
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
