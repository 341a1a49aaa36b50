/**
 * The codec's other build, the one without SIMD, on a separate thread, because a thread holds one build. Decodes steps at 24 kHz and
 * answers with the hash of the PCM.
 */

import { readFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { sha256 } from '../../../wasm/golden.js';
import { initCodec } from '../../../wasm/module.js';
import type { DecoderStep } from './oracle.js';
import { decodeInBatches } from './oracle_compare.js';

const MODULE = new URL('../../../wasm/pkg/hotmic_wasm_scalar_bg.wasm', import.meta.url);

/** The scalar build, ready to decode; one request at a time. */
export class ScalarCodec {
  readonly #worker = new Worker(new URL(import.meta.url));

  /** SHA-256 of what `steps` decode to at 24 kHz. */
  decode(steps: readonly DecoderStep[]): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#worker.once('error', reject);
      this.#worker.once('message', (hash: string) => {
        this.#worker.off('error', reject);
        resolve(hash);
      });
      this.#worker.postMessage(steps);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  initCodec(readFileSync(MODULE));
  port.on('message', (steps: readonly DecoderStep[]) => {
    port.postMessage(sha256(decodeInBatches(steps, 24_000).pcm));
  });
}
