/**
 * Starts the codec in Node from the files in `pkg/` beside this one, in the sources and in `dist/`. It reads files, fetches nothing and
 * needs no event loop: it works the same in the main thread and in a worker_thread.
 */

import { readFileSync } from 'node:fs';
import { HotmicError, messageOf } from '../voice/error.js';
import { systemReason } from '../voice/system_reason.js';
import { initCodec, isCodecReady } from './module.js';
import { packageFile } from './package_file.js';
import { chooseBuild, type SimdUse } from './simd.js';

/** How the codec is loaded. */
export interface LoadCodecOptions {
  /** Which build. Default `auto`. */
  readonly simd?: SimdUse;
}

/** The part of WebAssembly's interface used here. Its types are in the DOM library, which not every part uses. */
declare const WebAssembly: { readonly Module: new (bytes: Uint8Array) => object };

/**
 * Reads and starts the codec in this thread, synchronously, in about 20 ms. A second call does nothing.
 *
 * @throws TypeError for a wrong option; HotmicError ERR_HOTMIC_BUNDLED when the module is missing, ERR_HOTMIC_CODEC when it does not
 *   load.
 */
export function loadCodec(options: LoadCodecOptions = {}): void {
  const url = moduleUrl(options);
  if (!isCodecReady()) initCodec(compile(url));
}

/**
 * Reads and compiles the codec without starting it. The result is a `WebAssembly.Module` for worker_threads (`workerData` or
 * `postMessage`), each of which starts it with `initCodec`, in about 1 ms.
 *
 * @throws as `loadCodec` does.
 */
export function compileCodec(options: LoadCodecOptions = {}): object {
  return compile(moduleUrl(options));
}

/**
 * Reads and compiles the module for `MicrophoneProcessor`: a `WebAssembly.Module`, also for worker_threads.
 *
 * @throws HotmicError ERR_HOTMIC_BUNDLED when it is missing, ERR_HOTMIC_CODEC when it does not load.
 */
export function compileProcessing(): object {
  return compile(
    packageFile('the processing', () => new URL('./pkg/hotmic_processing.wasm', import.meta.url)),
  );
}

function moduleUrl(options: LoadCodecOptions): URL {
  return chooseBuild(options, ['simd']) === 'simd'
    ? packageFile('the codec', () => new URL('./pkg/hotmic_wasm_bg.wasm', import.meta.url))
    : packageFile('the codec', () => new URL('./pkg/hotmic_wasm_scalar_bg.wasm', import.meta.url));
}

function compile(url: URL): object {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(url);
  } catch (cause) {
    const what = `Cannot load codec: cannot read ${url.pathname}: ${systemReason(cause)}, expected the built module`;
    throw new HotmicError('ERR_HOTMIC_CODEC', what, { cause });
  }
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    const what = `Cannot load codec: ${url.pathname} does not compile: ${messageOf(cause)}`;
    throw new HotmicError('ERR_HOTMIC_CODEC', what, { cause });
  }
}
