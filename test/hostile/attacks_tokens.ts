/** Tokens and resume secrets that are forged, stolen, used up, or meant for something else. */

import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { base64url, hmac, type Json, signed, tokenUnder } from '../relay/admission/token_kit.js';
import { type Answer, type Attack, ended, refused } from './attack.js';
import { CREDENTIAL_BURST, type Field, RESUME_WITHIN_MS } from './field.js';
import type { Wire } from './wire.js';

export const VICTIM = '76561197960265729';

/** Says hello with this, and waits for the end. */
export async function tryHello(field: Field, hello: object, from?: string): Promise<Answer> {
  const wire = await field.socket(from);
  wire.send({ type: 'hello', versions: [1], lobby: 'arena', name: 'x', ...hello });
  return ended(wire);
}

function claims(changed: Json = {}): Json {
  const exp = Math.floor(Date.now() / 1000) + 600;
  return { sub: VICTIM, aud: 'hotmic', exp, hotmic: { lobby: 'arena' }, ...changed };
}

/** Tokens as a forger makes them, each in a hello of its own. */
function tokens(
  name: string,
  reason: string,
  make: (field: Field) => readonly string[] | Promise<readonly string[]>,
  hello: object = { steamId: VICTIM },
): Attack {
  return {
    name,
    answers: [refused('token-refused', reason)],
    run: async (field) => {
      const got: Answer[] = [];
      for (const token of await make(field))
        got.push(await tryHello(field, { ...hello, token: field.secret(token) }));
      return got;
    },
  };
}

/** Who is there moves to another connection. */
async function resume(field: Field, secret: string): Promise<Wire> {
  const wire = await field.socket();
  wire.send({ type: 'resume', versions: [1], secret });
  return wire;
}

const seconds = () => Math.floor(Date.now() / 1000);

