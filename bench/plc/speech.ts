/** The talkers: the demo's three synthetic ones, whom the playout benchmark scores too, and a human one of Debian's alsa-utils. */

import { pcmOfWav } from '../../test/kit/speech.js';
import { FRAME_SAMPLES } from '../../voice/units.js';
import { OPUS_MAX_PACKET_BYTES, OpusEncoder, type OpusEncoderOptions } from '../../wasm/codec.js';
import { humanSpeech } from '../codec/speech.js';

export interface Talker {
  readonly name: string;
  readonly kind: 'human' | 'synthetic';
  /** A talkspurt, 24 kHz, whole frames. */
  readonly pcm: Int16Array;
}

/** The codec must be loaded. `missing` says why there is no human. */
export function talkers(): { talkers: Talker[]; source: string; missing: string | null } {
  const { pcm, source, missing } = humanSpeech();
  const all: Talker[] = ['ada', 'ben', 'cleo'].map((name) => {
    const clip = pcmOfWav(new URL(`../../../examples/speech/${name}.wav`, import.meta.url));
    return { name, kind: 'synthetic', pcm: clip.subarray(0, clip.length - (clip.length % FRAME_SAMPLES)) };
  });
  // The speech is repeated; eight announcements once are enough, in two talkspurts of four.
  const once = pcm.length / 2;
  const half = Math.round(once / 2 / FRAME_SAMPLES) * FRAME_SAMPLES;
  if (missing === null) {
    all.unshift({ name: 'alsa-utils, first half', kind: 'human', pcm: pcm.subarray(0, half) });
    all.unshift({ name: 'alsa-utils, second half', kind: 'human', pcm: pcm.subarray(half, once) });
  }
  return { talkers: all, source: `${source}; espeak-ng's clips of examples/speech`, missing };
}

/** One packet per frame, with our defaults (32 kbit/s, complexity 9, DTX) and `options`. */
export function packetsOf(pcm: Int16Array, options: OpusEncoderOptions): Uint8Array[] {
  const encoder = new OpusEncoder(options);
  const scratch = new Uint8Array(OPUS_MAX_PACKET_BYTES);
  const packets: Uint8Array[] = [];
  for (let at = 0; at < pcm.length; at += FRAME_SAMPLES)
    packets.push(scratch.slice(0, encoder.encode(pcm, at, scratch, 0)));
  encoder.free();
  return packets;
}
