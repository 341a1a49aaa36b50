/** Addresses and texts as Steam's SteamNetworkingIdentity holds them, and what is refused. */

import t from 'tap';
import { identityFields, identityId, type NetworkIdentity } from '../../tickets/network_identity.js';
import { hexOfBytes } from '../kit/hex.js';

t.test('an address is 16 bytes of IPv6 and its port, IPv4 mapped into it', async (t) => {
  for (const [identity, hex] of [
    [{ ip: '203.0.113.7' }, '00000000000000000000ffffcb0071070000'],
    [{ ip: '203.0.113.7', port: 27_015 }, '00000000000000000000ffffcb0071078769'],
    [{ ip: '2001:db8::7', port: 1 }, '20010db80000000000000000000000070100'],
    [{ ip: '::1' }, '000000000000000000000000000000010000'],
    [{ ip: '1:2:3:4:5:6:7:8' }, '000100020003000400050006000700080000'],
    [{ ip: 'fe80::' }, 'fe8000000000000000000000000000000000'],
    [{ ip: '::ffff:10.0.0.1' }, '00000000000000000000ffff0a0000010000'],
  ] as const) {
    const { type, value } = identityFields(identity);
    t.same([type, hexOfBytes(value)], [1, hex], identity.ip);
  }
});

t.test('a text is its UTF-8 and a NUL', async (t) => {
  const { type, value } = identityFields({ text: 'dé' });
  t.same([type, hexOfBytes(value)], [2, '64c3a900']);
  t.equal(identityFields({ text: 'x'.repeat(31) }).value.length, 32);
});

t.test('anything but an identity is refused, and the message says what was expected', async (t) => {
  for (const [wrong, message] of [
    [{}, /expected an identity of either ip and port, or text/],
    [{ ip: '10.0.0.1', text: 'a' }, /either/],
    [{ ip: '10.0.0.1', prot: 7 }, /either/],
    [{ ip: '256.0.0.1' }, /ip is not/],
    [{ ip: '10.0.0' }, /ip is not/],
    [{ ip: '1::2::3' }, /ip is not/],
    [{ ip: '' }, /ip is not/],
    [{ ip: 'localhost' }, /ip is not an IPv4 or IPv6 address/],
    [{ ip: 'fe80::1%eth0' }, /ip is not/],
    [{ ip: 5 }, /ip is not/],
    [{ ip: '10.0.0.1', port: 65_536 }, /port is 65536, expected 0 to 65535/],
    [{ ip: '10.0.0.1', port: '1' }, /port is 1, expected/],
    [{ text: '' }, /text is not/],
    [{ text: 'a\0b' }, /text is not/],
    [{ text: 'é'.repeat(16) }, /text is 32 bytes, expected 1 to 31/],
  ] as const) {
    t.throws(() => identityFields(wrong as unknown as NetworkIdentity, 'get a ticket'), {
      message: new RegExp(`^Cannot get a ticket: .*${message.source}`),
    });
  }
});

t.test('an identity has one id, whatever its port and spelling, and never that of a player', async (t) => {
  const ids = [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }, { text: '10.0.0.1' }, { text: 'a' }].map(identityId);
  t.equal(new Set(ids).size, 4);
  for (const id of ids) t.equal(id >> 56n, 0xffn);
  t.equal(identityId({ ip: '10.0.0.1', port: 7 }), ids[0]);
  t.equal(identityId({ ip: '::ffff:a00:1' }), ids[0]);
});
