/** A thread of the ring benchmark: reports that it is ready, waits for the start, does its part and reports the result. */

import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { openSender } from './methods.js';
import { type Part, sendAll, tally } from './run.js';

const { role, channel, job, port } = workerData as Part;
if (parentPort) {
  const told = once(parentPort, 'message');
  parentPort.postMessage('ready');
  await told;
  if (role === 'receive') parentPort.postMessage(await tally(channel, port, job));
  else {
    const { packet, send } = openSender(channel, port, job.packetBytes);
    parentPort.postMessage(sendAll(job, packet, send));
  }
}
