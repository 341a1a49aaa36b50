/** One stream of golden steps through one decoder. Separate from golden.ts, because it also runs in pages and AudioWorklets. */

import { OpusDecoder, type OpusRateHz } from './codec.js';

/** A packet, 20 ms that were lost, the same from the in-band FEC of the next packet, or a reset. */
export type DecoderStep = Uint8Array | 'conceal' | 'fec' | 'reset';

/** What a stream decodes to. */
export interface Decoded {
  readonly pcm: Int16Array;
  /** The decoder's final range after the last step. */
  readonly finalRange: number;
  /** The decoder's error for a step that it refused, which is then the last one; otherwise 0. */
  readonly refused: number;
}

/** Decodes `steps` with one new decoder. */
export function decodeStream(steps: readonly DecoderStep[], rate: OpusRateHz): Decoded {
  const decoder = new OpusDecoder(rate);
  const frame = rate / 50;
  // No step plays longer than 120 ms.
  const pcm = new Int16Array(steps.length * 6 * frame);
  let at = 0;
  let refused = 0;
  for (const [i, step] of steps.entries()) {
    if (step === 'reset') decoder.reset();
    else if (step === 'conceal') at += decoder.conceal(frame, pcm, at);
    else {
      const packet = step === 'fec' ? steps[i + 1] : step;
      if (typeof packet !== 'object') throw new Error(`Cannot decode step ${i}: no packet behind fec`);
      const decode = step === 'fec' ? 'decodeFec' : 'decode';
      const samples = decoder[decode](packet, 0, packet.length, pcm, at);
      if (samples < 0) {
        refused = samples;
        break;
      }
      at += samples;
    }
  }
  const { finalRange } = decoder;
  decoder.free();
  return { pcm: pcm.slice(0, at), finalRange, refused };
}
