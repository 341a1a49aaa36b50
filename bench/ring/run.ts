/**
 * One run of the ring benchmark: a thread that sends, paced or at full speed, and one that receives, checks and measures. The pace is a
 * fixed schedule that no receiver can slow down, so a late packet is measured as late.
 */

import { once } from 'node:events';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { monotonicMs } from '../../client/clock.js';
import { type Channel, type Method, openChannel, receive, sleepMs, type Take } from './methods.js';
import { threadCpuMs } from './thread_cpu.js';

export interface Job {
  /** Packets sent first and not counted. */
  readonly warmUp: number;
  readonly packets: number;
  /** 16 or more. */
  readonly packetBytes: number;
  /** Interval between packets, in ms; 0: full speed. */
  readonly paceMs: number;
}

/** The data that a worker of `worker.ts` is started with. */
export interface Part {
  readonly role: 'send' | 'receive';
  readonly channel: Channel;
  readonly job: Job;
  readonly port: MessagePort;
}

export interface Sent {
  /** How long after its due time each packet was sent, in µs; empty without a pace. */
  readonly latenessUs: readonly number[];
  /** Processor time of the sending thread for the packets that count; null if it is not available. */
  readonly cpuMs: number | null;
}

export interface Received {
  /** From before the sender's call until the receiver has the packet, in µs; empty without a pace. */
  readonly hopsUs: readonly number[];
  /** From the first to the last packet that counts. */
  readonly elapsedMs: number;
  readonly cpuMs: number | null;
}

/** Each packet has a u32 index at 0 and, if paced, an f64 instant of sending at 8. */
const INDEX_AT = 0;
const SENT_AT = 8;

/** Runs a job with a method, on new threads. Throws if a packet is lost, changed or out of order. */
export async function runJob(method: Method, job: Job): Promise<{ sent: Sent; received: Received }> {
  const channel = openChannel(method);
  const { port1, port2 } = new MessageChannel();
  const start = async (role: Part['role'], port: MessagePort) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: { role, channel, job, port } satisfies Part,
      transferList: [port],
    });
    await once(worker, 'message');
    return worker;
  };
  const sender = await start('send', port1);
  const receiver = method.receiver === 'worker' ? await start('receive', port2) : null;
  const sent = once(sender, 'message');
  const received = receiver ? once(receiver, 'message').then(([result]) => result as Received) : null;
  receiver?.postMessage('go');
  sender.postMessage('go');
  const result = { received: await (received ?? tally(channel, port2, job)), sent: (await sent)[0] as Sent };
  await Promise.all([sender.terminate(), receiver?.terminate()]);
  port2.close();
  return result;
}

/** Fills and sends all packets of a job. Blocks its thread. */
export function sendAll({ warmUp, packets, paceMs }: Job, packet: Uint8Array, send: () => void): Sent {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const latenessUs: number[] = [];
  let cpuBefore: number | null = null;
  const startsAt = monotonicMs();
  for (let index = 0; index < warmUp + packets; index += 1) {
    if (index === warmUp) cpuBefore = threadCpuMs();
    view.setUint32(INDEX_AT, index, true);
    if (paceMs > 0) {
      const dueAt = startsAt + (index + 1) * paceMs;
      for (let now = monotonicMs(); now < dueAt; now = monotonicMs()) sleepMs(dueAt - now);
      const now = monotonicMs();
      view.setFloat64(SENT_AT, now, true);
      if (index >= warmUp) latenessUs.push((now - dueAt) * 1000);
    }
    send();
  }
  return { latenessUs, cpuMs: since(cpuBefore) };
}

/** Receives and checks all packets of a job. */
export async function tally(channel: Channel, port: MessagePort, job: Job): Promise<Received> {
  const hopsUs: number[] = [];
  const last = job.warmUp + job.packets - 1;
  let next = 0;
  let startedAt = 0;
  let cpuBefore: number | null = null;
  const take: Take = (packet) => {
    const index = (packet[0]! | (packet[1]! << 8) | (packet[2]! << 16) | (packet[3]! << 24)) >>> 0;
    if (index !== next || packet.length !== job.packetBytes) {
      throw new Error(
        `packet ${next} arrived as ${index} with ${packet.length} bytes, expected ${job.packetBytes}`,
      );
    }
    next += 1;
    if (job.paceMs > 0 && index >= job.warmUp) {
      const now = monotonicMs();
      const sentAt = new DataView(packet.buffer, packet.byteOffset).getFloat64(SENT_AT, true);
      hopsUs.push((now - sentAt) * 1000);
    }
    if (index === job.warmUp) {
      startedAt = monotonicMs();
      cpuBefore = threadCpuMs();
    }
    return index === last ? 'last' : 'more';
  };
  await receive(channel, port, take);
  return { hopsUs, elapsedMs: monotonicMs() - startedAt, cpuMs: since(cpuBefore) };
}

function since(before: number | null): number | null {
  const now = threadCpuMs();
  return before === null || now === null ? null : now - before;
}
