/** Whose connection it is: a forwarded address counts from a trusted proxy alone, and nobody gains by garbage. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { addressKey, parseAddress } from '../../../relay/addresses/addresses.js';
import { type ClientAddress, clientAddress } from '../../../relay/addresses/client_address.js';
import { hopsOfForwarded, hopsOfForwardedFor } from '../../../relay/addresses/forwarded.js';
import { TrustedProxies } from '../../../relay/addresses/trusted_proxies.js';
import { SEED } from '../../kit/random.js';

t.comment(`seed ${SEED}`);

const PROXY = '10.0.0.1';
const CLIENT = '203.0.113.9';
const trustedProxies = new TrustedProxies(['10.0.0.0/8', '::1']);

interface Request {
  readonly peer?: string;
  readonly proxiedPeer?: string;
  readonly headers?: readonly (readonly [string, string])[];
}

const addressOf = ({ peer = PROXY, proxiedPeer = '', headers = [] }: Request): ClientAddress =>
  clientAddress({ peer, proxiedPeer, headers, trustedProxies });
const xff = (...values: string[]) => values.map((value) => ['x-forwarded-for', value] as const);
const forwarded = (...values: string[]) => values.map((value) => ['forwarded', value] as const);

t.test('a direct client counts as its own peer, whatever headers it sends', async (t) => {
  const lies: Request[] = [
    {},
    { headers: xff('198.51.100.1') },
    { headers: forwarded('for=198.51.100.1') },
    { proxiedPeer: '198.51.100.1' },
    { headers: [['x-real-ip', '198.51.100.1']] },
    { headers: xff('x'.repeat(10_000)) },
  ];
  for (const lie of lies)
    t.same(addressOf({ ...lie, peer: CLIENT }), { key: CLIENT, source: 'peer', fault: null });
});

t.test(
  'behind a trusted proxy the client is the first address from the right that is not trusted',
  async (t) => {
    const cases: readonly [headers: Request['headers'], key: string][] = [
      [xff(CLIENT), CLIENT],
      [xff(`198.51.100.1, ${CLIENT}`), CLIENT],
      [xff(`198.51.100.1, ${CLIENT}, 10.0.0.2,10.0.0.3`), CLIENT],
      [xff(`198.51.100.1,\t${CLIENT} `, '10.0.0.2'), CLIENT],
      [xff('198.51.100.1', CLIENT), CLIENT],
      [xff(`${CLIENT}:4711`), CLIENT],
      [xff('2001:db8::7'), '2001:db8:0:0::/64'],
      [xff('[2001:db8::7]'), '2001:db8:0:0::/64'],
      [xff('[2001:db8::7]:4711'), '2001:db8:0:0::/64'],
      [xff(`::ffff:${CLIENT}`), CLIENT],
      [xff(`garbage, ${CLIENT}`), CLIENT],
      [forwarded(`for=${CLIENT}`), CLIENT],
      [forwarded(`For="${CLIENT}:4711";proto=https;by=10.0.0.1`), CLIENT],
      [forwarded(`proto=https ; for=${CLIENT}`), CLIENT],
      [forwarded('for="[2001:db8:cafe::17]:4711"'), '2001:db8:cafe:0::/64'],
      [forwarded(`for=unknown, for=${CLIENT}, for=10.0.0.2`), CLIENT],
      [forwarded(`for=198.51.100.1;x=", for=198.51.100.2"`, `for=${CLIENT}`), CLIENT],
      [forwarded('for="', `for=${CLIENT}`), CLIENT],
      [forwarded(String.raw`for="203.0.113.\9"`), CLIENT],
      [[...xff(CLIENT), ...forwarded(`for=${CLIENT}`)], CLIENT],
      [[['x-real-ip', '198.51.100.1'], ...xff(CLIENT)], CLIENT],
    ];
    for (const [headers, key] of cases)
      t.same(
        addressOf({ headers: headers! }),
        { key, source: 'forwarded', fault: null },
        JSON.stringify(headers),
      );
  },
);

t.test(
  'a client with a missing or unclear address counts for the nearest known proxy, with the reason',
  async (t) => {
    const cases: readonly [headers: Request['headers'], key: string, fault: string][] = [
      [[], PROXY, 'missing'],
      [[['x-real-ip', CLIENT]], PROXY, 'missing'],
      [xff(''), PROXY, 'unclear'],
      [xff('unknown'), PROXY, 'unclear'],
      [xff(`${CLIENT}, unknown`), PROXY, 'unclear'],
      [xff(`${CLIENT}, unknown, 10.0.0.2`), '10.0.0.2', 'unclear'],
      [xff(`${CLIENT},`), PROXY, 'unclear'],
      [xff('[203.0.113.9]'), PROXY, 'unclear'],
      [xff('2001:db8::7%eth0'), PROXY, 'unclear'],
      [xff('203.0.113.09'), PROXY, 'unclear'],
      [forwarded('for=unknown'), PROXY, 'unclear'],
      [forwarded('for=_hidden'), PROXY, 'unclear'],
      [forwarded('for="_SEVKISEK"'), PROXY, 'unclear'],
      [forwarded('proto=https'), PROXY, 'unclear'],
      [forwarded(''), PROXY, 'unclear'],
      [forwarded(`for=${CLIENT};for=198.51.100.1`), PROXY, 'unclear'],
      [forwarded('for=2001:db8::7'), PROXY, 'unclear'],
      [forwarded(`for="${CLIENT}`), PROXY, 'unclear'],
      [forwarded(`for="evil, for=${CLIENT}`), PROXY, 'unclear'],
      // A client that leaves a quote open, for the proxy's own quotes to close it.
      [forwarded('for=198.51.100.1;x=", for="[2001:db8::7]:1"'), PROXY, 'unclear'],
      [forwarded(`for = ${CLIENT}`), PROXY, 'unclear'],
      [forwarded(`for=${CLIENT} 198.51.100.1`), PROXY, 'unclear'],
      [[...xff(CLIENT), ...forwarded('for=198.51.100.1')], PROXY, 'disagree'],
      [[...forwarded('for=198.51.100.1'), ...xff(CLIENT)], PROXY, 'disagree'],
      [[...xff(CLIENT), ...forwarded('for=unknown')], PROXY, 'disagree'],
      [xff(`${'1'.repeat(4096)}, ${CLIENT}`), PROXY, 'too-long'],
      [xff(...Array.from({ length: 17 }, () => '10.0.0.2')), '10.0.0.2', 'too-long'],
      [xff(CLIENT, ...Array.from({ length: 1000 }, () => '10.0.0.2')), PROXY, 'too-long'],
    ];
    for (const [headers, key, fault] of cases) {
      const { source, ...rest } = addressOf({ headers: headers! });
      t.same(rest, { key, fault }, JSON.stringify(headers).slice(0, 200));
    }
  },
);

t.test('when every address is trusted, the outermost is the client', async (t) => {
  const headers = xff('10.0.0.4, 10.0.0.3');
  t.same(addressOf({ headers }), { key: '10.0.0.4', source: 'forwarded', fault: null });
  t.same(addressOf({ peer: '::1', headers: xff('10.0.0.4') }), {
    key: '10.0.0.4',
    source: 'forwarded',
    fault: null,
  });
});

t.test('a PROXY preamble counts only from a trusted proxy', async (t) => {
  t.same(addressOf({ proxiedPeer: CLIENT }), { key: CLIENT, source: 'proxy-protocol', fault: null });
  t.same(
    addressOf({ proxiedPeer: CLIENT, headers: xff('198.51.100.1') }),
    { key: CLIENT, source: 'proxy-protocol', fault: null },
    "and then headers are the client's own",
  );
  t.same(addressOf({ proxiedPeer: '0000:0000:0000:0000:0000:ffff:cb00:7109' }).key, CLIENT);
  t.same(
    addressOf({ proxiedPeer: '10.0.0.2', headers: xff(`198.51.100.1, ${CLIENT}`) }),
    { key: CLIENT, source: 'forwarded', fault: null },
    'a trusted one behind it is asked in turn',
  );
  t.same(addressOf({ proxiedPeer: '10.0.0.2' }), { key: '10.0.0.2', source: 'proxy-protocol', fault: null });
  t.same(addressOf({ proxiedPeer: 'garbage' }), { key: PROXY, source: 'peer', fault: 'unclear' });
});

t.test('sockets without an address count as one', async (t) => {
  t.same(addressOf({ peer: '', headers: xff(CLIENT) }), {
    key: 'unknown',
    source: 'peer',
    fault: 'peer-unknown',
  });
});

const hostile = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.string({ unit: fc.constantFrom(...'for=;,"\\[]:. \t0123456789abcdef_unknow10.0.0.2'), maxLength: 300 }),
);

t.test('a client behind a proxy cannot be counted as anyone that the proxy did not name', async (t) => {
  // What the proxy adds stands behind what the client sent, in the same line or in one of its own.
  const added = fc.constantFrom(
    { name: 'x-forwarded-for', value: CLIENT },
    { name: 'forwarded', value: `for=${CLIENT}` },
    { name: 'forwarded', value: `for="${CLIENT}:99";proto=https` },
  );
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      hostile,
      added,
      fc.boolean(),
      fc.array(hostile, { maxLength: 2 }),
      (sent, { name, value }, joins, before) => {
        const lines = joins ? [`${sent}, ${value}`] : [sent, value];
        const other = name === 'forwarded' ? 'x-forwarded-for' : 'forwarded';
        const headers = [
          ...before.map((line) => [other, line] as const),
          ...lines.map((line) => [name, line] as const),
        ];
        const { key } = addressOf({ headers });
        seen.add(key);
        return key === CLIENT || key === PROXY;
      },
    ),
    { seed: SEED, numRuns: 20_000 },
  );
  t.same([...seen].sort(), [PROXY, CLIENT].sort(), 'both happened');
});

t.test('any header is read without an error, and a well-formed one is read back', async (t) => {
  fc.assert(
    fc.property(hostile, (line) => hopsOfForwarded(line).length > 0 && hopsOfForwardedFor(line).length > 0),
    { seed: SEED, numRuns: 20_000 },
  );
  const hop = fc.oneof(
    fc.ipV4(),
    fc.ipV6().filter((text) => parseAddress(text) !== null),
  );
  fc.assert(
    fc.property(fc.array(hop, { minLength: 1, maxLength: 10 }), (hops) => {
      const keys = hops.map((text) => addressKey(parseAddress(text)!));
      const element = (text: string) => `by=10.0.0.1;for="${text.includes(':') ? `[${text}]` : text}:1"`;
      const keysOf = (read: ReturnType<typeof hopsOfForwarded>) =>
        read.map((address) => addressKey(address!));
      assert.deepEqual(keysOf(hopsOfForwarded(hops.map(element).join(', '))), keys);
      assert.deepEqual(keysOf(hopsOfForwardedFor(hops.join(','))), keys);
    }),
    { seed: SEED, numRuns: 300 },
  );
  t.pass();
});
