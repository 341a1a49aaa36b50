/**
 * A relay in a worker thread: uWebSockets aborts the process when such a thread ends by itself, so it does not start there. On ws a relay runs in
 * a worker thread.
 */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import WebSocket from 'ws';

const START = new URL('../../relay/index.js', import.meta.url).href;

/** Starts a relay with this option in a worker thread, which tells what came of it and goes on. */
async function startedWith(sockets: 'auto' | 'uws'): Promise<{ worker: Worker; said: unknown }> {
  const code = `
    import { parentPort } from 'node:worker_threads';
    const { startRelay } = await import(${JSON.stringify(START)});
    await startRelay({ dev: true, sockets: '${sockets}' }).then(
      ({ url, sockets }) => parentPort.postMessage({ url, ...sockets }),
      ({ code, message }) => parentPort.postMessage({ code, message }),
    );
    setInterval(() => undefined, 1000);`;
  // Whatever the layer of the other tests is.
  const env = { ...process.env, HOTMIC_RELAY_SOCKETS: '' };
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { env });
  const [said] = await once(worker, 'message');
  return { worker, said };
}

t.test('a relay on uWebSockets does not start in a worker thread, and says why', async (t) => {
  const { worker, said } = await startedWith('uws');
  t.match(said, {
    code: 'ERR_HOTMIC_THREAD',
    message: /worker thread.*abort the whole process.*main thread/,
  });
  t.equal(await worker.terminate(), 1, 'and this process goes on');
});

t.test('a relay that may choose takes ws in a worker thread, which may end at any time', async (t) => {
  const { worker, said } = await startedWith('auto');
  t.match(said, { layer: 'ws', why: /worker thread/ });
  const socket = new WebSocket((said as { url: string }).url);
  await once(socket, 'open');
  const closed = once(socket, 'close');
  // An error before it is one way to see the end of the other side.
  socket.on('error', () => undefined);
  t.equal(await worker.terminate(), 1);
  await closed;
});
