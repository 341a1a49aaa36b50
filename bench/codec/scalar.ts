/**
 * Our codec without SIMD, in another thread, because a thread has one build of it. It only works while this thread waits, so the
 * processor time of the process is its own.
 */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Timed } from './rounds.js';

/** Far more than a measurement takes. */
const TIMEOUT_MS = 60_000;

const [subject, form] = ['hotmic scalar', 'batched'];

export interface ScalarInput {
  readonly pcm: Int16Array;
  readonly packets: readonly Uint8Array[];
  /** 1 once `speed` is set. */
  readonly done: Int32Array;
  readonly speed: Float64Array;
}

/** Its output for the speech and the packets. `encode` and `decode` time it in turn with the others, until `end`. */
export async function scalarCodec(pcm: Int16Array, packets: readonly Uint8Array[]) {
  const done = new Int32Array(new SharedArrayBuffer(4));
  const speed = new Float64Array(new SharedArrayBuffer(8));
  const workerData: ScalarInput = { pcm, packets, done, speed };
  const worker = new Worker(new URL('./scalar_worker.js', import.meta.url), { workerData });
  const [made] = (await once(worker, 'message')) as [{ packets: Uint8Array[]; pcm: Int16Array }];
  const timed = (work: 'encode' | 'decode'): Timed => ({
    subject,
    case: `${work}, ${form}`,
    measure() {
      done[0] = 0;
      worker.postMessage(work);
      if (Atomics.wait(done, 0, 0, TIMEOUT_MS) === 'timed-out')
        throw new Error(`Cannot ${work} without SIMD: no answer after ${TIMEOUT_MS / 1000} s`);
      return speed[0]!;
    },
  });
  const [encode, decode] = [timed('encode'), timed('decode')];
  const end = () => worker.terminate();
  return { subject, form, packets: () => made.packets, pcm: () => made.pcm, encode, decode, end };
}
