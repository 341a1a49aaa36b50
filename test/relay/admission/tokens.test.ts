/** Tokens of a game's backend: what is granted, and that everything else is refused with its reason and never with an error. */

import { createPublicKey, type JsonWebKey } from 'node:crypto';
import t from 'tap';
import { mintToken, newKey, type TokenAlgorithm } from '../../../relay/admission/mint_token.js';
import { type TokenRefusal, TokenVerifier } from '../../../relay/admission/tokens.js';
import {
  base64url,
  claimsWith,
  hmac,
  type Json,
  keysAndVerifier,
  NOW,
  STEAM_ID,
  signed,
  tokenUnder,
} from './token_kit.js';

const { keys, verifier } = await keysAndVerifier();
const ALGORITHMS = Object.keys(keys) as TokenAlgorithm[];
const key = keys.EdDSA;

async function reasonOf(token: string, now = NOW): Promise<TokenRefusal | 'granted'> {
  const verdict = await verifier.verify(token, now);
  return verdict.kind === 'granted' ? 'granted' : verdict.reason;
}

t.test('a token grants what it says, under each algorithm, by jose and by node:crypto', async (t) => {
  const grant = {
    lobby: 'den',
    steamId: STEAM_ID,
    maySpeak: false,
    mayListen: true,
    moderator: true,
    priority: true,
    channels: ['red', 'squad 1'],
    expiresAt: NOW + 600,
  };
  for (const algorithm of ALGORITHMS) {
    const token = { key: keys[algorithm].privateKey, audience: 'hotmic', now: NOW, ...grant };
    t.same(await verifier.verify(await mintToken(token), NOW), { kind: 'granted', grant }, algorithm);
    const hotmic = {
      lobby: 'den',
      speak: false,
      moderator: true,
      priority: true,
      channels: ['red', 'squad 1'],
    };
    const other = tokenUnder(keys[algorithm], claimsWith({ hotmic }));
    t.same(await verifier.verify(other, NOW), { kind: 'granted', grant }, algorithm);
  }
});

t.test('the defaults of a token are speak, listen, not moderator, no priority, no channels', async (t) => {
  t.match(await verifier.verify(tokenUnder(key), NOW), {
    grant: { maySpeak: true, mayListen: true, moderator: false, priority: false, channels: [] },
  });
});

t.test('foreign claims, and an audience among others, are accepted', async (t) => {
  const payload = claimsWith({ iss: 'game', jti: '1', iat: NOW, nbf: NOW, aud: ['web', 'hotmic'] });
  t.equal(await reasonOf(tokenUnder(key, payload)), 'granted');
});

t.test('text that is not a token is malformed', async (t) => {
  const [header = '', payload = '', signature = ''] = tokenUnder(key).split('.');
  const { alg, kid } = key.privateKey;
  const cases: Record<string, string> = {
    nothing: '',
    'two parts': `${header}.${payload}`,
    'four parts': `${header}.${payload}.${signature}.`,
    'five parts, as encrypted ones have': `${header}.${payload}.${signature}.${payload}.${signature}`,
    'no header': `.${payload}.${signature}`,
    'no payload': `${header}..${signature}`,
    'a space': `${header}.${payload}.${signature} `,
    padding: `${header}.${payload}.${signature}==`,
    'a header that is no JSON': signed('{', claimsWith(), key),
    'a header that is an array': signed('[]', claimsWith(), key),
    'a header that is null': signed('null', claimsWith(), key),
    'a header of brackets': signed('['.repeat(1400), claimsWith(), key),
    crit: signed({ alg, kid, crit: ['exp'], exp: NOW + 600 }, claimsWith(), key),
    'crit of nothing': signed({ alg, kid, crit: [] }, claimsWith(), key),
    'crit of b64': signed({ alg, kid, crit: ['b64'], b64: false }, claimsWith(), key),
    'crit that is null': signed({ alg, kid, crit: null }, claimsWith(), key),
  };
  for (const [name, token] of Object.entries(cases)) t.equal(await reasonOf(token), 'malformed', name);
  for (const none of [undefined, null, 5, {}, [tokenUnder(key)]])
    t.equal(await reasonOf(none as unknown as string), 'malformed', String(none));
});

