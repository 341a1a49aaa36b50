/** Limits by address: what one may do never grows with what it tries, and the table stays bounded. */

import fc from 'fast-check';
import t from 'tap';
import { TrustedProxies } from '../../../relay/addresses/trusted_proxies.js';
import {
  ADDRESS_LIMITS,
  type AddressLimitOptions,
  AddressLimits,
  tcpLimits,
} from '../../../relay/port/address_limits.js';
import { ConnectionAdmission } from '../../../relay/port/connection_admission.js';
import { SEED } from '../../kit/random.js';

t.comment(`seed ${SEED}`);

const WIDE = 1_000_000;
const limitsOf = (chosen: Partial<AddressLimitOptions>) =>
  new AddressLimits({ connections: WIDE, connectionBurst: WIDE, credentialBurst: WIDE, ...chosen });

t.test('an address has a bounded number of connections, and another when one is closed', async (t) => {
  const limits = limitsOf({ connections: 2 });
  t.equal(limits.admit('a', 0), 'admitted');
  t.equal(limits.admit('a', 0), 'admitted');
  t.equal(limits.admit('a', 0), 'address-full');
  t.equal(limits.admit('b', 0), 'admitted', 'others are unaffected');
  limits.release('a', 0);
  t.equal(limits.admit('a', 0), 'admitted');
  t.equal(limits.admit('a', 0), 'address-full');
  t.match(limits.counts(), { addresses: 2, refused: { 'address-full': 2 } });
});

t.test('new connections are limited to a rate after a burst, also when each closes at once', async (t) => {
  const limits = limitsOf({ connectionsPerSecond: 10, connectionBurst: 3 });
  const tryAt = (now: number) => {
    const verdict = limits.admit('a', now);
    if (verdict === 'admitted') limits.release('a', now);
    limits.tick(now);
    return verdict;
  };
  t.same([0, 0, 0, 0].map(tryAt), ['admitted', 'admitted', 'admitted', 'address-busy']);
  t.equal(tryAt(99), 'address-busy', 'what was refused took nothing');
  t.equal(tryAt(100), 'admitted');
  t.equal(tryAt(150), 'address-busy');
  t.equal(limits.counts().refused['address-busy'], 3);
});

t.test('credentials are judged at a separate rate, shared by all connections of an address', async (t) => {
  const limits = limitsOf({ credentialsPerSecond: 1, credentialBurst: 2 });
  for (const key of ['a', 'a', 'b']) limits.admit(key, 0);
  t.same(
    [limits.judge('a', 0), limits.judge('a', 0), limits.judge('a', 0)],
    ['admitted', 'admitted', 'address-busy'],
  );
  t.equal(limits.judge('b', 0), 'admitted');
  t.equal(limits.judge('a', 1000), 'admitted');
  limits.release('a', 1000);
  limits.release('a', 1000);
  t.equal(limits.admit('a', 1000), 'admitted');
  t.equal(limits.judge('a', 1000), 'address-busy', 'who reconnects has not more of them');
});

t.test('an address is forgotten only when a new entry would be the same', async (t) => {
  const limits = limitsOf({
    connectionsPerSecond: 10,
    connectionBurst: 20,
    credentialsPerSecond: 1,
    credentialBurst: 5,
  });
  limits.admit('a', 0);
  limits.tick(1_000_000);
  t.equal(limits.counts().addresses, 1, 'who is connected is not forgotten');
  limits.release('a', 1_000_000);
  limits.tick(1_004_999);
  t.equal(limits.counts().addresses, 1);
  limits.tick(1_005_000);
  t.equal(limits.counts().addresses, 0);
});

t.test(
  'a full table forgets the address that left longest ago, and refuses only when all are connected',
  async (t) => {
    const limits = limitsOf({ addresses: 2, connectionsPerSecond: 1, connectionBurst: 1 });
    limits.admit('a', 0);
    limits.release('a', 0);
    limits.admit('b', 1);
    limits.release('b', 1);
    t.equal(limits.admit('c', 2), 'admitted');
    t.match(limits.counts(), { addresses: 2, forgottenEarly: 1 });
    t.equal(limits.admit('b', 3), 'address-busy', 'who left later is still known');
    t.equal(limits.admit('a', 3), 'admitted', 'in the place of b');
    t.equal(limits.admit('d', 4), 'table-full');
    t.match(limits.counts(), { addresses: 2, forgottenEarly: 2, refused: { 'table-full': 1 } });
    limits.release('a', 5);
    t.equal(limits.admit('d', 6), 'admitted');
  },
);

