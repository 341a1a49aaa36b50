/** `hotmic token`: a relay with the printed key set accepts its tokens, and keys stay where they were written. */

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { TokenVerifier } from '../../relay/admission/tokens.js';
import { runCli } from '../kit/cli.js';

const STEAM_ID = '76561197960265729';
const now = () => Math.floor(Date.now() / 1000);

t.test('a relay accepts tokens of new-key and token, for each algorithm', async (t) => {
  const folder = t.testdir();
  for (const algorithm of ['EdDSA', 'ES256', 'RS256', 'HS256']) {
    const file = join(folder, algorithm);
    const made = await runCli(t, ['token', 'new-key', file, '--algorithm', algorithm, '--kid', 'spring']);
    t.equal(made.code, 0, made.stderr);
    const set = JSON.parse(made.stdout) as { keys: Record<string, unknown>[] };
    t.match(set, { keys: [{ kid: 'spring', alg: algorithm, use: 'sig' }] });
    t.equal(set.keys[0]!.d, undefined, 'the private key is not printed');
    if (algorithm === 'HS256') t.match(made.stderr, /the key set above is the secret itself/);
    else t.equal(made.stderr, '');
    if (process.platform !== 'win32') t.equal(statSync(file).mode & 0o777, 0o600, 'for its owner alone');

    const before = now();
    const args = ['token', '--key', file, '--lobby', 'den', '--steam-id', STEAM_ID];
    const minted = await runCli(t, args);
    t.match(minted, { code: 0, stderr: '' });
    t.match(minted.stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/, 'the token alone');
    const verifier = await TokenVerifier.create({ keys: set, audience: 'hotmic' });
    const verdict = await verifier.verify(minted.stdout.trim(), now());
    t.match(verdict, {
      grant: {
        lobby: 'den',
        steamId: STEAM_ID,
        maySpeak: true,
        mayListen: true,
        moderator: false,
        priority: false,
        channels: [],
      },
    });
    const lasts = verdict.kind === 'granted' ? verdict.grant.expiresAt - before : 0;
    t.ok(lasts >= 3600 && lasts < 3660, `it is good for ${lasts} s`);
  }
});

t.test('every option is in the token', async (t) => {
  const file = join(t.testdir(), 'key');
  const { stdout: set } = await runCli(t, ['token', 'new-key', file]);
  t.match(JSON.parse(set), { keys: [{ alg: 'EdDSA', kid: /^[0-9a-f]{16}$/ }] });
  const before = now();
  const { stdout } = await runCli(t, [
    ...['token', '-k', file, '-l', 'the den', '--steam-id', STEAM_ID, '--audience', 'eu', '--expires', '15m'],
    ...['--no-speak', '--no-listen', '--moderator', '--priority', '--channel', 'red'],
    ...['--channel', 'squad 1'],
  ]);
  const verifier = await TokenVerifier.create({ keys: JSON.parse(set), audience: 'eu' });
  const verdict = await verifier.verify(stdout.trim(), now());
  t.match(verdict, {
    grant: {
      lobby: 'the den',
      maySpeak: false,
      mayListen: false,
      moderator: true,
      priority: true,
      channels: ['red', 'squad 1'],
    },
  });
  const lasts = verdict.kind === 'granted' ? verdict.grant.expiresAt - before : 0;
  t.ok(lasts >= 900 && lasts < 960, `it is good for ${lasts} s`);
});

t.test('an existing key is not overwritten', async (t) => {
  const folder = t.testdir({ key: 'precious' });
  const { code, stdout, stderr } = await runCli(t, ['token', 'new-key', join(folder, 'key')]);
  t.match({ code, stdout }, { code: 1, stdout: '' });
  t.match(stderr, /key: it already exists \(EEXIST\) \[ERR_HOTMIC_FILE\]\n$/);
  t.equal(readFileSync(join(folder, 'key'), 'utf8'), 'precious');
});

