/**
 * One run of the ring's benchmark: a thread that sends, at a pace or as fast as it goes, and one that receives, checks and
 * takes the time. The pace is a fixed raster that no receiver can slow down, so a late packet is measured as late.
 */

import { once } from 'node:events';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { monotonicMs } from '../../client/clock.js';
import { threadCpuMs } from '../thread_cpu.js';
import { type Channel, openChannel, receive, sleepMs, type Take, type Way } from './ways.js';

export interface Job {
  /** Sent first, and not counted. */
  readonly warmUp: number;
  readonly packets: number;
  /** 16 or more. */
  readonly packetBytes: number;
  /** From one packet to the next, in ms; 0: as fast as they go. */
  readonly paceMs: number;
}

/** What a worker of `worker.ts` is started with. */
export interface Part {
  readonly role: 'send' | 'receive';
  readonly channel: Channel;
  readonly job: Job;
  readonly port: MessagePort;
}

export interface Sent {
  /** By how much each packet left after it was due, in µs; none when there was no pace. */
  readonly latenessUs: readonly number[];
  /** Of the sending thread while packets that count were sent, or null when it is not to be had. */
  readonly cpuMs: number | null;
}

export interface Received {
  /** From before the sender's call to the receiver's hands, in µs; none when there was no pace. */
  readonly hopsUs: readonly number[];
  /** From the first packet that counts to the last. */
  readonly elapsedMs: number;
  readonly cpuMs: number | null;
}

/** In each packet: u32 index at 0, and for a pace f64 instant of sending at 8. */
const INDEX_AT = 0;
const SENT_AT = 8;

/** Runs a job over a way, on new threads. Throws when a packet is lost, changed or out of order. */
export async function runJob(way: Way, job: Job): Promise<{ sent: Sent; received: Received }> {
  const channel = openChannel(way);
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
  const receiver = way.receiver === 'worker' ? await start('receive', port2) : null;
  const sent = once(sender, 'message');
  const received = receiver ? once(receiver, 'message').then(([said]) => said as Received) : null;
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
      throw new Error(`packet ${next} came as ${index}, ${packet.length} bytes: wants ${job.packetBytes}`);
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
