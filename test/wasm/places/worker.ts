/** The codec in a browser's module worker: started from the module that comes with the jobs, or by its own fetch. */

import { initCodec, loadCodec } from 'hotmic/codec';
import { type Job, runAll } from './jobs.js';

/** What page.ts posts. */
export interface WorkerTask {
  readonly jobs: readonly Job[];
  readonly start: { readonly module: object } | { readonly simd: 'auto' | 'off' };
}

/** The part of DedicatedWorkerGlobalScope used here. */
declare const self: {
  onmessage: (event: { readonly data: WorkerTask }) => Promise<void>;
  postMessage(answer: unknown): void;
};

self.onmessage = async ({ data: { jobs, start } }) => {
  try {
    if ('module' in start) initCodec(start.module);
    else await loadCodec(start);
    self.postMessage(runAll(jobs));
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
