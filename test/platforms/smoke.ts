/**
 * Runs the parts of Hotmic on whatever runs this, and prints one line of JSON (`SmokeLine`):
 *
 *     node dist/test/platforms/smoke.js                        all parts, except the client
 *     node dist/test/platforms/smoke.js codec addon            these
 *     node dist/test/platforms/smoke.js client --relay URL     the client, against a relay that runs elsewhere
 *
 * record.ts runs it once per part, so that a crash costs one part, and keeps the result. Exit code 1 if a part failed.
 */

import { writeSync } from 'node:fs';
import { check, NotRun } from './cells.js';
import { CELLS, type Cell, type CellName, cellOf, type SmokeLine, thisPlatform } from './result.js';

/** A watchdog per part, in ms: far above what any needs under emulation. */
const WATCHDOG_MS = 600_000;

const names = process.argv.slice(2);
const flag = names.indexOf('--relay');
const [, relay = null] = flag < 0 ? [] : names.splice(flag, 2);
const cells: Partial<Record<CellName, Cell>> = {};
for (const cell of names.length > 0 ? names.map(cellOf) : CELLS) cells[cell] = await run(cell);

const line: SmokeLine = { platform: thisPlatform(), node: runtime(), cells };
writeSync(1, `${JSON.stringify(line)}\n`);
process.exit(Object.values(cells).some((cell) => cell.startsWith('fail')) ? 1 : 0);

async function run(cell: CellName): Promise<Cell> {
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    watchdog = setTimeout(() => reject(new Error(`no end in ${WATCHDOG_MS / 1000} s`)), WATCHDOG_MS);
  });
  try {
    await Promise.race([check(cell, relay), tooLong]);
    return 'pass';
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    if (!(thrown instanceof NotRun)) console.error(thrown);
    return `${thrown instanceof NotRun ? 'none' : 'fail'}: ${why.replace(/\s+/g, ' ').slice(0, 400)}`;
  } finally {
    clearTimeout(watchdog);
  }
}

function runtime(): string {
  const { bun, deno } = process.versions as { bun?: string; deno?: string };
  return bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : process.versions.node;
}
