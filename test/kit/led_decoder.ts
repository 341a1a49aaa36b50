/**
 * Packets of real speech put together frame by frame, and an Opus decoder that is led by hand through the steps that a rule
 * asks for: it tells what must come out. Starts the codec.
 */

import type { Test } from 'tap';
import { OpusDecoder, OpusEncoder, type OpusEncoderOptions, type OpusRateHz } from '../../wasm/codec.js';
import type { VoiceDecoder } from '../../wasm/decompress.js';
import { loadCodec } from '../../wasm/load.js';
import { CANARY, FRAME, joined } from './decoders.js';
import { bytesOfHex, hexOfBytes } from './hex.js';
import { frameOf, opusOp, packetOfOps, RATE_24K } from './raw_packet.js';
import { pcmOfWav } from './speech.js';

loadCodec();

/** Opus frames of speech, in hexadecimal: 20 ms each, from the middle of a sentence. */
export const SPEECH = encode(pcmOfWav('examples/speech/ada.wav').subarray(24_000, 24_000 + 100 * FRAME));

/** The Opus packets of the whole frames of `pcm`, in hexadecimal. */
export function encode(pcm: Int16Array, options: OpusEncoderOptions = {}): string[] {
  const encoder = new OpusEncoder(options);
  const out = new Uint8Array(2000);
  const opus = Array.from({ length: Math.floor(pcm.length / FRAME) }, (_, n) =>
    hexOfBytes(out.subarray(0, encoder.encode(pcm, n * FRAME, out, 0))),
  );
  encoder.free();
  return opus;
}

/** A packet of the speech frames with these indices, each under its index as its sequence. */
export function speech(...indices: number[]): Uint8Array {
  return packetOfOps(RATE_24K + opusOp(frames(...indices)));
}

/** The same as a 0x06 payload. */
export function frames(...indices: number[]): string {
  return indices.map((index) => numbered(index, index)).join('');
}

/** The speech frame `index` under `sequence`. */
export function numbered(sequence: number, index: number): string {
  return frameOf(sequence & 0xffff, SPEECH[index]!);
}

/** The same as a packet. */
export function frameAt(sequence: number, index: number): Uint8Array {
  return packetOfOps(RATE_24K + opusOp(numbered(sequence, index)));
}

/** One step of a decoder that is led by hand: the speech frame with this index, or what else there is. */
export type Step = number | 'reset' | 'conceal' | { readonly zeros: number } | { readonly opus: string };

export function conceal(frames: number): Step[] {
  return new Array<Step>(frames).fill('conceal');
}

/** What an Opus decoder gives that is led through `steps`. */
export function led(rate: OpusRateHz, ...steps: Step[]): Int16Array {
  const opus = new OpusDecoder(rate);
  const parts: Int16Array[] = [];
  const room = new Int16Array(5760);
  const decode = (hex: string) => {
    const bytes = bytesOfHex(hex);
    return opus.decode(bytes, 0, bytes.length, room, 0);
  };
  for (const step of steps) {
    let samples = 0;
    if (step === 'reset') opus.reset();
    else if (step === 'conceal') samples = opus.conceal((FRAME * rate) / 24_000, room, 0);
    else if (typeof step === 'number') samples = decode(SPEECH[step]!);
    else if ('opus' in step) samples = decode(step.opus);
    else samples = room.fill(0, 0, step.zeros) && step.zeros;
    if (samples < 0) throw new Error(`libopus answered ${samples}`);
    parts.push(room.slice(0, samples));
  }
  opus.free();
  return joined(parts);
}

/** Decompresses with plenty of room; checks that nothing behind the samples was written. */
export function play(t: Test, decoder: VoiceDecoder, packet: Uint8Array) {
  const out = new Int16Array(150_000).fill(CANARY);
  const before = packet.slice();
  const answer = decoder.decompress(packet, out);
  if (out.subarray(answer.samples).some((sample) => sample !== CANARY)) t.fail('a tail was written');
  if (Buffer.compare(before, packet) !== 0) t.fail('the packet was changed');
  return { ...answer, pcm: out.slice(0, answer.samples) };
}
