/**
 * The methods that the ring benchmark compares to pass a packet from one thread to another: our ring, npm's ringbuf.js, postMessage.
 *
 * ringbuf.js is a ring of elements and wakes no reader. So each packet is pushed together with its length, 4 bytes in front, and its
 * reader polls every millisecond, with a timer where there is an event loop, otherwise sleeping. Nothing spins: a sender that finds no
 * space sleeps for 50 µs.
 */

import type { MessagePort } from 'node:worker_threads';
import { RingBuffer } from 'ringbuf.js';
import { allocateRing, RingConsumer, RingProducer } from '../../voice/ring.js';

export interface Method {
  /** `hotmic` for ours. */
  readonly subject: string;
  readonly name: string;
  readonly by: 'hotmic' | 'ringbuf.js' | 'postMessage' | 'postMessage-transfer';
  readonly receiver: 'main' | 'worker';
}

export const METHODS: readonly Method[] = [
  { subject: 'hotmic', name: 'main thread, waitAsync', by: 'hotmic', receiver: 'main' },
  { subject: 'ringbuf.js', name: 'main thread, polled by a 1 ms timer', by: 'ringbuf.js', receiver: 'main' },
  { subject: 'postMessage', name: 'main thread, copied', by: 'postMessage', receiver: 'main' },
  { subject: 'postMessage', name: 'main thread, transferred', by: 'postMessage-transfer', receiver: 'main' },
  { subject: 'hotmic', name: 'worker, blocking wait', by: 'hotmic', receiver: 'worker' },
  { subject: 'ringbuf.js', name: 'worker, polled, sleeping 1 ms', by: 'ringbuf.js', receiver: 'worker' },
];

/** What both ends are opened on. It can be sent to a worker. */
export interface Channel {
  readonly method: Method;
  /** Null for postMessage. */
  readonly storage: SharedArrayBuffer | null;
}

/** Capacity of each ring. */
const RING_BYTES = 1 << 20;
const POLL_MS = 1;
const FULL_SLEEP_MS = 0.05;
/** A bound, not a polling interval, as in the publisher. */
const WAIT_MS = 1000;
const LENGTH_BYTES = 4;

export function openChannel(method: Method): Channel {
  switch (method.by) {
    case 'hotmic':
      return { method, storage: allocateRing(RING_BYTES) };
    case 'ringbuf.js':
      return {
        method,
        storage: RingBuffer.getStorageForCapacity(RING_BYTES, Uint8Array) as SharedArrayBuffer,
      };
    default:
      return { method, storage: null };
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));
export const sleepMs = (ms: number) => void Atomics.wait(sleeper, 0, 0, ms);

export interface Sender {
  /** Fill it before each `send`. Always the same memory. */
  readonly packet: Uint8Array<ArrayBuffer>;
  send(): void;
}

export function openSender({ method, storage }: Channel, port: MessagePort, packetBytes: number): Sender {
  switch (method.by) {
    case 'hotmic': {
      const packet = new Uint8Array(packetBytes);
      const producer = new RingProducer(storage!);
      const send = () => {
        let space = producer.reserve(packetBytes);
        while (space === null) {
          sleepMs(FULL_SLEEP_MS);
          space = producer.reserve(packetBytes);
        }
        space.set(packet);
        producer.commit(packetBytes, 0, 0);
      };
      return { packet, send };
    }
    case 'ringbuf.js': {
      const frame = new Uint8Array(LENGTH_BYTES + packetBytes);
      new DataView(frame.buffer).setUint32(0, packetBytes, true);
      const ring = new RingBuffer(storage!, Uint8Array);
      const send = () => {
        while (ring.availableWrite() < frame.length) sleepMs(FULL_SLEEP_MS);
        ring.push(frame, frame.length);
      };
      return { packet: frame.subarray(LENGTH_BYTES), send };
    }
    case 'postMessage': {
      const packet = new Uint8Array(packetBytes);
      return { packet, send: () => port.postMessage(packet) };
    }
    case 'postMessage-transfer': {
      const packet = new Uint8Array(packetBytes);
      const send = () => {
        const sent = packet.slice();
        port.postMessage(sent, [sent.buffer]);
      };
      return { packet, send };
    }
  }
}

/** Takes a packet, valid during the call. Returns `last` for the last one. */
export type Take = (packet: Uint8Array) => 'more' | 'last';

/** Passes all packets to `take`, and resolves after the last. Blocks a worker. */
export async function receive({ method, storage }: Channel, port: MessagePort, take: Take): Promise<void> {
  if (method.by === 'hotmic') return await receiveFromRing(new RingConsumer(storage!), method.receiver, take);
  if (method.by === 'ringbuf.js') {
    return await receiveFromRingbuf(new RingBuffer(storage!, Uint8Array), method.receiver, take);
  }
  await new Promise<void>((resolve) => {
    port.on('message', (packet: Uint8Array) => {
      if (take(packet) === 'last') resolve();
    });
  });
}

async function receiveFromRing(ring: RingConsumer, where: Method['receiver'], take: Take): Promise<void> {
  for (;;) {
    for (let entry = ring.read(); entry !== null; entry = ring.read()) {
      const said = take(entry.bytes);
      ring.release();
      if (said === 'last') return;
    }
    if (where === 'worker') ring.wait(WAIT_MS);
    else await ring.waitAsync(WAIT_MS);
  }
}

async function receiveFromRingbuf(ring: RingBuffer, where: Method['receiver'], take: Take): Promise<void> {
  const length = new Uint8Array(LENGTH_BYTES);
  const lengthView = new DataView(length.buffer);
  const body = new Uint8Array(8192);
  const drain = () => {
    while (ring.pop(length, LENGTH_BYTES) === LENGTH_BYTES) {
      const bytes = lengthView.getUint32(0, true);
      ring.pop(body, bytes);
      if (take(body.subarray(0, bytes)) === 'last') return 'last';
    }
    return 'more';
  };
  if (where === 'worker') {
    while (drain() === 'more') sleepMs(POLL_MS);
    return;
  }
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (drain() === 'more') return;
      clearInterval(timer);
      resolve();
    }, POLL_MS);
  });
}
