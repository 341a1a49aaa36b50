/** A relay in a worker thread: uWebSockets aborts the process when such a thread ends by itself, so it does not start there. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';

const START = new URL('../../relay/index.js', import.meta.url).href;

t.test('a relay does not start in a worker thread, and says why', async (t) => {
  const code = `
    import { parentPort } from 'node:worker_threads';
    const { startRelay } = await import(${JSON.stringify(START)});
    await startRelay({ dev: true }).then(
      () => parentPort.postMessage({ code: 'started' }),
      ({ code, message }) => parentPort.postMessage({ code, message }),
    );
    setInterval(() => undefined, 1000);`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
  const [said] = await once(worker, 'message');
  t.match(said, {
    code: 'ERR_HOTMIC_THREAD',
    message: /worker thread.*abort the whole process.*main thread/,
  });
  t.equal(await worker.terminate(), 1, 'and this process goes on');
});
