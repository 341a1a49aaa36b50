/** The sending thread of the ring's benchmark: the same packets by ring or by MessagePort. */

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { monotonicMs } from '../client/clock.js';
import { RingProducer } from '../voice/ring.js';
import type { RingJob } from './ring.js';

const { job, storage, port } = workerData as {
  job: RingJob;
  storage: SharedArrayBuffer | null;
  port: MessagePort;
};
const producer = storage ? new RingProducer(storage) : null;
const packet = new Uint8Array(job.packetBytes).fill(0x55);
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Hands one packet over; waits while a ring is full. */
function send(): void {
  if (!producer) {
    port.postMessage({ sentAt: monotonicMs(), bytes: packet });
    return;
  }
  let room = producer.reserve(packet.length);
  while (room === null) {
    Atomics.wait(sleeper, 0, 0, 0.05);
    room = producer.reserve(packet.length);
  }
  room.set(packet);
  producer.commit(packet.length, 0, monotonicMs());
}

parentPort?.once('message', () => {
  for (let i = 0; i < job.packets; i++) {
    send();
    if (job.paceMs > 0) Atomics.wait(sleeper, 0, 0, job.paceMs);
  }
});
parentPort?.postMessage('ready');
