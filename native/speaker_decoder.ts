/**
 * A decoder for one speaker that uses Steam's own decompressVoice. Its buffer grows to what a packet needs, and stays.
 *
 * `hotmic/codec` decodes the same packets without Steam, with the same result on every machine; this one is for games that want Steam's.
 */

import { VoiceResult } from '../voice/voice_result.js';
import type { DecompressedVoice } from '../wasm/voice_decompressor.js';
import { DECOMPRESS_BUFFER_BYTES } from '../wasm/voice_decompressor.js';

/** The rate and the bounds of a speaker's decoder. */
export interface SpeakerDecoderOptions {
  /** Rate of the PCM in Hz, 11025 to 48000. Default: Steam's optimal rate. */
  readonly sampleRateHz?: number;
}

/** What a decoder needs of Steam. */
export interface DecodingSteam {
  decompressVoice(voice: Uint8Array, sample_rate: number, buffer_size_override: number): DecompressedVoice;
  getVoiceOptimalSampleRate(): number;
}

/** A packet as PCM, or why not. */
export type DecodedVoice =
  | { readonly kind: 'pcm'; readonly pcm: Int16Array; readonly sampleRateHz: number }
  /** `result` is Steam's answer: DATA_CORRUPTED, UNSUPPORTED_CODEC, BUFFER_TOO_SMALL for more than 4 MiB, … */
  | { readonly kind: 'refused'; readonly result: VoiceResult };

/** The most that one packet may decode to: 21 s at 48 kHz are 2 MiB. */
const MAX_ROOM_BYTES = 4 * 1024 * 1024;

/** Decodes one speaker's packets by Steam's decompressVoice, with a buffer that grows as needed. */
export class SpeakerDecoder {
  readonly sampleRateHz: number;
  readonly #steam: DecodingSteam;
  #roomBytes = DECOMPRESS_BUFFER_BYTES;

  constructor(steam: DecodingSteam, { sampleRateHz }: SpeakerDecoderOptions) {
    const rate = sampleRateHz ?? steam.getVoiceOptimalSampleRate();
    if (!(Number.isInteger(rate) && rate >= 11_025 && rate <= 48_000)) {
      throw new RangeError(`Cannot decode: sampleRateHz is ${rate}, expected 11025 to 48000`);
    }
    this.#steam = steam;
    this.sampleRateHz = rate;
  }

  /** Size of the buffer in bytes: 20480 at first, more once a valid packet needed it. */
  get roomBytes(): number {
    return this.#roomBytes;
  }

  /** Decodes the next packet of this speaker. The caller owns the PCM. */
  decode(packet: Uint8Array): DecodedVoice {
    let decoded = this.#steam.decompressVoice(packet, this.sampleRateHz, this.#roomBytes);
    const { result, size } = decoded;
    if (
      result === VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL &&
      size > this.#roomBytes &&
      size <= MAX_ROOM_BYTES
    ) {
      decoded = this.#steam.decompressVoice(packet, this.sampleRateHz, size);
      // A packet that only claims to be this large must not make every later one cost as much.
      if (decoded.result === VoiceResult.VOICE_RESULT_OK) this.#roomBytes = size;
    }
    if (decoded.result !== VoiceResult.VOICE_RESULT_OK) return { kind: 'refused', result: decoded.result };
    return { kind: 'pcm', pcm: pcmOf(decoded.uncompressed), sampleRateHz: this.sampleRateHz };
  }
}

/** Bytes as samples; copied when they are not aligned. */
function pcmOf(bytes: Uint8Array): Int16Array {
  const even = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Int16Array(even.buffer, even.byteOffset, even.length >> 1);
}