t.test('a flood of addresses that ends is forgotten in portions', async (t) => {
  const limits = limitsOf({ addresses: 10_000, connectionsPerSecond: WIDE, credentialsPerSecond: WIDE });
  for (let n = 0; n < 10_000; n += 1) {
    limits.admit(`${n}`, 0);
    limits.release(`${n}`, 0);
  }
  const sizes = Array.from({ length: 6 }, () => {
    limits.tick(60_000);
    return limits.counts().addresses;
  });
  t.same(sizes, [8000, 6000, 4000, 2000, 0, 0]);
});

t.test('an address without a connection cannot release one, nor have a credential judged', async (t) => {
  const limits = limitsOf({});
  t.throws(() => limits.release('a', 0), { name: 'RangeError', message: /a has no admitted connection/ });
  limits.admit('a', 0);
  limits.release('a', 0);
  t.throws(() => limits.release('a', 0), { name: 'RangeError' });
  t.throws(() => limits.judge('a', 0), { name: 'RangeError' });
});

t.test('limits are integers within their ranges, and misspellings are named', async (t) => {
  for (const [name, { default: fallback, min, max }] of Object.entries(ADDRESS_LIMITS)) {
    for (const value of [min, max, fallback]) t.ok(new AddressLimits({ [name]: value }));
    for (const value of [min - 1, max + 1, fallback + 0.5, Number.NaN])
      t.throws(() => new AddressLimits({ [name]: value }), { name: 'RangeError', message: new RegExp(name) });
  }
  t.throws(() => new AddressLimits({ connectons: 1 } as never), {
    name: 'TypeError',
    message: /"connectons"/,
  });
});

t.test(
  'any history: never more connections, never a higher rate, never more memory than allowed',
  async (t) => {
    const KEYS = 4;
    const step = fc.record({
      key: fc.nat(KEYS - 1),
      act: fc.constantFrom('admit', 'admit', 'admit', 'release', 'judge', 'tick'),
      afterMs: fc.oneof({ weight: 9, arbitrary: fc.nat(40) }, { weight: 1, arbitrary: fc.nat(2000) }),
    });
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 50, maxLength: 200 }),
        fc.integer({ min: 1, max: KEYS }),
        (steps, addresses) => {
          const chosen = {
            connections: 3,
            connectionsPerSecond: 4,
            connectionBurst: 5,
            credentialsPerSecond: 2,
            credentialBurst: 3,
          };
          const limits = new AddressLimits({ ...chosen, addresses });
          const open = new Map<number, number>();
          const admittedAt = new Map<number, number[]>();
          const judgedAt = new Map<number, number[]>();
          let now = 0;
          for (const { key, act, afterMs } of steps) {
            now += afterMs;
            const has = open.get(key) ?? 0;
            if (act === 'tick') limits.tick(now);
            if (act === 'release' && has > 0) {
              limits.release(`${key}`, now);
              open.set(key, has - 1);
            }
            if (act === 'judge' && has > 0) {
              const verdict = limits.judge(`${key}`, now);
              if (verdict === 'admitted') judgedAt.set(key, [...(judgedAt.get(key) ?? []), now]);
            }
            if (act === 'admit') {
              const verdict = limits.admit(`${key}`, now);
              outcomes.add(verdict);
              if (verdict === 'admitted') {
                open.set(key, has + 1);
                admittedAt.set(key, [...(admittedAt.get(key) ?? []), now]);
              }
              if ((verdict === 'address-full') !== (has === chosen.connections)) return false;
              const connected = [...open.values()].filter((count) => count > 0).length;
              if (verdict === 'table-full' && !(has === 0 && connected === addresses)) return false;
            }
            if (limits.counts().addresses > addresses) return false;
          }
          // Who is forgotten early has a new burst: then only the bounds above hold.
          if (limits.counts().forgottenEarly > 0) {
            outcomes.add('forgotten');
            return true;
          }
          return (
            [...admittedAt.values()].every((times) =>
              isWithin(times, chosen.connectionsPerSecond, chosen.connectionBurst),
            ) &&
            [...judgedAt.values()].every((times) =>
              isWithin(times, chosen.credentialsPerSecond, chosen.credentialBurst),
            )
          );
        },
      ),
      { seed: SEED, numRuns: 2000 },
    );
    const wanted = ['address-busy', 'address-full', 'admitted', 'forgotten', 'table-full'];
    t.same([...outcomes].sort(), wanted, 'all of it happened');
  },
);

/** Whether in every span there were at most the burst and what the rate gives in its time. */
function isWithin(times: readonly number[], perSecond: number, burst: number): boolean {
  return times.every((from, first) =>
    times.slice(first).every((to, more) => more + 1 <= burst + ((to - from) * perSecond) / 1000 + 1e-6),
  );
}

