/** The verdict on what the embedded Steam issues: each reason, and that nothing else passes. */

import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import {
  DEVELOPMENT_SECRET,
  developmentKeys,
  type TicketRefusal,
  verifyDevelopmentSessionTicket,
  verifyDevelopmentWebTicket,
} from '../../tickets/development.js';
import { SIGNATURE_BYTES, sealSessionTicket, writeSessionTicket } from '../../tickets/session_ticket.js';
import { MAX_IDENTITY_BYTES, readWebTicket, sealWebTicket } from '../../tickets/web_ticket.js';
import { hexOfBytes } from '../kit/hex.js';
import { SEED, SeededRandom } from '../kit/random.js';
import { APP, mutationsOf, NOW, ownershipOf, PLAYER, sessionFields, u32, u64, webFields } from './kit.js';

const random = new SeededRandom(SEED);
const KEYS = developmentKeys();
const OTHERS_KEYS = developmentKeys(random.bytes(32));
const REMOTE = 90071992547409920n;
const WEB = { appId: APP, steamId: PLAYER, identity: 'hotmic' };
const SESSION = { appId: APP, steamId: PLAYER, remoteSteamId: REMOTE };

const web = (changed: Parameters<typeof webFields>[0] = {}) =>
  sealWebTicket(webFields(changed), KEYS.webTicket);
const session = (changed: Parameters<typeof sessionFields>[0] = {}, remote = 0n) =>
  sealSessionTicket(sessionFields(changed), remote, KEYS.sessionTicket);

t.comment(`seed ${SEED}`);

t.test('a web ticket that says what is wanted is valid', async (t) => {
  t.match(verifyDevelopmentWebTicket(web(), WEB, NOW), {
    kind: 'valid',
    id: /^[0-9a-f]{32}$/,
    steamId: PLAYER,
    appId: APP,
    expiresAt: NOW + 600,
    ticket: webFields(),
  });
  const anything = { appId: null, steamId: null, identity: null };
  t.equal(verifyDevelopmentWebTicket(web(), anything, NOW).kind, 'valid', 'null is not looked at');
});

t.test('each reason to refuse a web ticket', async (t) => {
  const cases: [reason: TicketRefusal, ticket: Uint8Array, expected?: Partial<typeof WEB>, now?: number][] = [
    ['malformed', new Uint8Array(0)],
    ['malformed', web().slice(0, 20)],
    ['malformed', web().slice(0, -1)],
    ['malformed', Uint8Array.from([...web(), 0])],
    ['malformed', new Uint8Array(0)],
    ['not-embedded', random.bytes(200)],
    ['not-embedded', session()],
    ['forged', sealWebTicket(webFields(), OTHERS_KEYS.webTicket)],
    ['forged', sealWebTicket(webFields(), KEYS.sessionTicket)],
    ['not-yet-valid', web(), {}, NOW - 61],
    ['expired', web(), {}, NOW + 600],
    ['expired', web(), {}, Number.NaN],
    ['other-app', web(), { appId: 481 }],
    ['other-identity', web(), { identity: 'hotmic2' }],
    ['other-identity', web({ identity: '' })],
    ['other-steam-id', web(), { steamId: PLAYER + 1n }],
  ];
  for (const [reason, ticket, expected = {}, now = NOW] of cases) {
    t.same(
      verifyDevelopmentWebTicket(ticket, { ...WEB, ...expected }, now),
      { kind: 'refused', reason },
      reason,
    );
  }
  t.equal(verifyDevelopmentWebTicket(web(), WEB, NOW + 599).kind, 'valid', 'the last second counts');
  t.equal(verifyDevelopmentWebTicket(web(), WEB, NOW - 60).kind, 'valid', "the issuer's clock may be ahead");
});

t.test('a session ticket that says what is wanted is valid', async (t) => {
  const wanted = { kind: 'valid', id: /^[0-9a-f]{32}$/, steamId: PLAYER, appId: APP, expiresAt: NOW + 1000 };
  t.match(verifyDevelopmentSessionTicket(session(), SESSION, NOW), wanted, 'for anyone to use');
  t.match(verifyDevelopmentSessionTicket(session({}, REMOTE), SESSION, NOW), wanted, 'for us to use');
});

t.test('each reason to refuse a session ticket', async (t) => {
  const unsigned = writeSessionTicket(sessionFields(), random.bytes(SIGNATURE_BYTES));
  const cases: [
    reason: TicketRefusal,
    ticket: Uint8Array,
    expected?: Partial<typeof SESSION>,
    now?: number,
  ][] = [
    ['malformed', new Uint8Array(0)],
    ['malformed', web()],
    ['malformed', Uint8Array.from([...session(), ...new Uint8Array(784)])],
    ['malformed', session({ ownership: ownershipOf({ version: 5 }) })],
    ['not-embedded', unsigned],
    ['forged', sealSessionTicket(sessionFields(), 0n, OTHERS_KEYS.sessionTicket)],
    ['forged', sealSessionTicket(sessionFields(), 0n, KEYS.webTicket)],
    ['not-yet-valid', session(), {}, NOW - 61],
    ['expired', session(), {}, NOW + 1000],
    ['other-app', session(), { appId: 481 }],
    ['other-identity', session({}, REMOTE + 1n)],
    ['other-steam-id', session(), { steamId: 1n }],
  ];
  for (const [reason, ticket, expected = {}, now = NOW] of cases) {
    const verdict = verifyDevelopmentSessionTicket(ticket, { ...SESSION, ...expected }, now);
    t.same(verdict, { kind: 'refused', reason }, reason);
  }
});

