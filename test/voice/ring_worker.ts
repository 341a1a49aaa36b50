/**
 * Both ends of a ring for the thread tests: a generator that commits entries of random sizes and a verifier that makes the
 * same ones again from the same seed. Run on the main thread by import and on another by `new Worker` of this file.
 */

import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { RingConsumer, type RingEntry, RingProducer } from '../../voice/ring.js';
import { SeededRandom } from '../kit/random.js';

/** Longer than any run may take: a consumer that is not woken ends with the runner's limit of time, not by itself. */
const WAIT_MS = 600_000;

export interface RingTask {
  readonly role: 'produce' | 'consume' | 'consume-async' | 'idle-async';
  readonly storage: SharedArrayBuffer;
  readonly seed: number;
  readonly entries: number;
  readonly maxBytes: number;
}

export interface Produced {
  readonly kind: 'produced';
  readonly committed: number;
  /** Reservations that found the ring full, each tried again. */
  readonly retried: number;
}

export interface Consumed {
  readonly kind: 'consumed';
  readonly verified: number;
  /** What was wrong first; null when all was as it was made. */
  readonly fault: string | null;
  /** Turns of the consumer's loop: entries and waits. */
  readonly turns: number;
}

/** What a worker says: that it is about to wait for the first time, and how it ended. */
export type RingReport = { readonly kind: 'waiting' } | Produced | Consumed;

/** Commits `entries` entries, trying again when the ring is full, and closes. */
export async function produce(task: RingTask): Promise<Produced> {
  const producer = new RingProducer(task.storage);
  const made = new SeededRandom(task.seed);
  const chance = new SeededRandom(task.seed + 1);
  let retried = 0;
  for (let index = 0; index < task.entries; index += 1) {
    const size = sizeOf(made, task.maxBytes);
    // More is reserved than used, as for getVoice, which needs room for the largest packet.
    const reserved = Math.max(1, size + chance.below(task.maxBytes + 1 - size));
    let room = producer.reserve(reserved);
    while (room === null) {
      retried += 1;
      await turnOfEventLoop();
      room = producer.reserve(reserved);
    }
    for (let at = 0; at < size; at += 1) room[at] = made.next();
    room.fill(0xee, size);
    producer.commit(size, index, index / 2);
  }
  producer.close();
  return { kind: 'produced', committed: task.entries, retried };
}

/** Reads until the ring is closed, blocking its thread while there is nothing. */
export function consume(task: RingTask, onWait: () => void): Consumed {
  const consumer = new RingConsumer(task.storage);
  const verifier = new Verifier(task);
  while (!consumer.closed) {
    const entry = consumer.read();
    verifier.take(entry);
    if (entry) consumer.release();
    else {
      onWait();
      consumer.wait(WAIT_MS);
    }
  }
  return verifier.consumed();
}

/** As `consume`, on a thread with an event loop. */
export async function consumeAsync(task: RingTask, onWait: () => void): Promise<Consumed> {
  const consumer = new RingConsumer(task.storage);
  const verifier = new Verifier(task);
  while (!consumer.closed) {
    const entry = consumer.read();
    verifier.take(entry);
    if (entry) consumer.release();
    else {
      const woken = consumer.waitAsync(WAIT_MS);
      onWait();
      await woken;
    }
  }
  return verifier.consumed();
}

/** Holds each entry against what the generator must have made. */
class Verifier {
  readonly #made: SeededRandom;
  readonly #maxBytes: number;
  #verified = 0;
  #turns = 0;
  #fault: string | null = null;

  constructor(task: RingTask) {
    this.#made = new SeededRandom(task.seed);
    this.#maxBytes = task.maxBytes;
  }

  take(entry: RingEntry | null): void {
    this.#turns += 1;
    if (entry === null) return;
    const index = this.#verified;
    this.#verified += 1;
    if (this.#fault !== null) return;
    const size = sizeOf(this.#made, this.#maxBytes);
    if (entry.tag !== index) this.#fault = `entry ${index} has tag ${entry.tag}`;
    else if (entry.capturedAt !== index / 2)
      this.#fault = `entry ${index} was captured at ${entry.capturedAt}`;
    else if (entry.bytes.length !== size)
      this.#fault = `entry ${index}: ${entry.bytes.length} bytes, expected ${size}`;
    else {
      for (const byte of entry.bytes) {
        if (byte !== (this.#made.next() & 0xff)) {
          this.#fault = `entry ${index} has a wrong byte`;
          return;
        }
      }
    }
  }

  consumed(): Consumed {
    return { kind: 'consumed', verified: this.#verified, fault: this.#fault, turns: this.#turns };
  }
}

/** Mostly small, now and then anything up to the most, sometimes nothing. */
function sizeOf(random: SeededRandom, maxBytes: number): number {
  return random.below(random.below(8) === 0 ? maxBytes + 1 : Math.min(maxBytes, 40));
}

if (!isMainThread && parentPort) {
  const port = parentPort;
  const task = workerData as RingTask;
  const report = (message: RingReport) => port.postMessage(message);
  let hasWaited = false;
  const onWait = () => {
    if (!hasWaited) report({ kind: 'waiting' });
    hasWaited = true;
  };
  if (task.role === 'produce') report(await produce(task));
  if (task.role === 'consume') report(consume(task, onWait));
  if (task.role === 'consume-async') {
    // waitAsync keeps no thread alive: a listener on the port does.
    port.on('message', () => {});
    report(await consumeAsync(task, onWait));
    port.close();
  }
  if (task.role === 'idle-async') void consumeAsync(task, onWait);
}
