/** Payloads of Steam's callbacks, made by hand from the tables of both packings, read as signals. */

import t from 'tap';
import { isWhole, packingOf, signalOf } from '../../../native/real/callbacks.js';
import { bytesOfHex, hexOfBytes } from '../../kit/hex.js';
import { SEED, SeededRandom } from '../../kit/random.js';

const STEAM_ID = 76561198000000001n;
/** STEAM_ID, little-endian. */
const ID = '014c5e0201001001';

/** Each payload in bytes: those that the packings share, as `both`. */
const CASES = [
  { id: 101, signal: 'steam_server_connected', both: '00', keys: {} },
  {
    id: 102,
    signal: 'steam_server_connect_failed',
    both: '03000000 01 ffffff',
    keys: { result: 3, retrying: true },
  },
  { id: 103, signal: 'steam_server_disconnected', both: '03000000', keys: { result: 3 } },
  {
    id: 113,
    signal: 'client_game_server_deny',
    both: 'e0010000 0100007f 8769 0100 05000000',
    keys: { app_id: 480, server_ip: '127.0.0.1', server_port: 27015, secure: 1, reason: 5 },
  },
  { id: 117, signal: 'ipc_failure', both: '01', keys: { type: 1 } },
  { id: 125, signal: 'licenses_updated', both: '00', keys: {} },
  {
    id: 143,
    signal: 'validate_auth_ticket_response',
    both: `${ID} 06000000 024c5e0201001001`,
    keys: { auth_id: STEAM_ID, response: 6, owner_id: STEAM_ID + 1n },
  },
  {
    id: 152,
    signal: 'microtransaction_auth_response',
    pack4: 'e0010000 efcdab8967452301 01 000000',
    pack8: 'e0010000 ffffffff efcdab8967452301 01 00000000000000',
    keys: { app_id: 480, order_id: 0x0123456789abcdefn, authorized: true },
  },
  { id: 154, signal: 'encrypted_app_ticket_response', both: '19000000', keys: { result: 25 } },
  {
    id: 163,
    signal: 'get_auth_session_ticket_response',
    both: 'ffffffff 01000000',
    keys: { auth_ticket: 4294967295, result: 1 },
  },
  {
    id: 164,
    signal: 'game_web_callback',
    both: `${hexOf('steam://x')} 00${'ff'.repeat(246)}`,
    keys: { url: 'steam://x' },
  },
  {
    id: 165,
    signal: 'store_auth_url_response',
    both: `${hexOf('https://store/é')} ${'00'.repeat(496)}`,
    keys: { url: 'https://store/é' },
  },
  {
    id: 166,
    signal: 'market_eligibility_response',
    both: '00 ffffff 00800100 80510100 0f000000 07000000',
    keys: {
      is_allowed: false,
      disallow_reason: 0x18000,
      allowed_at_time: 86400,
      steam_guard_required_days: 15,
      new_device_cooldown: 7,
    },
  },
  {
    id: 167,
    signal: 'duration_control',
    both: '01000000 e0010000 01 ffffff 100e0000 02000000 04000000 201c0000 ffffffff',
    keys: {
      result: 1,
      duration: {
        app_id: 480,
        applicable: true,
        seconds_last_5hrs: 3600,
        progress: 2,
        notification: 4,
        notification_verbal: 'your xp / progress is zero',
        seconds_today: 7200,
        seconds_remaining: -1,
      },
    },
  },
  {
    id: 168,
    signal: 'get_ticket_for_web_api',
    both: `07000000 01000000 03000000 00ff10 ${'00'.repeat(2557)}`,
    keys: { auth_ticket: 7, result: 1, ticket_size: 3, ticket_buffer: Uint8Array.of(0, 255, 16) },
  },
] as const;

const NO_BYTES = new Uint8Array(0);

function hexOf(text: string): string {
  return hexOfBytes(Buffer.from(text));
}

function payloads(entry: (typeof CASES)[number]): [packing: 4 | 8, payload: Uint8Array][] {
  const [four, eight] = 'both' in entry ? [entry.both, entry.both] : [entry.pack4, entry.pack8];
  return [
    [4, bytesOfHex(four)],
    [8, bytesOfHex(eight)],
  ];
}

t.test('each of the 15 payloads is read as its signal, packed to 4 and to 8', async (t) => {
  t.equal(CASES.length, 15);
  for (const entry of CASES) {
    for (const [packing, payload] of payloads(entry)) {
      const { id, signal, keys } = entry;
      t.same(
        signalOf({ id, call: 0n, payload }, packing),
        { signal, keys, call: 0n },
        `${signal}, ${packing}`,
      );
    }
  }
});

t.test('a payload that lies somewhere in larger memory is read from its own offset', async (t) => {
  for (const entry of CASES) {
    const [[, payload]] = payloads(entry) as [[4, Uint8Array]];
    const memory = new Uint8Array(payload.length + 10).fill(0xee);
    memory.set(payload, 5);
    const read = signalOf({ id: entry.id, call: 9n, payload: memory.subarray(5, 5 + payload.length) }, 4);
    t.same(read, { signal: entry.signal, keys: entry.keys, call: 9n }, entry.signal);
  }
});

