/** Runs the native oracle (oracle.c): what libopus itself makes of PCM and of packets. */

import { execFile } from 'node:child_process';
import { Step } from '../../../wasm/codec.js';
import { buildNative, type NativeBuild, type NativeVariant } from './native_opus.js';

/** One step of a decoder: a packet, 20 ms that were lost, 20 ms from the in-band FEC of the packet that follows, a reset. */
export type DecoderStep = Uint8Array | 'conceal' | 'fec' | 'reset';

/** How to encode; what is missing is as Steam does it: 24 kHz, mono, 20 ms, VOIP, 32 kbit/s VBR, complexity 9, DTX. */
export interface NativeEncoding {
  readonly rate?: number;
  readonly channels?: number;
  /** 2048 VOIP, 2049 audio, 2051 low delay. */
  readonly application?: number;
  /** Of a packet, a channel. */
  readonly samples?: number;
  readonly bitrate?: number;
  readonly complexity?: number;
  readonly dtx?: number;
  readonly loss?: number;
  readonly fec?: number;
  readonly vbr?: number;
  /** 1101 narrowband to 1105 fullband; 0 as libopus likes, as below. */
  readonly bandwidth?: number;
  /** 3001 voice, 3002 music. */
  readonly signal?: number;
  /** 1000 SILK, 1001 hybrid, 1002 CELT. */
  readonly mode?: number;
  readonly forceChannels?: number;
  /** A seed, not 0: every 1 to 25 packets, bitrate, complexity, DTX, FEC and VBR are drawn again. */
  readonly sweep?: number;
  /** A seed, not 0: as `sweep`, and with them samples, bandwidth, signal, mode and channels. */
  readonly vary?: number;
}

const PROGRAM = 'test/kit/opus/oracle.c';
const MAX_OUTPUT_BYTES = 1 << 28;

/** The oracle, built. */
export interface Oracle {
  readonly kind: 'built';
  readonly build: NativeBuild & { kind: 'built' };
  /** What `opus_select_arch()` answers on this processor: 0 none, on x86 2 SSE2, 3 SSE4.1, 4 AVX2. */
  readonly arch: number;
  /** The packets of interleaved PCM; what is left of it at the end makes none. */
  encode(pcm: Int16Array, how: NativeEncoding): Promise<Uint8Array[]>;
  /** The mono PCM of steps as `packSteps` gives them, by one new decoder, and its final range. */
  decode(steps: Uint8Array, rateHz: number): Promise<{ pcm: Int16Array; finalRange: number }>;
}

/** Builds the oracle, or says why that cannot be done here. */
export async function oracle(variant: NativeVariant): Promise<Oracle | (NativeBuild & { kind: 'skipped' })> {
  const build = await buildNative({ program: PROGRAM, variant });
  if (build.kind === 'skipped') return build;
  const about = await run(build.path, ['about'], new Uint8Array(0));
  return {
    kind: 'built',
    build,
    arch: Number(about.output.toString()),
    async encode(pcm, how) {
      const names = Object.entries(how).map(([name, value]) => `${name}=${value}`);
      const { output } = await run(build.path, ['encode', ...names], bytesOf(pcm));
      return packetsOf(output);
    },
    async decode(steps, rateHz) {
      const { output, notes } = await run(build.path, ['decode', String(rateHz)], steps);
      return { pcm: pcmOf(output), finalRange: Number(notes) };
    },
  };
}

/** The steps as one run of bytes, as the oracle and `OpusDecoder.decodeBatch` take them. */
export function packSteps(steps: readonly DecoderStep[]): Uint8Array {
  const bytes = steps.map((step) => (typeof step === 'string' ? 2 : 2 + step.length));
  const packed = new Uint8Array(bytes.reduce((sum, count) => sum + count, 0));
  let at = 0;
  steps.forEach((step, i) => {
    const length = typeof step === 'string' ? Step[step] : step.length;
    packed[at] = length & 255;
    packed[at + 1] = length >> 8;
    if (typeof step !== 'string') packed.set(step, at + 2);
    at += bytes[i]!;
  });
  return packed;
}

/** The packets of a run in which each stands behind its length, 16 bits, little-endian. Views into it. */
export function packetsOf(run: Uint8Array): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let at = 0; at < run.length; ) {
    const length = run[at]! | (run[at + 1]! << 8);
    packets.push(run.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return packets;
}

function run(path: string, args: string[], input: Uint8Array): Promise<{ output: Buffer; notes: string }> {
  return new Promise((resolve, reject) => {
    const options = { encoding: 'buffer', maxBuffer: MAX_OUTPUT_BYTES } as const;
    const child = execFile(path, args, options, (error, output, notes) => {
      if (error) reject(new Error(`Cannot run oracle ${args.join(' ')}: ${notes || error.message}`));
      else resolve({ output, notes: notes.toString() });
    });
    // When it ends before it has read all, its exit code tells why.
    child.stdin!.on('error', () => {});
    child.stdin!.end(input);
  });
}

function bytesOf(pcm: Int16Array): Uint8Array {
  return new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
}

/** Copied where the bytes do not lie at an even address. */
function pcmOf(bytes: Buffer): Int16Array {
  const even = bytes.byteOffset % 2 === 0 ? bytes : Buffer.from(new Uint8Array(bytes).buffer);
  return new Int16Array(even.buffer, even.byteOffset, even.length >> 1);
}
