/** Encrypted app tickets: read here, held to app, nonce and time. None that is hostile throws, or takes long. */

import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { type AppTicketOptions, AppTickets } from '../../../relay/admission/app_tickets.js';
import { developmentKeys } from '../../../tickets/development.js';
import { sealAppTicket } from '../../../tickets/encrypted_app_ticket.js';
import type { Ownership } from '../../../tickets/ownership.js';
import { protobufBytes, protobufVarint, readProtobuf } from '../../../tickets/protobuf.js';
import { MAX_TICKET_BYTES } from '../../../voice/control.js';
import { bytesOfHex, hexOfBytes } from '../../kit/hex.js';
import { SEED, SeededRandom } from '../../kit/random.js';
import { APP, mutationsOf, NOW, ownershipOf, PLAYER } from '../../tickets/kit.js';

const random = new SeededRandom(SEED);
const KEY = random.bytes(32);
const OLD_KEY = random.bytes(32);
const NONCE = random.bytes(16);
const nonce = hexOfBytes(NONCE);
const tickets = new AppTickets({ appId: APP, keys: [hexOfBytes(KEY)] });

function sealed(changed: Partial<Ownership> = {}, userData: Uint8Array = NONCE, key = KEY): string {
  const ticket = { ownership: ownershipOf(changed), userData };
  return hexOfBytes(sealAppTicket(ticket, key, random.bytes(16), random.bytes(8)));
}

function reasonOf(ticket: string, now = NOW, judge = tickets): string {
  const verdict = judge.judge(ticket, nonce, now);
  return verdict.kind === 'denied' ? verdict.reason : 'passes';
}

t.comment(`seed ${SEED}`);

t.test('a good ticket claims its player, and no right at all', async (t) => {
  const ticket = sealed();
  const ciphertext = readProtobuf(Buffer.from(ticket, 'hex'))?.get(5);
  if (ciphertext?.kind !== 'bytes') throw new Error('no ciphertext');
  const hash = createHash('sha256').update(ciphertext.value).digest('hex');
  const wanted = { kind: 'claims', steamId: String(PLAYER), onceId: `a:${hash}` };
  t.same(tickets.judge(ticket, nonce, NOW), wanted);
  t.same(tickets.judge(ticket.toUpperCase(), nonce.toUpperCase(), NOW), wanted, 'in upper case as well');
});

t.test("how far Steam's clock may be ahead is an option", async (t) => {
  for (const [clockToleranceS, ahead, reason] of [
    [0, 1, 'not-yet-valid'],
    [0, 0, 'passes'],
    [300, 300, 'passes'],
    [300, 301, 'not-yet-valid'],
  ] as const) {
    const judge = new AppTickets({ appId: APP, keys: [hexOfBytes(KEY)], clockToleranceS });
    t.equal(reasonOf(sealed({ generatedAt: NOW + ahead }), NOW, judge), reason);
  }
  for (const clockToleranceS of [-1, 301, Number.NaN])
    t.throws(() => new AppTickets({ appId: APP, keys: [hexOfBytes(KEY)], clockToleranceS }), RangeError);
});

t.test('an app ticket alone is refused, unless the operator trusts forgeable tickets', async (t) => {
  const options = { appId: APP, keys: [hexOfBytes(KEY)] };
  t.equal(new AppTickets(options).alone, 'refuse');
  t.equal(new AppTickets({ ...options, alone: 'trust-forgeable' }).alone, 'trust-forgeable');
});

t.test('a ticket under an old key is accepted while that key is listed', async (t) => {
  const [key, old] = [hexOfBytes(KEY), hexOfBytes(OLD_KEY)];
  const both = new AppTickets({ appId: APP, keys: [key, ` ${old.toUpperCase()}\n`] });
  const ticket = sealed({}, NONCE, OLD_KEY);
  t.equal(reasonOf(ticket, NOW, both), 'passes');
  t.equal(reasonOf(sealed(), NOW, both), 'passes');
  t.equal(reasonOf(ticket), 'undecipherable');
});

t.test(
  'the user data must begin with this connection’s nonce: its bytes, or its digits in lower case',
  async (t) => {
    const text = (digits: string) => new TextEncoder().encode(digits);
    const cases: [what: string, userData: Uint8Array, reason: string][] = [
      ['the nonce and more', Uint8Array.from([...NONCE, 1, 2, 3]), 'passes'],
      ['its digits', text(nonce), 'passes'],
      ['its digits and a NUL, as some engines send', text(`${nonce}\0`), 'passes'],
      ['nothing', new Uint8Array(0), 'other-nonce'],
      ['15 bytes of it', NONCE.subarray(0, 15), 'other-nonce'],
      ['31 digits of it', text(nonce.slice(1)), 'other-nonce'],
      ['another', random.bytes(16), 'other-nonce'],
      ['its digits in upper case', text(nonce.toUpperCase()), 'other-nonce'],
      ['something before it', Uint8Array.from([0, ...NONCE]), 'other-nonce'],
    ];
    for (const [what, userData, reason] of cases) t.equal(reasonOf(sealed({}, userData)), reason, what);
  },
);