t.test('4096 characters are a token, 4097 are not, however long it gets', async (t) => {
  /** Base64url has no part of 4n + 1 characters: what is missing goes into the header. */
  const padded = (length: number) => {
    for (let pad = 0; ; pad += 1) {
      const header = { pad: 'x'.repeat(pad % 4) };
      const token = tokenUnder(key, claimsWith({ pad: 'x'.repeat(2750 + (pad >> 2)) }), header);
      if (token.length === length) return token;
      if (token.length > length + 8) throw new Error(`no token of ${length} characters`);
    }
  };
  const longest = padded(4096);
  t.equal(longest.length, 4096);
  t.equal(await reasonOf(longest), 'granted');
  const longer = padded(4097);
  t.equal(longer.length, 4097);
  t.equal(await reasonOf(longer), 'malformed');
  t.equal(await reasonOf('a'.repeat(10_000_000)), 'malformed');
  t.equal(await reasonOf('.'.repeat(4096)), 'malformed');
});

t.test('a token without kid, or with an unknown one, names no key', async (t) => {
  for (const kid of [
    undefined,
    '',
    'other',
    null,
    5,
    ['EdDSA'],
    {},
    'constructor',
    '__proto__',
    'eddsa',
    'EdDSA ',
  ])
    t.equal(await reasonOf(tokenUnder(key, claimsWith(), { kid })), 'key-unknown', JSON.stringify(kid));
});

t.test('each key accepts only its own algorithm', async (t) => {
  for (const mine of ALGORITHMS) {
    for (const alg of [
      ...ALGORITHMS,
      'none',
      'None',
      'NONE',
      'HS512',
      'PS256',
      'Ed25519',
      '',
      undefined,
      null,
      5,
    ]) {
      const reason = await reasonOf(tokenUnder(keys[mine], claimsWith(), { alg }));
      t.equal(reason, alg === mine ? 'granted' : 'algorithm', `${mine} by ${alg}`);
    }
  }
});

t.test('alg none is refused, with a signature and without', async (t) => {
  const input = `${base64url({ alg: 'none', kid: 'EdDSA' })}.${base64url(claimsWith())}`;
  t.equal(await reasonOf(`${input}.`), 'algorithm');
  t.equal(await reasonOf(`${input}.AAAA`), 'algorithm');
  const bare = `${base64url({ alg: 'none' })}.${base64url(claimsWith())}.`;
  t.equal(await reasonOf(bare), 'key-unknown');
});

t.test('a public key is never used as a secret for HS256', async (t) => {
  const jwk = keys.RS256.keySet.keys[0] as unknown as JsonWebKey;
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const secrets = [
    pem,
    pem.trim(),
    publicKey.export({ type: 'spki', format: 'der' }),
    JSON.stringify(jwk),
    jwk.n!,
    '',
  ];
  for (const secret of secrets) {
    for (const [kid, reason] of [
      ['RS256', 'algorithm'],
      ['HS256', 'forged'],
      ['EdDSA', 'algorithm'],
    ] as const) {
      const input = `${base64url({ alg: 'HS256', kid })}.${base64url(claimsWith())}`;
      t.equal(await reasonOf(`${input}.${hmac(input, secret)}`), reason);
    }
  }
});

t.test('the kid of one key does not help a signature by another', async (t) => {
  for (const algorithm of ALGORITHMS) {
    const stranger = await newKey(algorithm, algorithm);
    t.equal(await reasonOf(tokenUnder(stranger)), 'forged', algorithm);
    for (const other of ALGORITHMS.filter((name) => name !== algorithm)) {
      const header = { alg: algorithm, kid: algorithm };
      t.equal(
        await reasonOf(signed(header, claimsWith(), keys[other])),
        'forged',
        `${other} as ${algorithm}`,
      );
    }
  }
});

