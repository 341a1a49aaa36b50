/**
 * The native programs of the codec benchmark: libopus of the same source as the wasm build, and the resampler of speexdsp. Both are
 * compiled here with -O3, or skipped with a reason if a compiler or the source is missing.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildNative, crateFolder, type Skipped } from '../../test/kit/opus/native_opus.js';
import { LEAST_MS } from './rounds.js';
import { packetsOf, SETTINGS, stepsOf } from './subject.js';

const FOLDER = 'out/bench/native';

/** speexdsp's resampler as bundled by this crate: Xiph's own source with its SSE code. BSD-3-Clause; the crate is ISC. */
const SPEEX = { crate: 'cubeb-sys', version: '0.38.0', folder: 'libcubeb/subprojects/speex' } as const;
const SPEEX_FLAGS = [
  '-O3',
  '-w',
  '-DOUTSIDE_SPEEX',
  '-DRANDOM_PREFIX=speex',
  '-DFLOATING_POINT',
  '-DEXPORT=',
];
export const SPEEX_QUALITY = 4;

/** libopus' names of the SIMD variants that it chooses from on x86. */
const ARCHES = ['C', 'SSE', 'SSE2', 'SSE4.1', 'AVX2'];

export interface NativeCodec {
  readonly kind: 'built';
  /** Version, SIMD variant and compiler, in words. */
  readonly about: string;
  encode(): number;
  decode(): number;
  /** The packets of the latest `encode`. */
  packets(): Uint8Array[];
  /** The sound of the latest `decode`. */
  pcm(): Int16Array;
}

/** Native libopus on `pcm` and `packets`. `encode` and `decode` return what Timed.measure does. */
export async function nativeCodec(
  pcm: Int16Array,
  packets: readonly Uint8Array[],
): Promise<NativeCodec | Skipped> {
  const built = await buildNative({ program: 'bench/codec/native_codec.c', variant: 'dispatch' });
  if (built.kind === 'skipped') return built;
  const { rateHz, bitrate, complexity } = SETTINGS;
  mkdirSync(FOLDER, { recursive: true });
  const file = (name: string) => join(FOLDER, name);
  writeFileSync(file('speech.pcm'), new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength));
  writeFileSync(file('packets.steps'), stepsOf(packets));
  const encodeArgs = [
    'encode',
    rateHz,
    bitrate,
    complexity,
    LEAST_MS,
    file('speech.pcm'),
    file('made.steps'),
  ];
  const decodeArgs = ['decode', rateHz, LEAST_MS, file('packets.steps'), file('made.pcm')];
  const seconds = pcm.length / rateHz;
  const arch = Number(call(built.path, decodeArgs)[2]);
  const simd = built.simd === 'none' ? 'C' : (ARCHES[arch] ?? `arch ${arch}`);
  return {
    kind: 'built',
    about: `${built.version}, -O3, SIMD: ${simd}, ${built.compiler}`,
    encode: () => speed(built.path, encodeArgs, seconds),
    decode: () => speed(built.path, decodeArgs, seconds),
    packets: () => packetsOf(readFileSync(file('made.steps'))),
    pcm: () => new Int16Array(new Uint8Array(readFileSync(file('made.pcm'))).buffer),
  };
}

export interface NativeResampler {
  readonly kind: 'built';
  readonly about: string;
  /** Resamples `input`; `again` measures it. `name` is the name of the files. */
  resample(
    name: string,
    input: Float32Array,
    fromHz: number,
    toHz: number,
  ): { output: Float32Array; again: () => number };
}

/** speexdsp at SPEEX_QUALITY. */
export async function nativeResampler(): Promise<NativeResampler | Skipped> {
  const source = await speexSource();
  if (typeof source !== 'string') return source;
  const program = resolve(FOLDER, 'native_resampler');
  const main = fileURLToPath(new URL('../../../bench/codec/native_resampler.c', import.meta.url));
  const simd = process.arch === 'x64' ? ['-DUSE_SSE', '-DUSE_SSE2'] : [];
  mkdirSync(FOLDER, { recursive: true });
  const args = [
    ...SPEEX_FLAGS,
    ...simd,
    `-I${source}`,
    main,
    join(source, 'resample.c'),
    '-o',
    program,
    '-lm',
  ];
  const built = spawnSync('cc', args, { encoding: 'utf8' });
  if (built.error !== undefined) return { kind: 'skipped', reason: `no C compiler: ${built.error.message}` };
  if (built.status !== 0) throw new Error(`Cannot build speexdsp's resampler: ${built.stderr}`);
  return {
    kind: 'built',
    about: `of ${SPEEX.crate} ${SPEEX.version}, quality ${SPEEX_QUALITY}, -O3, SIMD: ${simd.length > 0 ? 'SSE' : 'none'}`,
    resample(name, input, fromHz, toHz) {
      const files = [join(FOLDER, `${name}.in.f32`), join(FOLDER, `${name}.out.f32`)] as const;
      writeFileSync(files[0], new Uint8Array(input.buffer, input.byteOffset, input.byteLength));
      const again = (leastMs: number) =>
        speed(program, [fromHz, toHz, SPEEX_QUALITY, leastMs, ...files], input.length / fromHz);
      again(0);
      const output = new Float32Array(new Uint8Array(readFileSync(files[1])).buffer);
      return { output, again: () => again(LEAST_MS) };
    },
  };
}

/** The folder of the source. Cargo downloads it, but its build script is never run. */
async function speexSource(): Promise<string | Skipped> {
  const folder = 'out/bench/speexdsp';
  const manifest = join(folder, 'Cargo.toml');
  mkdirSync(join(folder, 'src'), { recursive: true });
  writeFileSync(join(folder, 'src/lib.rs'), '');
  writeFileSync(
    manifest,
    `[package]\nname = "bench-speexdsp"\nversion = "0.0.0"\nedition = "2021"\n\n[workspace]\n\n` +
      `[target.'cfg(any())'.dependencies]\n${SPEEX.crate} = "=${SPEEX.version}"\n`,
  );
  const crate = await crateFolder(resolve(manifest), SPEEX.crate);
  if (typeof crate !== 'string') return crate;
  const source = join(crate, SPEEX.folder);
  if (!existsSync(source))
    return { kind: 'skipped', reason: `there is no ${SPEEX.folder} in ${SPEEX.crate}` };
  return source;
}

type Args = readonly (string | number)[];

/** The output of the program: passes, nanoseconds and more. */
function call(program: string, args: Args): string[] {
  return execFileSync(program, args.map(String), { encoding: 'utf8' }).trim().split(' ');
}

function speed(program: string, args: Args, seconds: number): number {
  const [passes, nanoseconds] = call(program, args).map(Number);
  return (passes! * seconds * 1e9) / nanoseconds!;
}
