/** Hosts as options and URLs write them. */

import t from 'tap';
import { hostInUrl, readHost } from '../../../relay/addresses/host.js';

t.test('localhost is 127.0.0.1, and brackets are removed in pairs', async (t) => {
  for (const [text, host] of [
    ['localhost', '127.0.0.1'],
    ['LocalHost', '127.0.0.1'],
    ['[localhost]', '127.0.0.1'],
    ['[::1]', '::1'],
    ['::1', '::1'],
    ['[::1', '[::1'],
    ['192.0.2.1', '192.0.2.1'],
    ['relay.example', 'relay.example'],
    ['', ''],
  ] as const) {
    t.equal(readHost(text), host, text);
  }
});

t.test('an IPv6 address is in brackets in a URL', async (t) => {
  t.equal(hostInUrl('::1'), '[::1]');
  t.equal(hostInUrl('127.0.0.1'), '127.0.0.1');
  t.equal(hostInUrl('relay.example'), 'relay.example');
});
