/** Who may connect, as a table. */

import t from 'tap';
import { isLoopbackAddress, isLoopbackHost } from '../../../relay/addresses/loopback.js';
import { type AdmissionFault, admitPeer, admitStart } from '../../../relay/admission/admission.js';

t.test('loopback is recognized in every form, and nothing else is', async (t) => {
  const cases: [address: string, loopback: boolean][] = [
    ['127.0.0.1', true],
    ['127.255.255.254', true],
    ['127.0.0.0', true],
    ['::1', true],
    ['0:0:0:0:0:0:0:1', true],
    ['0000:0000:0000:0000:0000:0000:0000:0001', true],
    ['0:0::0:1', true],
    ['::ffff:127.0.0.1', true],
    ['::FFFF:127.9.8.7', true],
    ['::ffff:7f00:1', true],
    ['0000:0000:0000:0000:0000:ffff:7f00:0001', true],
    ['0:0:0:0:0:ffff:127.0.0.1', true],
    ['126.255.255.255', false],
    ['128.0.0.1', false],
    ['10.0.0.1', false],
    ['0.0.0.0', false],
    ['192.168.1.127', false],
    ['::', false],
    ['::2', false],
    ['1::1', false],
    ['::1:0', false],
    ['::127.0.0.1', false],
    ['::ffff:126.0.0.1', false],
    ['::ffff:0a00:0001', false],
    ['::fffe:7f00:1', false],
    ['1::ffff:7f00:1', false],
    ['64:ff9b::7f00:1', false],
    ['fe80::1', false],
    ['0000:0000:0000:0000:0000:ffff:c0a8:0001', false],
    ['', false],
    ['127', false],
    ['127.1', false],
    ['127.0.0.256', false],
    ['127.0.0.01', false],
    ['0127.0.0.1', false],
    ['0x7f.0.0.1', false],
    ['2130706433', false],
    ['127.0.0.1.example.com', false],
    ['127.0.0.1 ', false],
    ['127.0.0.1\n', false],
    ['::1%lo', false],
    [':::1', false],
    ['::1::', false],
    ['0:0:0:0:0:0:0:0:1', false],
    ['0:0:0:0:0:0:1', false],
    ['::00001', false],
    ['::ffff:127.0.0', false],
    ['::ffff:127.0.0.1:1', false],
    ['[::1]', false],
    ['localhost', false],
  ];
  for (const [address, loopback] of cases)
    t.equal(isLoopbackAddress(address), loopback, JSON.stringify(address));
});

t.test('a host may also be in brackets, or be localhost', async (t) => {
  for (const host of ['localhost', 'LocalHost', '[::1]', '::1', '127.0.0.1'])
    t.ok(isLoopbackHost(host), host);
  for (const host of ['localhost.example.com', 'xlocalhost', '0.0.0.0', '::', '', 'example.com']) {
    t.notOk(isLoopbackHost(host), host);
  }
});

t.test('a relay starts for development on loopback, and nowhere else', async (t) => {
  t.same(admitStart({ dev: true, judges: 'none', host: '127.0.0.1' }), { kind: 'admitted' });
  t.same(admitStart({ dev: true, judges: 'none', host: '::1' }), { kind: 'admitted' });
  t.match(admitStart({ dev: false, judges: 'none', host: '127.0.0.1' }), {
    reason: 'not-dev',
    detail: /or use --dev/,
  });
  t.match(admitStart({ dev: true, judges: 'none', host: '0.0.0.0' }), {
    reason: 'host-public',
    detail: /host is 0\.0\.0\.0, expected a loopback address/,
  });
});

t.test('only a direct peer on this machine is admitted, and no web page from elsewhere', async (t) => {
  type Case = [
    outcome: 'admitted' | AdmissionFault,
    peer: string,
    headers: [string, string][],
    proxied?: string,
  ];
  const plain: [string, string] = ['host', 'relay.example.com'];
  const cases: Case[] = [
    ['admitted', '127.0.0.1', [plain, ['user-agent', 'x']]],
    ['admitted', '0000:0000:0000:0000:0000:0000:0000:0001', []],
    ['admitted', '0000:0000:0000:0000:0000:ffff:7f00:0001', []],
    ['peer-remote', '192.168.0.7', []],
    ['peer-remote', '', []],
    ['peer-forwarded', '127.0.0.1', [], '9.9.9.9'],
    ['peer-forwarded', '127.0.0.1', [], '127.0.0.1'],
    ['admitted', '127.0.0.1', [['origin', 'http://localhost:5173']]],
    ['admitted', '127.0.0.1', [['origin', 'https://127.0.0.1']]],
    ['admitted', '127.0.0.1', [['origin', 'http://[::1]:8080']]],
    ['origin-remote', '127.0.0.1', [['origin', 'https://example.com']]],
    ['origin-remote', '127.0.0.1', [['origin', 'http://localhost.example.com']]],
    ['origin-remote', '127.0.0.1', [['origin', 'http://127.0.0.1.example.com']]],
    ['origin-remote', '127.0.0.1', [['origin', 'http://localhost@example.com']]],
    ['origin-remote', '127.0.0.1', [['origin', 'null']]],
    ['origin-remote', '127.0.0.1', [['origin', 'file://']]],
    ['origin-remote', '127.0.0.1', [['origin', '']]],
    [
      'origin-remote',
      '127.0.0.1',
      [
        ['origin', 'http://localhost'],
        ['origin', 'https://example.com'],
      ],
    ],
    ...[
      'forwarded',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-forwarded-anything',
      'x-real-ip',
      'via',
      'cf-connecting-ip',
      'true-client-ip',
      'x-client-ip',
      'fly-client-ip',
    ].flatMap((name): Case[] => [
      ['peer-forwarded', '127.0.0.1', [plain, [name, '10.0.0.1']]],
      ['peer-forwarded', '127.0.0.1', [[name, '']]],
    ]),
  ];
  for (const [outcome, peer, headers, proxiedPeer = ''] of cases) {
    const admission = admitPeer({ peer, proxiedPeer, headers });
    const found = admission.kind === 'admitted' ? admission.kind : admission.reason;
    t.equal(found, outcome, `${peer} ${JSON.stringify(headers)} ${proxiedPeer}`);
  }
});
