/**
 * Runs the smoke on a platform, once per part, and writes out/platforms/NAME.json:
 *
 *     node dist/test/platforms/record.js NAME [--how HOW] [--platform P] [--node VERSION] [--cell 'NAME=VALUE']… -- COMMAND…
 *
 * COMMAND runs dist/test/platforms/smoke.js with the arguments that follow it, such as `wine64 node.exe dist/test/platforms/smoke.js`.
 * A relay for its client runs in this process. --how is `run here` by default. --cell gives a part's value instead of running it.
 * Without a command, --platform is required and all that is not given is `none`. Exit code 1 if a part failed.
 */

import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startRelay } from '../../relay/server.js';
import {
  CELLS,
  type Cell,
  type CellName,
  cellOf,
  type PlatformResult,
  type SmokeLine,
  thisPlatform,
} from './result.js';

/** A watchdog per part, in ms: above the smoke's own. */
const WATCHDOG_MS = 900_000;
const FOLDER = 'out/platforms';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    how: { type: 'string', default: 'run here' },
    platform: { type: 'string' },
    node: { type: 'string' },
    cell: { type: 'string', multiple: true, default: [] },
  },
});
const [name, ...command] = positionals;
if (name === undefined || !/^[\w.-]+$/.test(name))
  throw new Error('Cannot record a platform: expected a name for the file');

const given = new Map(
  values.cell.map((it): [CellName, Cell] => {
    const [, cell = '', value = ''] = /^([^=]+)=(pass|(?:fail|built|none): .+)$/.exec(it) ?? [];
    if (value === '') throw new Error(`Cannot read --cell ${it}: expected NAME=pass, or NAME=built: why`);
    return [cellOf(cell), value as Cell];
  }),
);
const relay = command.length > 0 ? await startRelay({ dev: true }) : null;

const lines: SmokeLine[] = [];
const cells: Partial<Record<CellName, Cell>> = {};
for (const cell of CELLS) cells[cell] = given.get(cell) ?? (await run(cell));
await relay?.close();

const [seen] = lines;
// Bun and Deno do not tell the C library, which is that of this process.
const here = thisPlatform();
const platform = values.platform ?? (seen && here.startsWith(`${seen.platform} `) ? here : seen?.platform);
if (platform === undefined) throw new Error('Cannot record a platform: nothing ran, expected --platform');
const result: PlatformResult = {
  platform,
  how: values.how,
  node: values.node ?? seen?.node ?? '',
  cells,
};
mkdirSync(FOLDER, { recursive: true });
writeFileSync(join(FOLDER, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
console.log(`${join(FOLDER, `${name}.json`)}: ${platform}, ${result.node}`);
for (const cell of CELLS) console.log(`  ${cell}: ${cells[cell]}`);
process.exit(Object.values(cells).some((cell) => cell.startsWith('fail')) ? 1 : 0);

async function run(cell: CellName): Promise<Cell> {
  const [program, ...args] = command;
  if (program === undefined || !relay) return 'none: not built';
  const child = spawn(program, [...args, cell, '--relay', relay.url], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: WATCHDOG_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const ending = await new Promise<string>((resolve) => {
    child.on('error', ({ message }) => resolve(message));
    child.on('close', (code, signal) => resolve(signal ? `ended by ${signal}` : `exit code ${code}`));
  });
  const json = output.split(/\r?\n/).findLast((line) => line.startsWith('{"platform"'));
  if (json === undefined) return `fail: no result: ${ending}`;
  const line = JSON.parse(json) as SmokeLine;
  lines.push(line);
  return line.cells[cell] ?? 'fail: no result';
}