t.test('keys and addresses in a header are never followed', async (t) => {
  const stranger = await newKey('EdDSA', 'EdDSA');
  const jwk = stranger.keySet.keys[0];
  const bait: Json = {
    jwk,
    jku: 'http://127.0.0.1:1/keys.json',
    x5u: 'http://127.0.0.1:1/chain.pem',
    x5c: ['AAAA'],
    x5t: 'AAAA',
  };
  t.equal(await reasonOf(tokenUnder(stranger, claimsWith(), bait)), 'forged');
  t.equal(await reasonOf(tokenUnder(stranger, claimsWith(), { ...bait, kid: undefined })), 'key-unknown');
  t.equal(await reasonOf(tokenUnder(key, claimsWith(), bait)), 'granted', 'our own key decides');
});

t.test('signatures of the wrong length, of zeros and of DER are forged', async (t) => {
  for (const algorithm of ALGORITHMS) {
    const input = tokenUnder(keys[algorithm]).split('.').slice(0, 2).join('.');
    for (const length of [1, 31, 32, 63, 64, 65, 255, 256, 257, 1000]) {
      const zeros = Buffer.alloc(length).toString('base64url');
      t.equal(await reasonOf(`${input}.${zeros}`), 'forged', `${algorithm} with ${length} zeros`);
    }
    t.equal(await reasonOf(`${input}.`), 'forged', 'with none');
  }
});

t.test('a token is valid until its last second and the tolerance are over', async (t) => {
  const token = tokenUnder(key);
  const exp = NOW + 600;
  t.equal(await reasonOf(token, exp - 1), 'granted');
  t.equal(await reasonOf(token, exp), 'granted', 'within the tolerance of 5 s');
  t.equal(await reasonOf(token, exp + 4), 'granted');
  t.equal(await reasonOf(token, exp + 5), 'expired');
  t.equal(await reasonOf(token, exp + 1e9), 'expired');
  const strict = await TokenVerifier.create({ keys: key.keySet, audience: 'hotmic', clockToleranceS: 0 });
  t.match(await strict.verify(token, exp - 1), { kind: 'granted' });
  t.match(await strict.verify(token, exp), { kind: 'refused', reason: 'expired' });
  t.match(await strict.verify(token, exp + 1), { kind: 'refused', reason: 'expired' });
});

t.test('a token is not valid before its nbf, except within the tolerance', async (t) => {
  const token = tokenUnder(key, claimsWith({ nbf: NOW + 100 }));
  t.equal(await reasonOf(token, NOW + 94), 'not-yet-valid');
  t.equal(await reasonOf(token, NOW + 95), 'granted');
  t.equal(await reasonOf(token, NOW + 100), 'granted');
});

t.test('a token for another audience, or for none, is refused', async (t) => {
  for (const aud of ['other', 'Hotmic', '', ['web'], [], undefined, null, 5, { hotmic: true }, [['hotmic']]])
    t.equal(await reasonOf(tokenUnder(key, claimsWith({ aud }))), 'audience', JSON.stringify(aud));
});

t.test('claims that are missing, of another type or out of range grant nothing', async (t) => {
  const hotmic = (changed: Json) => ({ hotmic: { lobby: 'den', ...changed } });
  const cases: readonly Json[] = [
    { sub: undefined },
    { sub: '' },
    { sub: 'ada' },
    { sub: `0x${76561197960265729n.toString(16)}` },
    { sub: `0${STEAM_ID}` },
    { sub: '18446744073709551616' },
    { sub: Number(STEAM_ID) },
    { exp: undefined },
    { exp: null },
    { exp: String(NOW + 600) },
    { exp: NOW + 600.5 },
    { exp: NOW + 30 * 86_400 + 1 },
    { exp: 1e300 },
    { nbf: 'now' },
    { nbf: null },
    { nbf: -1 },
    { iat: 'now' },
    { iat: -1 },
    { hotmic: undefined },
    { hotmic: null },
    { hotmic: 'den' },
    { hotmic: [] },
    { hotmic: {} },
    hotmic({ lobby: '' }),
    hotmic({ lobby: 'x'.repeat(65) }),
    hotmic({ lobby: 'den\n' }),
    hotmic({ lobby: ['den'] }),
    hotmic({ speek: false }),
    hotmic({ Speak: false }),
    hotmic({ speak: 'false' }),
    hotmic({ speak: 0 }),
    hotmic({ speak: null }),
    hotmic({ listen: 1 }),
    hotmic({ moderator: 'yes' }),
    hotmic({ priority: 1 }),
    hotmic({ channels: 'red' }),
    hotmic({ channels: [''] }),
    hotmic({ channels: [5] }),
    hotmic({ channels: { length: 1 } }),
    hotmic({ channels: new Array(33).fill('red') }),
  ];
  for (const changed of cases) {
    const verdict = await verifier.verify(tokenUnder(key, claimsWith(changed)), NOW);
    t.match(verdict, { kind: 'refused', reason: 'claims' }, JSON.stringify(changed));
  }
  t.equal(await reasonOf(tokenUnder(key, claimsWith({ exp: NOW + 30 * 86_400 }))), 'granted', '30 days');
  const most = hotmic({ lobby: '語'.repeat(64), channels: new Array(32).fill('red') });
  t.equal(await reasonOf(tokenUnder(key, claimsWith(most))), 'granted', '32 channels');
});

