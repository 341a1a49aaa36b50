/** Folders and those above them, and what ends in an error instead of never. */

import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeFolder } from '../../record/make_folder.js';

t.test('a folder is made with those above it, and an existing one is left unchanged', async (t) => {
  const folder = join(t.testdir(), 'a/b/c');
  await makeFolder(folder);
  await makeFolder(folder);
  await makeFolder(`${folder}/`);
  t.ok(statSync(folder).isDirectory());
});

t.test('a file in the way is an error', async (t) => {
  const file = join(t.testdir(), 'file');
  writeFileSync(file, '');
  await t.rejects(makeFolder(file), { code: 'EEXIST' });
  await t.rejects(makeFolder(join(file, 'inside')), { code: 'ENOTDIR' });
});

t.test(
  'it ends even if the system says that there is no such folder although its parent exists',
  {
    skip: !existsSync('/proc/self') && 'there is no /proc',
  },
  async (t) => {
    await t.rejects(makeFolder('/proc/none'), { code: 'ENOENT' });
    await t.rejects(makeFolder('/proc/none/deeper/still'), { code: 'ENOENT' });
  },
);