t.test(
  'a ticket for another app, too old, from the future, expired, or not of a person is refused',
  async (t) => {
    const cases: [reason: string, changed: Partial<Ownership>, now?: number][] = [
      ['other-app', { appId: APP + 1 }],
      ['other-app', { appId: 0 }],
      ['passes', { generatedAt: NOW - 300 }],
      ['expired', { generatedAt: NOW - 301 }],
      ['passes', { generatedAt: NOW + 60 }],
      ['not-yet-valid', { generatedAt: NOW + 61 }],
      ['passes', { expiresAt: NOW + 1 }],
      ['expired', { expiresAt: NOW }],
      ['no-person', { steamId: 0n }],
      ['no-person', { steamId: 0x0110000100000000n }],
      ['no-person', { steamId: 90071992547409921n }],
      ['no-person', { steamId: 2n ** 64n - 1n }],
    ];
    for (const [reason, changed, now] of cases) {
      t.equal(reasonOf(sealed(changed), now), reason, inspect(changed));
    }
    const strict = new AppTickets({ appId: APP, keys: [hexOfBytes(KEY)], maxAgeS: 1 });
    t.equal(reasonOf(sealed({ generatedAt: NOW - 2 }), NOW, strict), 'expired');
  },
);

t.test('a used ticket is the same one in another encoding', async (t) => {
  const bytes = bytesOfHex(sealed());
  const onceIdOf = (front: readonly number[], behind: readonly number[]) => {
    const verdict = tickets.judge(hexOfBytes(Uint8Array.from([...front, ...bytes, ...behind])), nonce, NOW);
    return verdict.kind === 'claims' ? verdict.onceId : verdict.reason;
  };
  const id = onceIdOf([], []);
  t.match(id, /^a:[0-9a-f]{64}$/);
  t.equal(onceIdOf([], protobufVarint(9, 1)), id, 'with an unknown field behind');
  t.equal(onceIdOf(protobufBytes(15, Uint8Array.of(1, 2)), []), id, 'or before');
  const other = tickets.judge(sealed(), nonce, NOW);
  t.match(other, { kind: 'claims' });
  t.not(other.kind === 'claims' && other.onceId, id, 'another has another');
});

t.test('each byte changed, each cut and each growth is refused', async (t) => {
  const good = bytesOfHex(sealed());
  for (const [what, changed] of mutationsOf(good)) {
    const reason = reasonOf(hexOfBytes(changed));
    if (reason !== 'malformed' && reason !== 'undecipherable') t.fail(`${what}: ${reason}`);
  }
  t.equal(reasonOf(hexOfBytes(good)), 'passes', 'and the whole one is not');
});

t.test('hostile bytes are refused and throw nothing, then or later', async (t) => {
  const late: unknown[] = [];
  const note = (thrown: unknown) => late.push(thrown);
  for (const event of ['uncaughtExceptionMonitor', 'unhandledRejection'] as const) {
    process.on(event, note);
    t.teardown(() => process.off(event, note));
  }
  const four = { appId: APP, keys: [KEY, OLD_KEY, random.bytes(32), random.bytes(32)].map(hexOfBytes) };
  const patient = new AppTickets(four);
  const good = bytesOfHex(sealed());
  const any = fc.uint8Array({ maxLength: MAX_TICKET_BYTES });
  const frame = fc
    .tuple(fc.nat(3), fc.nat(), fc.nat(3000), fc.nat(3000), any)
    .map(([version, crc, userData, ownership, ciphertext]) =>
      Uint8Array.from([
        ...[version, crc, userData, ownership].flatMap((value, at) => protobufVarint(at + 1, value)),
        ...protobufBytes(5, ciphertext),
      ]),
    );
  const blocks = fc.nat(150).map((count) => random.bytes(16 * count));
  const aligned = blocks.map((bytes) =>
    Uint8Array.from(
      [1, 7, 16, 70].flatMap((value, at) => protobufVarint(at + 1, value)).concat(protobufBytes(5, bytes)),
    ),
  );
  const nested = fc
    .tuple(fc.integer({ min: 1, max: 15 }), fc.integer({ min: 1, max: 600 }))
    .map(([field, depth]) => {
      let bytes: number[] = [];
      for (let level = 0; level < depth && bytes.length < MAX_TICKET_BYTES - 4; level++) {
        bytes = protobufBytes(field, Uint8Array.from(bytes));
      }
      return Uint8Array.from(bytes);
    });
  const groups = fc.nat(2500).map((depth) => new Uint8Array(depth).fill(0x0b));
  const spliced = fc
    .tuple(fc.nat(good.length - 1), any)
    .map(([at, bytes]) => Uint8Array.from([...good.subarray(0, at), ...bytes]).subarray(0, MAX_TICKET_BYTES));
  let judged = 0;
  fc.assert(
    fc.property(fc.oneof(any, frame, aligned, nested, groups, spliced), (bytes) => {
      judged += 1;
      const reason = reasonOf(hexOfBytes(bytes), NOW, patient);
      return reason === 'malformed' || reason === 'undecipherable';
    }),
    { seed: SEED, numRuns: 3000 },
  );
  await new Promise((resolve) => setImmediate(resolve));
  t.same(late, []);
  t.ok(judged >= 3000);
});

