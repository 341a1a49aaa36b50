/**
 * Coverage of the pure parts by their own tests, with a floor for each: `make test` prints the table and fails below a floor.
 *
 * V8 counts while the tests run (NODE_V8_COVERAGE); c8 maps the counts back to the TypeScript. A floor is what the part had
 * when it was set, less what a small change may cost. Raise it when the figure has risen; do not lower it to get a change in.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';

/** The tests that count, by path below dist/test. */
export const COVERED_TESTS = /^(voice|client|tickets|relay)\//;

/** The relay's pure core. The rest of relay/ is I/O, which test/scenario and test/hostile exercise in other processes. */
const RELAY_CORE = /^relay\/core\//;

interface Part {
  readonly name: string;
  readonly files: RegExp;
  /** Percent of lines and of branches, at least. */
  readonly floor: { readonly lines: number; readonly branches: number };
}

const PARTS: readonly Part[] = [
  { name: 'voice', files: /^voice\//, floor: { lines: 99.3, branches: 98 } },
  { name: 'relay core', files: RELAY_CORE, floor: { lines: 98.5, branches: 96 } },
  { name: 'client', files: /^client\//, floor: { lines: 98.5, branches: 95.5 } },
  { name: 'tickets', files: /^tickets\//, floor: { lines: 99.5, branches: 97 } },
];

/** What c8 says of one file. */
interface FileCounts {
  readonly lines: Count;
  readonly branches: Count;
}

interface Count {
  readonly total: number;
  readonly covered: number;
}

/** A folder for the counts of one run, and what becomes of them. */
export class Coverage {
  readonly #folder: string;

  /** @param under The folder that holds what a run leaves. */
  constructor(under: string) {
    this.#folder = mkdtempSync(join(under, 'coverage-'));
  }

  /** What the tests' environment needs. */
  get env(): { readonly NODE_V8_COVERAGE: string } {
    return { NODE_V8_COVERAGE: join(this.#folder, 'raw') };
  }

  /** Prints a line for each part, and deletes the counts. Returns one sentence for each floor that is not reached. */
  async report(): Promise<readonly string[]> {
    try {
      const counts = await this.#read();
      const short: string[] = [];
      console.log('Coverage     lines  floor  branches  floor');
      for (const { name, files, floor } of PARTS) {
        const own = [...counts].filter(([path]) => files.test(path)).map(([, count]) => count);
        const lines = percent(own.map((count) => count.lines));
        const branches = percent(own.map((count) => count.branches));
        console.log(
          `${name.padEnd(10)}  ${text(lines)}  ${text(floor.lines)}    ${text(branches)}  ${text(floor.branches)}`,
        );
        if (lines < floor.lines)
          short.push(`${name}: ${lines.toFixed(2)} % of lines, expected ${floor.lines}`);
        if (branches < floor.branches)
          short.push(`${name}: ${branches.toFixed(2)} % of branches, expected ${floor.branches}`);
      }
      return short;
    } finally {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  /** By source file, relative to the checkout. */
  async #read(): Promise<ReadonlyMap<string, FileCounts>> {
    const c8 = spawn(
      'node_modules/.bin/c8',
      [
        'report',
        ...['--temp-directory', this.env.NODE_V8_COVERAGE, '--reports-dir', this.#folder],
        ...['--reporter', 'json-summary', '--exclude-after-remap'],
        ...['voice', 'client', 'tickets', 'relay'].flatMap((part) => ['--include', `${part}/**`]),
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const code = await new Promise((resolve) => c8.on('close', resolve));
    if (code !== 0) throw new Error(`c8 ended with ${code}`);
    const summary = JSON.parse(readFileSync(join(this.#folder, 'coverage-summary.json'), 'utf8')) as Record<
      string,
      FileCounts
    >;
    return new Map(Object.entries(summary).map(([path, counts]) => [relative(process.cwd(), path), counts]));
  }
}

/** 0 without any: a part whose files are not found has no coverage. */
function percent(counts: readonly Count[]): number {
  const total = counts.reduce((sum, count) => sum + count.total, 0);
  const covered = counts.reduce((sum, count) => sum + count.covered, 0);
  return total === 0 ? 0 : (100 * covered) / total;
}

function text(value: number): string {
  return value.toFixed(1).padStart(5);
}
