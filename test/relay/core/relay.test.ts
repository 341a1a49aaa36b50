/** Joining, leaving and being refused: which messages go to whom, in which order. */

import t from 'tap';
import type { CredentialVerdict } from '../../../relay/core/credential.js';
import type { RelayPolicy } from '../../../relay/core/joining/hello.js';
import type { AddressShares } from '../../../relay/core/lobby/shares.js';
import { MAX_CONTROL_BYTES, writeMessage } from '../../../voice/control.js';
import { CloseCode, type RefusalCode } from '../../../voice/control_codes.js';
import {
  admittedOf,
  Bench,
  bytesOf,
  deeds,
  frameOf,
  helloOf,
  refusalOf,
  slotOf,
  steamIdOf,
  TOKEN,
  tellsOf,
} from '../kit.js';

/** A participant as messages describe them. */
const told = (account: number, slot: number) => ({
  slot,
  steamId: steamIdOf(account),
  name: `player ${account}`,
});

t.test('the first to join is subscribed, then welcomed to an empty lobby', async (t) => {
  const bench = new Bench();
  t.same(bench.connect(1), []);
  bench.now = 1250.75;
  t.same(bench.text(1, helloOf(1)), [
    { kind: 'event', event: { kind: 'lobby-opened', lobby: 'den' } },
    { kind: 'subscribe', connection: 1, topic: 'lobby/0' },
    {
      kind: 'tell',
      connections: [1],
      message: {
        type: 'welcome',
        version: 1,
        capabilities: ['ping', 'recording', 'stale', 'heartbeat'],
        slot: 0,
        lobby: 'den',
        relayTimeMs: 250,
        staleAfterMs: 150,
        nonce: `02${'0'.repeat(30)}`,
        resume: { secret: `01${'0'.repeat(30)}`, withinMs: 30_000 },
        you: told(1, 0),
        participants: [],
        channels: [],
      },
    },
    {
      kind: 'event',
      event: { kind: 'joined', lobby: 'den', slot: 0, steamId: steamIdOf(1), name: 'player 1' },
    },
  ]);
});

t.test('a joiner hears of everyone else once, and everyone else of the joiner once', async (t) => {
  const bench = new Bench();
  bench.join(1);
  bench.join(2);
  bench.voice(1, frameOf(1));
  const [welcome, hears, joined] = tellsOf(bench.join(3));
  t.match(welcome, [[3], { type: 'welcome', slot: 2, you: told(3, 2) }]);
  t.same(welcome?.[1].type === 'welcome' && welcome[1].participants, [
    { ...told(1, 0), speaking: true },
    { ...told(2, 1), speaking: false },
  ]);
  t.same(hears, [[3], { type: 'hears', next: [[0, 0, 1]] }], 'one frame was not for them');
  t.same(joined, [[1, 2], { type: 'joined', participant: told(3, 2) }]);
});

t.test('leaving closes with 1000, and the others hear of it', async (t) => {
  const bench = new Bench();
  bench.join(1);
  bench.join(2);
  t.same(deeds(bench.text(1, { type: 'leave' })), [
    { kind: 'unsubscribe', connection: 1, topic: 'lobby/0' },
    { kind: 'tell', connections: [2], message: { type: 'left', slot: 0 } },
    { kind: 'close', connection: 1, code: 1000, reason: 'left' },
  ]);
  t.same(bench.close(1), [], 'the close that follows is no news');
});

t.test('lobbies are separate, and an empty one is gone', async (t) => {
  const bench = new Bench();
  bench.join(1, 'den');
  const outputs = bench.join(2, 'attic');
  t.equal(slotOf(outputs), 0);
  t.same(
    tellsOf(outputs).map(([connections]) => connections),
    [[2]],
  );
  t.equal(bench.relay.counts().lobbies, 2);
  bench.text(2, { type: 'leave' });
  t.equal(bench.relay.counts().lobbies, 1);
  t.match(deeds(bench.join(3, 'attic')), [{ topic: 'lobby/2' }], 'a lobby made again has a new topic');
});

t.test('one SteamID is in a lobby at most once, and may be in two lobbies', async (t) => {
  const bench = new Bench();
  bench.join(1);
  bench.connect(2);
  t.same(deeds(bench.text(2, helloOf(1))), [
    {
      kind: 'tell',
      connections: [2],
      message: {
        type: 'refused',
        code: 'steam-id-in-use',
        message: `SteamID ${steamIdOf(1)} is already in the lobby, expected each once`,
      },
    },
    { kind: 'close', connection: 2, code: 4005, reason: 'steam-id-in-use' },
  ]);
  bench.connect(3);
  t.equal(slotOf(bench.text(3, helloOf(1, 'attic'))), 0);
  bench.text(1, { type: 'leave' });
  bench.connect(4);
  t.equal(refusalOf(bench.text(4, helloOf(1))), null, 'after leaving they may join again');
});

