/** How many files the process may have open, and how many of them are for voice. */

import t from 'tap';
import { mostConnections, openFilesAllowed, openFilesIn } from '../../../relay/port/open_files.js';
import { startRelay } from '../../../relay/server.js';
import { SECRET, secretOf } from '../webhooks/kit.js';

const NOTHING_ELSE = { ports: 0, webhooks: 0, steam: 0 } as const;
const EVERYTHING = { ports: 2, webhooks: 256, steam: 32 } as const;

t.test('the soft limit of open files is read as Linux writes it', async (t) => {
  const limits =
    'Limit                     Soft Limit           Hard Limit           Units     \n' +
    'Max cpu time              unlimited            unlimited            seconds   \n' +
    'Max open files            1024                 524288               files     \n';
  t.equal(openFilesIn(limits), 1024);
  t.equal(openFilesIn(limits.replace('1024  ', 'unlimited')), null, 'no limit');
  t.equal(openFilesIn(''), null, 'nobody tells');
});

t.test('the limit of this process is known', async (t) => {
  const allowed = openFilesAllowed();
  t.ok(allowed === null || allowed >= 64, `${allowed}`);
});

t.test('voice leaves files for the other ports, webhooks, Steam and the relay itself', async (t) => {
  t.equal(mostConnections(1024, 10_000, NOTHING_ELSE), 1024 - 64);
  t.equal(mostConnections(1024, 10_000, EVERYTHING), 1024 - 64 - 160 - 256 - 40);
  t.equal(mostConnections(2000, 10_000, { ports: 0, webhooks: 0, steam: 1024 }), 2000 - 64 - 1032);
  t.equal(mostConnections(100, 10_000, EVERYTHING), 1, 'never none');
});

t.test(
  'with enough files, or an unknown limit, the bound follows from the limit of connections',
  async (t) => {
    t.equal(mostConnections(1_000_000, 10_000, EVERYTHING), 21_000);
    t.equal(mostConnections(null, 10_000, EVERYTHING), 21_000);
  },
);

t.test('each receiver of webhooks has the files that it may use, also with the default number', async (t) => {
  const allowed = openFilesAllowed() ?? Number.POSITIVE_INFINITY;
  const connections = 1_000_000;
  const most = async (receivers: number): Promise<number> => {
    const webhooks = Array.from({ length: receivers }, () => ({
      url: 'http://127.0.0.1:9/',
      secret: secretOf(SECRET),
    }));
    const relay = await startRelay({ guests: 'listen', limits: { connections }, webhooks });
    const { most } = relay.counts().tcp;
    await relay.close();
    return most;
  };
  // Where files are without a limit, nothing is kept of them.
  t.equal((await most(0)) - (await most(16)), allowed > 2 * connections ? 0 : 16 * 8);
});
