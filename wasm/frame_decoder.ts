/**
 * Opus frames of one speaker, one by one, at 24 kHz: for playout, where a frame is decoded when it is due and a missing one is made then.
 *
 * `VoiceDecoder` decodes whole packets in the order of their arrival and conceals a gap when it sees the packet behind it. Here the caller
 * decides what was lost. The rules for a single frame are the same: a frame without bytes is 20 ms of zeros, and one on which libopus fails
 * becomes as many zeros as it claims to hold, and resets the decoder.
 */

import { FRAME_SAMPLES, type Samples, VOICE_RATE_HZ } from '../voice/units.js';
import { OpusDecoder } from './codec.js';

/** What `FrameDecoder.conceal` makes at once: 10 ms, the least that Opus conceals without a break in speech, or a frame. */
export const CONCEALED_SAMPLES = [FRAME_SAMPLES / 2, FRAME_SAMPLES] as const;

/** What plays one speaker's frames: `FrameDecoder`, or another decoder with the same rules. */
export type FrameDecoding = Pick<FrameDecoder, 'decode' | 'conceal' | 'recover' | 'reset' | 'free'>;

/** About 18 kB of the codec's memory until `free()`. @throws HotmicError ERR_HOTMIC_CODEC before `initCodec`. */
export class FrameDecoder {
  readonly #opus = new OpusDecoder(VOICE_RATE_HZ);

  /**
   * Decodes the Opus packet in the first `bytes` of `data` into `out` from `at`. Real-time: allocates nothing for up to 40 ms; about 0.03 ms.
   *
   * @param samples What its framing says it holds (`OpusFrame.samples`): that many are written in any case.
   */
  decode(data: Uint8Array, bytes: number, samples: Samples, out: Int16Array, at: number): void {
    if (bytes === 0) {
      out.fill(0, at, at + samples);
      return;
    }
    if (this.#opus.decode(data, 0, bytes, out, at) === samples) return;
    out.fill(0, at, at + samples);
    this.#opus.reset();
  }

  /**
   * Makes the next 10 or 20 ms, which are missing. Each call goes on from the sound before it.
   *
   * @param samples 240 or 480.
   */
  conceal(samples: (typeof CONCEALED_SAMPLES)[number], out: Int16Array, at: number): void {
    this.#opus.conceal(samples, out, at);
  }

  /**
   * Makes the 20 ms before the Opus packet in the first `bytes` of `data`, which must be decoded next: from its in-band FEC, or concealed
   * where it has none.
   */
  recover(data: Uint8Array, bytes: number, out: Int16Array, at: number): void {
    if (bytes > 0 && this.#opus.decodeFec(data, 0, bytes, out, at) === FRAME_SAMPLES) return;
    this.#opus.conceal(FRAME_SAMPLES, out, at);
  }

  /** The next frame is the first of a recording. */
  reset(): void {
    this.#opus.reset();
  }

  /** Frees the memory. A second call does nothing; any other use throws. */
  free(): void {
    this.#opus.free();
  }
}
