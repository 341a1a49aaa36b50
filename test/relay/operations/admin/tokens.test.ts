/** The admin API's tokens: what is taken for one, what is refused, and that no error shows one. */

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { secretInFile } from '../../../../relay/admission/secret_text.js';
import { AdminTokens } from '../../../../relay/operations/admin/tokens.js';
import { OTHER_TOKEN, TOKEN } from './kit.js';

const read = (text: string) => AdminTokens.read({ from: 'admin.token', read: () => text });

t.test('each token of the text is accepted, comments and empty lines are ignored', async (t) => {
  const tokens = read(`# of the backend\r\n${TOKEN}\r\n\r\n  ${OTHER_TOKEN}  \n# ${TOKEN}x\n`);
  t.ok(tokens.admits(`Bearer ${TOKEN}`));
  t.ok(tokens.admits(`bearer   ${OTHER_TOKEN} `), 'the scheme is of any case');
  const wrong = [
    undefined,
    '',
    TOKEN,
    'Bearer',
    'Bearer ',
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Bearer ${TOKEN} ${OTHER_TOKEN}`,
    `Bearer ${TOKEN},Bearer ${OTHER_TOKEN}`,
    'Bearer #',
    'Bearer # of the backend',
    `Bearer # ${TOKEN}x`,
    `Bearer ${'x'.repeat(100_000)}`,
  ];
  for (const header of wrong) t.notOk(tokens.admits(header), `${header?.slice(0, 80)}`);
});

t.test('a text without proper tokens is an error that names the line and quotes nothing', async (t) => {
  const secret = 'hunter2hunter2';
  const cases: readonly (readonly [text: string, why: RegExp])[] = [
    ['', /0 tokens, expected 1 to 16/],
    ['# only a comment\n', /0 tokens/],
    [`${TOKEN}\n${secret}\n`, /line 2: a token of 14 characters, expected 32 to 512/],
    [`${secret.repeat(40)}\n`, /line 1: a token of 560 characters/],
    [`${TOKEN}\n\n${secret} ${TOKEN}\n`, /line 3: a token with characters other than/],
    [`${'ab'.repeat(20)}${secret.slice(0, 2)}`, /line 1: a token of too few distinct characters/],
    [Array.from({ length: 17 }, () => randomBytes(32).toString('base64url')).join('\n'), /17 tokens/],
  ];
  for (const [text, message] of cases) {
    t.throws(() => read(text), { code: 'ERR_HOTMIC_FILE', message });
    t.throws(() => read(text), { message: /admin\.token/ });
    try {
      read(text);
    } catch (thrown) {
      t.notMatch(String(thrown), /hunter2/);
    }
  }
});

t.test('a secret in a file is read each time, and an unreadable file is an error', async (t) => {
  const path = join(t.testdir(), 'token');
  const secret = secretInFile(path);
  t.throws(() => secret.read(), { code: 'ERR_HOTMIC_FILE', message: /it does not exist \(ENOENT\)/ });
  writeFileSync(path, 'one');
  t.equal(secret.read(), 'one');
  writeFileSync(path, 'two');
  t.equal(secret.read(), 'two');
  writeFileSync(path, 'x'.repeat(65_537));
  t.throws(() => secret.read(), { code: 'ERR_HOTMIC_FILE', message: /too long, expected at most 65536/ });
  t.throws(() => secretInFile('/dev/zero').read(), { message: /too long/ });
  t.throws(() => secretInFile(t.testdirName).read(), { message: /it is a folder/ });
});
