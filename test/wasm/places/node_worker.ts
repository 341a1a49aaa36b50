/** The codec in a worker_thread: started from the module in `workerData`, or by itself without one. */

import { parentPort, workerData } from 'node:worker_threads';
import { initCodec, type LoadCodecOptions, loadCodec } from '../../../wasm/index.js';
import { type Job, runAll } from './jobs.js';

export interface NodeWorkerData {
  readonly jobs: readonly Job[];
  readonly start: { readonly module: object } | LoadCodecOptions;
}

globalThis.fetch = () => {
  throw new Error('Node must not fetch');
};
const { jobs, start } = workerData as NodeWorkerData;
if ('module' in start) initCodec(start.module);
else loadCodec(start);
parentPort?.postMessage(runAll(jobs));
