/**
 * The codec in an AudioWorklet: started in the processor's constructor from `processorOptions`; `process` then does one job a
 * render quantum, on the audio thread, and posts the samples.
 */

import { hasWasmSimd, initCodec } from 'hotmic/codec';
import { type Job, roundTrip, runJob } from './jobs.js';

/** What page.ts hands over. */
export interface WorkletOptions {
  readonly module: object;
  readonly jobs: readonly Job[];
}

/** The part of AudioWorkletGlobalScope used here. */
declare class AudioWorkletProcessor {
  readonly port: { postMessage(message: unknown): void };
}
declare function registerProcessor(name: string, processor: unknown): void;

class GoldenProcessor extends AudioWorkletProcessor {
  readonly #jobs: readonly Job[];
  readonly #pcm: Int16Array[] = [];

  constructor({ processorOptions: { module, jobs } }: { readonly processorOptions: WorkletOptions }) {
    super();
    this.#jobs = jobs;
    try {
      initCodec(module);
    } catch (error) {
      this.port.postMessage({ error: String(error) });
    }
  }

  process(): boolean {
    try {
      const job = this.#jobs[this.#pcm.length];
      if (job !== undefined) {
        this.#pcm.push(runJob(job));
        return true;
      }
      this.port.postMessage({ hasWasmSimd: hasWasmSimd(), pcm: this.#pcm, roundTrip: roundTrip() });
    } catch (error) {
      this.port.postMessage({ error: String(error) });
    }
    return false;
  }
}

registerProcessor('golden', GoldenProcessor);
