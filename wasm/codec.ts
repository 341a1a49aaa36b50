/**
 * Opus and resampling, mono, over the WebAssembly module in `pkg/`: the only file that sees its glue.
 *
 * Runs in Node, workers, browsers and AudioWorklet: no node: import, no fetch, nothing asynchronous. Call `initCodec` once
 * in each thread, then make instances. Each instance lives in the module's memory until `free()`: the garbage collector
 * does not return it. `decode` takes hostile bytes and answers with a number; only misuse throws.
 */

import { HotmicError } from '../voice/error.js';
import * as glue from './pkg/hotmic_wasm.js';

/** The rates at which Opus decodes by itself. */
export const OPUS_RATES_HZ = [8000, 12_000, 16_000, 24_000, 48_000] as const;

/** A rate at which Opus decodes by itself, in Hz. */
export type OpusRateHz = (typeof OPUS_RATES_HZ)[number];

/** Samples of one frame that `OpusEncoder` takes: 20 ms at 24 kHz. */
export const OPUS_FRAME_SAMPLES = 480;

/** The largest packet that `OpusEncoder` makes: room to keep for each `encode`. */
export const OPUS_MAX_PACKET_BYTES = 1276;

/** What a negative result of `OpusDecoder` means: libopus' own codes. */
export const OpusError = {
  /** The packet plays longer than there is room for; the decoder is as it was. */
  bufferTooSmall: -2,
  /** libopus failed on a well-framed packet. */
  internal: -3,
  /** Not an Opus packet. */
  invalidPacket: -4,
} as const;

/** The lowest and highest rate of `Resampler`, in Hz. */
export const RESAMPLER_RATES_HZ = { min: 4000, max: 192_000 } as const;

const ENCODER_RATE_HZ = 24_000;
/** Of the staging areas in the module's memory (src/staging.rs). */
const STAGING = { pcmSamples: 5760, packetBytes: 65_536, inFloats: 4096, outFloats: 8192 } as const;

/** The part of WebAssembly's interface used here. Its types live in the DOM library, which not every room has. */
declare const WebAssembly: {
  readonly Module: {
    new (bytes: ArrayBuffer | ArrayBufferView): object;
    exports(module: object): { readonly name: string }[];
  };
};

/** The module's memory as arrays. Growth detaches them all, so they are made again when its buffer is another. */
interface Views {
  readonly buffer: ArrayBuffer;
  readonly pcm: Int16Array;
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
 *   main thread, which should compile asynchronously), or the bytes of `pkg/hotmic_wasm_bg.wasm`: an ArrayBuffer or a
 *   view. Bytes are not kept.
 * @throws TypeError when `module` is neither; HotmicError ERR_HOTMIC_CODEC when it is not this codec's, or the engine
 *   lacks WebAssembly SIMD.
 */
export function initCodec(module: object): void {
  if (memory !== null) return;
  const isBytes = module instanceof ArrayBuffer || ArrayBuffer.isView(module);
  if (!isBytes && Object.prototype.toString.call(module) !== '[object WebAssembly.Module]') {
    throw new TypeError(
      `Cannot start codec: got ${typeName(module)}, wants a WebAssembly.Module or its bytes`,
    );
  }
  try {
    const compiled = isBytes ? new WebAssembly.Module(module) : module;
    // Looked at before the glue sees it: the glue keeps whatever it was given, even if that fails to start.
    if (!WebAssembly.Module.exports(compiled).some(({ name }) => name === 'decoder_decode')) {
      throw new TypeError('it exports no decoder_decode');
    }
    memory = glue.initSync({ module: compiled } as Parameters<typeof glue.initSync>[0]).memory;
  } catch (cause) {
    throw new HotmicError(
      'ERR_HOTMIC_CODEC',
      'Cannot start codec: the module does not load here; wants pkg/hotmic_wasm_bg.wasm and WebAssembly SIMD',
      { cause },
    );
  }
}

/** Is the codec ready in this thread? */
export function isCodecReady(): boolean {
  return memory !== null;
}

/** Bytes of memory that the codec holds in this thread; grows in pages of 64 KiB and never shrinks. 0 before `initCodec`. */
export function codecMemoryBytes(): number {
  return memory === null ? 0 : memory.buffer.byteLength;
}

function staging(): Views {
  if (memory === null) throw notReady();
  const { buffer } = memory;
  if (views === null || views.buffer !== buffer) {
    views = {
      buffer,
      pcm: new Int16Array(buffer, glue.pcm_ptr(), STAGING.pcmSamples),
      packet: new Uint8Array(buffer, glue.packet_ptr(), STAGING.packetBytes),
      input: new Float32Array(buffer, glue.in_ptr(), STAGING.inFloats),
      output: new Float32Array(buffer, glue.out_ptr(), STAGING.outFloats),
    };
  }
  return views;
}

