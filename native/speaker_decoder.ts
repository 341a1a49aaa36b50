/**
 * A decoder for one speaker, by Steam's own decompressVoice. It makes as much room as a packet wants and keeps it.
 *
 * `hotmic/codec` decodes the same without Steam, and so that everyone hears the same; this one is for who wants Steam's.
 */

import { VoiceResult } from '../voice/voice_result.js';
import type { DecompressedVoice } from '../wasm/voice_decompressor.js';
import { DECOMPRESS_BUFFER_BYTES } from '../wasm/voice_decompressor.js';

export interface SpeakerDecoderOptions {
  /** Of the PCM, in Hz, 11025 to 48000. Default: Steam's optimal rate. */
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
  /** `result` is what Steam answered: DATA_CORRUPTED, UNSUPPORTED_CODEC, BUFFER_TOO_SMALL for more than 4 MiB, … */
  | { readonly kind: 'refused'; readonly result: VoiceResult };

/** The most that one packet may decode to: 21 s at 48 kHz are 2 MiB. */
const MAX_ROOM_BYTES = 4 * 1024 * 1024;

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

  /** Bytes of room that a packet has now: 20480 at first, more once a sound packet wanted it. */
  get roomBytes(): number {
    return this.#roomBytes;
  }

  /** Decodes the next packet of this speaker. The PCM is the caller's own. */
  decode(packet: Uint8Array): DecodedVoice {
    let decoded = this.#steam.decompressVoice(packet, this.sampleRateHz, this.#roomBytes);
    const { result, size } = decoded;
    if (
      result === VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL &&
      size > this.#roomBytes &&
      size <= MAX_ROOM_BYTES
    ) {
      decoded = this.#steam.decompressVoice(packet, this.sampleRateHz, size);
      // A packet that only says so does not make every later one cost this much.
      if (decoded.result === VoiceResult.VOICE_RESULT_OK) this.#roomBytes = size;
    }
    if (decoded.result !== VoiceResult.VOICE_RESULT_OK) return { kind: 'refused', result: decoded.result };
    return { kind: 'pcm', pcm: pcmOf(decoded.uncompressed), sampleRateHz: this.sampleRateHz };
  }
}

/** Bytes as samples; copied when they do not lie evenly. */
function pcmOf(bytes: Uint8Array): Int16Array {
  const even = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Int16Array(even.buffer, even.byteOffset, even.length >> 1);
}
