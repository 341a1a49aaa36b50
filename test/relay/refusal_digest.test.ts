/** Refusals in a log: the first at once, then a line of counts each second, whatever anybody does. */

import t from 'tap';
import { addressKey, addressPrefix, parseAddress } from '../../relay/addresses/addresses.js';
import { EventGate } from '../../relay/event_gate.js';
import { MAX_PREFIXES, QUIET_MS, RefusalDigest } from '../../relay/refusal_digest.js';
import type { EventToTell } from '../../relay/running_relay.js';

t.test('the first refusal for a reason is reported at once, the others are counted', async (t) => {
  const digest = new RefusalDigest();
  t.equal(digest.note('refused/lobby-full', '192.0.2.0/24', 0), 'tell');
  t.equal(digest.note('refused/banned', '192.0.2.0/24', 0), 'tell');
  t.equal(digest.note('refused/lobby-full', '192.0.2.0/24', 1), 'counted');
  t.equal(digest.note('refused/lobby-full', '198.51.100.0/24', 2), 'counted');
  t.same(digest.due(2), {
    kind: 'refusals',
    count: 2,
    reasons: { 'refused/lobby-full': 2 },
    from: { '192.0.2.0/24': 1, '198.51.100.0/24': 1 },
  });
  t.equal(digest.due(5000), null, 'each is reported once');
});

t.test('however many refusals there are, a line of counts comes once per second', async (t) => {
  const digest = new RefusalDigest();
  let lines = 0;
  let counted = 0;
  for (let now = 0; now < 60_000; now += 1) {
    for (let i = 0; i < 10; i++) if (digest.note('refused/banned', 'unknown', now) === 'tell') lines += 1;
    const event = digest.due(now);
    if (!event) continue;
    lines += 1;
    counted += event.count;
  }
  counted += digest.rest()?.count ?? 0;
  t.equal(counted, 600_000 - 1, 'none is lost');
  t.equal(lines, 1 + 60);
});

t.test('a reason that was quiet for ten seconds is reported at once again', async (t) => {
  const digest = new RefusalDigest();
  digest.note('a', 'unknown', 0);
  t.equal(digest.note('a', 'unknown', QUIET_MS - 1), 'counted');
  t.equal(
    digest.note('a', 'unknown', 2 * QUIET_MS - 2),
    'counted',
    'since the last, and not since it was told',
  );
  t.equal(digest.note('a', 'unknown', 3 * QUIET_MS - 2), 'tell');
});

t.test('prefixes and reasons beyond the bound are counted together', async (t) => {
  const digest = new RefusalDigest();
  for (let i = 0; i < 1000; i++) {
    digest.note(`reason ${i}`, `10.0.${i}.0/24`, 0);
    digest.note('the same', `10.0.${i}.0/24`, 0);
  }
  const event = digest.rest();
  t.equal(Object.keys(event!.from).length, MAX_PREFIXES + 1);
  t.ok(event!.from.others! > 900);
  t.ok(Object.keys(event!.reasons).length <= 101);
  const sum = (counts: Readonly<Record<string, number>>) =>
    Object.values(counts).reduce((all, count) => all + count, 0);
  t.equal(sum(event!.from), event!.count);
  t.equal(sum(event!.reasons), event!.count);
});

t.test('a prefix is of 24 bits in IPv4 and of 48 in IPv6', async (t) => {
  const prefixOf = (text: string) => addressPrefix(addressKey(parseAddress(text)!));
  t.equal(prefixOf('192.0.2.77'), '192.0.2.0/24');
  t.equal(prefixOf('::ffff:192.0.2.77'), '192.0.2.0/24');
  t.equal(prefixOf('2001:db8:5:6::1'), '2001:db8:5::/48');
  t.equal(prefixOf('::1'), '0:0:0::/48');
  t.equal(addressPrefix(null), 'unknown');
  t.equal(addressPrefix('unknown'), 'unknown');
});

t.test('the gate counts refusals of all kinds, and passes everything else unchanged', async (t) => {
  const told: EventToTell[] = [];
  const gate = new EventGate((event) => told.push(event));
  const flood: EventToTell[] = [
    { kind: 'not-admitted', reason: 'address-busy', detail: 'x' },
    { kind: 'refused', code: 'token-refused', detail: 'x' },
    { kind: 'admin-refused', code: 'browser-refused', peer: '192.0.2.1' },
  ];
  for (let i = 0; i < 100; i++) for (const event of flood) gate.take(event, '192.0.2.1', i);
  t.same(told, flood);
  gate.tick(100);
  t.match(told.slice(3), [
    {
      count: 297,
      reasons: {
        'not-admitted/address-busy': 99,
        'refused/token-refused': 99,
        'admin-refused/browser-refused': 99,
      },
      from: { '192.0.2.0/24': 297 },
    },
  ]);
  const opened: EventToTell = { kind: 'lobby-opened', lobby: 'den' };
  for (let i = 0; i < 3; i++) t.equal(gate.take(opened, null, 200), 'told');
  t.equal(told.length, 7);
  gate.take(flood[0]!, null, 200);
  gate.close();
  t.match(told.at(-1), { kind: 'refusals', count: 1 }, 'the rest is reported at the end');
});
