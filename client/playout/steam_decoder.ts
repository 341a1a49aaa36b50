/**
 * Steam's own decoder in playout, instead of ours: for what arrives. Steam decodes whole packets and cannot be asked for a frame that is
 * missing, so ours runs beside it and makes those.
 */

import { readU16 } from '../../voice/bytes.js';
import {
  FRAME_OVERHEAD_BYTES,
  OP_BYTES,
  PACKET_OVERHEAD_BYTES,
  PacketWriter,
} from '../../voice/packet_writer.js';
import { sequenceAfter } from '../../voice/sequence.js';
import { BYTES_PER_SAMPLE, type Samples, VOICE_RATE_HZ } from '../../voice/units.js';
import { VoiceResult } from '../../voice/voice_result.js';
import { FrameDecoder, type FrameDecoding } from '../../wasm/frame_decoder.js';

/** Steam's function: `steam.user` of an open Steam has it. */
export interface SteamVoiceDecoder {
  /**
   * The class reference's decompressVoice. `uncompressed` is PCM, mono, signed 16 bit little-endian.
   *
   * @param buffer_size_override Bytes of room for it.
   */
  decompressVoice(
    voice: Uint8Array,
    sample_rate: number,
    buffer_size_override?: number,
  ): { readonly result: number; readonly uncompressed: Uint8Array };
}

/** What Steam's decoder did, for all speakers. */
export interface SteamDecoderCounts {
  readonly decodedFrames: number;
  /** Frames that Steam refused, or made too long or too short, and that were played as ours decodes them. */
  readonly refusedFrames: number;
}

/** Decoders that use one Steam. */
export class SteamDecoders {
  readonly #steam: SteamVoiceDecoder;
  readonly #counts = { decodedFrames: 0, refusedFrames: 0 };

  constructor(steam: SteamVoiceDecoder) {
    this.#steam = steam;
  }

  counts(): SteamDecoderCounts {
    return { ...this.#counts };
  }

  /** For one speaker. @throws HotmicError ERR_HOTMIC_CODEC before `initCodec`. */
  readonly make = (steamIdLow: number, steamIdHigh: number): FrameDecoding =>
    new SteamFrameDecoder(this.#steam, steamIdLow, steamIdHigh, this.#counts);
}

/** Besides the Opus frame: SteamID, CRC, the op of the rate, the payload's and the frame's head. */
const OVERHEAD_BYTES = PACKET_OVERHEAD_BYTES + 2 * OP_BYTES + FRAME_OVERHEAD_BYTES;

class SteamFrameDecoder implements FrameDecoding {
  readonly #ours = new FrameDecoder();
  readonly #steam: SteamVoiceDecoder;
  readonly #steamIdLow: number;
  readonly #steamIdHigh: number;
  readonly #counts: { decodedFrames: number; refusedFrames: number };
  readonly #writer = new PacketWriter();
  #room = new Uint8Array(0);
  /** Steam resets its decoder at 0. */
  #sequence = 0;

  constructor(
    steam: SteamVoiceDecoder,
    steamIdLow: number,
    steamIdHigh: number,
    counts: { decodedFrames: number; refusedFrames: number },
  ) {
    this.#steam = steam;
    this.#steamIdLow = steamIdLow;
    this.#steamIdHigh = steamIdHigh;
    this.#counts = counts;
  }

  decode(data: Uint8Array, bytes: number, samples: Samples, out: Int16Array, at: number): void {
    this.#ours.decode(data, bytes, samples, out, at);
    if (bytes === 0) return;
    const packet = this.#packet(data, bytes);
    const roomBytes = samples * BYTES_PER_SAMPLE;
    const { result, uncompressed } = this.#steam.decompressVoice(packet, VOICE_RATE_HZ, roomBytes);
    if (result !== VoiceResult.VOICE_RESULT_OK || uncompressed.length !== roomBytes) {
      this.#counts.refusedFrames += 1;
      return;
    }
    this.#counts.decodedFrames += 1;
    for (let i = 0; i < samples; i++) out[at + i] = readU16(uncompressed, i * BYTES_PER_SAMPLE);
  }

  conceal(samples: 240 | 480, out: Int16Array, at: number): void {
    this.#ours.conceal(samples, out, at);
  }

  recover(data: Uint8Array, bytes: number, out: Int16Array, at: number): void {
    this.#ours.recover(data, bytes, out, at);
  }

  reset(): void {
    this.#ours.reset();
    this.#sequence = 0;
  }

  free(): void {
    this.#ours.free();
  }

  /** A Steam Voice packet of one frame; valid until the next one. Numbered without gaps: what is missing is made by ours. */
  #packet(data: Uint8Array, bytes: number): Uint8Array {
    if (this.#room.length < bytes + OVERHEAD_BYTES) this.#room = new Uint8Array(2 * (bytes + OVERHEAD_BYTES));
    const writer = this.#writer;
    writer.begin(this.#room, this.#steamIdLow, this.#steamIdHigh);
    writer.sampleRate(VOICE_RATE_HZ);
    writer.beginFrames();
    writer.frame(this.#sequence, data, 0, bytes);
    writer.endFrames();
    this.#sequence = sequenceAfter(this.#sequence);
    return writer.finish();
  }
}
