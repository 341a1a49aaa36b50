/** The table of docs/platforms.md is that of the committed results. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { insertFigures } from '../../bench/figures_page.js';
import { PLATFORMS_PAGE, readResults, renderPlatforms } from './page.js';
import type { PlatformResult } from './result.js';

t.test('the table in docs/platforms.md is rendered from the committed results', async (t) => {
  const page = readFileSync(PLATFORMS_PAGE.path, 'utf8');
  t.equal(insertFigures(PLATFORMS_PAGE, page, renderPlatforms(readResults())), page);
});

t.test('the results have every supported Node, Bun and Deno', async (t) => {
  const versions = readResults()
    .filter(({ how }) => how === 'run here')
    .map(({ node }) => node.replace(/^(\w+ )?(\d+).*$/, '$1$2'));
  for (const version of ['20', '22', '24', '26']) t.ok(versions.includes(version), `Node ${version}`);
  t.ok(
    versions.some((version) => version.startsWith('Bun ')) && versions.some((it) => it.startsWith('Deno ')),
  );
});

t.test('a reason is a numbered note, once, and a part that was not tried is a dash', async (t) => {
  const row: PlatformResult = {
    platform: 'linux-x64 glibc 2.36',
    how: 'run here',
    node: '24.22.3',
    cells: {
      codec: 'pass',
      addon: 'fail',
      'relay on uws': 'none: no binary',
      'relay on ws': 'built: by its symbols',
    },
  };
  t.equal(
    renderPlatforms([row, { ...row, node: 'Bun 1.4.5' }]),
    [
      '| platform | runtime | how | codec | client | capture | addon | relay on uws | relay on ws |',
      '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
      '| linux-x64 glibc 2.36 | Node 24.22.3 | run here | runs | – | – | fails | – 1 | built 2 |',
      '| linux-x64 glibc 2.36 | Bun 1.4.5 | run here | runs | – | – | fails | – 1 | built 2 |',
      '',
      '1. no binary',
      '2. by its symbols',
    ].join('\n'),
  );
});

t.test('where tests ran besides the smoke, their sentences are counted in a second table', async (t) => {
  const row: PlatformResult = { platform: 'linux-x64 musl', how: 'run here', node: '22.1.0', cells: {} };
  const tests = {
    'a.test.js': { passed: 30, failed: 0, skipped: 2 },
    'b.test.js': { passed: 10, failed: 1, skipped: 0 },
  };
  t.match(
    renderPlatforms([row, { ...row, platform: 'win32-x64', tests }]),
    /^\| win32-x64 \| 2 \| 40 \| 1 \| 2 \|$/m,
  );
  t.notMatch(renderPlatforms([row]), /test files/);
});
