/** Encrypted app tickets: sealed for another reader, and read whatever comes. steam-appticket is the other reader. */

import { createCipheriv, createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import {
  MAX_ENCRYPTED_TICKET_BYTES,
  MAX_USER_DATA_BYTES,
  readAppTicketClaims,
  sealAppTicket,
} from '../../tickets/encrypted_app_ticket.js';
import { type Ownership, writeOwnership } from '../../tickets/ownership.js';
import { protobufBytes, protobufVarint, readProtobuf } from '../../tickets/protobuf.js';
import { crc32 } from '../../voice/crc32.js';
import appTickets from '../kit/app_tickets.js';
import { SEED, SeededRandom } from '../kit/random.js';
import { FORGERIES, INVENTED_INSIDE, MOVED_BOUNDARY, type Steam } from './forgeries.js';
import { APP, anyOwnership, mutationsOf, NOW, ownershipOf, PLAYER } from './kit.js';

const random = new SeededRandom(SEED);
const KEY = random.bytes(32);
const USER_DATA = new TextEncoder().encode('what the game says');

function seal(ownership: Ownership = ownershipOf(), userData = USER_DATA): Uint8Array {
  return sealAppTicket({ ownership, userData }, KEY, random.bytes(16), random.bytes(8));
}

t.comment(`seed ${SEED}`);

t.test('what is sealed opens to the same', async (t) => {
  fc.assert(
    fc.property(
      anyOwnership,
      fc.uint8Array({ maxLength: MAX_USER_DATA_BYTES }),
      fc.uint8Array({ minLength: 56, maxLength: 56 }),
      (ownership, userData, secrets) => {
        const key = secrets.subarray(0, 32);
        const ticket = { ownership, userData };
        const sealed = sealAppTicket(ticket, key, secrets.subarray(32, 48), secrets.subarray(48));
        t.same(readAppTicketClaims(sealed, key), { kind: 'unproven-claims', ...ticket });
      },
    ),
    { seed: SEED, numRuns: 100 },
  );
});

t.test('steam-appticket reads ours: SteamID, app, user data, licences and DLC', async (t) => {
  const parsed = appTickets.parseEncryptedAppTicket(Buffer.from(seal()), Buffer.from(KEY));
  if (!parsed) throw new Error('it does not parse');
  t.equal(parsed.steamID.getSteamID64(), String(PLAYER));
  t.equal(parsed.appID, APP);
  t.same(new Uint8Array(parsed.userData), USER_DATA);
  t.same(parsed.licenses, [0, 199]);
  t.same(
    parsed.dlc.map(({ appID, licenses }) => [appID, licenses]),
    [
      [481, [7, 8]],
      [482, []],
    ],
  );
  t.equal(parsed.ownershipTicketExternalIP, '1.2.3.4');
  t.equal(parsed.ownershipTicketInternalIP, '192.168.1.2');
  t.equal(parsed.ownershipTicketGenerated.getTime(), (NOW - 100) * 1000);
});

t.test('steam-appticket reads any of ours', async (t) => {
  fc.assert(
    fc.property(anyOwnership, fc.uint8Array({ maxLength: 64 }), (ownership, userData) => {
      const parsed = appTickets.parseEncryptedAppTicket(
        Buffer.from(seal(ownership, userData)),
        Buffer.from(KEY),
      );
      t.equal(parsed?.steamID.accountid, Number(ownership.steamId & 0xffff_ffffn));
      t.equal(parsed?.appID, ownership.appId);
      t.same(new Uint8Array(parsed?.userData ?? []), userData);
    }),
    { seed: SEED, numRuns: 60 },
  );
});

t.test('a ticket fits in the 1024 bytes that games have for it', async (t) => {
  const full = seal(ownershipOf(), new Uint8Array(MAX_USER_DATA_BYTES));
  t.ok(full.length <= 1024, `${full.length} bytes`);
});

t.test('both versions are read, each only under its own number', async (t) => {
  t.match(readAppTicketClaims(frame(1, innerOf(1)), KEY), { ownership: { steamId: PLAYER } });
  t.match(readAppTicketClaims(frame(2, innerOf(2)), KEY), { ownership: { steamId: PLAYER } });
  for (const [version, inner] of [
    [1, 2],
    [2, 1],
  ] as const) {
    const fields = { userData: USER_DATA.length, hashAt: innerOf(inner).length - 24 };
    const undecipherable = { kind: 'malformed', reason: 'undecipherable' };
    t.same(readAppTicketClaims(frame(version, innerOf(inner), fields), KEY), undecipherable);
  }
});

t.test('a genuine ticket’s layout: what version 2 says of its own lengths', async (t) => {
  const inner = innerOf(2);
  const view = new DataView(inner.buffer, inner.byteOffset);
  const ownership = writeOwnership(ownershipOf()).length;
  const at = USER_DATA.length + ownership;
  const numbers = [0, 4, 8, 12, 16].map((offset) => view.getUint32(at + offset, true));
  t.same(
    numbers,
    [52, 0, USER_DATA.length, ownership, at + 28],
    'rest, unknown, user data, ownership, hashed',
  );
  t.equal(view.getUint32(inner.length - 4, true), 2);
  t.equal(inner.length, at + 52);
});

t.test('lengths inside version 2 that are not those of the frame are undecipherable', async (t) => {
  for (const word of [0, 2, 3, 4]) {
    const wrong = innerOf(2, (lengths) => lengths.map((value, at) => (at === word ? value + 1 : value)));
    t.same(readAppTicketClaims(frame(2, wrong), KEY), { kind: 'malformed', reason: 'undecipherable' });
  }
  const unknown = innerOf(2, ([rest = 0, , ...more]) => [rest, 7, ...more]);
  t.equal(
    readAppTicketClaims(frame(2, unknown), KEY).kind,
    'unproven-claims',
    'what is not known may be anything',
  );
});

t.test('another key opens nothing and throws nothing, then or later', async (t) => {
  const late: unknown[] = [];
  const note = (thrown: unknown) => late.push(thrown);
  process.on('uncaughtExceptionMonitor', note);
  t.teardown(() => process.off('uncaughtExceptionMonitor', note));
  for (let round = 0; round < 200; round++) {
    t.same(readAppTicketClaims(seal(), random.bytes(32)), { kind: 'malformed', reason: 'undecipherable' });
  }
  await new Promise((resolve) => setImmediate(resolve));
  t.same(late, []);
});

t.test('each byte changed, each cut and each growth is malformed', async (t) => {
  const sealed = seal();
  for (const [what, changed] of mutationsOf(sealed)) {
    const opened = readAppTicketClaims(changed, KEY);
    // The frame is not protected itself: it contains the lengths, the CRC and the version.
    if (opened.kind === 'malformed') continue;
    t.fail(`${what} opened`);
  }
  t.equal(readAppTicketClaims(sealed, KEY).kind, 'unproven-claims', 'and the whole one is not');
});

t.test('random bytes, and random bytes in a right frame, are malformed', async (t) => {
  for (let round = 0; round < 2000; round++) {
    t.equal(readAppTicketClaims(random.bytes(random.below(600)), KEY).kind, 'malformed');
    const blocks = random.bytes(16 * (2 + random.below(20)));
    const framed = Uint8Array.from([
      ...varints(1, random.next(), random.below(99), 66),
      ...protobufBytes(5, blocks),
    ]);
    t.equal(readAppTicketClaims(framed, KEY).kind, 'malformed');
  }
});

t.test('a ticket that is too long is not read', async (t) => {
  const huge = new Uint8Array(MAX_ENCRYPTED_TICKET_BYTES + 1);
  t.same(readAppTicketClaims(huge, KEY), { kind: 'malformed', reason: 'too-long' });
  t.same(readAppTicketClaims(new Uint8Array(0), KEY), { kind: 'malformed', reason: 'frame' });
});

t.test('a hash or a section that is not right is undecipherable, though the checksum is', async (t) => {
  const atHash = innerOf(2).length - 5;
  const atOwnership = USER_DATA.length;
  for (const at of [atHash, atOwnership + 8]) {
    const inner = innerOf(2).slice();
    inner[at]! ^= 1;
    t.same(readAppTicketClaims(frame(2, inner), KEY), { kind: 'malformed', reason: 'undecipherable' });
  }
  const noSection = innerOf(1, undefined, new Uint8Array(OWNERSHIP_LENGTH));
  t.same(readAppTicketClaims(frame(1, noSection), KEY), { kind: 'malformed', reason: 'undecipherable' });
});

t.test('lengths in the frame that contradict what is inside are undecipherable', async (t) => {
  for (const version of [1, 2] as const) {
    const inner = innerOf(version);
    const right = { userData: USER_DATA.length, hashAt: inner.length - 24 };
    const cases = [
      { ...right, userData: 0xffff_ffff },
      { ...right, userData: 0 },
      { ...right, userData: right.userData + 1 },
      { ...right, userData: right.hashAt },
      { ...right, hashAt: 0xffff_ffff },
      { ...right, hashAt: right.hashAt - 4 },
      { userData: 0, hashAt: 0 },
    ];
    for (const fields of cases) {
      const read = readAppTicketClaims(frame(version, inner, fields), KEY);
      t.same(read, { kind: 'malformed', reason: 'undecipherable' }, JSON.stringify(fields));
    }
    t.equal(
      readAppTicketClaims(frame(version, inner), KEY).kind,
      'unproven-claims',
      'the right ones are read',
    );
  }
});

t.test('a frame of another version, or without a field, is malformed', async (t) => {
  const block = protobufBytes(5, new Uint8Array(32));
  const cases: [reason: string, frame: number[]][] = [
    ['version', [...varints(3, 1, 1, 66), ...block]],
    ['version', [...varints(0, 1, 1, 66), ...block]],
    ['frame', varints(1, 1, 1, 66)],
    ['frame', [...protobufVarint(1, 1), ...block]],
    ['frame', [...varints(1, 1, 1, 66), ...block, ...block]],
    ['frame', [...varints(1, 1, 1, 66), ...protobufVarint(5, 3)]],
    ['ciphertext', [...varints(1, 1, 1, 66), ...protobufBytes(5, new Uint8Array(16))]],
    ['ciphertext', [...varints(1, 1, 1, 66), ...protobufBytes(5, new Uint8Array(33))]],
    ['ciphertext', [...varints(1, 1, 1, 66), ...protobufBytes(5, new Uint8Array(0))]],
  ];
  for (const [reason, bytes] of cases) {
    t.same(readAppTicketClaims(Uint8Array.from(bytes), KEY), { kind: 'malformed', reason });
  }
});

t.test('the frame: each field once, 32 bits, unknown ones skipped', async (t) => {
  const read = (...bytes: number[]) => readProtobuf(Uint8Array.from(bytes));
  t.same(read(), new Map());
  t.same(read(0x08, 0xff, 0xff, 0xff, 0xff, 0x0f), new Map([[1, { kind: 'varint', value: 0xffff_ffff }]]));
  t.same(read(...protobufVarint(9, 300)), new Map([[9, { kind: 'varint', value: 300 }]]));
  t.same(read(0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 1, 2, 3, 4), new Map(), 'fixed widths');
  for (const [what, bytes] of [
    ['a varint of 33 bits', [0x08, 0xff, 0xff, 0xff, 0xff, 0x1f]],
    ['a varint without end', [0x08, 0xff, 0xff]],
    ['a varint of six bytes', [0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
    ['a field twice', [0x08, 1, 0x08, 1]],
    ['field 0', [0x00, 1]],
    ['a group', [0x0b, 0x0c]],
    ['bytes behind the end', [0x2a, 5, 1, 2]],
    ['a fixed width behind the end', [0x09, 1, 2]],
    ['33 fields', Array.from({ length: 33 }, (_, at) => protobufVarint(at + 1, 1)).flat()],
  ] as [string, number[]][]) {
    t.equal(read(...bytes), null, what);
  }
});

const VICTIM = 76561197960265999n;
const NONCE = random.bytes(16);
const STEAMS: readonly (readonly [version: 1 | 2, steam: Steam])[] = [
  [1, (userData) => sealedAsVersion1(ownershipOf(), userData)],
  [2, (userData) => seal(ownershipOf(), userData.slice())],
];

t.test(
  'a moved boundary names another player in version 1, and shows in version 2, under either number',
  async (t) => {
    for (const [version, steam] of STEAMS) {
      for (const said of [1, 2] as const) {
        const forged = MOVED_BOUNDARY.forge(steam, NONCE, ownershipOf({ steamId: VICTIM }), said);
        const read = readAppTicketClaims(forged, KEY);
        if (version === 1 && said === 1) {
          t.match(read, { kind: 'unproven-claims', ownership: { steamId: VICTIM }, userData: NONCE });
        } else t.same(read, { kind: 'malformed', reason: 'undecipherable' }, `${version} said to be ${said}`);
      }
    }
  },
);

t.test(
  'a ticket invented in one’s own user data names another player in both versions: claims are no proof',
  async (t) => {
    for (const [version, steam] of STEAMS) {
      for (const said of [1, 2] as const) {
        const forged = INVENTED_INSIDE.forge(steam, NONCE, ownershipOf({ steamId: VICTIM }), said);
        t.match(
          readAppTicketClaims(forged, KEY),
          { kind: 'unproven-claims', ownership: { steamId: VICTIM }, userData: NONCE },
          `${version} said to be ${said}`,
        );
      }
    }
  },
);

t.test('another reader accepts both forgeries', async (t) => {
  for (const [, steam] of STEAMS) {
    for (const { name, forge } of FORGERIES) {
      const forged = forge(steam, NONCE, ownershipOf({ steamId: VICTIM }), 1);
      const parsed = appTickets.parseEncryptedAppTicket(Buffer.from(forged), Buffer.from(KEY));
      t.equal(parsed?.steamID.getSteamID64(), String(VICTIM), name);
    }
  }
});

t.test('wrong lengths of key, IV, salt and user data are misuse', async (t) => {
  const ticket = { ownership: ownershipOf(), userData: USER_DATA };
  const bytes = (length: number) => new Uint8Array(length);
  t.throws(() => sealAppTicket(ticket, bytes(31), bytes(16), bytes(8)), RangeError);
  t.throws(() => sealAppTicket(ticket, bytes(32), bytes(15), bytes(8)), RangeError);
  t.throws(() => sealAppTicket(ticket, bytes(32), bytes(16), bytes(9)), RangeError);
  t.throws(() => readAppTicketClaims(seal(), bytes(16)), {
    name: 'RangeError',
    message: /key has 16 bytes, expected 32/,
  });
  t.throws(() => seal(ownershipOf(), bytes(MAX_USER_DATA_BYTES + 1)), RangeError);
  t.throws(() => seal(ownershipOf({ appId: -1 })), RangeError);
  t.throws(() => seal(ownershipOf({ licenses: new Array(5000).fill(1) })), RangeError);
});

/** A genuine ticket in the form that Steam made before August 2024. */
function sealedAsVersion1(ownership: Ownership, userData: Uint8Array): Uint8Array {
  const salted = Buffer.concat([userData, writeOwnership(ownership), random.bytes(8)]);
  const inner = Buffer.concat([salted, createHash('sha1').update(salted).digest(), Buffer.alloc(4)]);
  return frame(1, inner, { userData: userData.length, hashAt: salted.length });
}

function varints(version: number, crc: number, userData: number, ownership: number): number[] {
  return [
    ...protobufVarint(1, version),
    ...protobufVarint(2, crc),
    ...protobufVarint(3, userData),
    ...protobufVarint(4, ownership),
  ];
}

const OWNERSHIP_LENGTH = writeOwnership(ownershipOf()).length;

/** The plain text of a ticket, made by hand: of version 2 with the lengths that `told` makes of the right ones. */
function innerOf(
  version: 1 | 2,
  told: (lengths: readonly number[]) => readonly number[] = (lengths) => lengths,
  ownership = writeOwnership(ownershipOf()),
): Uint8Array {
  const at = USER_DATA.length + ownership.length;
  const lengths = version === 1 ? [] : told([52, 0, USER_DATA.length, ownership.length, at + 28]);
  const words = Buffer.from(new Uint32Array(lengths).buffer);
  const salted = Buffer.concat([USER_DATA, ownership, words, Buffer.from('saltsalt')]);
  const hash = createHash('sha1').update(salted).digest();
  return new Uint8Array(Buffer.concat([salted, hash, Uint8Array.of(version === 2 ? 2 : 0, 0, 0, 0)]));
}

/** A whole ticket around a plain text, made by hand. */
function frame(
  version: number,
  inner: Uint8Array,
  fields = { userData: USER_DATA.length, hashAt: inner.length - 24 },
): Uint8Array {
  const iv = random.bytes(16);
  const ecb = createCipheriv('aes-256-ecb', KEY, null).setAutoPadding(false);
  const cbc = createCipheriv('aes-256-cbc', KEY, iv);
  const ciphertext = Buffer.concat([ecb.update(iv), ecb.final(), cbc.update(inner), cbc.final()]);
  const head = varints(version, crc32(inner), fields.userData, fields.hashAt);
  return Uint8Array.from([...head, ...protobufBytes(5, ciphertext)]);
}
