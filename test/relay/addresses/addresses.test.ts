/** Addresses: however one is written it is one, and households are told apart. */

import { isIP } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { addressKey, parseAddress } from '../../../relay/addresses/addresses.js';
import { TrustedProxies, trustedProxyFault } from '../../../relay/addresses/trusted_proxies.js';
import { SEED } from '../../kit/random.js';

t.comment(`seed ${SEED}`);

const keyOf = (text: string) => {
  const address = parseAddress(text);
  return address ? addressKey(address) : null;
};

t.test('an address has one key, in whatever form it is written', async (t) => {
  const cases: readonly [key: string, forms: readonly string[]][] = [
    [
      '192.0.2.1',
      [
        '192.0.2.1',
        '::ffff:192.0.2.1',
        '::FFFF:c000:201',
        '0000:0000:0000:0000:0000:ffff:c000:0201',
        '64:ff9b::192.0.2.1',
        '0064:ff9b:0000:0000:0000:0000:c000:0201',
      ],
    ],
    [
      '2001:db8:0:1::/64',
      [
        '2001:db8:0:1::',
        '2001:DB8::1:0:0:0:7',
        '2001:0db8:0000:0001:ffff:ffff:ffff:ffff',
        '2001:db8:0:1::192.0.2.1',
      ],
    ],
    ['0:0:0:0::/64', ['::1', '0000:0000:0000:0000:0000:0000:0000:0001']],
    ['0.0.0.0', ['0.0.0.0', '::ffff:0:0']],
    ['255.255.255.255', ['255.255.255.255']],
  ];
  for (const [key, forms] of cases) for (const form of forms) t.equal(keyOf(form), key, form);
});

t.test('two IPv6 households have two keys, two machines of one household have one', async (t) => {
  t.not(keyOf('2001:db8:0:1::1'), keyOf('2001:db8:0:2::1'));
  t.equal(keyOf('2001:db8:0:1::1'), keyOf('2001:db8:0:1:a:b:c:d'));
  t.not(keyOf('192.0.2.1'), keyOf('192.0.2.2'));
});

t.test('text that is not an address gives null', async (t) => {
  const none = [
    '',
    ' ',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4:80',
    '[::1]',
    '::1%eth0',
    'unknown',
  ];
  for (const text of [
    ...none,
    '1::2::3',
    ':::',
    '12345::',
    '::g',
    `${'0'.repeat(50)}::`,
    'localhost',
    '::1\n',
  ])
    t.equal(parseAddress(text), null, JSON.stringify(text));
});

t.test('any text is read as Node reads it, except for zones', async (t) => {
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.string({ unit: fc.constantFrom(...'0123456789abcdefF:.%'), maxLength: 50 }),
    fc.tuple(fc.ipV6(), fc.ipV4()).map(([a, b]) => `${a.slice(0, a.lastIndexOf(':'))}:${b}`),
  );
  fc.assert(
    fc.property(text, (text) => {
      const isAddress = isIP(text) !== 0 && !text.includes('%');
      return (parseAddress(text) !== null) === isAddress;
    }),
    { seed: SEED, numRuns: 20_000 },
  );
  t.pass();
});

t.test("uWebSockets' full form has the key of the short one", async (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }), (groups) => {
      const full = groups.map((group) => group.toString(16).padStart(4, '0')).join(':');
      const short = new URL(`http://[${full}]/`).hostname.slice(1, -1);
      return keyOf(full) !== null && keyOf(full) === keyOf(short);
    }),
    { seed: SEED, numRuns: 2000 },
  );
  t.pass();
});

t.test('a proxy is trusted by its address or its block, and nobody else is', async (t) => {
  const cases: readonly [entry: string, inside: readonly string[], outside: readonly string[]][] = [
    [
      '10.0.0.0/8',
      ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3'],
      ['9.255.255.255', '11.0.0.0', 'a00::', '64:ff9b::10.0.0.1'],
    ],
    ['192.0.2.7', ['192.0.2.7'], ['192.0.2.6', '192.0.2.8']],
    ['192.0.2.6/31', ['192.0.2.6', '192.0.2.7'], ['192.0.2.5', '192.0.2.8']],
    ['::1', ['::1', '0:0:0:0:0:0:0:1'], ['::2', '127.0.0.1', '::']],
    ['fd00::/8', ['fd12:3456::1', 'fdff::'], ['fc00::1', 'fe00::']],
    ['2001:db8:8000::/33', ['2001:db8:8000::', '2001:db8:ffff::1'], ['2001:db8:7fff::1']],
    ['::ffff:10.0.0.0/104', ['10.9.9.9'], ['11.0.0.0']],
    ['::/8', ['::1', '00ff::'], ['0.0.0.1', '10.0.0.1', '::ffff:10.0.0.1', '100::']],
  ];
  for (const [entry, inside, outside] of cases) {
    const proxies = new TrustedProxies([entry]);
    for (const text of inside) t.ok(proxies.includes(parseAddress(text)!), `${text} in ${entry}`);
    for (const text of outside) t.notOk(proxies.includes(parseAddress(text)!), `${text} not in ${entry}`);
  }
  const both = new TrustedProxies(['10.0.0.0/8', '::1']);
  t.ok(both.includes(parseAddress('::1')!) && both.includes(parseAddress('10.0.0.1')!));
  t.notOk(new TrustedProxies([]).includes(parseAddress('127.0.0.1')!));
});

t.test('a malformed entry is named at the start', async (t) => {
  const cases: readonly [entry: string, text: RegExp][] = [
    ['10.0.0.0/33', /expected an address or a block/],
    ['10.0.0.0/08', /expected an address/],
    ['10.0.0.0/', /expected an address/],
    ['10.0.0/8', /expected an address/],
    ['localhost', /expected an address/],
    ['::1/129', /expected an address/],
    ['::ffff:10.0.0.0/95', /expected an address/],
    ['0.0.0.0/0', /every address/],
    ['::/0', /every address/],
    ['10.0.0.1/8', /bits after the prefix/],
    ['2001:db8::1/64', /bits after the prefix/],
  ];
  for (const [entry, text] of cases) {
    t.throws(() => new TrustedProxies(['::1', entry]), { name: 'RangeError', message: text }, entry);
    t.throws(() => new TrustedProxies([entry]), { message: new RegExp(entry.replaceAll('.', '\\.')) });
    t.match(trustedProxyFault(entry), text);
  }
  t.throws(() => new TrustedProxies(Array.from({ length: 1001 }, () => '::1')), {
    message: /1001.*at most 1000/,
  });
});
