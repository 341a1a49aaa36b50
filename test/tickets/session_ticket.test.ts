/** Session tickets: Steam's layout, read by us and by steam-appticket, which must not call the embedded Steam's valid. */

import fc from 'fast-check';
import t from 'tap';
import { readOwnership, writeOwnership } from '../../tickets/ownership.js';
import {
  embeddedSignature,
  MAX_TICKET_BYTES,
  readSessionTicket,
  type SessionTicketFields,
  SIGNATURE_BYTES,
  sealSessionTicket,
  writeSessionTicket,
} from '../../tickets/session_ticket.js';
import appTickets from '../kit/app_tickets.js';
import { hexOfBytes } from '../kit/hex.js';
import { SEED, SeededRandom } from '../kit/random.js';
import { APP, anyOwnership, mutationsOf, ownershipOf, PLAYER, sessionFields, u32, u64 } from './kit.js';

const random = new SeededRandom(SEED);
const KEY = random.bytes(32);
const REMOTE = 90071992547409920n;

const anyFields: fc.Arbitrary<SessionTicketFields> = fc
  .record({
    gcToken: u64,
    issuedAt: u32,
    externalIp: u32,
    reserved: u32,
    connectedMs: u32,
    connectionCount: u32,
    ownership: anyOwnership,
  })
  .map((fields) => ({ ...fields, steamId: fields.ownership.steamId }));

t.comment(`seed ${SEED}`);

t.test('what is written is read back, and written again to the same bytes', async (t) => {
  const anySignature = fc.uint8Array({ minLength: SIGNATURE_BYTES, maxLength: SIGNATURE_BYTES });
  fc.assert(
    fc.property(anyFields, anySignature, (fields, signature) => {
      const bytes = writeSessionTicket(fields, signature);
      const ticket = readSessionTicket(bytes);
      t.same(ticket, { kind: 'session-ticket', ...fields, signature });
      if (ticket.kind === 'session-ticket') t.same(writeSessionTicket(ticket, ticket.signature), bytes);
    }),
    { seed: SEED, numRuns: 200 },
  );
});

t.test('the layout is the documented one, byte for byte', async (t) => {
  const fields = sessionFields({ ownership: ownershipOf({ licenses: [199], dlc: [] }) });
  const hex = hexOfBytes(writeSessionTicket(fields, new Uint8Array(SIGNATURE_BYTES)));
  t.equal(
    hex.slice(0, -2 * SIGNATURE_BYTES),
    [
      '14000000 8877665544332211 ba56000001001001',
      'c0751a78 18000000 01000000 02000000 0100007f 09000000 48ee0000 03000000',
      'b2000000 32000000 04000000 ba56000001001001 e0010000 04030201 0201a8c0 05000000',
      '5c751a78 a8791a78 0100 c7000000 0000 0000',
    ]
      .join('')
      .replaceAll(' ', ''),
  );
});

t.test('steam-appticket reads the fields of an embedded ticket and does not call it valid', async (t) => {
  const sealed = Buffer.from(sealSessionTicket(sessionFields(), 0n, KEY));
  const parsed = appTickets.parseAppTicket(sealed, true);
  if (!parsed || !('gcToken' in parsed)) throw new Error('it does not parse as a session ticket');
  t.equal(parsed.steamID.getSteamID64(), String(PLAYER));
  t.equal(parsed.appID, APP);
  t.equal(parsed.gcToken, String(0x1122334455667788n));
  t.equal(parsed.clientConnectionTime, 61_000);
  t.equal(parsed.clientConnectionCount, 3);
  t.same(parsed.licenses, [0, 199]);
  t.notOk(parsed.hasValidSignature);
  t.notOk(parsed.isValid);
  t.equal(appTickets.parseAppTicket(sealed), null, 'and by default it takes it for none');
});

t.test(
  "the embedded Steam's signature names it, the one who may use it, and holds under its key",
  async (t) => {
    const bytes = sealSessionTicket(sessionFields(), REMOTE, KEY);
    const ticket = readSessionTicket(bytes);
    if (ticket.kind === 'malformed') throw new Error(ticket.reason);
    const signature = embeddedSignature(bytes, ticket);
    t.match(signature, { remoteSteamId: REMOTE, id: /^[0-9a-f]{32}$/ });
    t.ok(signature?.sealedUnder(KEY));
    t.notOk(signature?.sealedUnder(random.bytes(32)));
    t.match(Buffer.from(ticket.signature).toString('latin1'), /^HOTMIC EMBEDDED STEAM/);
  },
);

