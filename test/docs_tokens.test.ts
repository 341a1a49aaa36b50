/** docs/tokens.md can be followed: its example mints what the relay takes, its tables are those of the code. */

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import { type TokenRefusal, TokenVerifier } from '../relay/admission/tokens.js';
import { keysAndVerifier, NOW, tokenUnder } from './relay/admission/token_kit.js';

const page = readFileSync('docs/tokens.md', 'utf8');
const MAIN = resolve('dist/cli/main.js');
const TTL_S = 900;

function run(folder: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  return stdout;
}

t.test('the commands and the example on the page mint what the relay takes', async (t) => {
  const folder = t.testdir();
  const commands = [...page.matchAll(/^ {4}npx hotmic (.*)$/gm)].map(([, rest = '']) => rest.split(' '));
  t.equal(commands.length, 2);
  const [makeKey = [], mint = []] = commands;
  const redirect = makeKey.indexOf('>');
  const keys = JSON.parse(run(folder, [MAIN, ...makeKey.slice(0, redirect)])) as unknown;
  const verifier = await TokenVerifier.create({ keys, audience: 'hotmic' });

  const [, code = ''] = /```js\n(\/\/ mint\.mjs\n[\s\S]*?)```/.exec(page) ?? [];
  writeFileSync(join(folder, 'mint.mjs'), code);
  for (const args of [[MAIN, ...mint], ['mint.mjs']]) {
    const before = Math.floor(Date.now() / 1000);
    const token = run(folder, args).trim();
    const verdict = await verifier.verify(token, before);
    t.match(verdict, {
      grant: { lobby: 'den', steamId: '76561197960265729', maySpeak: true, moderator: false },
    });
    const lasts = verdict.kind === 'granted' ? verdict.grant.expiresAt - before : 0;
    t.ok(lasts >= TTL_S && lasts < TTL_S + 60, `good for ${lasts} s`);
  }
});

t.test('the table of reasons has every one, and the table of claims is what a relay takes', async (t) => {
  const reasons: Readonly<Record<TokenRefusal, true>> = {
    malformed: true,
    'key-unknown': true,
    algorithm: true,
    forged: true,
    audience: true,
    'not-yet-valid': true,
    expired: true,
    claims: true,
  };
  const [, table = ''] = /\n\| reason .*\n\|[ -|]*\n([\s\S]*?)\n\n/.exec(page) ?? [];
  t.same(
    [...table.matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name),
    Object.keys(reasons),
  );

  const { keys, verifier } = await keysAndVerifier();
  const judge = async (claims: unknown) => (await verifier.verify(tokenUnder(keys.EdDSA, claims), NOW)).kind;
  const whole = { sub: '76561197960265729', aud: 'hotmic', exp: NOW + 60, nbf: NOW, iat: NOW };
  const hotmic = {
    lobby: 'den',
    speak: true,
    listen: true,
    moderator: false,
    priority: false,
    channels: [],
  };
  t.equal(await judge({ ...whole, hotmic }), 'granted');
  const rows = [...page.matchAll(/^\| `([\w.]+)` +\| [^|]+\| ([^|]*?) *\| /gm)].filter(
    ([, name = '']) => name in whole || name.startsWith('hotmic.'),
  );
  t.equal(rows.length, Object.keys(whole).length + Object.keys(hotmic).length);
  for (const [, name = '', without] of rows) {
    const field = name.replace('hotmic.', '');
    const less = name.startsWith('hotmic.')
      ? { ...whole, hotmic: { ...hotmic, [field]: undefined } }
      : { ...whole, hotmic, [field]: undefined };
    t.equal(await judge(less), without === 'refused' ? 'refused' : 'granted', `without ${name}`);
  }
});
