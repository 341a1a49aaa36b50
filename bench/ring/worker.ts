/** A thread of the ring's benchmark: says that it is ready, waits to be told, does its part and says what came of it. */

import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { type Part, sendAll, tally } from './run.js';
import { openSender } from './ways.js';

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
