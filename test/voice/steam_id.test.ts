/** SteamIDs: halves, decimals, people. */

import fc from 'fast-check';
import t from 'tap';
import {
  isPerson,
  joinSteamId,
  PERSON_HIGH,
  parseSteamId,
  personSteamId,
  steamIdHigh,
  steamIdLow,
} from '../../voice/steam_id.js';
import { SEED } from '../kit/random.js';

t.test('a person is account number and 0x01100001', async (t) => {
  t.equal(PERSON_HIGH, 0x01100001);
  t.equal(personSteamId(1), 76561197960265729n);
  t.equal(personSteamId(1), 0x0110000100000001n);
  t.equal(personSteamId(0xffffffff), 0x01100001ffffffffn);
});

t.test('an account number is a whole number from 1 to 4294967295', async (t) => {
  for (const account of [0, -1, 2 ** 32, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => personSteamId(account), RangeError, String(account));
  }
});

t.test('only a person’s id is a person’s', async (t) => {
  for (const account of [1, 2, 0xffffffff]) t.ok(isPerson(personSteamId(account)), String(account));
  const others: Record<string, bigint> = {
    nobody: 0n,
    'account 0': joinSteamId(0, PERSON_HIGH),
    'an anonymous game server': joinSteamId(5, 0x01400000),
    'a group': joinSteamId(5, 0x01700000),
    'another universe': joinSteamId(5, 0x02100001),
    'another instance': joinSteamId(5, 0x01100002),
    'all bits': 2n ** 64n - 1n,
    'a bit more': 2n ** 64n + personSteamId(1),
  };
  for (const [what, steamId] of Object.entries(others)) t.notOk(isPerson(steamId), what);
});

t.test('halves are unsigned', async (t) => {
  t.equal(steamIdLow(2n ** 64n - 1n), 0xffffffff);
  t.equal(steamIdHigh(2n ** 64n - 1n), 0xffffffff);
  t.equal(steamIdLow(0x0110000180000000n), 0x80000000);
  t.equal(steamIdHigh(0x0110000180000000n), 0x01100001);
  t.equal(joinSteamId(0xffffffff, 0xffffffff), 2n ** 64n - 1n);
  t.equal(joinSteamId(1, PERSON_HIGH), personSteamId(1));
});

t.test('a SteamID in decimal is read', async (t) => {
  t.equal(parseSteamId('76561197960265729'), 76561197960265729n);
  t.equal(parseSteamId('18446744073709551615'), 2n ** 64n - 1n);
  t.equal(parseSteamId('1'), 1n);
});

t.test('what is no SteamID in decimal is null', async (t) => {
  const texts = [
    '',
    ' ',
    '-1',
    '+1',
    ' 1',
    '1 ',
    '1\n',
    '0x1',
    '0b1',
    '1e3',
    '1.0',
    '1n',
    '1_000',
    'abc',
    'STEAM_0:1:0',
    '[U:1:1]',
    '٣',
    '18446744073709551616',
    '99999999999999999999',
    '9'.repeat(100_000),
  ];
  for (const text of texts) t.equal(parseSteamId(text), null, JSON.stringify(text.slice(0, 24)));
});

t.test('any id comes back from its halves and from its decimals', async (t) => {
  t.comment(`seed ${SEED}`);
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
      (id) => joinSteamId(steamIdLow(id), steamIdHigh(id)) === id && parseSteamId(id.toString()) === id,
    ),
    { seed: SEED, numRuns: 5000 },
  );
});
