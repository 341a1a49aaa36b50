/** Keys of tokens: what a relay takes, how one follows another, and that nothing is minted that it would refuse. */

import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { mintToken, type NewKey, newKey, type TokenAlgorithm } from '../../../relay/admission/mint_token.js';
import { TokenVerifier } from '../../../relay/admission/tokens.js';
import { keysAndVerifier, NOW, STEAM_ID, tokenUnder } from './token_kit.js';

const { keys, verifier } = await keysAndVerifier();
const key = keys.EdDSA;

t.test('unusable keys are refused at the start, by their kid', async (t) => {
  const [ed] = key.keySet.keys;
  const [es] = keys.ES256.keySet.keys;
  const [rs] = keys.RS256.keySet.keys;
  const [hs] = keys.HS256.keySet.keys;
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' });
  const x25519 = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' });
  const bytes = (length: number, value: number) => Buffer.alloc(length, value).toString('base64url');
  const named = { kid: 'spring', use: 'sig' };
  const cases: readonly (readonly [name: string, set: unknown, message: RegExp])[] = [
    ['no set', undefined, /expected an object with an array "keys"/],
    ['a key in place of a set', ed, /expected an object with an array "keys"/],
    ['an array', [ed], /expected an object with an array "keys"/],
    ['an empty set', { keys: [] }, /0 keys, expected 1 to 64/],
    ['65 keys', { keys: new Array(65).fill(ed) }, /65 keys, expected 1 to 64/],
    ['no object', { keys: ['secret'] }, /key 1 of the set is not an object/],
    ['no kid', { keys: [ed, { ...ed, kid: undefined }] }, /key 2 of the set has no usable kid/],
    ['an empty kid', { keys: [{ ...ed, kid: '' }] }, /key 1 of the set has no usable kid/],
    ['a kid that is a number', { keys: [{ ...ed, kid: 1 }] }, /has no usable kid/],
    ['two of one kid', { keys: [ed, { ...es, kid: 'EdDSA' }] }, /key "EdDSA" is there twice/],
    [
      'no alg',
      { keys: [{ ...ed, ...named, alg: undefined }] },
      /key "spring" has no alg, expected EdDSA, ES256/,
    ],
    ['alg none', { keys: [{ ...ed, ...named, alg: 'none' }] }, /key "spring" has an unsupported alg/],
    ['HS512', { keys: [{ ...hs, ...named, alg: 'HS512' }] }, /key "spring" has an unsupported alg/],
    ['a public key as HS256', { keys: [{ ...rs, ...named, alg: 'HS256' }] }, /"spring".* kty "oct"/],
    ['a secret as RS256', { keys: [{ ...hs, ...named, alg: 'RS256' }] }, /"spring".* kty "RSA"/],
    ['another curve', { keys: [{ ...p384, ...named, alg: 'ES256' }] }, /"spring".* crv "P-256"/],
    ['a curve for agreement', { keys: [{ ...x25519, ...named, alg: 'EdDSA' }] }, /"spring".* crv "Ed25519"/],
    ['a key for encryption', { keys: [{ ...ed, ...named, use: 'enc' }] }, /"spring".* use "sig"/],
    [
      'RSA of 1024 bits',
      { keys: [{ ...weak, ...named, alg: 'RS256' }] },
      /"spring" has 1024 bits, expected 2048/,
    ],
    ['RSA with exponent 1', { keys: [{ ...rs, ...named, e: 'AQ' }] }, /"spring" has a weak exponent/],
    [
      'a secret of 31 bytes',
      { keys: [{ ...hs, ...named, k: hs!.k!.toString().slice(0, 42) }] },
      /"spring" is weak: 31 bytes, expected at least 32/,
    ],
    ['a secret of zeros', { keys: [{ ...hs, ...named, k: bytes(32, 0) }] }, /"spring" is weak/],
    ['an Ed25519 key of zeros', { keys: [{ ...ed, ...named, x: bytes(32, 0) }] }, /"spring" is weak/],
    ['a cut key', { keys: [{ ...ed, ...named, x: String(ed!.x).slice(0, 20) }] }, /"spring" cannot be read/],
    [
      'a point that is not on the curve',
      { keys: [{ ...es, ...named, y: es!.x }] },
      /"spring" cannot be read/,
    ],
    ['a key without its parts', { keys: [{ ...es, ...named, y: undefined }] }, /"spring" has no usable "y"/],
  ];
  for (const [name, set, message] of cases) {
    const creating = TokenVerifier.create({ keys: set, audience: 'hotmic' });
    await t.rejects(creating, { code: 'ERR_HOTMIC_ADMISSION', message }, name);
  }
});

