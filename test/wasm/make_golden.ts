/**
 * Writes `golden/golden.json`: packets made by native libopus and what it decodes them to, compared with the wasm build.
 *
 * Native means the C compiler's build of the very libopus sources of the wasm build, without SIMD variants. Run from the
 * repository's root as `node dist/test/wasm/make_golden.js`; wants cargo (for the path of the sources) and cc.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { OPUS_RATES_HZ, type OpusEncoderOptions } from '../../wasm/codec.js';
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

const GOLDEN = 'test/wasm/golden/golden.json';
const ORACLE = 'test/wasm/golden/oracle.c';
const FRAMES = 450;
const FLAGS = [
  '-O2',
  '-ffp-contract=off',
  '-w',
  '-DOPUS_BUILD',
  '-DVAR_ARRAYS',
  '-DHAVE_LRINTF',
  '-DHAVE_LRINT',
].concat(['-DFLOAT_APPROX', '-DENABLE_HARDENING', '-Iinclude', '-Icelt', '-Isilk', '-Isilk/float', '-I.']);
const VOIP = 2048;
const AUDIO = 2049;
const LOW_DELAY = 2051;

/** How the oracle encodes: the order of its arguments. */
interface NativeEncoding {
  rateHz: number;
  channels: number;
  application: number;
  samples: number;
  bitrate: number;
  complexity: number;
  dtx: number;
  loss: number;
  fec: number;
}

const STEAM: NativeEncoding = {
  rateHz: 24_000,
  channels: 1,
  application: VOIP,
  samples: 480,
  bitrate: 32_000,
  complexity: 9,
  dtx: 1,
  loss: 0,
  fec: 0,
};

