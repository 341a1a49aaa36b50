/**
 * The table of docs/platforms.md, from the results in test/platforms/results/:
 *
 *     node dist/test/platforms/page.js    writes it
 *
 * `make platforms` runs all that can be run here, then calls this.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FiguresPage, insertFigures } from '../../bench/figures_page.js';
import { CELLS, type Cell, type PlatformResult, type TestCounts } from './result.js';

export const RESULTS = 'test/platforms/results';

export const PLATFORMS_PAGE: FiguresPage = {
  path: 'docs/platforms.md',
  begin: '<!-- platforms: written by test/platforms/page.ts -->',
  end: '<!-- end of platforms -->',
};

/** All results, in the order of the table: by platform, what ran here first, then by version. */
export function readResults(folder: string = RESULTS): PlatformResult[] {
  const results = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as PlatformResult);
  const rank = ({ how }: PlatformResult) => (how.startsWith('run here') ? 0 : how.startsWith('run') ? 1 : 2);
  return results.sort(
    (a, b) =>
      rank(a) - rank(b) ||
      a.platform.localeCompare(b.platform, 'en', { numeric: true }) ||
      versionOf(a).localeCompare(versionOf(b), 'en', { numeric: true }),
  );
}

const versionOf = ({ node }: PlatformResult) => (/^\d/.test(node) ? `Node ${node}` : node);

const WORDS = { pass: 'runs', fail: 'fails', built: 'built', none: '–' } as const;

/** The table, and below it why a part does not run, once per reason. Pure. */
export function renderPlatforms(results: readonly PlatformResult[]): string {
  const reasons: string[] = [];
  const show = (cell: Cell = 'none'): string => {
    const [, word = 'none', reason] = /^(\w+)(?:: (.*))?$/s.exec(cell) ?? [];
    const text = WORDS[word as keyof typeof WORDS];
    if (reason === undefined) return text;
    if (!reasons.includes(reason)) reasons.push(reason);
    return `${text} ${reasons.indexOf(reason) + 1}`;
  };
  const rows = results.map((result) => [
    result.platform,
    versionOf(result),
    result.how,
    ...CELLS.map((cell) => show(result.cells[cell])),
  ]);
  const head = ['platform', 'runtime', 'how', ...CELLS];
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  const notes = reasons.map((reason, at) => `${at + 1}. ${reason}`);
  return [...lines, '', ...notes, ...renderTests(results)].join('\n').trimEnd();
}

/** Where more than the smoke ran, and what came of it. */
function renderTests(results: readonly PlatformResult[]): string[] {
  const rows = results.flatMap(({ platform, tests }) => {
    if (tests === undefined) return [];
    const files = Object.values(tests);
    const sum = (of: keyof TestCounts) => files.reduce((total, file) => total + file[of], 0);
    return [`| ${platform} | ${files.length} | ${sum('passed')} | ${sum('failed')} | ${sum('skipped')} |`];
  });
  if (rows.length === 0) return [];
  const head = ['| platform | test files | passed | failed | skipped |', '| --- | --- | --- | --- | --- |'];
  return ['', 'Tests of these parts that ran there, too, by sentence:', '', ...head, ...rows];
}

if (process.argv[1]?.endsWith('page.js')) {
  const { path } = PLATFORMS_PAGE;
  writeFileSync(
    path,
    insertFigures(PLATFORMS_PAGE, readFileSync(path, 'utf8'), renderPlatforms(readResults())),
  );
}
