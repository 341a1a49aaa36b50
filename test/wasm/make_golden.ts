/**
 * Writes `golden/golden.json`: packets made by native libopus and what it decodes them to, compared with the wasm build.
 *
 * Native means the C compiler's build of the very libopus sources of the wasm build, without SIMD variants. Run from the
 * repository's root as `node dist/test/wasm/make_golden.js`; needs cargo (for the path of the sources) and cc.
 */

import { writeFileSync } from 'node:fs';
import { OPUS_FRAME_SAMPLES, OPUS_RATES_HZ, type OpusEncoderOptions } from '../../wasm/codec.js';
import {
  decodeSteps,
  encodeFrames,
  type Golden,
  type GoldenEncoding,
  type GoldenOutput,
  type GoldenStream,
  goldenSignal,
  sha256,
  sha256Packets,
} from '../../wasm/golden.js';
import { loadCodec } from '../../wasm/load.js';
import { type DecoderStep, type NativeEncoding, type Oracle, oracle, packSteps } from '../kit/opus/oracle.js';

const GOLDEN = 'test/wasm/golden/golden.json';
const FRAMES = 450;
const AUDIO = 2049;
const LOW_DELAY = 2051;
const SILK = 1000;
const HYBRID = 1001;
/** Narrowband to fullband, in libopus' numbers. */
const BANDWIDTHS = [1101, 1102, 1103, 1104, 1105];
const WIDEBAND = 1103;
const FULLBAND = 1105;

const native = await oracle('plain');
if (native.kind === 'skipped') throw new Error(`Cannot make golden vectors: ${native.reason}`);
loadCodec();
const signal = goldenSignal(FRAMES);
/** At 48 kHz, every sample twice: the mirror image above 12 kHz is what a fullband encoder codes there. */
const fullbandSignal = new Int16Array(signal.length * 2).map((_, i) => signal[i >> 1]!);
const stereoSignal = new Int16Array(signal.length * 2).map(
  (_, i) => signal[Math.max(0, (i >> 1) - (i & 1) * 11)]!,
);

// Frames 95 to 155 hold the end of a talkspurt, digital silence (DTX from the 11th frame on) and a new one.
const speech = (await encode(signal, {})).slice(20, 170);
const low = (await encode(signal, { bitrate: 20_000, bandwidth: WIDEBAND, loss: 20, fec: 1 })).slice(0, 60);
const hybrid = await encodeFullband({ mode: HYBRID, bandwidth: FULLBAND, bitrate: 40_000, loss: 20, fec: 1 });
const bandwidths = await Promise.all(
  BANDWIDTHS.map((bandwidth) => encodeFullband({ bandwidth, bitrate: 12_000 + 5000 * (bandwidth - 1101) })),
);
const celtBandwidths = await Promise.all(
  BANDWIDTHS.map((bandwidth) => encodeFullband({ application: LOW_DELAY, bandwidth, samples: 480 })),
);
const streams = [
  await stream('Steam-like speech with DTX', speech),
  await stream(
    'three frames lost and concealed, then a reset',
    speech
      .slice(0, 60)
      .flatMap((packet, i): DecoderStep[] =>
        i >= 30 && i < 33 ? ['conceal'] : i === 45 ? ['reset', packet] : [packet],
      ),
  ),
  await stream('ten frames lost at once', [
    ...speech.slice(0, 20),
    ...Array<DecoderStep>(10).fill('conceal'),
    ...speech.slice(30, 40),
  ]),
  await stream(
    'SILK at 20 kbit/s with in-band FEC, every tenth frame concealed',
    low.map((packet, i) => (i % 10 === 9 ? 'conceal' : packet)),
  ),
  await stream(
    'the same, every tenth frame and the last of three lost from the FEC',
    low.map((packet, i) => (i % 10 === 5 || i === 29 ? 'fec' : i === 27 || i === 28 ? 'conceal' : packet)),
  ),
  await stream(
    'hybrid fullband with in-band FEC, every eighth frame from it',
    hybrid.slice(20, 50).map((packet, i) => (i % 8 === 7 ? 'fec' : packet)),
  ),
  await stream(
    'narrowband to fullband, SILK and hybrid',
    bandwidths.flatMap((packets) => packets.slice(30, 40)),
  ),
  await stream(
    'narrowband to fullband, CELT frames of 10 ms, each with a loss',
    celtBandwidths.flatMap((packets) =>
      packets.slice(60, 70).map((packet, i): DecoderStep => (i === 5 ? 'conceal' : packet)),
    ),
  ),
  await stream(
    'SILK frames of 60 ms',
    (await encode(signal, { mode: SILK, bandwidth: WIDEBAND, samples: 1440, bitrate: 16_000 })).slice(0, 12),
  ),
  await stream('packets of 120 ms', (await encode(signal, { samples: 2880, bitrate: 24_000 })).slice(0, 6)),
  await stream(
    'CELT frames of 5 ms, two lost runs',
    (await encode(signal, { application: LOW_DELAY, samples: 120, bitrate: 64_000 }))
      .slice(40, 120)
      .map((packet, i) => (i === 30 || i === 31 || i === 60 ? 'conceal' : packet)),
  ),
  await stream(
    'stereo music, mixed down',
    (await encode(stereoSignal, { channels: 2, application: AUDIO, bitrate: 96_000 })).slice(0, 30),
  ),
];
const encodings = [
  await encoding('as Steam', {}, FRAMES),
  await encoding(
    'complexity 5, 16 kbit/s, in-band FEC',
    { bitrate: 16_000, complexity: 5, dtx: false, expectedLossPercent: 15, inbandFec: true },
    150,
  ),
];
const { version, compiler, flags } = native.build;
const golden: Golden = {
  madeBy: `test/wasm/make_golden.ts with libopus ${version}, native: ${compiler} ${flags.slice(0, 2).join(' ')}, ${process.arch}`,
  signal: { frames: FRAMES, sha256: sha256(signal) },
  streams,
  encodings,
};
writeFileSync(GOLDEN, `${JSON.stringify(golden, null, 1)}\n`);
for (const { name, outputs } of streams) {
  const differences = Object.entries(outputs).map(([rate, output]) => `${rate}: ${output.fromNativeLsb}`);
  console.log(`${name}: differs from native by at most (LSB) ${differences.join(', ')}`);
}
for (const { name, frames, fromNativePackets } of encodings) {
  console.log(`${name}: ${fromNativePackets} of ${frames} packets differ from native`);
}