const work = mkdtempSync(join(tmpdir(), 'hotmic-golden-'));
try {
  loadCodec();
  const { oracle, version } = buildOracle();
  const signal = goldenSignal(FRAMES);
  const native = (pcm: Int16Array, changes: Partial<NativeEncoding>) =>
    encodeNatively(oracle, pcm, { ...STEAM, ...changes });

  // Frames 95 to 155 hold the end of a talkspurt, digital silence (DTX from the 11th frame on) and a new one.
  const speech = native(signal, {}).slice(20, 170).map(base64);
  const low = native(signal, { bitrate: 12_000, loss: 20, fec: 1 }).slice(0, 60).map(base64);
  const stereo = new Int16Array(signal.length * 2).map(
    (_, i) => signal[Math.max(0, (i >> 1) - (i & 1) * 11)]!,
  );
  const streams = [
    stream(oracle, 'Steam-like speech with DTX', speech),
    stream(
      oracle,
      'three frames lost and concealed, then a reset',
      speech
        .slice(0, 60)
        .flatMap((packet, i) => (i >= 30 && i < 33 ? ['conceal'] : i === 45 ? ['reset', packet] : [packet])),
    ),
    stream(oracle, 'ten frames lost at once', [
      ...speech.slice(0, 20),
      ...Array(10).fill('conceal'),
      ...speech.slice(30, 40),
    ]),
    stream(
      oracle,
      'SILK at 12 kbit/s with in-band FEC, every tenth frame lost',
      low.map((p, i) => (i % 10 === 9 ? 'conceal' : p)),
    ),
    stream(
      oracle,
      'SILK frames of 60 ms',
      native(signal, { samples: 1440, bitrate: 16_000 }).slice(0, 12).map(base64),
    ),
    stream(
      oracle,
      'packets of 120 ms',
      native(signal, { samples: 2880, bitrate: 24_000 }).slice(0, 6).map(base64),
    ),
    stream(
      oracle,
      'CELT frames of 5 ms, two lost runs',
      native(signal, { application: LOW_DELAY, samples: 120, bitrate: 64_000 })
        .slice(40, 120)
        .map(base64)
        .map((p, i) => (i === 30 || i === 31 || i === 60 ? 'conceal' : p)),
    ),
    stream(
      oracle,
      'stereo music, mixed down',
      native(stereo, { channels: 2, application: AUDIO, bitrate: 96_000 }).slice(0, 30).map(base64),
    ),
  ];
  const encodings = [
    encoding(oracle, signal, 'as Steam', {}, FRAMES),
    encoding(
      oracle,
      signal,
      'complexity 5, 16 kbit/s, in-band FEC',
      { bitrate: 16_000, complexity: 5, dtx: false, expectedLossPercent: 15, inbandFec: true },
      150,
    ),
  ];
  const golden: Golden = {
    madeBy: `test/wasm/make_golden.ts with libopus ${version}, native: ${compilerName()} ${FLAGS.slice(0, 2).join(' ')}, ${process.arch}`,
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
} finally {
  rmSync(work, { recursive: true });
}

function buildOracle(): { oracle: string; version: string } {
  const metadata = JSON.parse(
    execFileSync(
      'cargo',
      ['metadata', '--format-version', '1', '--locked', '--manifest-path', 'wasm/Cargo.toml'],
      {
        encoding: 'utf8',
        maxBuffer: 1 << 26,
      },
    ),
  ) as { packages: { name: string; manifest_path: string }[] };
  const crate = metadata.packages.find(({ name }) => name === 'opusic-sys');
  if (crate === undefined) throw new Error('Cannot make golden vectors: wasm/Cargo.toml names no opusic-sys');
  const opus = join(dirname(crate.manifest_path), 'opus');
  const version = readFileSync(join(opus, 'package_version'), 'utf8').split('"')[1] ?? '?';
  const lists = {
    celt_sources: ['CELT_SOURCES'],
    silk_sources: ['SILK_SOURCES', 'SILK_SOURCES_FLOAT'],
    opus_sources: ['OPUS_SOURCES', 'OPUS_SOURCES_FLOAT'],
  };
  const files = Object.entries(lists).flatMap(([list, variables]) => {
    const lines = readFileSync(join(opus, `${list}.mk`), 'utf8')
      .replaceAll('\\\n', ' ')
      .split('\n');
    return variables.flatMap((variable) =>
      lines
        .filter((line) => line.split('=')[0]?.trim() === variable)
        .flatMap((line) => line.split('=')[1]!.trim().split(/\s+/)),
    );
  });
  const oracle = join(work, 'oracle');
  const flags = [...FLAGS, `-DPACKAGE_VERSION="${version}"`];
  execFileSync('cc', [...flags, ...files, join(process.cwd(), ORACLE), '-o', oracle, '-lm'], { cwd: opus });
  return { oracle, version };
}

function compilerName(): string {
  return execFileSync('cc', ['--version'], { encoding: 'utf8' }).split('\n')[0]!;
}

function encodeNatively(oracle: string, pcm: Int16Array, how: NativeEncoding): Uint8Array[] {
  const output = execFileSync(oracle, ['encode', ...Object.values(how).map(String)], {
    input: bytesOf(pcm),
    maxBuffer: 1 << 26,
  });
  const packets: Uint8Array[] = [];
  for (let at = 0; at < output.length; ) {
    const length = output.readUInt16LE(at);
    packets.push(output.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return packets;
}

/** Decodes the steps natively and in wasm; the wasm build's hash is recorded, with its distance from native. */
function stream(oracle: string, name: string, steps: readonly string[]): GoldenStream {
  const input = Buffer.concat(
    steps.flatMap((step) => {
      if (step === 'reset') return [Buffer.from([255, 255])];
      if (step === 'conceal') return [Buffer.from([254, 255])];
      const packet = Buffer.from(step, 'base64');
      return [Buffer.from([packet.length & 255, packet.length >> 8]), packet];
    }),
  );
  const outputs: Record<string, GoldenOutput> = {};
  for (const rate of OPUS_RATES_HZ) {
    const run = spawnSync(oracle, ['decode', String(rate)], { input, maxBuffer: 1 << 26 });
    if (run.status !== 0) throw new Error(`Cannot decode ${name} natively: ${run.stderr}`);
    const wasm = decodeSteps(steps, rate);
    const nativePcm = new Int16Array(new Uint8Array(run.stdout).buffer);
    if (nativePcm.length !== wasm.pcm.length || Number(run.stderr) !== wasm.finalRange) {
      throw new Error(`${name} at ${rate} Hz: wasm and native differ in length or final range`);
    }
    const fromNativeLsb = nativePcm.reduce(
      (most, sample, i) => Math.max(most, Math.abs(sample - wasm.pcm[i]!)),
      0,
    );
    outputs[rate] = { sha256: sha256(wasm.pcm), finalRange: wasm.finalRange, fromNativeLsb };
  }
  return { name, steps, outputs: outputs as GoldenStream['outputs'] };
}

function encoding(
  oracle: string,
  signal: Int16Array,
  name: string,
  options: OpusEncoderOptions,
  frames: number,
): GoldenEncoding {
  const wasm = encodeFrames(signal, frames, options);
  const native = encodeNatively(oracle, signal.subarray(0, frames * STEAM.samples), {
    ...STEAM,
    bitrate: options.bitrate ?? STEAM.bitrate,
    complexity: options.complexity ?? STEAM.complexity,
    dtx: Number(options.dtx ?? true),
    loss: options.expectedLossPercent ?? 0,
    fec: Number(options.inbandFec ?? false),
  });
  const differ = wasm.filter(
    (packet, i) => Buffer.compare(packet, native[i] ?? new Uint8Array(0)) !== 0,
  ).length;
  return { name, options, frames, sha256: sha256Packets(wasm), fromNativePackets: differ };
}

function bytesOf(pcm: Int16Array): Uint8Array {
  return new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
}

function base64(packet: Uint8Array): string {
  return Buffer.from(packet).toString('base64');
}