t.test('bad input is one line with its code, and never quotes the key', async (t) => {
  const folder = t.testdir({ text: 'sesame-open', list: '["sesame-open"]', big: ' '.repeat(70_000) });
  const key = join(folder, 'key');
  const { stdout: set } = await runCli(t, ['token', 'new-key', key, '--kid', 'spring']);
  const [publicKey] = (JSON.parse(set) as { keys: unknown[] }).keys;
  writeFileSync(join(folder, 'public'), JSON.stringify(publicKey));
  writeFileSync(
    join(folder, 'short'),
    JSON.stringify({ kid: 'a', alg: 'HS256', kty: 'oct', k: 'sesame-open' }),
  );
  const who = ['-l', 'den', '--steam-id', STEAM_ID];
  const by = (name: string) => ['token', '--key', join(folder, name), ...who];
  const many = Array.from({ length: 33 }, (_, at) => ['--channel', String(at)]).flat();
  const wide = Array.from({ length: 32 }, () => ['--channel', '語'.repeat(64)]).flat();
  const cases: readonly (readonly [args: readonly string[], exit: number, code: string, text: RegExp])[] = [
    [['token'], 2, 'USAGE', /--key <file>' not specified/],
    [['token', '-k', key], 2, 'USAGE', /--lobby <name>' not specified/],
    [['token', '-k', key, '-l', 'den'], 2, 'USAGE', /--steam-id <id>' not specified/],
    [['token', '--lobbby', 'den'], 2, 'USAGE', /--lobbby.*Did you mean --lobby\?/],
    [['token', 'now'], 2, 'USAGE', /too many arguments/],
    [['token', 'new-key'], 2, 'USAGE', /'file'/],
    [
      ['token', 'new-key', join(folder, 'x'), '--algorithm', 'none'],
      2,
      'USAGE',
      /EdDSA, ES256, RS256, HS256/,
    ],
    [['token', 'new-key', join(folder, 'x'), '--kid', ''], 2, 'USAGE', /1 to 128 characters/],
    [['token', 'new-key', join(folder, 'no/x')], 1, 'FILE', /ENOENT/],
    [[...by('key'), '--expires', '31d'], 2, 'USAGE', /at most 30d/],
    [[...by('key'), '--expires', '0s'], 2, 'USAGE', /such as 90s/],
    [[...by('key'), '--expires', '1'], 2, 'USAGE', /such as 90s/],
    [[...by('key'), '--audience', ''], 2, 'USAGE', /1 to 64 characters/],
    [[...by('key'), ...many], 2, 'USAGE', /at most 32 channels/],
    [[...by('key'), ...wide], 2, 'USAGE', /at most 4096: use fewer channels/],
    [by('gone'), 1, 'INPUT', /gone: it does not exist \(ENOENT\)/],
    [by('text'), 1, 'INPUT', /it is not JSON/],
    [by('big'), 1, 'INPUT', /at most 65536 bytes/],
    [by('list'), 1, 'ADMISSION', /is not an object, expected a JSON Web Key/],
    [by('short'), 1, 'ADMISSION', /key "a" is weak: 8 bytes, expected at least 32/],
    [by('public'), 1, 'ADMISSION', /key "spring" is a public key, expected the private one/],
  ];
  t.jobs = 2;
  for (const [args, exit, wanted, text] of cases) {
    t.test(`${wanted} ${text}`, { buffered: true }, async (t) => {
      const { code, stdout, stderr } = await runCli(t, args);
      t.equal(code, exit, stderr);
      t.equal(stdout, '');
      t.match(stderr, /^hotmic: [^\n]+ \[ERR_HOTMIC_[A-Z_]+\]\n$/, 'one line');
      t.ok(stderr.endsWith(`[ERR_HOTMIC_${wanted}]\n`), stderr);
      t.match(stderr, text);
      t.notMatch(stderr, /sesame/);
    });
  }
});

t.test('a token that cannot be one is refused before anything is connected, and never quoted', async (t) => {
  const folder = t.testdir({ text: 'sesame-open' });
  const listen = ['listen', 'ws://127.0.0.1:1', '-l', 'den'];
  const env = { HOTMIC_TOKEN: 'sesame' };
  const inVariable = await runCli(t, listen, { env });
  t.match(
    inVariable.stderr,
    /^hotmic: Cannot use HOTMIC_TOKEN: it is not a signed token.*\[ERR_HOTMIC_INPUT\]\n$/,
  );
  const inFile = await runCli(t, [...listen, '--token-file', join(folder, 'text')]);
  t.match(inFile.stderr, /text: it is not a signed token.*\[ERR_HOTMIC_INPUT\]\n$/);
  const endless = await runCli(t, [...listen, '--token-file', '/dev/zero']);
  t.match(endless.stderr, /too long, expected at most 8192 bytes \[ERR_HOTMIC_FILE\]\n$/);
  for (const { code, stderr } of [inVariable, inFile, endless]) {
    t.equal(code, 1);
    t.notMatch(stderr, /sesame/);
  }
});

t.test('both commands have help', async (t) => {
  t.match((await runCli(t, ['token', '--help'])).stdout, /^Usage: hotmic token .*new-key/s);
  t.match((await runCli(t, ['token', 'new-key', '--help'])).stdout, /^Usage: hotmic token new-key .*<file>/);
});