t.test('a payload that is not an object, or hides its fields, grants nothing', async (t) => {
  const under = (text: string) => signed({ alg: 'EdDSA', kid: 'EdDSA' }, text, key);
  const head = `"sub":"${STEAM_ID}","aud":"hotmic","exp":${NOW + 600}`;
  for (const text of [
    'null',
    '[]',
    '5',
    '"x"',
    '{',
    `[{${head}}]`,
    '['.repeat(2500),
    '{"a":'.repeat(500),
    `{${head},"hotmic":{"lobby":"den","__proto__":{"moderator":true}}}`,
    `{${head},"__proto__":{"hotmic":{"lobby":"den"}}}`,
    `{${head.replace(String(NOW + 600), '1e999')},"hotmic":{"lobby":"den"}}`,
  ])
    t.equal(await reasonOf(under(text)), 'claims', text.slice(0, 30));
  const twice = `{${head},"hotmic":{"lobby":"den","moderator":true,"moderator":false}}`;
  t.match(
    await verifier.verify(under(twice), NOW),
    { grant: { moderator: false } },
    'the last of two counts',
  );
});

t.test('no verdict contains any of the token', async (t) => {
  const secret = 'sesame-open';
  const tokens = [
    secret,
    `${secret}.${secret}.${secret}`,
    tokenUnder(key, claimsWith(), { kid: secret }),
    tokenUnder(key, claimsWith(), { alg: secret }),
    tokenUnder(key, claimsWith({ aud: secret })),
    tokenUnder(key, claimsWith({ sub: secret })),
    tokenUnder(key, claimsWith({ exp: secret })),
    tokenUnder(key, claimsWith({ hotmic: secret })),
    tokenUnder(key, claimsWith({ hotmic: { lobby: 'den', [secret]: 1 } })),
    tokenUnder(key, claimsWith({ hotmic: { lobby: 'den', channels: [`${secret}\n`] } })),
    `${tokenUnder(key).slice(0, -11)}${secret}`,
  ];
  for (const token of tokens) {
    const verdict = await verifier.verify(token, NOW);
    t.match(verdict, { kind: 'refused', wanted: /./ });
    t.notMatch(JSON.stringify(verdict), /sesame/);
  }
});

t.test('an invalid time is misuse, or nothing would ever expire', async (t) => {
  for (const now of [Number.NaN, Number.POSITIVE_INFINITY, 1e300, undefined as unknown as number])
    await t.rejects(verifier.verify(tokenUnder(key), now), RangeError);
});

t.test('an audience or a tolerance out of range is misuse', async (t) => {
  for (const audience of ['', 'x'.repeat(65), undefined as unknown as string])
    await t.rejects(TokenVerifier.create({ keys: key.keySet, audience }), RangeError);
  for (const clockToleranceS of [-1, 301, Number.NaN])
    await t.rejects(
      TokenVerifier.create({ keys: key.keySet, audience: 'hotmic', clockToleranceS }),
      RangeError,
    );
});