t.test('the relay refuses a private key, and no message contains any of it', async (t) => {
  for (const algorithm of ['EdDSA', 'ES256', 'RS256'] as const) {
    const { privateKey } = keys[algorithm];
    const thrown = await TokenVerifier.create({ keys: { keys: [privateKey] }, audience: 'hotmic' }).then(
      () => t.fail(),
      (error: Error) => error,
    );
    t.match(thrown, {
      code: 'ERR_HOTMIC_ADMISSION',
      message: new RegExp(`key "${algorithm}" is a private key`),
    });
    t.notOk(String((thrown as Error).stack).includes(String(privateKey.d).slice(0, 8)));
  }
});

t.test('a new key takes over by its kid while the old one is still there', async (t) => {
  const next = await newKey('EdDSA', 'next');
  const both = await TokenVerifier.create({
    keys: { keys: [...key.keySet.keys, ...next.keySet.keys] },
    audience: 'hotmic',
  });
  const kindBy = async (known: TokenVerifier, minter: NewKey) =>
    (await known.verify(tokenUnder(minter), NOW)).kind;
  t.same([await kindBy(both, key), await kindBy(both, next)], ['granted', 'granted']);
  const alone = await TokenVerifier.create({ keys: next.keySet, audience: 'hotmic' });
  t.same([await kindBy(alone, key), await kindBy(alone, next)], ['refused', 'granted']);
});

t.test('what a relay would refuse is not minted', async (t) => {
  const good = {
    key: key.privateKey,
    lobby: 'den',
    steamId: STEAM_ID,
    audience: 'hotmic',
    expiresAt: NOW + 60,
    now: NOW,
  };
  t.match(await verifier.verify(await mintToken(good), NOW), { kind: 'granted' });
  const cases: readonly (readonly [changed: Partial<Parameters<typeof mintToken>[0]>, message: RegExp])[] = [
    [{ lobby: '' }, /Cannot mint a token: expected hotmic.lobby: 1 to 64 characters/],
    [{ steamId: 'ada' }, /expected sub: a SteamID64 in decimal/],
    [{ expiresAt: NOW }, /expected later than 2000000000/],
    [{ expiresAt: NOW + 30 * 86_400 + 1 }, /at most 30 days ahead/],
    [{ expiresAt: Number.NaN }, /expected exp/],
    [{ now: Number.NaN }, /expected /],
    [{ audience: '' }, /no audience/],
    [{ channels: new Array(33).fill('red') }, /hotmic.channels: at most 32/],
    [{ channels: new Array(32).fill('語'.repeat(64)) }, /characters, expected at most 4096/],
    [{ moderator: 'yes' as unknown as boolean }, /hotmic.moderator/],
  ];
  for (const [changed, message] of cases)
    await t.rejects(mintToken({ ...good, ...changed }), { name: 'RangeError', message });
  const publicKey = key.keySet.keys[0];
  await t.rejects(mintToken({ ...good, key: publicKey }), {
    code: 'ERR_HOTMIC_ADMISSION',
    message: /key "EdDSA" is a public key, expected the private one/,
  });
  await t.rejects(newKey('none' as TokenAlgorithm, 'x'), RangeError);
  await t.rejects(newKey('EdDSA', ''), RangeError);
});
