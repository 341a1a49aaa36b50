/** Signatures of webhooks: the specification's own vector, another implementation's view, and what must not pass. */

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { verifyWebhook, WebhookSecrets } from '../../../relay/webhooks/signature.js';
import { OTHER_SECRET, SECRET, secretOf } from './kit.js';

const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const AT = 1_614_265_330;
const BODY = '{"test": 2432232314}';
/** Of the reference implementations' tests. */
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
const HEADERS = { 'webhook-id': ID, 'webhook-timestamp': String(AT), 'webhook-signature': SIGNATURE };

const invalid = (fault: string) => ({ kind: 'invalid', fault });

t.test('the signature is that of Standard Webhooks', async (t) => {
  t.same(WebhookSecrets.read(secretOf(SECRET)).headers(ID, AT, BODY), HEADERS);
  t.same(verifyWebhook(HEADERS, BODY, SECRET, AT), { kind: 'valid', id: ID });
  t.same(verifyWebhook(new Headers(HEADERS), new TextEncoder().encode(BODY), SECRET, AT), {
    kind: 'valid',
    id: ID,
  });
});

t.test('while a secret is replaced, each receiver finds its own signature', async (t) => {
  const headers = WebhookSecrets.read(secretOf(`# new\n${OTHER_SECRET}\r\n# old\n${SECRET}\n`)).headers(
    ID,
    AT,
    'höhle ☃',
  );
  for (const secret of [SECRET, OTHER_SECRET]) {
    t.same(verifyWebhook(headers, 'höhle ☃', secret, AT), { kind: 'valid', id: ID });
  }
});

t.test('a changed, foreign or old webhook is invalid', async (t) => {
  const verdictOf = (changed: Record<string, unknown>, body = BODY, secret = SECRET, now = AT) =>
    verifyWebhook({ ...HEADERS, ...changed } as never, body, secret, now);
  t.same(verdictOf({}, `${BODY} `), invalid('signature'));
  t.same(verdictOf({ 'webhook-id': `${ID}x` }), invalid('signature'));
  t.same(verdictOf({ 'webhook-timestamp': String(AT + 1) }), invalid('signature'));
  t.same(verdictOf({}, BODY, OTHER_SECRET), invalid('signature'));
  t.same(verdictOf({}, BODY, SECRET, AT + 301), invalid('time'));
  t.same(verdictOf({}, BODY, SECRET, AT - 301), invalid('time'));
  t.same(verdictOf({}, BODY, SECRET, AT + 300), { kind: 'valid', id: ID });
  for (const name of Object.keys(HEADERS)) {
    for (const value of [undefined, '', ['a', 'b']]) t.same(verdictOf({ [name]: value }), invalid('header'));
  }
  for (const time of ['now', '-1', '1e9', ' 1614265330', '0x60', '99999999999999999999']) {
    t.same(verdictOf({ 'webhook-timestamp': time }), invalid('header'), time);
  }
  for (const signature of [
    'v1',
    'v1,',
    SIGNATURE.slice(0, -1),
    SIGNATURE.slice(0, 8),
    SIGNATURE.replace('v1', 'v2'),
    SIGNATURE.replace('v1', 'v1a'),
    SIGNATURE.toLowerCase(),
    `${SIGNATURE},${SIGNATURE}`,
    'v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  ]) {
    t.same(verdictOf({ 'webhook-signature': signature }), invalid('signature'), signature);
  }
  t.same(verdictOf({ 'webhook-signature': `v1a,x v1,AAAA ${SIGNATURE}` }), { kind: 'valid', id: ID });
  t.same(verdictOf({ 'webhook-signature': `${'x '.repeat(3000)}${SIGNATURE}` }), invalid('header'));
});

t.test('the boundary between id, time and body cannot be moved: an id has no dot', async (t) => {
  const later = AT + 1;
  const headers = WebhookSecrets.read(secretOf(SECRET)).headers(ID, AT, `${later}.{}`);
  t.same(verifyWebhook(headers, `${later}.{}`, SECRET, AT), { kind: 'valid', id: ID });
  const moved = { ...headers, 'webhook-id': `${ID}.${AT}`, 'webhook-timestamp': String(later) };
  t.same(verifyWebhook(moved, '{}', SECRET, AT), invalid('header'));
});

t.test('a malformed secret is an error that does not quote it', async (t) => {
  const cases: readonly (readonly [text: string, why: RegExp])[] = [
    ['', /0 secrets, expected 1 to 4/],
    ['hunter2hunter2hunter2hunter2hunter2', /line 1: the secret is malformed, expected whsec_ and base64/],
    [`${SECRET}\nwhsec_aHVudGVyMg==`, /line 2: the secret has 7 bytes, expected 24 to 64/],
    [`whsec_${Buffer.alloc(65, 'hunter2').toString('base64')}`, /has 65 bytes/],
    [`whsec_${Buffer.alloc(32, 'hunter').toString('base64')}`, /weak/],
    [`${SECRET}\n`.repeat(5), /5 secrets/],
  ];
  for (const [text, message] of cases) {
    t.throws(() => WebhookSecrets.read(secretOf(text)), { code: 'ERR_HOTMIC_FILE', message });
    try {
      WebhookSecrets.read(secretOf(text));
    } catch (thrown) {
      t.notMatch(String(thrown), /hunter|aHVu/);
    }
  }
  t.throws(() => verifyWebhook(HEADERS, BODY, 'hunter2', AT), {
    code: 'ERR_HOTMIC_USAGE',
    message: /^((?!hunter).)*$/,
  });
});

const python = spawnSync('python3', ['--version']);
t.test(
  'the check that docs/admin.md gives in Python agrees',
  {
    skip: python.error !== undefined && 'python3 is not installed',
  },
  async (t) => {
    const [, code = ''] = /```python\n([\s\S]*?)```/.exec(readFileSync('docs/admin.md', 'utf8')) ?? [];
    t.match(code, /hmac/);
    const folder = t.testdir({ 'check.py': code });
    const ask = (headers: Record<string, string>, body: string, now: number) => {
      writeFileSync(join(folder, 'case.json'), JSON.stringify({ headers, body, now, secret: SECRET }));
      const call =
        'import json, check; c = json.load(open("case.json", encoding="utf-8")); ' +
        'print(check.is_valid(c["headers"], c["body"].encode(), c["secret"], c["now"]))';
      const { stdout, stderr } = spawnSync('python3', ['-c', call], { cwd: folder, encoding: 'utf8' });
      return stdout.trim() || stderr;
    };
    const ours = WebhookSecrets.read(secretOf(`${OTHER_SECRET}\n${SECRET}`)).headers(ID, AT, '{"name":"☃"}');
    t.equal(ask(HEADERS, BODY, AT), 'True');
    t.equal(ask(ours, '{"name":"☃"}', AT + 299), 'True');
    t.equal(ask(ours, '{"name":"☂"}', AT), 'False');
    t.equal(ask(ours, '{"name":"☃"}', AT + 301), 'False');
    t.equal(ask({ ...HEADERS, 'webhook-signature': 'v1,AAAA' }, BODY, AT), 'False');
    t.equal(ask({}, BODY, AT), 'False');
  },
);
