/**
 * Steam Voice packets to PCM: one speaker at one rate, living across packets.
 *
 * The rules of docs/steam-voice-packet.md: a packet is checked and sized whole before the decoder is touched, so one that is
 * refused, or that has no room, gives no sound and changes nothing. Loss is concealed, a step backward resets.
 */

import { type OpusFrame, type Packet, readPacket, silenceSamples } from '../voice/packet.js';
import { sequenceAfter, sequenceDistance } from '../voice/sequence.js';
import { FRAME_SAMPLES, VOICE_RATE_HZ } from '../voice/units.js';
import { VoiceResult } from '../voice/voice_result.js';
import { OpusDecoder, type OpusRateHz } from './codec.js';

/** The most that one packet may decode to: 3 s, in samples at 24 kHz, silence and concealment counted. */
export const MAX_DECODED_SAMPLES = 3 * VOICE_RATE_HZ;

/** The most frames that one gap is filled with: 200 ms. */
export const MAX_CONCEALED_FRAMES = 10;

/** What became of one packet. */
export interface Decompressed {
  readonly result: VoiceResult;
  /** Samples written; with VOICE_RESULT_BUFFER_TOO_SMALL the samples that there must be room for. */
  readonly samples: number;
  /** Of the samples written, the frames that were made up for lost ones. */
  readonly concealedFrames: number;
  /** Of those, the ones before the packet's first sample. */
  readonly leadingConcealedFrames: number;
  /** Opus frames decoded, DTX frames included. */
  readonly decodedFrames: number;
}

/**
 * Decodes one speaker's packets. Holds an Opus decoder in the codec's memory until `free()`.
 *
 * Real-time: no lock; allocates a little for each packet read.
 */
export class VoiceDecoder {
  readonly sampleRateHz: OpusRateHz;
  readonly #opus: OpusDecoder;
  /** The sequence that the next frame should carry; null until the first frame, which may carry any. */
  #expected: number | null = null;

  /** @param sampleRateHz Rate of the PCM: 8000, 12000, 16000, 24000 or 48000. */
  constructor(sampleRateHz: OpusRateHz) {
    this.sampleRateHz = sampleRateHz;
    this.#opus = new OpusDecoder(sampleRateHz);
  }

  /**
   * Decodes `packet`, any bytes whatever, into `out` from `outOffset`. VOICE_RESULT_OK, DATA_CORRUPTED, UNSUPPORTED_CODEC or
   * BUFFER_TOO_SMALL; only OK has written anything or changed the decoder. A packet without audio is OK with 0 samples.
   */
  decompress(packet: Uint8Array, out: Int16Array, outOffset = 0): Decompressed {
    const read = readPacket(packet);
    // A foreign op before the fault decides first.
    if (read.ops.some((op) => op.kind === 'foreign'))
      return refused(VoiceResult.VOICE_RESULT_UNSUPPORTED_CODEC);
    if (read.kind === 'malformed') {
      return refused(
        read.reason === 'op-unknown'
          ? VoiceResult.VOICE_RESULT_UNSUPPORTED_CODEC
          : VoiceResult.VOICE_RESULT_DATA_CORRUPTED,
      );
    }
    const samples24k = this.#size(read);
    if (samples24k > MAX_DECODED_SAMPLES) return refused(VoiceResult.VOICE_RESULT_DATA_CORRUPTED);
    const samples = this.#atOutputRate(samples24k);
    if (samples > out.length - outOffset) {
      return { ...refused(VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL), samples };
    }
    return this.#decode(packet, read, out, outOffset);
  }

  /** Forgets the stream: the next frame counts as the first. */
  reset(): void {
    this.#opus.reset();
    this.#expected = null;
  }

  /** Gives the decoder's memory back. */
  free(): void {
    this.#opus.free();
  }

  /** What the packet will decode to, in samples at 24 kHz, given what came before it. */
  #size(packet: Packet): number {
    let samples = 0;
    let expected = this.#expected;
    for (const op of packet.ops) {
      if (op.kind === 'silence') samples += silenceSamples(op.samples, op.sampleRateHz);
      if (op.kind !== 'opus') continue;
      for (const item of op.frames) {
        if (item.kind === 'end') {
          expected = afterEndOfRecording(expected);
        } else {
          samples += Math.max(0, concealedBefore(expected, item)) * FRAME_SAMPLES + item.samples;
          expected = sequenceAfter(item.sequence);
        }
      }
    }
    return samples;
  }

  #decode(bytes: Uint8Array, packet: Packet, out: Int16Array, outOffset: number): Decompressed {
    let samples24k = 0;
    let concealedFrames = 0;
    let leadingConcealedFrames = 0;
    let decodedFrames = 0;
    const place = () => outOffset + this.#atOutputRate(samples24k);

    for (const op of packet.ops) {
      if (op.kind === 'silence') {
        const from = place();
        samples24k += silenceSamples(op.samples, op.sampleRateHz);
        out.fill(0, from, place());
      }
      if (op.kind !== 'opus') continue;
      for (const item of op.frames) {
        if (item.kind === 'end') {
          this.#opus.reset();
          this.#expected = afterEndOfRecording(this.#expected);
          continue;
        }
        const lost = concealedBefore(this.#expected, item);
        if (lost < 0) this.#opus.reset();
        if (samples24k === 0) leadingConcealedFrames = Math.max(0, lost);
        for (let frame = 0; frame < lost; frame++) {
          this.#opus.conceal(this.#atOutputRate(FRAME_SAMPLES), out, place());
          samples24k += FRAME_SAMPLES;
          concealedFrames += 1;
        }
        this.#decodeFrame(bytes, item, out, place());
        samples24k += item.samples;
        decodedFrames += 1;
        this.#expected = sequenceAfter(item.sequence);
      }
    }
    return {
      result: VoiceResult.VOICE_RESULT_OK,
      samples: this.#atOutputRate(samples24k),
      concealedFrames,
      leadingConcealedFrames,
      decodedFrames,
    };
  }

  /** Exactly as many samples as the frame's TOC says; zeros where there is no TOC or where libopus fails. */
  #decodeFrame(bytes: Uint8Array, frame: OpusFrame, out: Int16Array, at: number): void {
    const samples = this.#atOutputRate(frame.samples);
    if (frame.bytes > 0) {
      if (this.#opus.decode(bytes, frame.start, frame.bytes, out, at) === samples) return;
      this.#opus.reset();
    }
    out.fill(0, at, at + samples);
  }

  #atOutputRate(samples24k: number): number {
    return Math.floor((samples24k * this.sampleRateHz) / VOICE_RATE_HZ);
  }
}

/** Frames to conceal before `frame`, at most MAX_CONCEALED_FRAMES; −1 when it lies behind and the decoder starts anew. */
function concealedBefore(expected: number | null, frame: OpusFrame): number {
  if (expected === null) return 0;
  const ahead = sequenceDistance(expected, frame.sequence);
  return ahead < 0x8000 ? Math.min(ahead, MAX_CONCEALED_FRAMES) : -1;
}

/** A recording starts at 0; but a decoder that has had no frame takes any. */
function afterEndOfRecording(expected: number | null): number | null {
  return expected === null ? null : 0;
}

function refused(result: VoiceResult): Decompressed {
  return { result, samples: 0, concealedFrames: 0, leadingConcealedFrames: 0, decodedFrames: 0 };
}