t.test('a ticket that is not hexadecimal, or too long, is malformed', async (t) => {
  for (const ticket of ['', 'abc', 'zz', `${sealed()} `, 'ab'.repeat(MAX_TICKET_BYTES + 1), null, 5, {}]) {
    t.equal(reasonOf(ticket as string), 'malformed', String(ticket).slice(0, 20));
  }
});

t.test('anybody who knows the key can claim anything, and nothing more is granted', async (t) => {
  let admitted = 0;
  fc.assert(
    fc.property(
      fc.record({
        steamId: fc.oneof(fc.constant(PLAYER), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
        appId: fc.constantFrom(APP, 0, 2 ** 32 - 1),
        generatedAt: fc.constantFrom(0, NOW, NOW - 1, 2 ** 32 - 1),
        expiresAt: fc.constantFrom(0, NOW + 1, 2 ** 32 - 1),
      }),
      fc.constantFrom(NONCE, new Uint8Array(16), new Uint8Array(500)),
      (ownership, userData) => {
        const verdict = tickets.judge(sealed(ownership, userData), nonce, NOW);
        if (verdict.kind === 'denied') return verdict.code === 'ticket-refused';
        admitted += 1;
        return verdict.steamId === String(ownership.steamId) && ownership.appId === APP && userData === NONCE;
      },
    ),
    { seed: SEED, numRuns: 500 },
  );
  t.ok(admitted > 0, `${admitted} were admitted`);
});

t.test('options out of range are misuse, and no error quotes a key', async (t) => {
  const key = hexOfBytes(KEY);
  const bad: [options: Record<string, unknown>, name: string][] = [
    [{ appId: 0 }, 'RangeError'],
    [{ appId: '480' }, 'RangeError'],
    [{ maxAgeS: 0 }, 'RangeError'],
    [{ maxAgeS: 86_401 }, 'RangeError'],
    [{ maxAgeS: Number.NaN }, 'RangeError'],
    [{ alone: true }, 'RangeError'],
    [{ alone: 'trust' }, 'RangeError'],
    [{ keys: [] }, 'HotmicError'],
    [{ keys: key }, 'HotmicError'],
    [{ keys: [key, key, key, key, key] }, 'HotmicError'],
    [{ keys: [key.slice(2)] }, 'HotmicError'],
    [{ keys: [`${key}00`] }, 'HotmicError'],
    [{ keys: [key.replace(/^../, 'zz')] }, 'HotmicError'],
    [{ keys: [KEY] }, 'HotmicError'],
    [{ keys: ['00'.repeat(32)] }, 'HotmicError'],
    [{ keys: [hexOfBytes(developmentKeys().encryptedAppTicket)] }, 'HotmicError'],
  ];
  for (const [changed, name] of bad) {
    const options = { appId: APP, keys: [key], ...changed } as AppTicketOptions;
    try {
      new AppTickets(options);
      t.fail(`${inspect(changed)} was taken`);
    } catch (thrown) {
      t.match(thrown, { name, message: /^Cannot .*(expected|public)/ });
      t.notMatch(String(thrown), new RegExp(key.slice(2, 20)));
    }
  }
});

t.test('a malformed nonce or time is misuse, or nothing would ever expire', async (t) => {
  const ticket = sealed();
  for (const wrong of ['', nonce.slice(2), `${nonce}00`, 'z'.repeat(32)]) {
    t.throws(() => tickets.judge(ticket, wrong, NOW), { name: 'RangeError', message: /16 bytes/ });
  }
  for (const time of [Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => tickets.judge(ticket, nonce, time), { name: 'RangeError', message: /unix seconds/ });
  }
});

t.test('no verdict contains a key or a ticket, nor does an inspected judge', async (t) => {
  const both = [sealed(), sealed({ appId: 1 }), 'ab'.repeat(99)];
  for (const ticket of both) {
    const shown = inspect([tickets, tickets.judge(ticket, nonce, NOW)], { depth: 10, showHidden: true });
    t.notMatch(shown, new RegExp(`${hexOfBytes(KEY)}|${ticket.slice(0, 20)}|${nonce}`));
  }
});