/** How `OpusEncoder` encodes. */
export interface OpusEncoderOptions {
  /** Bits a second on average (VBR), 6000 to 64000. Default 32000, as Steam. */
  readonly bitrate?: number;
  /** Effort, 0 to 10. Default 9; 5 takes half the time. */
  readonly complexity?: number;
  /** Send packets of one byte in silence. Default true. */
  readonly dtx?: boolean;
  /** Packet loss to prepare for, in percent, 0 to 100. Default 0. */
  readonly expectedLossPercent?: number;
  /** Repeat each frame, coarsely, in the next packet. Default false. Takes effect from an expected loss of about 5 %. */
  readonly inbandFec?: boolean;
}

const NUMBER_OPTIONS = {
  bitrate: { min: 6000, max: 64_000, preset: 32_000 },
  complexity: { min: 0, max: 10, preset: 9 },
  expectedLossPercent: { min: 0, max: 100, preset: 0 },
} as const;
const FLAG_OPTIONS = { dtx: true, inbandFec: false } as const;

/**
 * Encodes voice as Steam does: mono, 24 kHz, frames of 20 ms, VBR. About 32 kB of the module's memory until `free()`.
 *
 * @throws TypeError or RangeError for an unknown or wrong option; HotmicError ERR_HOTMIC_CODEC before `initCodec`.
 */
export class OpusEncoder {
  #handle = 0;

  constructor(options: OpusEncoderOptions = {}) {
    for (const name of Object.keys(options)) {
      if (!(name in NUMBER_OPTIONS) && !(name in FLAG_OPTIONS)) {
        const known = [...Object.keys(NUMBER_OPTIONS), ...Object.keys(FLAG_OPTIONS)].join(', ');
        throw new TypeError(`Cannot make OpusEncoder: unknown option "${name}", wants one of ${known}`);
      }
    }
    const bitrate = numberOption(options, 'bitrate');
    const complexity = numberOption(options, 'complexity');
    const expectedLossPercent = numberOption(options, 'expectedLossPercent');
    const dtx = Number(flagOption(options, 'dtx'));
    const inbandFec = Number(flagOption(options, 'inbandFec'));
    if (memory === null) throw notReady();
    this.#handle = glue.encoder_new(
      ENCODER_RATE_HZ,
      bitrate,
      complexity,
      dtx,
      expectedLossPercent,
      inbandFec,
    );
    if (this.#handle === 0)
      throw new HotmicError('ERR_HOTMIC_CODEC', 'Cannot make OpusEncoder: libopus refused');
  }