export const TOKEN_ATTACKS: readonly Attack[] = [
  tokens('a token with `alg: none`, in every spelling', 'algorithm', ({ keys }) =>
    ['none', 'None', 'NONE', 'nOnE', ''].map(
      (alg) => `${base64url({ alg, kid: keys.ed.privateKey.kid })}.${base64url(claims())}.`,
    ),
  ),
  {
    name: 'the same without a kid, or with an unknown one',
    answers: [refused('token-refused', 'key-unknown')],
    run: async (field) => {
      const got: Answer[] = [];
      for (const header of [
        { alg: 'none' },
        { alg: 'none', kid: 'x' },
        { alg: 'EdDSA' },
        { alg: 'EdDSA', kid: ['ed'] },
        { alg: 'EdDSA', kid: '__proto__' },
      ]) {
        const token = field.secret(
          `${base64url(header)}.${base64url(claims())}.${base64url('x'.repeat(64))}`,
        );
        got.push(await tryHello(field, { token }));
      }
      return got;
    },
  },
  tokens('a token under HS256 with the public key as the secret', 'algorithm', ({ keys }) => {
    const { kid } = keys.rsa.privateKey;
    const [jwk] = keys.rsa.keySet.keys;
    const pem = createPublicKey({ key: jwk as unknown as JsonWebKey, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    });
    const input = `${base64url({ alg: 'HS256', kid })}.${base64url(claims())}`;
    return [pem as string, JSON.stringify(jwk)].map((secret) => `${input}.${hmac(input, secret)}`);
  }),
  tokens('a token under one key that names the other, and its algorithm', 'forged', ({ keys }) => [
    signed({ alg: 'EdDSA', kid: keys.ed.privateKey.kid }, claims(), keys.retired),
    signed({ alg: 'RS256', kid: keys.rsa.privateKey.kid }, claims(), keys.ed),
  ]),
  tokens('a token under a key that was removed from the set', 'key-unknown', ({ keys }) => [
    tokenUnder(keys.retired, claims()),
  ]),
  tokens('a kid that is a path, a query, or very long', 'key-unknown', ({ keys }) =>
    ['../../../dev/null', "ed' OR '1'='1", 'ed\u0000', 'http://evil.example/keys', 'x'.repeat(500)].map(
      (kid) => tokenUnder(keys.ed, claims(), { kid }),
    ),
  ),
  tokens('a token that brings its own key: jwk, jku, x5u', 'forged', ({ keys }) => [
    signed(
      { alg: 'EdDSA', kid: keys.ed.privateKey.kid, jwk: keys.retired.keySet.keys[0] },
      claims(),
      keys.retired,
    ),
    signed(
      {
        alg: 'EdDSA',
        kid: keys.ed.privateKey.kid,
        jku: 'http://127.0.0.1:1/keys',
        x5u: 'http://127.0.0.1:1/',
      },
      claims(),
      keys.retired,
    ),
  ]),
  tokens('a header with crit', 'malformed', ({ keys }) => [
    tokenUnder(keys.ed, claims(), { crit: ['b64'], b64: false }),
  ]),
  tokens('a good token with one character changed, or written in another way', 'forged', async (field) => {
    const [head = '', payload = '', signature = ''] = (await field.token({ lobby: 'arena' })).split('.');
    const other = base64url(claims({ hotmic: { lobby: 'arena', moderator: true } }));
    const flipped = `${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`;
    return [`${head}.${other}.${signature}`, `${head}.${payload}.${flipped}`];
  }),
  tokens('an expired token', 'expired', ({ keys }) =>
    [-6, -3600, -seconds() + 1].map((ago) => tokenUnder(keys.ed, claims({ exp: seconds() + ago }))),
  ),
  tokens('a token that is not valid yet', 'not-yet-valid', ({ keys }) => [
    tokenUnder(keys.ed, claims({ nbf: seconds() + 60 })),
  ]),
  tokens('a token for another audience, or without one', 'audience', ({ keys }) =>
    [undefined, 'shop', 'Hotmic', ['shop', 'hotmi'], ''].map((aud) => tokenUnder(keys.ed, claims({ aud }))),
  ),
  tokens('a token that is valid for a hundred years, or for ever', 'claims', ({ keys }) =>
    [seconds() + 100 * 365 * 86_400, undefined].map((exp) => tokenUnder(keys.ed, claims({ exp }))),
  ),
  tokens('claims that grant too much: misspelled, of another type, without a player', 'claims', ({ keys }) =>
    [
      { hotmic: { lobby: 'arena', speek: false } },
      { hotmic: { lobby: ['arena'] } },
      { hotmic: { lobby: 'arena', channels: 'any' } },
      { hotmic: { lobby: 'arena', moderator: 'true' } },
      { hotmic: undefined },
      { sub: undefined },
      { sub: '0' },
      { sub: 7656119796 },
    ].map((changed) => tokenUnder(keys.ed, claims(changed))),
  ),
  tokens('a token for another lobby', 'other-lobby', async (field) => [
    await field.token({ lobby: 'vip', steamId: VICTIM }),
  ]),
  tokens('a token of somebody else', 'other-steam-id', async (field) => [
    await field.token({ lobby: 'arena' }),
  ]),
  {
    name: 'a token of more than 4096 characters, or not in the form of one',
    answers: [refused('message-malformed')],
    run: async (field) => {
      const got: Answer[] = [];
      const good = await field.token({ lobby: 'arena' });
      for (const token of [
        `${'a'.repeat(4093)}.b.c`,
        `${good}.x`,
        ` ${good}`,
        `${good}=`,
        '',
        good.slice(0, 40).replaceAll('.', ''),
        [good],
        { good },
      ]) {
        const wire = await field.socket();
        wire.send({ type: 'hello', versions: [1], lobby: 'arena', name: 'x', token });
        const answer = await ended(wire);
        got.push(answer);
      }
      return got;
    },
  },
  {
    name: 'secrets where they do not belong: in the type, the lobby, the name, the version',
    answers: [refused('message-malformed')],
    run: async (field) => {
      const got: Answer[] = [];
      const token = await field.token({ lobby: 'arena' });
      const hello = { type: 'hello', versions: [1], lobby: 'arena', name: 'x' };
      for (const misplaced of [
        { ...hello, type: token },
        { ...hello, lobby: token },
        { ...hello, name: token },
        { ...hello, versions: [token] },
        { ...hello, ticket: token },
        { type: 'resume', versions: [1], secret: token },
        { type: 'moderate', steamId: token, action: token },
        token,
      ]) {
        const wire = await field.socket();
        wire.send(misplaced);
        got.push(await ended(wire));
      }
      return got;
    },
  },
  {
    name: 'joining twice under one SteamID: the older connection ends and hears no more',
    answers: [refused('replaced')],
    run: async (field) => {
      const account = field.account();
      const lobby = field.lobby();
      const first = await field.join({ lobby, account });
      await field.join({ lobby, account });
      return [await ended(first.wire)];
    },
  },
  {
    name: 'a guessed resume secret',
    answers: [refused('resume-refused')],
    run: async (field) => {
      const got: Answer[] = [];
      for (const secret of ['0'.repeat(32), 'f'.repeat(32), field.hex(16), field.hex(16)])
        got.push(await ended(await resume(field, secret)));
      return got;
    },
  },
  {
    name: 'a resume secret that was used',
    answers: [refused('replaced'), refused('resume-refused')],
    run: async (field) => {
      const { wire, resumeSecret } = await field.join();
      const thief = await resume(field, resumeSecret);
      field.secret((await thief.message('welcome')).resume.secret);
      return [await ended(wire), await ended(await resume(field, resumeSecret))];
    },
  },
  {
    name: 'the resume secret of somebody who left, was kicked or was banned',
    answers: [refused('kicked'), refused('banned'), refused('resume-refused')],
    run: async (field) => {
      const lobby = field.lobby();
      const moderator = await field.join({ lobby, grant: { moderator: true } });
      const left = await field.join({ lobby });
      left.wire.send({ type: 'leave' });
      await left.wire.next('close');
      const got: Answer[] = [];
      const secrets = [left.resumeSecret];
      for (const action of ['kick', 'ban']) {
        const gone = await field.join({ lobby });
        moderator.wire.send({ type: 'moderate', steamId: gone.steamId, action });
        got.push(await ended(gone.wire));
        secrets.push(gone.resumeSecret);
        moderator.wire.send({ type: 'moderate', steamId: gone.steamId, action: 'unban' });
      }
      for (const secret of secrets) got.push(await ended(await resume(field, secret)));
      return got;
    },
  },
  {
    name: 'a resume secret that is older than its window',
    answers: [refused('resume-refused')],
    run: async (field) => {
      const lobby = field.lobby();
      const witness = await field.join({ lobby });
      const { wire, resumeSecret } = await field.join({ lobby });
      wire.reset();
      await witness.wire.message('changed');
      await witness.wire.message('left');
      if (RESUME_WITHIN_MS > 5000) throw new Error('that took long');
      return [await ended(await resume(field, resumeSecret))];
    },
  },
  {
    name: 'returning although banned: with a new connection, by ticket, by resuming, to the same lobby',
    answers: [refused('banned'), refused('resume-refused')],
    run: async (field) => {
      const lobby = field.lobby();
      const moderator = await field.join({ lobby, grant: { moderator: true } });
      const account = field.account();
      const gone = await field.join({ lobby, account });
      const { steamId } = gone;
      gone.wire.reset();
      await moderator.wire.message('changed');
      moderator.wire.send({ type: 'moderate', steamId, action: 'ban', seconds: 600 });
      await moderator.wire.message('left');
      const ticket = field.hex(64);
      field.api.admit(ticket, { steamId });
      const got = [
        await tryHello(field, { lobby, steamId, token: await field.token({ lobby, steamId }) }),
        await tryHello(field, { lobby, steamId, ticket }),
        await ended(await resume(field, gone.resumeSecret)),
      ];
      moderator.wire.send({ type: 'moderate', steamId, action: 'unban' });
      await moderator.wire.fence();
      return got;
    },
  },
  {
    name: 'a flood of tokens, tickets and guesses from one address',
    answers: [
      refused('admission-unavailable', 'address-busy'),
      refused('ticket-refused', 'invalid-ticket'),
      refused('token-refused', 'forged'),
    ],
    run: async (field) => {
      const from = field.address();
      const wires: Wire[] = [];
      const startedAt = performance.now();
      for (let opened = 0; opened < 3 * CREDENTIAL_BURST; opened += 1) wires.push(await field.socket(from));
      const [head = '', payload = ''] = (await field.token({ lobby: 'arena' })).split('.');
      for (const [index, wire] of wires.entries()) {
        const credential =
          index % 2 === 0
            ? { token: `${head}.${payload}.${base64url(`${index}`.padEnd(64, 'x'))}` }
            : { ticket: field.hex(32) };
        wire.send({ type: 'hello', versions: [1], lobby: 'arena', name: 'x', ...credential });
      }
      const got = await Promise.all(wires.map(ended));
      const judged = got.filter(
        (answer) => answer.kind === 'refused' && answer.code !== 'admission-unavailable',
      ).length;
      const most = CREDENTIAL_BURST + (5 * (performance.now() - startedAt)) / 1000 + 1;
      if (judged < CREDENTIAL_BURST || judged > most)
        throw new Error(`${judged} of ${got.length} were judged`);
      return got;
    },
  },
];
