/** Every export has a summary, and every type that an export names is exported: `make api-docs` runs without warnings. */

import { spawnSync } from 'node:child_process';
import t from 'tap';

t.setTimeout(3_600_000);

t.test('typedoc finds nothing to warn of', async (t) => {
  const args = ['node_modules/typedoc/bin/typedoc', '--tsconfig', 'tsconfig.json', '--emit', 'none'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  t.equal(status, 0, `${stdout}${stderr}`);
});
