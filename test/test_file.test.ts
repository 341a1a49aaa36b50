/** What a test file's TAP comes to: no failure is lost between a test and the last line of `make test`. */

import t from 'tap';
import { readTap } from './test_file.js';

const GOOD = `TAP version 14
# Subtest: a frame is heard
    ok 1 - should be equal
    1..1
ok 1 - a frame is heard # time=2ms

1..1
`;

t.test('a sentence counts as one, however many assertions it has', async (t) => {
  const { passed, failed, skipped } = readTap('x', GOOD, null);
  t.strictSame({ passed, failed, skipped }, { passed: 1, failed: 0, skipped: [] });
});

t.test('a failed sentence counts once, and its assertion is shown with what explains it', async (t) => {
  const tap = `    not ok 1 - should be equal\n      ---\n      found: 2\n      ...\n    1..1\nnot ok 1 - adds # time=1ms\n1..1\n`;
  const { passed, failed, failures, complaints } = readTap('x', tap, 'exit code 1');
  t.strictSame({ passed, failed, failures }, { passed: 0, failed: 1, failures: ['adds'] });
  t.match(complaints.join('\n'), /should be equal[\s\S]*found: 2/);
});

t.test('a skipped sentence is neither passed nor failed, and says why', async (t) => {
  const { passed, failed, skipped } = readTap('x', 'ok 1 - in Deno # SKIP no deno here\n1..1\n', null);
  t.strictSame({ passed, failed, skipped }, { passed: 0, failed: 0, skipped: ['in Deno: no deno here'] });
});

t.test('a file that ends before its plan, or badly, has failed, whatever passed before', async (t) => {
  t.equal(readTap('x', 'ok 1 - fine\n', null).failed, 1);
  t.equal(readTap('x', GOOD, 'SIGSEGV').failed, 1);
  t.match(readTap('x', GOOD, 'SIGSEGV').failures, [/SIGSEGV/]);
  t.equal(readTap('x', '', 'exit code 1').failed, 1);
});