t.test('one byte less than is read gives null, or a failure where somebody waits for it', async (t) => {
  const failures: Record<string, object> = {
    validate_auth_ticket_response: { response: 8, owner_id: 0n },
    get_auth_session_ticket_response: { result: 53 },
    get_ticket_for_web_api: { auth_ticket: 7, result: 53, ticket_size: 0, ticket_buffer: NO_BYTES },
  };
  const needed: Record<string, [number, number]> = {
    steam_server_connect_failed: [5, 5],
    steam_server_disconnected: [4, 4],
    client_game_server_deny: [16, 16],
    ipc_failure: [1, 1],
    validate_auth_ticket_response: [20, 20],
    microtransaction_auth_response: [13, 17],
    encrypted_app_ticket_response: [4, 4],
    get_auth_session_ticket_response: [8, 8],
    game_web_callback: [256, 256],
    store_auth_url_response: [512, 512],
    market_eligibility_response: [20, 20],
    duration_control: [32, 32],
    get_ticket_for_web_api: [15, 15],
  };
  for (const entry of CASES) {
    const lengths = needed[entry.signal];
    if (lengths === undefined) continue;
    for (const [at, [packing, payload]] of payloads(entry).entries()) {
      const bytes = lengths[at] ?? 0;
      const cut = (length: number) =>
        signalOf({ id: entry.id, call: 0n, payload: payload.slice(0, length) }, packing);
      t.not(cut(bytes), null, `${entry.signal} of ${bytes} bytes, packed to ${packing}`);
      const sentence = `${entry.signal} of ${bytes - 1} bytes, packed to ${packing}`;
      const failure = failures[entry.signal];
      if (failure === undefined) t.equal(cut(bytes - 1), null, sentence);
      else t.match(cut(bytes - 1), { signal: entry.signal, keys: failure, call: 0n }, sentence);
      const whole = (length: number) =>
        isWhole({ id: entry.id, call: 0n, payload: payload.slice(0, length) }, packing);
      t.same([whole(bytes), whole(bytes - 1)], [true, false], sentence);
    }
  }
});

t.test('a call result that is too short is a call that failed; no other will come', async (t) => {
  for (const id of [154, 165, 166, 167]) {
    const read = signalOf({ id, call: 3n, payload: new Uint8Array(3) }, 4);
    t.match(read, { keys: null, call: 3n }, `${id}`);
  }
  t.equal(signalOf({ id: 163, call: 3n, payload: new Uint8Array(3) }, 4), null, 'it answers no call');
});

t.test('a longer payload, as a newer SDK may send, is read as far as it is known', async (t) => {
  const payload = bytesOfHex('19000000 eeeeeeee');
  const read = signalOf({ id: 154, call: 3n, payload }, 4);
  t.same(read, { signal: 'encrypted_app_ticket_response', keys: { result: 25 }, call: 3n });
});

t.test('a web ticket that says more bytes than there are, or fewer than none, is a failure', async (t) => {
  for (const size of ['04000000', 'ffffffff', 'ffffff7f']) {
    const payload = bytesOfHex(`07000000 01000000 ${size} 00ff10`);
    const keys = { auth_ticket: 7, result: 53, ticket_size: 0, ticket_buffer: NO_BYTES };
    const signal = 'get_ticket_for_web_api';
    t.same(signalOf({ id: 168, call: 0n, payload }, 4), { signal, keys, call: 0n }, size);
    t.equal(isWhole({ id: 168, call: 0n, payload }, 4), false);
  }
});

t.test("a web ticket is the signal's own copy", async (t) => {
  const payload = bytesOfHex('07000000 01000000 03000000 00ff10');
  const read = signalOf({ id: 168, call: 0n, payload }, 4);
  payload.fill(0);
  t.match(read, { keys: { ticket_buffer: Uint8Array.of(0, 255, 16) } });
});

t.test('a text that no NUL ends, ends with its array', async (t) => {
  const payload = bytesOfHex(hexOf('a'.repeat(300)));
  t.match(signalOf({ id: 164, call: 0n, payload }, 4), { keys: { url: 'a'.repeat(256) } });
});

t.test('an unknown id gives null', async (t) => {
  for (const id of [0, -1, 100, 115, 169, 703, 304, 2 ** 31 - 1]) {
    t.equal(signalOf({ id, call: 0n, payload: new Uint8Array(4096) }, 4), null, `${id}`);
  }
});

t.test('a failed call gives the four signals that answer calls, and no other', async (t) => {
  const answers = CASES.filter(({ id }) => signalOf({ id, call: 5n, payload: null }, 4) !== null);
  t.same(
    answers.map(({ id }) => id),
    [154, 165, 166, 167],
  );
  t.same(signalOf({ id: 165, call: 5n, payload: null }, 4), {
    signal: 'store_auth_url_response',
    keys: null,
    call: 5n,
  });
});

t.test('any bytes of any length give a signal or null, and never throw', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  for (let round = 0; round < 20_000; round++) {
    const id = 100 + random.below(70);
    const payload = random.bytes(random.below(40));
    const read = signalOf({ id, call: 0n, payload }, random.below(2) === 0 ? 4 : 8);
    if (read !== null && typeof read.signal !== 'string') t.fail(`${id}`);
  }
});

t.test('structures are packed to 8 on Windows and to 4 elsewhere', async (t) => {
  t.same(['win32', 'linux', 'darwin'].map(packingOf), [8, 4, 4]);
});