t.test('every refusal sends its reason, closes with its code, and is counted', async (t) => {
  const small = { lobbies: 1, participantsPerLobby: 2, connections: 4 } as const;
  const cases: [
    code: RefusalCode,
    run: (bench: Bench) => unknown,
    limits?: object,
    policy?: Partial<RelayPolicy>,
    addressShares?: Partial<AddressShares>,
  ][] = [
    ['hello-expected', (bench) => bench.text(9, { type: 'leave' })],
    ['hello-late', (bench) => bench.tickAt(bench.now + 5000)],
    ['message-malformed', (bench) => bench.text(9, '{')],
    ['version-unsupported', (bench) => bench.text(9, { ...helloOf(9), versions: [7, 2] })],
    [
      'already-joined',
      (bench) => {
        bench.text(9, helloOf(9));
        return bench.text(9, helloOf(9));
      },
    ],
    ['steam-id-in-use', (bench) => bench.text(9, helloOf(1))],
    [
      'lobby-full',
      (bench) => {
        bench.join(2);
        return bench.text(9, helloOf(9));
      },
      small,
    ],
    ['relay-full', (bench) => bench.text(9, helloOf(9, 'attic')), small],
    [
      'rate-exceeded',
      (bench) => {
        bench.text(9, helloOf(9));
        return bench.text(9, { type: 'leave' });
      },
      { controlBurst: 1, controlPerSecond: 1 },
    ],
    ['ticket-refused', (bench) => bench.text(9, { ...helloOf(9), appTicket: '00' })],
    ['credential-expected', (bench) => bench.text(9, helloOf(9)), {}, { unproven: 'refuse' }],
    ['token-refused', (bench) => withToken(bench, { kind: 'denied', code: 'token-refused', ...why })],
    [
      'admission-unavailable',
      (bench) => withToken(bench, { kind: 'denied', code: 'admission-unavailable', ...why }),
    ],
    [
      'token-expired',
      (bench) => {
        withToken(bench, admittedOf(9, { expiresAt: bench.unixSeconds + 1 }));
        return bench.tickAt(bench.now + 6000);
      },
    ],
    ['resume-refused', (bench) => bench.text(9, { type: 'resume', versions: [1], secret: '0'.repeat(32) })],
    [
      'replaced',
      (bench) => {
        withToken(bench, admittedOf(9));
        return bench.admit(9, {}, 10);
      },
      {},
      { secondJoin: 'replace' },
    ],
    ['kicked', (bench) => moderated(bench, 'kick')],
    ['banned', (bench) => moderated(bench, 'ban')],
    [
      'lobby-ended',
      (bench) => {
        bench.text(9, helloOf(9));
        return bench.admin({ kind: 'close-lobby', lobby: 'den' }).outputs;
      },
    ],
    ['address-full', (bench) => bench.text(9, helloOf(9, 'attic')), {}, {}, { lobbies: 1 }],
    [
      'guests-full',
      (bench) => bench.text(9, { type: 'hello', versions: [1], lobby: 'den', name: 'guest' }),
      { guestPlacesPercent: 0 },
      { guests: 'speak' },
    ],
    ['lobby-unknown', (bench) => bench.text(9, helloOf(9)), {}, { lobbies: 'by-admin' }],
  ];
  for (const [code, run, limits = {}, policy = {}, addressShares = {}] of cases) {
    const bench = new Bench(limits, policy, [], { addressShares });
    bench.connect(1, 'home');
    bench.text(1, helloOf(1));
    bench.connect(9, 'home');
    const counted = bench.relay.counts().refusals[code];
    const outputs = run(bench) as ReturnType<Bench['join']>;
    t.ok(
      tellsOf(outputs).some(([to, it]) => to.includes(9) && it.type === 'refused' && it.code === code),
      `${code} is sent`,
    );
    t.ok(
      outputs.some(
        (output) => output.kind === 'close' && output.connection === 9 && output.code === CloseCode[code],
      ),
      `${code} closes with ${CloseCode[code]}`,
    );
    t.ok(bench.relay.counts().refusals[code] > counted, 'and is counted');
    t.same(bench.text(9, helloOf(9)), [], 'a refused connection is heard no more');
  }
  t.same(cases.map(([code]) => code).sort(), Object.keys(CloseCode).sort(), 'all codes are covered');
});

const why = { reason: 'forged', wanted: 'one that is not' } as const;

function withToken(bench: Bench, verdict: CredentialVerdict): unknown {
  bench.text(9, { ...helloOf(9), token: TOKEN });
  return bench.judged(9, verdict);
}

