/** Bounded reads: to the last byte that is allowed, and never beyond it. */

import { join } from 'node:path';
import t from 'tap';
import { readBoundedFile, readUpTo } from '../../../relay/system/bounded_file.js';

t.test('a file is read up to the bound, and a longer one is an error', async (t) => {
  const folder = t.testdir({ four: 'abcd', five: 'abcde', none: '' });
  t.equal(readBoundedFile(join(folder, 'four'), 4).toString(), 'abcd');
  t.equal(readBoundedFile(join(folder, 'none'), 4).length, 0);
  t.equal(readUpTo(join(folder, 'five'), 4), null);
  t.throws(() => readBoundedFile(join(folder, 'five'), 4), {
    code: 'ERR_HOTMIC_FILE',
    message: /five: it is too long, expected at most 4 bytes$/,
  });
});

t.test('a device without end is cut at the bound', { skip: process.platform === 'win32' }, async (t) => {
  t.equal(readUpTo('/dev/zero', 4096), null);
});

t.test('a missing file is named with the reason', async (t) => {
  const path = join(t.testdir(), 'missing');
  t.throws(() => readBoundedFile(path, 4), { code: 'ERR_HOTMIC_FILE', message: /^Cannot read .*missing: / });
  t.throws(() => readUpTo(path, 4), { code: 'ENOENT' });
});
