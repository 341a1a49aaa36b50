/**
 * Opus, mono, in the WebAssembly module.
 *
 * Call `initCodec` once per thread, then make instances. Each stays in the module's memory until `free()`: the garbage collector does
 * not free it. `decode` accepts hostile bytes and returns a number; only misuse throws.
 *
 * A batch is a run of steps, each a length (16 bits, little-endian) and that many bytes of one Opus packet. A length that no packet
 * can have is a `Step`. One call for many steps crosses into WebAssembly once; there is no other difference.
 */

import { HotmicError } from '../voice/error.js';
import * as glue from './glue.js';
import {
  checkArray,
  checkSpan,
  copySamples,
  freed,
  isCodecReady,
  notReady,
  STAGING,
  staging,
  typeName,
} from './module.js';

/** The rates that Opus decodes to natively. */
export const OPUS_RATES_HZ = [8000, 12_000, 16_000, 24_000, 48_000] as const;

/** A rate that Opus decodes to natively, in Hz. */
export type OpusRateHz = (typeof OPUS_RATES_HZ)[number];

/** Samples per frame of `OpusEncoder`: 20 ms at 24 kHz. */
export const OPUS_FRAME_SAMPLES = 480;

/** The largest packet that `OpusEncoder` makes: each `encode` needs as much room. */
export const OPUS_MAX_PACKET_BYTES = 1276;

/** What a negative result of `OpusDecoder` means: libopus' own codes. */
export const OpusError = {
  /** The steps of a batch do not end where the batch ends. */
  badArgument: -1,
  /** The output is too small (for a batch: more than MAX_BATCH.samples); the decoder is unchanged. */
  bufferTooSmall: -2,
  /** libopus failed on a packet with valid framing. */
  internal: -3,
  /** Not an Opus packet. */
  invalidPacket: -4,
} as const;

/** The steps of a batch other than packets, by the value in place of a packet's length. */
export const Step = {
  /** An empty packet: 20 ms of zeros, the decoder untouched. */
  nothing: 0,
  /** Like `reset()`. */
  reset: 0xffff,
  /** 20 ms of concealment for lost sound. */
  conceal: 0xfffe,
  /** 20 ms that were lost, from the packet of the next step: see `decodeFec`. */
  fec: 0xfffd,
  /** Zeros, the decoder untouched. Their number follows in 32 bits, little-endian. */
  silence: 0xfffc,
} as const;

/** The largest batch: bytes of steps, and samples that they decode to (3 s at 48 kHz). */
export const MAX_BATCH = { bytes: STAGING.packetBytes, samples: STAGING.pcmSamples } as const;

/** Frames that the module encodes in one call, whatever they hold. */
const ENCODER_RUN_FRAMES = Math.floor(STAGING.packetBytes / (2 + OPUS_MAX_PACKET_BYTES));

const ENCODER_RATE_HZ = 24_000;

/** How `OpusEncoder` encodes. */
export interface OpusEncoderOptions {
  /** Average bits per second (VBR), 6000 to 64000. Default 32000, like Steam. */
  readonly bitrate?: number;
  /** Complexity, 0 to 10. Default 9; 5 takes three quarters of the time. */
  readonly complexity?: number;
  /** Send packets of one byte in silence. Default true. */
  readonly dtx?: boolean;
  /** Expected packet loss in percent, 0 to 100. Default 0. */
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

/** The names of OpusEncoderOptions. */
export const OPUS_OPTIONS: readonly string[] = [...Object.keys(NUMBER_OPTIONS), ...Object.keys(FLAG_OPTIONS)];

/**
 * Encodes voice as Steam does: mono, 24 kHz, frames of 20 ms, VBR. About 32 kB of the module's memory until `free()`.
 *
 * @throws TypeError or RangeError for an unknown or wrong option; HotmicError ERR_HOTMIC_CODEC before `initCodec`.
 */
export class OpusEncoder {
  #handle = 0;

