/** The preamble of the PROXY protocol: whole, byte by byte, malformed, and what only looks like one. */

import t from 'tap';
import { readProxyPreamble } from '../../../../../relay/port/sockets/ws/proxy_preamble.js';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
/** Over TCP and IPv4: 198.51.100.7:4096 to 127.0.0.1:8192. */
const V4 = Buffer.from(`${SIGNATURE}2111000cc63364077f000001${'10002000'}`, 'hex');
/** Over TCP and IPv6, with 5 bytes of further fields. */
const V6 = Buffer.from(
  `${SIGNATURE}21210029${'20010db8000000000000000000000abc'}${'00000000000000000000000000000001'}${'10002000'}0400020000`,
  'hex',
);
const REQUEST = Buffer.from('GET / HTTP/1.1\r\n');
/** The same with bytes changed. */
const changed = (bytes: Buffer, changes: Readonly<Record<number, number>>) => {
  const copy = Buffer.from(bytes);
  for (const [at, value] of Object.entries(changes)) copy[Number(at)] = value;
  return copy;
};

t.test('the source address is read, and the request begins behind the preamble', async (t) => {
  t.same(readProxyPreamble(Buffer.concat([V4, REQUEST])), {
    kind: 'whole',
    bytes: 28,
    address: '198.51.100.7',
  });
  t.same(readProxyPreamble(Buffer.concat([V6, REQUEST])), {
    kind: 'whole',
    bytes: 57,
    address: '2001:db8:0:0:0:0:0:abc',
  });
});

t.test('a preamble that is not whole yet is incomplete, at each of its bytes', async (t) => {
  for (const preamble of [V4, V6]) {
    for (let length = 1; length < preamble.length; length += 1)
      t.same(readProxyPreamble(preamble.subarray(0, length)), { kind: 'incomplete' }, `${length} bytes`);
    t.equal(readProxyPreamble(preamble).kind, 'whole');
  }
});

t.test('a request is not a preamble, and neither is one after empty lines', async (t) => {
  for (const text of [
    'G',
    'GET / HTTP/1.1',
    '\r\nG',
    '\r\n\r\nGET',
    '\r\n\r\n\0\r\nQUIU',
    'PROXY TCP4 1.1.1.1',
  ])
    t.same(readProxyPreamble(Buffer.from(text, 'latin1')), { kind: 'none' }, JSON.stringify(text));
});

t.test(
  'another version, a length beyond all, and one too short for the addresses are malformed',
  async (t) => {
    t.same(readProxyPreamble(changed(V4, { 12: 0x11 })), { kind: 'malformed' }, 'version 1');
    t.same(readProxyPreamble(changed(V4, { 12: 0x31 })), { kind: 'malformed' }, 'version 3');
    t.same(readProxyPreamble(changed(V4, { 14: 0x10, 15: 0x01 })), { kind: 'malformed' }, '4097 bytes');
    t.same(readProxyPreamble(changed(V4, { 15: 11 })), { kind: 'malformed' }, '11 bytes for IPv4');
    t.same(readProxyPreamble(changed(V6, { 15: 35 })), { kind: 'malformed' }, '35 bytes for IPv6');
  },
);

t.test('a preamble of a family other than IP is skipped and names nobody', async (t) => {
  t.same(readProxyPreamble(changed(V4, { 13: 0x31 })), { kind: 'whole', bytes: 28, address: '' }, 'UNIX');
  const unspecified = Buffer.from(`${SIGNATURE}20000000`, 'hex');
  t.same(readProxyPreamble(unspecified), { kind: 'whole', bytes: 16, address: '' }, 'LOCAL');
});
