/**
 * The ring against what Node offers for the same job, a MessagePort: packets from a worker to this thread, as many as go
 * through, and how long a single one takes that finds the receiver waiting.
 */

import { once } from 'node:events';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { monotonicMs } from '../client/clock.js';
import { allocateRing, RingConsumer } from '../voice/ring.js';
import { type Row, row, type Trial } from './result.js';

const RUNS = 7;
const FLOOD_PACKETS = 100_000;
const PACED_PACKETS = 300;

/** What the worker is asked for. */
export interface RingJob {
  readonly packets: number;
  readonly packetBytes: number;
  /** Pause between packets in ms; 0 floods. */
  readonly paceMs: number;
}

const PACKET_BYTES = 120;

type Way = 'hotmic' | 'MessagePort';

export const ring: Trial = {
  name: 'ring',
  about: `packets of ${PACKET_BYTES} bytes from a worker to the main thread, ${RUNS} runs of each, in turns`,
  async run() {
    const rates: Record<Way, number[]> = { hotmic: [], MessagePort: [] };
    const medians: Record<Way, number[]> = { hotmic: [], MessagePort: [] };
    const tails: Record<Way, number[]> = { hotmic: [], MessagePort: [] };
    for (let run = 0; run < RUNS; run++) {
      for (const way of ['hotmic', 'MessagePort'] as const) {
        rates[way].push(await flood(way));
        const latencies = (await paced(way)).sort((a, b) => a - b);
        medians[way].push(latencies[latencies.length >> 1]!);
        tails[way].push(latencies[Math.floor(latencies.length * 0.99)]!);
      }
    }
    const ratios = rates.hotmic.map((rate, run) => rate / rates.MessagePort[run]!);
    const rows: Row[] = [];
    for (const way of ['hotmic', 'MessagePort'] as const) {
      rows.push(row(way, 'flood', 'throughput', 'packets/s', rates[way]));
      rows.push(row(way, 'one by one', 'worker to main p50', 'µs', medians[way]));
      rows.push(row(way, 'one by one', 'worker to main p99', 'µs', tails[way]));
    }
    rows.push(row('hotmic', 'flood', 'throughput, ratio to MessagePort', '×', ratios));
    return { rows, void: null };
  },
};

async function flood(way: Way): Promise<number> {
  const seen = await receive(way, { packets: FLOOD_PACKETS, packetBytes: PACKET_BYTES, paceMs: 0 });
  const first = seen[0]!;
  return FLOOD_PACKETS / ((seen.at(-1)!.arrivedAt - first.sentAt) / 1000);
}

async function paced(way: Way): Promise<number[]> {
  const seen = await receive(way, { packets: PACED_PACKETS, packetBytes: PACKET_BYTES, paceMs: 1 });
  return seen.map(({ sentAt, arrivedAt }) => (arrivedAt - sentAt) * 1000);
}

interface Arrival {
  readonly sentAt: number;
  readonly arrivedAt: number;
}

async function receive(way: Way, job: RingJob): Promise<Arrival[]> {
  const storage = way === 'hotmic' ? allocateRing(1 << 20) : null;
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(new URL('./ring_worker.js', import.meta.url), {
    workerData: { job, storage, port: port2 },
    transferList: [port2],
  });
  await once(worker, 'message');
  worker.postMessage('go');
  const arrivals = storage ? await fromRing(new RingConsumer(storage), job) : await fromPort(port1, job);
  port1.close();
  await worker.terminate();
  return arrivals;
}

async function fromRing(consumer: RingConsumer, job: RingJob): Promise<Arrival[]> {
  const arrivals: Arrival[] = [];
  while (arrivals.length < job.packets) {
    for (let entry = consumer.read(); entry !== null; entry = consumer.read()) {
      arrivals.push({ sentAt: entry.capturedAt, arrivedAt: monotonicMs() });
      consumer.release();
    }
    if (arrivals.length < job.packets) await consumer.waitAsync(1000);
  }
  return arrivals;
}

function fromPort(port: MessagePort, job: RingJob): Promise<Arrival[]> {
  const arrivals: Arrival[] = [];
  return new Promise((resolve) => {
    port.on('message', ({ sentAt }: { sentAt: number; bytes: Uint8Array }) => {
      arrivals.push({ sentAt, arrivedAt: monotonicMs() });
      if (arrivals.length === job.packets) resolve(arrivals);
    });
  });
}
