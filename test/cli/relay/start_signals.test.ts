/** Signals that reach `hotmic relay` while it is still starting. A pipe instead of a key file pauses the start. */

import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { newKey } from '../../../relay/admission/mint_token.js';
import { newAuthority } from '../../kit/certificates.js';
import { startCli } from '../../kit/cli.js';

/** A relay that has begun to read its keys and waits for them. `goOn` hands them over. */
async function startingRelay(t: Test) {
  const { chain, key } = newAuthority().issue({ name: 'first' });
  const folder = t.testdir({ 'chain.pem': chain, 'key.pem': key });
  const at = (name: string) => join(folder, name);
  execFileSync('mkfifo', [at('keys.json')]);
  const files = ['--tls-cert', at('chain.pem'), '--tls-key', at('key.pem'), '--token-keys', at('keys.json')];
  const relay = startCli(t, ['relay', '--port', '0', ...files]);
  // Resolves when the relay has opened it, too.
  const pipe = await open(at('keys.json'), 'w');
  const goOn = async () => {
    await pipe.writeFile(JSON.stringify((await newKey('EdDSA', 'first')).keySet));
    await pipe.close();
  };
  return { relay, goOn };
}

t.test('a SIGHUP before the relay listens does not end it, and is handled once it listens', async (t) => {
  const { relay, goOn } = await startingRelay(t);
  relay.signal('SIGHUP');
  await goOn();
  await relay.printed('stdout', /Relay listens at wss:/);
  await relay.printed('stderr', /certificate unchanged/);
  relay.signal('SIGHUP');
  await relay.printed('stderr', /certificate unchanged\ncertificate unchanged/);
  relay.signal('SIGTERM');
  t.match(await relay.ended, { code: 0, signal: null });
});

t.test('a SIGTERM before the relay listens ends it cleanly', async (t) => {
  const { relay, goOn } = await startingRelay(t);
  relay.signal('SIGTERM');
  await goOn();
  t.match(await relay.ended, { code: 0, signal: null, stdout: /Relay ended: 0 voice frames/ });
});

for (const [signal, outcome] of [
  ['SIGHUP', 'goes on'],
  ['SIGTERM', 'ends with 0'],
] as const) {
  t.test(`with ${signal} while the program is still loading, the relay ${outcome}`, async (t) => {
    // Sent by the process to itself once our last handler is there: no test from outside could hit that moment. The name tells ours
    // from those of the test runner.
    const preload = `process.on('newListener', (name, { name: handler }) => {
      if (name === 'SIGINT' && handler === 'endStart') setImmediate(() => process.kill(process.pid, '${signal}'));
    });`;
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}` };
    const relay = startCli(t, ['relay', '--dev', '--port', '0'], { env });
    if (signal === 'SIGHUP') {
      await relay.printed('stdout', /Relay listens/);
      relay.signal('SIGTERM');
    }
    const ended = await relay.ended;
    t.match(ended, { code: 0, signal: null, stderr: '' });
    // Node 24 may have begun to listen by the time the signal arrives.
    if (signal === 'SIGTERM') t.match(ended.stdout, /^$|\nRelay ended: 0 voice frames/);
  });
}
