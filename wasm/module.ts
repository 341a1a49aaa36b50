/**
 * The WebAssembly module in `pkg/`, once per thread, started from its bytes.
 *
 * Runs in Node, workers, browsers and AudioWorklets: no node: import, no fetch, nothing asynchronous.
 */

import { HotmicError, messageOf } from '../voice/error.js';
import * as glue from './glue.js';

/** Sizes of the staging areas in the module's memory (src/staging.rs). */
export const STAGING = {
  pcmSamples: 144_000,
  packetBytes: 65_536,
  inFloats: 4096,
  outFloats: 8192,
} as const;

/** The part of WebAssembly's interface used here. Its types are in the DOM library, which not every part uses. */
declare const WebAssembly: {
  readonly Module: {
    new (bytes: ArrayBuffer | ArrayBufferView): object;
    exports(module: object): { readonly name: string }[];
  };
};

/** The module's memory as arrays. Growth detaches all of them, so they are made again when its buffer has changed. */
interface Views {
  readonly buffer: ArrayBuffer;
  readonly pcm: Int16Array;
  readonly resampled: Int16Array;
  readonly packet: Uint8Array;
  readonly input: Float32Array;
  readonly output: Float32Array;
}

let memory: { readonly buffer: ArrayBuffer } | null = null;
let views: Views | null = null;

/**
 * Instantiates the codec in this thread. Synchronous; a second call does nothing.
 *
 * @param module A compiled `WebAssembly.Module` (the way into an AudioWorklet, through `processorOptions`, or a browser's
 *   main thread, which should compile asynchronously), or the bytes of one of the two files in `pkg/`: an ArrayBuffer or a
 *   view. Bytes are not kept.
 * @throws TypeError when `module` is neither; HotmicError ERR_HOTMIC_CODEC when it is not this codec's, or the engine refuses it.
 */
export function initCodec(module: object): void {
  if (memory !== null) return;
  const isBytes = module instanceof ArrayBuffer || ArrayBuffer.isView(module);
  if (!isBytes && Object.prototype.toString.call(module) !== '[object WebAssembly.Module]') {
    throw new TypeError(
      `Cannot start codec: got ${typeName(module)}, expected a WebAssembly.Module or its bytes`,
    );
  }
  try {
    const compiled = isBytes ? new WebAssembly.Module(module) : module;
    // Checked before the glue gets it: the glue keeps any module, even one that fails to start.
    if (!WebAssembly.Module.exports(compiled).some(({ name }) => name === 'decoder_decode')) {
      throw new TypeError('it exports no decoder_decode');
    }
    memory = glue.initSync({ module: compiled } as Parameters<typeof glue.initSync>[0]).memory;
  } catch (cause) {
    const file = 'expected hotmic_wasm_bg.wasm, or hotmic_wasm_scalar_bg.wasm where there is no SIMD';
    throw new HotmicError('ERR_HOTMIC_CODEC', `Cannot start codec: ${messageOf(cause)}; ${file}`, { cause });
  }
}

/** Whether the codec is ready in this thread. */
export function isCodecReady(): boolean {
  return memory !== null;
}

/** Bytes of memory that the codec holds in this thread; grows in pages of 64 KiB and never shrinks. 0 before `initCodec`. */
export function codecMemoryBytes(): number {
  return memory === null ? 0 : memory.buffer.byteLength;
}

/**
 * Bytes of that memory that instances hold: allocated and not yet freed. It returns to its initial value when all instances are freed. 0
 * before `initCodec`.
 */
export function codecLiveBytes(): number {
  return memory === null ? 0 : glue.live_bytes();
}

/** The staging areas. Any allocation in the module may detach them: call this again after one. */
export function staging(): Views {
  if (memory === null) throw notReady();
  const { buffer } = memory;
  if (views === null || views.buffer !== buffer) {
    views = {
      buffer,
      pcm: new Int16Array(buffer, glue.pcm_ptr(), STAGING.pcmSamples),
      resampled: new Int16Array(buffer, glue.resampled_ptr(), STAGING.pcmSamples),
      packet: new Uint8Array(buffer, glue.packet_ptr(), STAGING.packetBytes),
      input: new Float32Array(buffer, glue.in_ptr(), STAGING.inFloats),
      output: new Float32Array(buffer, glue.out_ptr(), STAGING.outFloats),
    };
  }
  return views;
}

/** The arrays that callers pass. */
type ArrayKind = Int16ArrayConstructor | Uint8ArrayConstructor;

/**
 * Checks that `array` has the declared type, for callers without types: floats used as samples would be silence.
 *
 * @param what The action and the argument's name, as in "encode: pcm".
 * @throws TypeError for anything else. Arrays of another realm are fine.
 */
export function checkArray(what: string, array: unknown, kind: ArrayKind): void {
  if (array instanceof kind) return;
  const got = typeName(array);
  if (got !== kind.name) throw new TypeError(`Cannot ${what} is ${got}, expected ${kind.name}`);
}

/** @throws TypeError as `checkArray`; RangeError unless `[offset, offset + length)` lies inside `array`. */
export function checkSpan(
  what: string,
  array: { readonly length: number },
  kind: ArrayKind,
  offset: number,
  length: number,
): void {
  checkArray(what, array, kind);
  const size = array.length;
  if (
    Number.isInteger(offset) &&
    Number.isInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset + length <= size
  )
    return;
  const wanted = length === 0 ? 'a place in it' : `${length}`;
  throw new RangeError(`Cannot ${what} holds ${size}, expected ${wanted} from offset ${offset}`);
}

/** Up to so many samples, a loop is about as fast as a view, and allocates nothing: an Opus frame of 40 ms at 24 kHz. */
const COPIED_ONE_BY_ONE = 960;

/** Copies samples. Many are copied by views: a loop would take a tenth of the time that resampling takes. */
export function copySamples<Samples extends Int16Array | Float32Array>(
  from: Samples,
  start: number,
  count: number,
  to: Samples,
  at: number,
): void {
  if (count <= COPIED_ONE_BY_ONE) {
    for (let i = 0; i < count; i++) to[at + i] = from[start + i]!;
    return;
  }
  to.set(start === 0 && count === from.length ? from : from.subarray(start, start + count), at);
}

/** The type of `value`, in a word: `Float32Array`, `string`, `null`. */
export function typeName(value: unknown): string {
  return typeof value === 'object' ? Object.prototype.toString.call(value).slice(8, -1) : typeof value;
}

export function notReady(): HotmicError {
  return new HotmicError(
    'ERR_HOTMIC_CODEC',
    'Cannot use codec: it is not started; call initCodec() or loadCodec() first',
  );
}

export function freed(what: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_CODEC', `Cannot use ${what}: it was freed; make a new one`);
}
