/** Whether the page that a relay serves may connect to it. */

import t from 'tap';
import { TrustedProxies } from '../../../../relay/addresses/trusted_proxies.js';
import { AddressLimits, tcpLimits } from '../../../../relay/port/address_limits.js';
import { ConnectionAdmission } from '../../../../relay/port/connection_admission.js';

function judge(ownPage: 'may' | 'as-listed', headers: readonly (readonly [string, string])[]): string {
  const admission = new ConnectionAdmission({
    ...{ dev: false, origins: ['https://game.example'], ownPage, mostConnections: 10 },
    addresses: new AddressLimits(),
    tcpAddresses: new AddressLimits(tcpLimits()),
    trustedProxies: new TrustedProxies([]),
  });
  const answer = admission.admit({ peer: '203.0.113.7', proxiedPeer: '', headers }, 0);
  return answer.kind === 'admitted' ? 'admitted' : answer.reason;
}

const HOST = ['host', 'relay.example:7800'] as const;
const origin = (text: string) => ['origin', text] as const;

t.test('over TLS the page may connect by itself, and no other page', async (t) => {
  t.equal(judge('may', [HOST, origin('https://relay.example:7800')]), 'admitted');
  for (const other of [
    'http://relay.example:7800',
    'https://relay.example',
    'https://evil.example',
    'https://relay.example:7800.evil.example',
    'null',
  ])
    t.equal(judge('may', [HOST, origin(other)]), 'origin-unlisted', other);
  t.equal(judge('may', [HOST, origin('https://game.example')]), 'admitted', 'listed ones as before');
});

t.test('a second or a missing Host admits nobody', async (t) => {
  const own = origin('https://relay.example:7800');
  t.equal(judge('may', [own]), 'origin-unlisted');
  t.equal(judge('may', [HOST, ['host', 'evil.example'], own]), 'origin-unlisted');
});

t.test('without TLS it has to be listed', async (t) => {
  t.equal(judge('as-listed', [HOST, origin('https://relay.example:7800')]), 'origin-unlisted');
});
