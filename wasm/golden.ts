/**
 * Golden vectors: packets that native libopus made, and what it decoded them to. They check a build of the codec, the committed one or
 * another. `test/wasm/make_golden.ts` writes the file; `check.ts` and the tests run it.
 */

import { createHash } from 'node:crypto';
import {
  OPUS_FRAME_SAMPLES,
  OPUS_MAX_PACKET_BYTES,
  OPUS_RATES_HZ,
  OpusEncoder,
  type OpusEncoderOptions,
  type OpusRateHz,
} from './codec.js';
import { type Decoded, decodeStream } from './golden_steps.js';

/**
 * A packet in base64, `conceal` for 20 ms that were lost, `fec` for 20 ms from the in-band FEC of the packet that comes next,
 * or `reset`.
 */
export type GoldenStep = string;

/** What one stream decodes to at one rate. */
export interface GoldenOutput {
  /** SHA-256 of the PCM, signed 16 bit little-endian. */
  readonly sha256: string;
  /** The decoder's final range after the last step. */
  readonly finalRange: number;
  /** The largest difference of a sample from native libopus: 0 means that the hash is native's own. */
  readonly fromNativeLsb: number;
}

/** One stream of packets, to be decoded in order by one decoder. */
export interface GoldenStream {
  readonly name: string;
  readonly steps: readonly GoldenStep[];
  readonly outputs: Readonly<Record<`${OpusRateHz}`, GoldenOutput>>;
}

/** What the encoder turns `goldenSignal` into. */
export interface GoldenEncoding {
  readonly name: string;
  readonly options: OpusEncoderOptions;
  readonly frames: number;
  /** SHA-256 of all packets, each after its length in 16 bits, little-endian. */
  readonly sha256: string;
  /** Packets that differ from native libopus: 0 means that the hash is native's own. */
  readonly fromNativePackets: number;
}

/** The whole file. */
export interface Golden {
  readonly madeBy: string;
  /** SHA-256 of `goldenSignal` for `frames` frames: says whether a mismatch is the signal's or the encoder's. */
  readonly signal: { readonly frames: number; readonly sha256: string };
  readonly streams: readonly GoldenStream[];
  readonly encodings: readonly GoldenEncoding[];
}

/** Runs every vector on the loaded codec. Returns one line per fault. */
export function runGolden(golden: Golden): string[] {
  const wrong: string[] = [];
  const expect = (what: string, got: unknown, wanted: unknown) => {
    if (got !== wanted) wrong.push(`${what}: got ${got}, expected ${wanted}`);
  };
  for (const stream of golden.streams) {
    for (const rate of OPUS_RATES_HZ) {
      const { pcm, finalRange } = decodeSteps(stream.steps, rate);
      const wanted = stream.outputs[`${rate}`];
      expect(`${stream.name} at ${rate} Hz, PCM`, sha256(pcm), wanted.sha256);
      expect(`${stream.name} at ${rate} Hz, final range`, finalRange, wanted.finalRange);
    }
  }
  const signal = goldenSignal(golden.signal.frames);
  expect('signal', sha256(signal), golden.signal.sha256);
  for (const encoding of golden.encodings) {
    const packets = encodeFrames(signal, encoding.frames, encoding.options);
    expect(`${encoding.name}, packets`, sha256Packets(packets), encoding.sha256);
  }
  return wrong;
}

/** Decodes a stream with one new decoder. */
export function decodeSteps(steps: readonly GoldenStep[], rate: OpusRateHz): Decoded {
  const isWord = (step: string): step is 'conceal' | 'fec' | 'reset' =>
    step === 'conceal' || step === 'fec' || step === 'reset';
  return decodeStream(
    steps.map((step) => (isWord(step) ? step : Buffer.from(step, 'base64'))),
    rate,
  );
}

/** Encodes the first `frames` frames of `pcm` with one new encoder. */
export function encodeFrames(pcm: Int16Array, frames: number, options: OpusEncoderOptions): Uint8Array[] {
  const encoder = new OpusEncoder(options);
  const out = new Uint8Array(OPUS_MAX_PACKET_BYTES);
  const packets: Uint8Array[] = [];
  for (let i = 0; i < frames; i++) {
    packets.push(out.slice(0, encoder.encode(pcm, i * OPUS_FRAME_SAMPLES, out, 0)));
  }
  encoder.free();
  return packets;
}

/**
 * Something like speech, at 24 kHz: syllables of a gliding voice through three formants, hisses between them, and after every two
 * seconds one second of digital silence. Only sums and products, so that it is bit-exact everywhere.
 */
export function goldenSignal(frames: number): Int16Array {
  const pcm = new Int16Array(frames * OPUS_FRAME_SAMPLES);
  // A level, then two poles a formant: y = x + c y1 - d y2, with c = 2 r cos(2 pi f / 24000) and d = r r.
  const vowels = [
    [3000, 1.917, 0.9604, 1.8, 0.9216, 1.42, 0.9025], // near 650, 1080, 2650 Hz
    [4000, 1.953, 0.9702, 1.61, 0.9216, 1.3, 0.9025], // near 400, 1900, 2800 Hz
    [700, 1.955, 0.9702, 1.86, 0.9216, 1.5, 0.9025], // near 500, 900, 2400 Hz
  ] as const;
  const y = [0, 0, 0, 0, 0, 0];
  let seed = 0x9e3779b9;
  let phase = 0;
  let last = 0;
  for (let i = 0; i < pcm.length; i++) {
    const second = i % 72_000;
    if (second >= 48_000) {
      y.fill(0);
      continue;
    }
    const syllable = Math.floor(i / 6000);
    const t = (i % 6000) / 6000;
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    const noise = seed / 0x80000000;
    phase += (110 + 12 * (syllable % 5) + 80 * t * (1 - t) + 40 * noise) / 24_000;
    if (phase >= 1) phase -= 1;
    // A glottal pulse: a parabola in the first 40 % of the period; its slope is what excites the formants.
    const glottis = phase < 0.4 ? phase * (0.4 - phase) * 25 : 0;
    const source = glottis - last + 0.002 * noise;
    last = glottis;
    const [level, c1, d1, c2, d2, c3, d3] = vowels[syllable % 3]!;
    const a = source + c1 * y[0]! - d1 * y[1]!;
    const b = a * 0.2 + c2 * y[2]! - d2 * y[3]!;
    const c = b * 0.5 + c3 * y[4]! - d3 * y[5]!;
    y[1] = y[0]!;
    y[0] = a;
    y[3] = y[2]!;
    y[2] = b;
    y[5] = y[4]!;
    y[4] = c;
    const envelope = 4 * t * (1 - t);
    const hiss = t > 0.85 ? (t - 0.85) * (1 - t) * 120 * noise : 0;
    const value = Math.round(c * level * envelope + hiss * 3000);
    pcm[i] = Math.max(-32_768, Math.min(32_767, value));
  }
  return pcm;
}

/** SHA-256 of PCM as signed 16 bit little-endian, in hex. */
export function sha256(pcm: Int16Array): string {
  return createHash('sha256')
    .update(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength))
    .digest('hex');
}

/** SHA-256 of packets, each after its length in 16 bits, little-endian. */
export function sha256Packets(packets: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const packet of packets)
    hash.update(new Uint8Array([packet.length & 255, packet.length >> 8])).update(packet);
  return hash.digest('hex');
}
