/**
 * Starts the codec in a browser's page or worker: fetches the file in `pkg/` beside this one, or another. Bundlers recognise both files
 * by the form `new URL('…', import.meta.url)` and copy them.
 *
 * An AudioWorklet cannot fetch: compile outside, pass the module in `processorOptions`, call `initCodec` there.
 */

import { HotmicError, messageOf } from '../voice/error.js';
import { initCodec, isCodecReady } from './module.js';
import { chooseBuild, type SimdUse } from './simd.js';
import { viteDevUrl } from './vite_dev.js';

/** How the codec is loaded. */
export interface LoadCodecOptions {
  /** Which build. Default `auto`. Ignored with `url`. */
  readonly simd?: SimdUse;
  /**
   * URL of the module, relative to the page or worker: a copy of `pkg/hotmic_wasm_bg.wasm` or of `pkg/hotmic_wasm_scalar_bg.wasm`;
   * `hasWasmSimd` says which. Default: the one that fits, beside this file.
   */
  readonly url?: string | URL;
}

/** The part of WebAssembly's interface used here. Its types are in the DOM library, which not every part uses. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>;
  compileStreaming?(response: Response): Promise<object>;
};

const WASM_TYPE = 'application/wasm';
/** What to do when a bundler has not copied the file. */
const AFTER_BUNDLER =
  "after a bundler, pass { url } of a copy of hotmic/codec.wasm (docs/codec.md); with Vite, optimizeDeps: { exclude: ['hotmic'] }";
const WASM_MAGIC = [0x00, 0x61, 0x73, 0x6d] as const;

let loading: Promise<void> | null = null;

/**
 * Fetches, compiles and starts the codec in this thread. While one call is under way, or after it succeeded, other calls only wait for
 * it, whatever their options. After a failure the next call tries again.
 *
 * @throws (rejects) TypeError for a wrong option; HotmicError ERR_HOTMIC_CODEC with the reason when the file cannot be fetched
 *   or is not a module, or when the engine or the page's Content-Security-Policy forbids WebAssembly (it needs 'wasm-unsafe-eval').
 */
export async function loadCodec(options: LoadCodecOptions = {}): Promise<void> {
  const compiled = compiler(options);
  if (isCodecReady()) return;
  loading ??= compiled()
    .then(initCodec)
    .finally(() => {
      loading = null;
    });
  return loading;
}

/**
 * Fetches and compiles the codec without starting it: a `WebAssembly.Module` for workers (`postMessage`) and AudioWorklets
 * (`processorOptions`; Chromium accepts it there, but not through a node's port), each of which starts it with `initCodec`.
 *
 * @throws (rejects) as `loadCodec` does.
 */
export async function compileCodec(options: LoadCodecOptions = {}): Promise<object> {
  return compiler(options)();
}

/**
 * Fetches and compiles the module for `MicrophoneProcessor`: a `WebAssembly.Module`, also for workers and AudioWorklets.
 *
 * @param url A copy of `pkg/hotmic_processing.wasm` (`hotmic/processing.wasm`). Default: the one beside this file.
 * @throws (rejects) as `loadCodec` does.
 */
export async function compileProcessing(url?: string | URL): Promise<object> {
  if (url !== undefined) return compile(String(url));
  return compileOwn('hotmic_processing.wasm', () => new URL('./pkg/hotmic_processing.wasm', import.meta.url));
}

/** Checks the options at once; the returned function fetches. */
function compiler(options: LoadCodecOptions): () => Promise<object> {
  const build = chooseBuild(options, ['simd', 'url']);
  if (options.url !== undefined) return () => compile(String(options.url));
  // Both written in full: bundlers search the text.
  return build === 'simd'
    ? () => compileOwn('hotmic_wasm_bg.wasm', () => new URL('./pkg/hotmic_wasm_bg.wasm', import.meta.url))
    : () =>
        compileOwn(
          'hotmic_wasm_scalar_bg.wasm',
          () => new URL('./pkg/hotmic_wasm_scalar_bg.wasm', import.meta.url),
        );
}

/** The file beside this one, `find`, or where Vite's dev server has it. */
async function compileOwn(file: string, find: () => URL): Promise<object> {
  let url: string;
  try {
    url = find().href;
  } catch (cause) {
    throw failure(`a bundler has left this module without a URL; pass { url } of a copy of ${file}`, cause);
  }
  try {
    return await compile(url);
  } catch (thrown) {
    const elsewhere = viteDevUrl(import.meta.url, file);
    if (elsewhere === null) throw thrown;
    return compile(elsewhere);
  }
}

async function compile(url: string): Promise<object> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    const hint = url.startsWith('file:')
      ? "fetch reads no files; Node takes the package's other door, or initCodec(bytes)"
      : 'is the network there, and may this page ask that host?';
    throw failure(`cannot fetch ${url}: ${messageOf(cause)}; ${hint}`, cause);
  }
  if (!response.ok) {
    throw failure(
      `cannot fetch ${url}: the server answers ${response.status}, expected the module; ${AFTER_BUNDLER}`,
    );
  }
  const type = response.headers.get('content-type') ?? 'no type';
  // Engines compile while loading only with exactly this type. Servers often send another one, and the bytes decide.
  if (type.trim().toLowerCase() === WASM_TYPE && WebAssembly.compileStreaming !== undefined) {
    return WebAssembly.compileStreaming(response).catch((cause) => {
      throw failure(`cannot compile ${url}: ${messageOf(cause)}`, cause);
    });
  }
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw failure(`cannot fetch ${url}: it broke off: ${messageOf(cause)}`, cause);
  }
  // The usual mistake: a server that answers with its start page for a missing file.
  if (!WASM_MAGIC.every((byte, at) => bytes[at] === byte)) {
    throw failure(
      `${url} is not a WebAssembly module: ${type}, ${bytes.length} bytes; expected pkg/hotmic_wasm_bg.wasm; ${AFTER_BUNDLER}`,
    );
  }
  return WebAssembly.compile(bytes).catch((cause) => {
    throw failure(`cannot compile ${url}: ${messageOf(cause)}`, cause);
  });
}

function failure(why: string, cause?: unknown): HotmicError {
  return new HotmicError(
    'ERR_HOTMIC_CODEC',
    `Cannot load codec: ${why}`,
    cause === undefined ? {} : { cause },
  );
}