t.test('no byte of a ticket can be changed, none taken or added', async (t) => {
  for (const [what, changed] of mutationsOf(web())) {
    const verdict = verifyDevelopmentWebTicket(changed, WEB, NOW);
    if (verdict.kind === 'valid') t.fail(`web ticket, ${what}`);
  }
  for (const [what, changed] of mutationsOf(session())) {
    const verdict = verifyDevelopmentSessionTicket(changed, SESSION, NOW);
    if (verdict.kind === 'valid') t.fail(`session ticket, ${what}`);
  }
  t.pass('none passes');
});

t.test('any web ticket is read back as it was sealed', async (t) => {
  const anyFields = fc
    .record({
      steamId: u64,
      appId: u32,
      identity: fc.string({ unit: 'grapheme', maxLength: 20 }),
      issuedAt: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
      life: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      nonce: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    })
    .filter(({ identity }) => new TextEncoder().encode(identity).length <= MAX_IDENTITY_BYTES)
    .map(({ life, ...fields }) => ({ ...fields, expiresAt: Math.min(fields.issuedAt + life, 2 ** 32 - 1) }));
  fc.assert(
    fc.property(anyFields, (fields) => {
      const ticket = readWebTicket(sealWebTicket(fields, KEYS.webTicket));
      t.match(ticket, { kind: 'web-ticket', ...fields });
    }),
    { seed: SEED, numRuns: 200 },
  );
});

t.test('tickets that differ in their nonce alone have different ids', async (t) => {
  const ids = Array.from({ length: 100 }, () => {
    const ticket = readWebTicket(web({ nonce: random.bytes(16) }));
    return ticket.kind === 'web-ticket' ? ticket.id : '';
  });
  t.equal(new Set(ids).size, 100);
});

t.test('an identity that is no UTF-8 is malformed, however well sealed', async (t) => {
  const bytes = web({ identity: 'a' });
  bytes[bytes.length - 33] = 0xff;
  t.same(readWebTicket(bytes), { kind: 'malformed', reason: 'identity' });
});

t.test('another version, and times that run backwards, are malformed, however well sealed', async (t) => {
  const sealed = (change: (view: DataView) => void) => {
    const bytes = web();
    change(new DataView(bytes.buffer));
    const signed = bytes.subarray(0, -32);
    bytes.set(createHmac('sha256', KEYS.webTicket).update(signed).digest(), signed.length);
    return bytes;
  };
  const verdictOf = (bytes: Uint8Array) => verifyDevelopmentWebTicket(bytes, WEB, NOW);
  t.equal(verdictOf(sealed(() => undefined)).kind, 'valid');
  for (const change of [
    (view: DataView) => view.setUint16(16, 2, true),
    (view: DataView) => view.setUint32(34, NOW, true),
  ]) {
    t.same(verdictOf(sealed(change)), { kind: 'refused', reason: 'malformed' });
  }
});

t.test('a wrong web ticket is misuse, and the error says which field', async (t) => {
  t.throws(() => web({ identity: 'x'.repeat(256) }), {
    name: 'RangeError',
    message: /256 bytes, expected at most 255/,
  });
  t.throws(() => web({ nonce: new Uint8Array(15) }), {
    name: 'RangeError',
    message: /15 bytes, expected 16/,
  });
  t.throws(() => web({ expiresAt: NOW }), { name: 'RangeError', message: /expected later than/ });
  t.throws(() => web({ steamId: -1n }), { name: 'RangeError', message: /steamId is -1/ });
});

t.test('the well-known keys are those in the document, one per purpose', async (t) => {
  t.equal(
    Buffer.from(DEVELOPMENT_SECRET).toString(),
    'hotmic development: public, anyone can forge under it',
  );
  t.same(developmentKeys(), developmentKeys(DEVELOPMENT_SECRET));
  const keys = Object.values(KEYS).map(hexOfBytes);
  t.equal(new Set([...keys, ...Object.values(OTHERS_KEYS).map(hexOfBytes)]).size, 8);
  for (const key of keys) t.equal(key.length, 64);
});

t.test('a secret of less than 16 bytes is misuse', async (t) => {
  t.throws(() => developmentKeys(new Uint8Array(15)), {
    name: 'RangeError',
    message: /15 bytes, expected at least 16/,
  });
});
