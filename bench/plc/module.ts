/** A build of the codec's module, several of which can run in one process: the decoder's exports, called without the glue. */

import { STAGING } from '../../wasm/module.js';

/** The part of WebAssembly's interface used here. Its types are in the DOM library, which the benchmarks do not use. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  packet_ptr(): number;
  pcm_ptr(): number;
  decoder_new(rateHz: number): number;
  decoder_decode(handle: number, bytes: number, room: number): number;
  decoder_conceal(handle: number, samples: number): number;
  decoder_fec(handle: number, bytes: number): number;
  decoder_free(handle: number): void;
  live_bytes(): number;
  /** These are in trial/deep.rs, and missing in the module that is shipped. */
  decoder_complexity?(handle: number, complexity: number): number;
  decoder_weights?(handle: number, weights: number, bytes: number): number;
  weights_new?(bytes: number): number;
}

/** From this decoder complexity, libopus conceals by deep PLC. */
export const DEEP_COMPLEXITY = 5;

export class PlcModule {
  readonly #wasm: Exports;
  readonly #weights: { readonly address: number; readonly bytes: number } | null = null;

  /** @param weights What the variant `file` needs. */
  constructor(module: Uint8Array, weights: Uint8Array | null = null) {
    // The trial builds import nothing. What the shipped module imports is for objects, and no object is passed.
    const imports = { './hotmic_wasm_bg.js': { __wbindgen_init_externref_table: () => {} } };
    this.#wasm = new WebAssembly.Instance(new WebAssembly.Module(module), imports).exports as Exports;
    if (weights === null) return;
    const address = this.#wasm.weights_new!(weights.length);
    new Uint8Array(this.#wasm.memory.buffer, address, weights.length).set(weights);
    this.#weights = { address, bytes: weights.length };
  }

  /** A decoder at `rateHz`; `deep` turns deep PLC on. */
  open(rateHz: number, deep: 'deep' | 'classic'): PlcDecoder {
    const wasm = this.#wasm;
    const handle = wasm.decoder_new(rateHz);
    if (handle === 0) throw new Error(`Cannot make a decoder of ${rateHz} Hz`);
    if (this.#weights !== null) {
      const { address, bytes } = this.#weights;
      checked('load weights', wasm.decoder_weights!(handle, address, bytes));
    }
    if (deep === 'deep') checked('set complexity', wasm.decoder_complexity!(handle, DEEP_COMPLEXITY));
    const { buffer } = wasm.memory;
    const packet = new Uint8Array(buffer, wasm.packet_ptr(), STAGING.packetBytes);
    const pcm = new Int16Array(buffer, wasm.pcm_ptr(), STAGING.pcmSamples);
    return {
      stage(bytes) {
        packet.set(bytes);
      },
      decode: (bytes) => checked('decode', wasm.decoder_decode(handle, bytes, STAGING.pcmSamples)),
      fec: (bytes) => checked('decode FEC', wasm.decoder_fec(handle, bytes)),
      conceal: (samples) => checked('conceal', wasm.decoder_conceal(handle, samples)),
      read(samples, out, at) {
        out.set(pcm.subarray(0, samples), at);
      },
      free: () => wasm.decoder_free(handle),
    };
  }

  /** Bytes that a decoder takes. */
  decoderBytes(rateHz: number): number {
    const before = this.#wasm.live_bytes();
    const decoder = this.open(rateHz, 'classic');
    const bytes = this.#wasm.live_bytes() - before;
    decoder.free();
    return bytes;
  }
}

/** Valid until another decoder of the module is made. Each call returns samples. */
export interface PlcDecoder {
  /** Puts a packet where `decode` and `fec` take it from. */
  stage(packet: Uint8Array): void;
  decode(bytes: number): number;
  fec(bytes: number): number;
  conceal(samples: number): number;
  /** Copies what the last call made. */
  read(samples: number, out: Int16Array, at: number): void;
  free(): void;
}

function checked(what: string, result: number): number {
  if (result < 0) throw new Error(`Cannot ${what}: libopus returned ${result}`);
  return result;
}