function encode(pcm: Int16Array, how: NativeEncoding): Promise<Uint8Array[]> {
  return (native as Oracle).encode(pcm, how);
}

function encodeFullband(how: NativeEncoding): Promise<Uint8Array[]> {
  return encode(fullbandSignal, { rate: 48_000, application: AUDIO, samples: 960, ...how });
}

/** Decodes the steps natively and in wasm; the wasm build's hash is recorded, with its distance from native. */
async function stream(name: string, steps: readonly DecoderStep[]): Promise<GoldenStream> {
  const written = steps.map((step) =>
    typeof step === 'string' ? step : Buffer.from(step).toString('base64'),
  );
  const outputs: Record<string, GoldenOutput> = {};
  for (const rate of OPUS_RATES_HZ) {
    const fromNative = await (native as Oracle).decode(packSteps(steps), rate);
    const wasm = decodeSteps(written, rate);
    if (fromNative.pcm.length !== wasm.pcm.length || fromNative.finalRange !== wasm.finalRange) {
      throw new Error(`${name} at ${rate} Hz: wasm and native differ in length or final range`);
    }
    const fromNativeLsb = fromNative.pcm.reduce(
      (most, sample, i) => Math.max(most, Math.abs(sample - wasm.pcm[i]!)),
      0,
    );
    outputs[rate] = { sha256: sha256(wasm.pcm), finalRange: wasm.finalRange, fromNativeLsb };
  }
  return { name, steps: written, outputs: outputs as GoldenStream['outputs'] };
}

async function encoding(name: string, options: OpusEncoderOptions, frames: number): Promise<GoldenEncoding> {
  const wasm = encodeFrames(signal, frames, options);
  const fromNative = await encode(signal.subarray(0, frames * OPUS_FRAME_SAMPLES), {
    bitrate: options.bitrate ?? 32_000,
    complexity: options.complexity ?? 9,
    dtx: Number(options.dtx ?? true),
    loss: options.expectedLossPercent ?? 0,
    fec: Number(options.inbandFec ?? false),
  });
  const differ = wasm.filter(
    (packet, i) => Buffer.compare(packet, fromNative[i] ?? new Uint8Array(0)) !== 0,
  ).length;
  return { name, options, frames, sha256: sha256Packets(wasm), fromNativePackets: differ };
}