  constructor(options: OpusEncoderOptions = {}) {
    for (const name of Object.keys(options)) {
      if (!OPUS_OPTIONS.includes(name)) {
        const known = OPUS_OPTIONS.join(', ');
        throw new TypeError(`Cannot make OpusEncoder: unknown option "${name}", expected one of ${known}`);
      }
    }
    const bitrate = numberOption(options, 'bitrate');
    const complexity = numberOption(options, 'complexity');
    const expectedLossPercent = numberOption(options, 'expectedLossPercent');
    const dtx = Number(flagOption(options, 'dtx'));
    const inbandFec = Number(flagOption(options, 'inbandFec'));
    if (!isCodecReady()) throw notReady();
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

  /** Samples at 24 kHz by which the decoded sound lags behind the input: 156 (6.5 ms). */
  get lookaheadSamples(): number {
    return glue.encoder_lookahead(this.#live());
  }

  /** The range coder's state after the last packet; equals the decoder's when both agree on every bit. */
  get finalRange(): number {
    return glue.encoder_final_range(this.#live());
  }

  /**
   * Encodes `pcm[pcmOffset, pcmOffset + 480)` into `out` from `outOffset`. Both arrays are only used during the call.
   * Real-time: allocates no more than a view; about 0.25 ms at complexity 9.
   *
   * @param out Needs room for OPUS_MAX_PACKET_BYTES, whatever the packet takes.
   * @returns The packet's bytes, 1 to 1276; 1 is a DTX frame (silence).
   * @throws RangeError when an array has no room; HotmicError ERR_HOTMIC_CODEC after `free()`.
   */
  encode(pcm: Int16Array, pcmOffset: number, out: Uint8Array, outOffset: number): number {
    const handle = this.#live();
    checkSpan('encode: pcm', pcm, Int16Array, pcmOffset, OPUS_FRAME_SAMPLES);
    checkSpan('encode: out', out, Uint8Array, outOffset, OPUS_MAX_PACKET_BYTES);
    const area = staging();
    copySamples(pcm, pcmOffset, OPUS_FRAME_SAMPLES, area.pcm, 0);
    const bytes = glue.encoder_encode(handle);
    // libopus encodes any PCM: a failure is a bug, here or there.
    if (bytes < 1) throw new HotmicError('ERR_HOTMIC_CODEC', `Cannot encode: libopus returned ${bytes}`);
    for (let i = 0; i < bytes; i++) out[outOffset + i] = area.packet[i]!;
    return bytes;
  }

  /**
   * Encodes all whole frames of `pcm`, and writes the packets as steps to the front of `out`: one `decodeBatch` accepts them if they
   * play no longer than MAX_BATCH.samples.
   *
   * @param out Needs room for OPUS_MAX_PACKET_BYTES + 2 per frame, whatever the packets take.
   * @returns The bytes written.
   * @throws RangeError when `out` has no room; HotmicError ERR_HOTMIC_CODEC after `free()`.
   */
  encodeBatch(pcm: Int16Array, out: Uint8Array): number {
    const handle = this.#live();
    const frames = Math.floor(pcm.length / OPUS_FRAME_SAMPLES);
    checkArray('encode a batch: pcm', pcm, Int16Array);
    checkSpan('encode a batch: out', out, Uint8Array, 0, frames * (2 + OPUS_MAX_PACKET_BYTES));
    let at = 0;
    for (let first = 0; first < frames; first += ENCODER_RUN_FRAMES) {
      const count = Math.min(ENCODER_RUN_FRAMES, frames - first);
      const area = staging();
      copySamples(pcm, first * OPUS_FRAME_SAMPLES, count * OPUS_FRAME_SAMPLES, area.pcm, 0);
      const bytes = glue.encoder_run(handle, count);
      if (bytes < 1) throw new HotmicError('ERR_HOTMIC_CODEC', `Cannot encode: libopus returned ${bytes}`);
      out.set(area.packet.subarray(0, bytes), at);
      at += bytes;
    }
    return at;
  }

  /**
   * No voice for 200 ms, by libopus' own detector. Always false without DTX. Some frames are still longer than one byte: DTX refreshes
   * the listener's noise every 400 ms.
   */
  get inDtx(): boolean {
    return glue.encoder_in_dtx(this.#live()) === 1;
  }

  /** Forgets the sound so far and keeps the options. For the start of a recording. */
  reset(): void {
    glue.encoder_reset(this.#live());
  }

  /** Frees the memory. A second call does nothing; any other use throws. */
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
 * @throws RangeError for any other rate; HotmicError ERR_HOTMIC_CODEC before `initCodec`.
 */
export class OpusDecoder {
  readonly sampleRateHz: OpusRateHz;
  #handle = 0;

  constructor(sampleRateHz: OpusRateHz) {
    if (!OPUS_RATES_HZ.includes(sampleRateHz)) {
      throw new RangeError(
        `Cannot make OpusDecoder: ${sampleRateHz} Hz, expected one of ${OPUS_RATES_HZ.join(', ')}`,
      );
    }
    if (!isCodecReady()) throw notReady();
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
   * Real-time: allocates nothing for up to 40 ms; about 0.03 ms for 20 ms of voice.
   *
   * @param out 120 ms are enough for every packet, 20 ms for every packet that Steam makes.
   * @returns The samples written, or a negative OpusError. After a failure other than bufferTooSmall, `reset()`.
   * @throws RangeError when offset, length or outOffset lies outside its array; HotmicError ERR_HOTMIC_CODEC after `free()`.
   */
  decode(bytes: Uint8Array, offset: number, length: number, out: Int16Array, outOffset: number): number {
    const handle = this.#live();
    checkSpan('decode: bytes', bytes, Uint8Array, offset, length);
    checkSpan('decode: out', out, Int16Array, outOffset, 1);
    if (length === 0 || length > STAGING.packetBytes) return OpusError.invalidPacket;
    const area = staging();
    for (let i = 0; i < length; i++) area.packet[i] = bytes[offset + i]!;
    const samples = glue.decoder_decode(handle, length, out.length - outOffset);
    if (samples > 0) copySamples(area.pcm, 0, samples, out, outOffset);
    return samples;
  }

  /**
   * Conceals lost sound with `samples` samples, which fade out if this goes on. Real-time: as `decode`.
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
      throw new RangeError(`Cannot conceal: ${samples} samples, expected ${wanted}`);
    }
    checkSpan('conceal: out', out, Int16Array, outOffset, samples);
    const area = staging();
    const made = glue.decoder_conceal(handle, samples);
    if (made !== samples)
      throw new HotmicError('ERR_HOTMIC_CODEC', `Cannot conceal: libopus returned ${made}`);
    copySamples(area.pcm, 0, made, out, outOffset);
    return made;
  }

  /**
   * The 20 ms before the packet `bytes[offset, offset + length)`, which were lost: from the packet's in-band FEC, or concealed if it has
   * none. Decode the packet itself next. Real-time: as `decode`.
   *
   * @returns The samples written, 20 ms, or a negative OpusError.
   * @throws As `decode`.
   */
  decodeFec(bytes: Uint8Array, offset: number, length: number, out: Int16Array, outOffset: number): number {
    const handle = this.#live();
    checkSpan('decode FEC: bytes', bytes, Uint8Array, offset, length);
    checkSpan('decode FEC: out', out, Int16Array, outOffset, this.sampleRateHz / 50);
    if (length === 0 || length > STAGING.packetBytes) return OpusError.invalidPacket;
    const area = staging();
    for (let i = 0; i < length; i++) area.packet[i] = bytes[offset + i]!;
    const samples = glue.decoder_fec(handle, length);
    if (samples > 0) copySamples(area.pcm, 0, samples, out, outOffset);
    return samples;
  }

  /**
   * Does all `steps` in one call. All are checked before the first is done. If libopus fails on a packet with valid framing, the packet
   * becomes as many zeros as it claims to hold, and the decoder is reset.
   *
   * @param steps At most MAX_BATCH.bytes.
   * @param out Needs room for all that the steps decode to, at most MAX_BATCH.samples.
   * @returns The samples written, or a negative OpusError, with the decoder unchanged.
   * @throws RangeError for too many steps or an offset outside `out`; HotmicError ERR_HOTMIC_CODEC after `free()`.
   */
  decodeBatch(steps: Uint8Array, out: Int16Array, outOffset: number): number {
    const handle = this.#live();
    checkSpan('decode a batch: out', out, Int16Array, outOffset, 0);
    checkArray('decode a batch: steps', steps, Uint8Array);
    if (steps.length > MAX_BATCH.bytes)
      throw new RangeError(
        `Cannot decode a batch: ${steps.length} bytes, expected at most ${MAX_BATCH.bytes}`,
      );
    const area = staging();
    area.packet.set(steps);
    const samples = glue.decoder_run(handle, steps.length, out.length - outOffset);
    if (samples > 0) copySamples(area.pcm, 0, samples, out, outOffset);
    return samples;
  }

  /** Forgets the sound so far: the next packet is decoded as by a new decoder. */
  reset(): void {
    glue.decoder_reset(this.#live());
  }

  /** Frees the memory. A second call does nothing; any other use throws. */
  free(): void {
    if (this.#handle !== 0) glue.decoder_free(this.#handle);
    this.#handle = 0;
  }

  #live(): number {
    if (this.#handle === 0) throw freed('OpusDecoder');
    return this.#handle;
  }
}

function numberOption(options: OpusEncoderOptions, name: keyof typeof NUMBER_OPTIONS): number {
  const { min, max, preset } = NUMBER_OPTIONS[name];
  const value = options[name] ?? preset;
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(
      `Cannot make OpusEncoder: ${name} is ${value}, expected a whole number from ${min} to ${max}`,
    );
  }
  return value;
}

function flagOption(options: OpusEncoderOptions, name: keyof typeof FLAG_OPTIONS): boolean {
  const value = options[name] ?? FLAG_OPTIONS[name];
  if (typeof value !== 'boolean') {
    throw new TypeError(`Cannot make OpusEncoder: ${name} is ${typeName(value)}, expected true or false`);
  }
  return value;
}