function moderated(bench: Bench, action: 'kick' | 'ban'): unknown {
  bench.text(9, helloOf(9));
  return bench.moderate('den', { steamId: steamIdOf(9), action });
}

t.test('a connection beyond the limit is refused before its hello', async (t) => {
  const bench = new Bench({ connections: 1 });
  bench.connect(1);
  t.equal(refusalOf(bench.connect(2)), 'relay-full');
  t.equal(bench.relay.counts().connections, 1);
  bench.close(1);
  t.same(bench.connect(3), []);
});

t.test('reusing a connection number is misuse', async (t) => {
  const bench = new Bench();
  bench.connect(1);
  t.throws(() => bench.connect(1), RangeError);
});

t.test('a hello in time is not late, and only a waiting connection can be late', async (t) => {
  const bench = new Bench();
  bench.join(1);
  bench.connect(2);
  bench.now += 1;
  bench.connect(3);
  t.same(bench.tickAt(5999), []);
  t.same(
    tellsOf(bench.tickAt(6000)).map(([connections]) => connections),
    [[2]],
  );
  t.equal(slotOf(bench.text(3, helloOf(3))), 1);
  t.same(bench.tickAt(60_000), []);
});

t.test('the best version that both speak is used', async (t) => {
  const bench = new Bench();
  bench.connect(1);
  t.match(tellsOf(bench.text(1, { ...helloOf(1), versions: [9, 1, 4] })), [[[1], { version: 1 }]]);
});

t.test('a control message that is too long, not UTF-8 or unknown is malformed', async (t) => {
  const long = JSON.stringify({ ...helloOf(9), pad: 'x'.repeat(MAX_CONTROL_BYTES) });
  // Few characters, many bytes: the limit is one of bytes.
  const wide = JSON.stringify({ ...helloOf(9), pad: '語'.repeat(MAX_CONTROL_BYTES / 3) });
  t.ok(wide.length < MAX_CONTROL_BYTES);
  const cases: [string, Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['too long', bytesOf(long)],
    ['too long in bytes', bytesOf(wide)],
    ['not UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
    ['an array', bytesOf('[]')],
    ['null', bytesOf('null')],
    ['a type unknown', bytesOf('{"type":"shout"}')],
    ["a relay's message", bytesOf(writeMessage({ type: 'left', slot: 0 }))],
    ['no lobby name', bytesOf(JSON.stringify({ ...helloOf(9), lobby: '' }))],
    ['a line feed in a name', bytesOf(JSON.stringify({ ...helloOf(9), name: 'a\nb' }))],
    ['a SteamID of 65 bits', bytesOf(JSON.stringify({ ...helloOf(9), steamId: '18446744073709551616' }))],
    [
      'a SteamID with a leading zero',
      bytesOf(JSON.stringify({ ...helloOf(9), steamId: `0${steamIdOf(9)}` })),
    ],
  ];
  for (const [name, bytes] of cases) {
    const bench = new Bench();
    bench.connect(9);
    t.equal(refusalOf(bench.text(9, bytes)), 'message-malformed', name);
  }
});

t.test('a slot rests after its participant left', async (t) => {
  const bench = new Bench();
  for (const account of [1, 2, 3]) bench.join(account);
  bench.text(2, { type: 'leave' });
  t.equal(slotOf(bench.join(4)), 3, 'slot 1 rests');
  bench.now += 44_999;
  t.equal(slotOf(bench.join(5)), 4);
  bench.now += 1;
  t.equal(slotOf(bench.join(6)), 1, 'the lowest that has rested comes first');
});

t.test(
  'slots stay below four times the participants and four for moderators, then the longest rested is used',
  async (t) => {
    const bench = new Bench({ participantsPerLobby: 2 });
    bench.join(1);
    for (let slot = 1; slot < 12; slot++) {
      bench.now += 1;
      t.equal(slotOf(bench.join(100 + slot)), slot);
      bench.text(100 + slot, { type: 'leave' });
    }
    t.equal(slotOf(bench.join(200)), 1);
    bench.text(200, { type: 'leave' });
    t.equal(slotOf(bench.join(201)), 2, 'slot 1 was freed a moment ago');
  },
);

t.test('an invalid limit is refused by name', async (t) => {
  t.throws(() => new Bench({ lobbies: 0 }), {
    name: 'RangeError',
    message: /lobbies: it is 0, expected 1 to 100000/,
  });
  t.throws(() => new Bench({ frameBurst: 1.5 }), RangeError);
  t.throws(() => new Bench({ lobby: 3 } as object), {
    name: 'TypeError',
    message: /unknown limit "lobby"/,
  });
  t.throws(() => new Bench({ toString: 3 } as object), TypeError);
});