t.test('TCP connections of an address come at four times the rate, and twice as many at once', async (t) => {
  const limits = tcpLimits({ connections: 5, connectionBurst: 2, connectionsPerSecond: 3 });
  t.match(limits, { connections: 10, connectionBurst: 8, connectionsPerSecond: 12 });
  t.match(
    tcpLimits({ connectionBurst: WIDE, connections: WIDE }),
    { connectionBurst: WIDE, connections: WIDE },
    'within the range',
  );
  t.throws(() => tcpLimits({ connectionBurst: 0 }), RangeError);
});

/** The admission of a relay that may have so many TCP connections, of one address twice `ofAddress`. */
function admissionOf(ofAddress: number, mostConnections: number, dev = false): ConnectionAdmission {
  return new ConnectionAdmission({
    dev,
    origins: [],
    ownPage: 'as-listed',
    addresses: limitsOf({}),
    tcpAddresses: new AddressLimits(
      tcpLimits({ connections: ofAddress, connectionBurst: 1, connectionsPerSecond: 1 }),
    ),
    mostConnections,
    trustedProxies: new TrustedProxies(['10.0.0.0/8']),
  });
}

const FIVE = [1, 2, 3, 4, 5];

/** `admitted`, or why not. */
function came(admission: ConnectionAdmission, peer: string, now = 0): string {
  const answer = admission.admitTcp(peer, now);
  return answer.kind === 'refused' ? answer.reason : answer.kind;
}

t.test('TCP connections that come too fast are closed, except from trusted proxies', async (t) => {
  const admission = admissionOf(100, 1000);
  t.same(
    FIVE.map(() => came(admission, '192.0.2.1')),
    ['admitted', 'admitted', 'admitted', 'admitted', 'address-busy'],
  );
  t.equal(came(admission, '192.0.2.2'), 'admitted', 'others are unaffected');
  t.same(
    FIVE.map((host) => came(admission, `2001:db8::${host}`)).at(-1),
    'address-busy',
    'one household of IPv6 is one',
  );
  t.same(new Set(FIVE.map(() => came(admission, '10.1.2.3'))), new Set(['admitted']));
  t.equal(came(admission, '192.0.2.1', 249), 'address-busy');
  t.equal(came(admission, '192.0.2.1', 250), 'admitted');
  t.equal(admission.refused, 3, 'counted as not admitted');
  t.equal(admission.tcp(0).refused['address-busy'], 3);
  const dev = admissionOf(100, 1000, true);
  t.same(new Set(FIVE.map(() => came(dev, '127.0.0.1'))), new Set(['admitted']));
});

t.test('a TCP connection counts for its address from when it came until it is gone', async (t) => {
  const admission = admissionOf(1, 1000);
  const comesLate = (seconds: number) => came(admission, '192.0.2.1', 1000 * seconds);
  t.same([comesLate(1), comesLate(2), comesLate(3)], ['admitted', 'admitted', 'address-full']);
  t.equal(comesLate(4000), 'address-full', 'however long it is there, and whatever it asks for');
  admission.releaseTcp('192.0.2.1', 4_000_000);
  t.same([comesLate(4001), comesLate(4002)], ['admitted', 'address-full']);
  t.same(admission.tcp(0).connections, 2);
});

t.test(
  'TCP connections of all addresses together are bounded, proxies and development included',
  async (t) => {
    for (const [peerOf, dev] of [
      [(host: number) => `192.0.2.${host}`, false],
      [() => '10.1.2.3', false],
      [() => '127.0.0.1', true],
    ] as const) {
      const admission = admissionOf(1, 3, dev);
      t.same(
        FIVE.map((host) => came(admission, peerOf(host))),
        ['admitted', 'admitted', 'admitted', 'connections-full', 'connections-full'],
      );
      t.match(admission.tcp(0), { connections: 3, most: 3, refused: { 'connections-full': 2 } });
      admission.releaseTcp(peerOf(1), 0);
      t.equal(came(admission, peerOf(6)), 'admitted');
    }
  },
);

t.test('a closed WebSocket whose peer keeps the TCP connection counts for 20 s more', async (t) => {
  const admission = admissionOf(1, 3);
  for (const [host, at] of [
    [1, 0],
    [2, 50],
    [3, 130],
  ] as const) {
    t.equal(came(admission, `192.0.2.${host}`, at), 'admitted');
    admission.webSocketClosed(`192.0.2.${host}`, at);
  }
  t.match(admission.tcp(130), { connections: 0, closing: 3 });
  t.equal(came(admission, '192.0.2.9', 20_000), 'connections-full', 'none is forgotten early');
  t.equal(came(admission, '192.0.2.9', 20_050), 'admitted', 'two of them are gone');
  t.match(admission.tcp(20_130), { connections: 1, closing: 0 });
});