t.test("a signature without the mark is not the embedded Steam's", async (t) => {
  for (const noise of [new Uint8Array(SIGNATURE_BYTES), random.bytes(SIGNATURE_BYTES)]) {
    const bytes = writeSessionTicket(sessionFields(), noise);
    const ticket = readSessionTicket(bytes);
    t.equal(ticket.kind, 'session-ticket');
    if (ticket.kind === 'session-ticket') t.equal(embeddedSignature(bytes, ticket), null);
  }
});

t.test('each byte changed, each cut and each growth is malformed, unmarked or forged', async (t) => {
  for (const [what, changed] of mutationsOf(sealSessionTicket(sessionFields(), REMOTE, KEY))) {
    const ticket = readSessionTicket(changed);
    if (ticket.kind === 'malformed') continue;
    if (embeddedSignature(changed, ticket)?.sealedUnder(KEY)) t.fail(`${what} still holds`);
  }
  t.pass('none holds');
});

t.test('broken layouts are told apart', async (t) => {
  const whole = writeSessionTicket(sessionFields(), new Uint8Array(SIGNATURE_BYTES));
  const withU32 = (at: number, value: number) => {
    const bytes = whole.slice();
    new DataView(bytes.buffer).setUint32(at, value, true);
    return bytes;
  };
  const cases: [reason: string, bytes: Uint8Array][] = [
    ['too-short', new Uint8Array(0)],
    ['too-short', whole.slice(0, 100)],
    ['too-long', new Uint8Array(MAX_TICKET_BYTES + 1)],
    ['header', withU32(0, 21)],
    ['header', withU32(24, 25)],
    ['header', withU32(28, 2)],
    ['header', withU32(32, 1)],
    ['length', withU32(52, 0)],
    ['length', withU32(52, 0xffff_ffff)],
    ['length', Uint8Array.from([...whole, ...new Uint8Array(800)])],
    ['ownership', withU32(56, 0)],
    ['ownership', withU32(56, 0xffff_ffff)],
    ['ownership', withU32(96, 0xffff_ffff)],
    ['steam-ids-differ', withU32(12, 1)],
    ['steam-ids-differ', withU32(64, 1)],
  ];
  for (const [reason, bytes] of cases) t.same(readSessionTicket(bytes), { kind: 'malformed', reason });
});

t.test('an ownership section with bytes after its last field is malformed', async (t) => {
  const whole = writeOwnership(ownershipOf());
  t.same(readOwnership(whole), ownershipOf());
  const longer = Uint8Array.from([...whole, 0, 0]);
  longer[0]! += 2;
  t.equal(readOwnership(longer), null);
  const counted = whole.slice();
  counted[counted.length - 4] = 1;
  t.equal(readOwnership(counted), null, 'nor one that counts more than there is');
});

t.test('random bytes never throw and are not a ticket', async (t) => {
  for (let round = 0; round < 5000; round++) {
    const ticket = readSessionTicket(random.bytes(random.below(400)));
    if (ticket.kind !== 'malformed') t.fail(`seed ${SEED}, round ${round}`);
  }
  t.pass('all are malformed');
});

t.test('a ticket reads the same at any position in memory', async (t) => {
  const bytes = sealSessionTicket(sessionFields(), 0n, KEY);
  const around = random.bytes(bytes.length + 20);
  around.set(bytes, 7);
  const inside = around.subarray(7, 7 + bytes.length);
  const ticket = readSessionTicket(inside);
  t.same(ticket, readSessionTicket(bytes));
  if (ticket.kind === 'session-ticket') t.ok(embeddedSignature(inside, ticket)?.sealedUnder(KEY));
});

t.test('numbers that do not fit their fields, and tickets that are too long, are misuse', async (t) => {
  const signature = new Uint8Array(SIGNATURE_BYTES);
  for (const changed of [
    { gcToken: -1n },
    { gcToken: 2n ** 64n },
    { issuedAt: 2 ** 32 },
    { issuedAt: 0.5 },
    { connectedMs: Number.NaN },
    { ownership: ownershipOf({ licenses: new Array(700).fill(1) }) },
  ]) {
    t.throws(() => writeSessionTicket(sessionFields(changed), signature), RangeError);
  }
  t.throws(() => writeSessionTicket(sessionFields(), new Uint8Array(127)), RangeError);
});