  /** Samples at 24 kHz by which the decoded sound lags behind what was encoded: 156 (6.5 ms). */
  get lookaheadSamples(): number {
    return glue.encoder_lookahead(this.#live());
  }

  /** The range coder's state after the last packet; equals the decoder's when both agree on every bit. */
  get finalRange(): number {
    return glue.encoder_final_range(this.#live());
  }

  /**
   * Encodes `pcm[pcmOffset, pcmOffset + 480)` into `out` from `outOffset`. Both arrays are only used during the call.
   * Real-time: no allocation; about 0.4 ms at complexity 9.
   *
   * @param out Wants room for OPUS_MAX_PACKET_BYTES, whatever the packet takes.
   * @returns The packet's bytes, 1 to 1276; 1 is a DTX frame (silence).
   * @throws RangeError when an array has no room; HotmicError ERR_HOTMIC_CODEC after `free()`.
   */
  encode(pcm: Int16Array, pcmOffset: number, out: Uint8Array, outOffset: number): number {
    const handle = this.#live();
    checkSpan('encode: pcm', pcm.length, pcmOffset, OPUS_FRAME_SAMPLES);
    checkSpan('encode: out', out.length, outOffset, OPUS_MAX_PACKET_BYTES);
    const area = staging();
    for (let i = 0; i < OPUS_FRAME_SAMPLES; i++) area.pcm[i] = pcm[pcmOffset + i]!;
    const bytes = glue.encoder_encode(handle);
    // Whatever PCM is, libopus encodes it: a failure is a bug, here or there.
    if (bytes < 1) throw new HotmicError('ERR_HOTMIC_CODEC', `Cannot encode: libopus answered ${bytes}`);
    for (let i = 0; i < bytes; i++) out[outOffset + i] = area.packet[i]!;
    return bytes;
  }

  /** Forgets the sound so far, keeps the options. For the start of a recording. */
  reset(): void {
    glue.encoder_reset(this.#live());
  }

  /** Gives the memory back. A second call does nothing; any other use throws. */
  free(): void {
    if (this.#handle !== 0) glue.encoder_free(this.#handle);
    this.#handle = 0;
  }

  #live(): number {
    if (this.#handle === 0) throw freed('OpusEncoder');
    return this.#handle;
  }
}

/**
 * Decodes one stream of Opus packets to mono (stereo is mixed down). About 18 kB of the module's memory until `free()`.
 *
 * @throws RangeError for another rate; HotmicError ERR_HOTMIC_CODEC before `initCodec`.
 */
export class OpusDecoder {
  readonly sampleRateHz: OpusRateHz;
  #handle = 0;

  constructor(sampleRateHz: OpusRateHz) {
    if (!OPUS_RATES_HZ.includes(sampleRateHz)) {
      throw new RangeError(
        `Cannot make OpusDecoder: ${sampleRateHz} Hz, wants one of ${OPUS_RATES_HZ.join(', ')}`,
      );
    }
    if (memory === null) throw notReady();
    this.sampleRateHz = sampleRateHz;
    this.#handle = glue.decoder_new(sampleRateHz);
    if (this.#handle === 0)
      throw new HotmicError('ERR_HOTMIC_CODEC', 'Cannot make OpusDecoder: libopus refused');
  }

  /** The range coder's state after the last packet; equals the encoder's when both agree on every bit. */
  get finalRange(): number {
    return glue.decoder_final_range(this.#live());
  }

  /**
   * Decodes the packet `bytes[offset, offset + length)` into `out` from `outOffset`. The bytes may be anything.
   * Real-time: no allocation; about 0.05 ms for 20 ms of voice.
   *
   * @param out Room for 120 ms fits every packet, room for 20 ms every one that Steam makes.
   * @returns The samples written, or a negative OpusError. After a failure other than bufferTooSmall, `reset()`.
   * @throws RangeError when offset, length or outOffset lies outside its array; HotmicError ERR_HOTMIC_CODEC after `free()`.
   */
  decode(bytes: Uint8Array, offset: number, length: number, out: Int16Array, outOffset: number): number {
    const handle = this.#live();
    checkSpan('decode: bytes', bytes.length, offset, length);
    checkSpan('decode: out', out.length, outOffset, 1);
    if (length === 0 || length > STAGING.packetBytes) return OpusError.invalidPacket;
    const area = staging();
    for (let i = 0; i < length; i++) area.packet[i] = bytes[offset + i]!;
    const samples = glue.decoder_decode(handle, length, out.length - outOffset);
    for (let i = 0; i < samples; i++) out[outOffset + i] = area.pcm[i]!;
    return samples;
  }

  /**
   * Makes up `samples` samples for sound that was lost. The sound fades out when this goes on.
   * Real-time: as `decode`.
   *
   * @param samples A multiple of 2.5 ms, up to 120 ms.
   * @returns `samples`.
   * @throws RangeError for other `samples` or no room; HotmicError ERR_HOTMIC_CODEC after `free()`.
   */
  conceal(samples: number, out: Int16Array, outOffset: number): number {
    const handle = this.#live();
    const unit = this.sampleRateHz / 400;
    if (!(samples > 0 && samples <= 48 * unit && samples % unit === 0)) {
      const wanted = `a multiple of ${unit} up to ${48 * unit} at ${this.sampleRateHz} Hz`;
      throw new RangeError(`Cannot conceal: ${samples} samples, wants ${wanted}`);
    }
    checkSpan('conceal: out', out.length, outOffset, samples);
    const area = staging();
    const made = glue.decoder_conceal(handle, samples);
    if (made !== samples)
      throw new HotmicError('ERR_HOTMIC_CODEC', `Cannot conceal: libopus answered ${made}`);
    for (let i = 0; i < made; i++) out[outOffset + i] = area.pcm[i]!;
    return made;
  }

  /** Forgets the sound so far: the next packet is decoded as a new decoder would. */
  reset(): void {
    glue.decoder_reset(this.#live());
  }

  /** Gives the memory back. A second call does nothing; any other use throws. */
  free(): void {
    if (this.#handle !== 0) glue.decoder_free(this.#handle);
    this.#handle = 0;
  }

  #live(): number {
    if (this.#handle === 0) throw freed('OpusDecoder');
    return this.#handle;
  }
}

/**
 * Brings a mono stream from one rate to another, continuous across calls. Flat to 0.8 of the lower Nyquist frequency,
 * aliases below -80 dB. 20 to 550 kB of the module's memory until `free()`.
 *
 * Output sample n stands at input time n * fromHz / toHz - delaySamples: after N input samples exactly
 * ceil(N * toHz / fromHz) have come out. To get the tail of a clip, feed `delaySamples` zeros.
 *
 * @throws RangeError for a rate that is no whole number from 4000 to 192000; HotmicError ERR_HOTMIC_CODEC before
 *   `initCodec`. Making one takes up to 20 ms (it computes the filter): not for a real-time thread.
 */
export class Resampler {
  readonly fromHz: number;
  readonly toHz: number;
  /** By how many input samples the output lags, always: 36 for rates up, 36 * fromHz / toHz, rounded up a little, for down. */
  readonly delaySamples: number;
  readonly #maxInput: number;
  #handle = 0;
  #out = new Float32Array(0);

  constructor(fromHz: number, toHz: number) {
    for (const rate of [fromHz, toHz]) {
      if (!Number.isInteger(rate) || rate < RESAMPLER_RATES_HZ.min || rate > RESAMPLER_RATES_HZ.max) {
        const { min, max } = RESAMPLER_RATES_HZ;
        throw new RangeError(`Cannot make Resampler: ${rate} Hz, wants a whole number from ${min} to ${max}`);
      }
    }
    if (memory === null) throw notReady();
    this.fromHz = fromHz;
    this.toHz = toHz;
    this.#handle = glue.resampler_new(fromHz, toHz);
    if (this.#handle === 0) throw new HotmicError('ERR_HOTMIC_CODEC', 'Cannot make Resampler: refused');
    this.delaySamples = glue.resampler_delay(this.#handle);
    this.#maxInput = glue.resampler_max_input(this.#handle);
  }

  /**
   * Resamples the next `input`, of any length; it is only read. Real-time: allocates only when `input` is longer
   * than any before.
   *
   * @returns What came out; valid until the next call, which writes over it.
   * @throws HotmicError ERR_HOTMIC_CODEC after `free()`.
   */
  process(input: Float32Array): Float32Array {
    if (this.#handle === 0) throw freed('Resampler');
    const most = Math.ceil((input.length * this.toHz) / this.fromHz) + 1;
    if (this.#out.length < most) this.#out = new Float32Array(most);
    const out = this.#out;
    const area = staging();
    let made = 0;
    for (let start = 0; start < input.length; start += this.#maxInput) {
      const count = Math.min(this.#maxInput, input.length - start);
      for (let i = 0; i < count; i++) area.input[i] = input[start + i]!;
      const outputs = glue.resampler_process(this.#handle, count);
      if (outputs < 0)
        throw new HotmicError('ERR_HOTMIC_CODEC', `Cannot resample: the module answered ${outputs}`);
      for (let i = 0; i < outputs; i++) out[made + i] = area.output[i]!;
      made += outputs;
    }
    return out.subarray(0, made);
  }

  /** Gives the memory back. A second call does nothing; any other use throws. */
  free(): void {
    if (this.#handle !== 0) glue.resampler_free(this.#handle);
    this.#handle = 0;
  }
}

function numberOption(options: OpusEncoderOptions, name: keyof typeof NUMBER_OPTIONS): number {
  const { min, max, preset } = NUMBER_OPTIONS[name];
  const value = options[name] ?? preset;
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(
      `Cannot make OpusEncoder: ${name} is ${value}, wants a whole number from ${min} to ${max}`,
    );
  }
  return value;
}

function flagOption(options: OpusEncoderOptions, name: keyof typeof FLAG_OPTIONS): boolean {
  const value = options[name] ?? FLAG_OPTIONS[name];
  if (typeof value !== 'boolean') {
    throw new TypeError(`Cannot make OpusEncoder: ${name} is ${typeName(value)}, wants true or false`);
  }
  return value;
}

function checkSpan(what: string, size: number, offset: number, length: number): void {
  if (
    Number.isInteger(offset) &&
    Number.isInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset + length <= size
  )
    return;
  throw new RangeError(`Cannot ${what} holds ${size}, wants ${length} from offset ${offset}`);
}

function typeName(value: unknown): string {
  return value === null ? 'null' : typeof value;
}

function notReady(): HotmicError {
  return new HotmicError(
    'ERR_HOTMIC_CODEC',
    'Cannot use codec: not started, wants initCodec() or loadCodec() first',
  );
}

function freed(what: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_CODEC', `Cannot use ${what}: it was freed, wants a new one`);
}
