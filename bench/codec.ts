/**
 * The codec on the demo's speech: frames and whole packets, one call from JavaScript each.
 */

import { readFileSync } from 'node:fs';
import { readWav } from '../voice/wav.js';
import { OpusDecoder, OpusEncoder } from '../wasm/codec.js';
import { VoiceEncoder } from '../wasm/compress.js';
import { VoiceDecoder } from '../wasm/decompress.js';
import { loadCodec } from '../wasm/load.js';
import { type Row, row, type Trial } from './result.js';

const RUNS = 7;
const FRAME = 480;

export const codec: Trial = {
  name: 'codec',
  about: `encode and decode, 24 kHz, 32 kbit/s, complexity 9, ${RUNS} runs over 21 s of espeak-ng's speech`,
  async run() {
    loadCodec();
    const pcm = speech();
    const seconds = pcm.length / 24_000;
    const frames = encodeFrames(pcm);
    const packets = encodePackets(pcm);
    const cases: [string, () => void][] = [
      ['encode, a frame a call', () => void encodeFrames(pcm)],
      ['decode, a frame a call', () => decodeFrames(frames)],
      ['getVoice, a packet a call', () => void encodePackets(pcm)],
      ['decompressVoice, a packet a call', () => decodePackets(packets)],
    ];
    const times = new Map<string, number[]>(cases.map(([name]) => [name, []]));
    for (const [, work] of cases) work();
    for (let run = 0; run < RUNS; run++) {
      for (const [name, work] of cases) {
        const startedAt = process.hrtime.bigint();
        work();
        times.get(name)!.push(seconds / (Number(process.hrtime.bigint() - startedAt) / 1e9));
      }
    }
    const rows: Row[] = cases.map(([name]) => row('hotmic', name, 'speed', '× real time', times.get(name)!));
    return { rows, void: null };
  },
};

function speech(): Int16Array {
  const clips = ['ada', 'ben', 'cleo'].map((name) => {
    const wav = readWav(readFileSync(new URL(`../../examples/speech/${name}.wav`, import.meta.url)));
    if (wav.kind === 'malformed') throw new Error(`Cannot read ${name}.wav: ${wav.reason}`);
    return wav.samplesInt16();
  });
  return Int16Array.from(clips.flatMap((clip) => [...clip]));
}

function encodeFrames(pcm: Int16Array): Uint8Array[] {
  const encoder = new OpusEncoder();
  const out = new Uint8Array(1276);
  const frames: Uint8Array[] = [];
  for (let at = 0; at + FRAME <= pcm.length; at += FRAME)
    frames.push(out.slice(0, encoder.encode(pcm, at, out, 0)));
  encoder.free();
  return frames;
}

function decodeFrames(frames: readonly Uint8Array[]): void {
  const decoder = new OpusDecoder(24_000);
  const out = new Int16Array(FRAME);
  for (const frame of frames) decoder.decode(frame, 0, frame.length, out, 0);
  decoder.free();
}

function encodePackets(pcm: Int16Array): Uint8Array[] {
  const encoder = new VoiceEncoder(76561197960265729n);
  const out = new Uint8Array(8192);
  const packets: Uint8Array[] = [];
  for (let at = 0; at + FRAME <= pcm.length; at += FRAME) {
    encoder.write(pcm.subarray(at, at + FRAME));
    packets.push(out.slice(0, encoder.read(out)));
  }
  encoder.free();
  return packets;
}

function decodePackets(packets: readonly Uint8Array[]): void {
  const decoder = new VoiceDecoder(24_000);
  const out = new Int16Array(72_000);
  for (const packet of packets) decoder.decompress(packet, out);
  decoder.free();
}
