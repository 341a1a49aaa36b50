/** `hotmic relay` with a certificate: how it is reloaded, and which a client trusts. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { newAuthority } from '../../kit/certificates.js';
import { runCli, startCli } from '../../kit/cli.js';

const authority = newAuthority();

async function secureRelay(t: Test) {
  const { chain, key } = authority.issue({ name: 'first' });
  const folder = t.testdir({ 'chain.pem': chain, 'key.pem': key, 'ca.pem': authority.certificate });
  const at = (name: string) => join(folder, name);
  const files = ['--tls-cert', at('chain.pem'), '--tls-key', at('key.pem')];
  const relay = startCli(t, ['relay', '--dev', '--port', '0', ...files]);
  const [, url] = await relay.printed('stdout', /Relay listens at (\S+)/);
  return { relay, url: url!, at };
}

const talkTo = (url: string) => ['talk', url, '--lobby', 'den', '--tone', '440', '--seconds', '0.2'];

t.test('SIGHUP makes it read the certificate again, good or bad, and it keeps running', async (t) => {
  const { relay, url, at } = await secureRelay(t);
  t.match(url, /^wss:/);
  relay.signal('SIGHUP');
  await relay.printed('stderr', /certificate unchanged/);
  writeFileSync(at('chain.pem'), 'oops');
  relay.signal('SIGHUP');
  await relay.printed(
    'stderr',
    /certificate refused, the previous one stays in use: .*chain\.pem.*\[ERR_HOTMIC_TLS\]/,
  );
  const { chain, key } = authority.issue({ name: 'second' });
  writeFileSync(at('chain.pem'), chain);
  writeFileSync(at('key.pem'), key);
  relay.signal('SIGHUP');
  await relay.printed('stderr', /certificate loaded: for DNS:relay\.test.*, until 2/);
  relay.signal('SIGTERM');
  t.match(await relay.ended, { code: 0 });
});

t.test('a client trusts the authorities in NODE_EXTRA_CA_CERTS, and its error suggests that', async (t) => {
  const { url, at } = await secureRelay(t);
  t.match(await runCli(t, talkTo(url)), {
    code: 1,
    stderr:
      /the certificate is not signed by a trusted authority\. To trust a private one, set NODE_EXTRA_CA_CERTS/,
  });
  const env = { NODE_EXTRA_CA_CERTS: at('ca.pem') };
  t.match(await runCli(t, talkTo(url), { env }), { code: 0 });
  t.match(await runCli(t, talkTo(url.replace('wss', 'ws')), { env }), {
    code: 1,
    stderr: /ERR_HOTMIC_CONNECT/,
  });
});

t.test('a certificate without its key is refused at once', async (t) => {
  t.match(await runCli(t, ['relay', '--dev', '--tls-cert', 'x']), {
    code: 2,
    stderr: /--tls-cert requires --tls-key as well/,
  });
  const bad = ['relay', '--dev', '--port', '0', '--tls-cert', 'none', '--tls-key', 'none'];
  t.match(await runCli(t, bad), { code: 1, stderr: /Cannot use .*none for TLS: it does not exist/ });
});
