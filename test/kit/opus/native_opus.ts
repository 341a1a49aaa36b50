/**
 * Native libopus of the very source of the wasm build: what the codec is compared with, and measured against.
 *
 * `cargo metadata` says where the pinned source lies, the system's C compiler builds it with `-O3 -ffp-contract=off` and the
 * wasm build's configuration, and a C program is linked with it. What was built is kept in `out/native/`, under a hash of
 * sources, flags and compiler, so a second call costs some 50 ms. Works from the repository's root or any other folder.
 */

import { type ExecFileException, execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * `dispatch`: as libopus' own CMake or configure builds it on x86-64, SSE2 taken for granted, SSE4.1 and AVX2 with FMA chosen
 * at run time; on other architectures the same as `plain`. `plain`: libopus' portable C only. gcc vectorises that too, as far
 * as it keeps every rounding.
 */
export type NativeVariant = 'plain' | 'dispatch';

export interface NativeRequest {
  /** The C program, one file: a path, from the repository's root if not absolute. It may include libopus' headers. */
  readonly program: string;
  readonly variant: NativeVariant;
  /** With libopus' neural concealment, weights included. It then works from a decoder complexity of 5. Default false. */
  readonly deepPlc?: boolean;
  /** More to hand to the linker, as `-lspeexdsp`. Default none. */
  readonly extraLibs?: readonly string[];
}

export type NativeBuild =
  | {
      readonly kind: 'built';
      /** The executable. */
      readonly path: string;
      readonly variant: NativeVariant;
      /** Which SIMD files of libopus are in it. What it then uses on this processor, `opus_select_arch()` says. */
      readonly simd: 'none' | 'x86-64, chosen at run time';
      /** Of libopus, as 1.6.1. */
      readonly version: string;
      /** The first line of `cc --version`. */
      readonly compiler: string;
      /** What an identical build depends on besides the sources. */
      readonly flags: readonly string[];
    }
  | Skipped;

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const OUT = join(ROOT, 'out/native');
const CRATE = 'opusic-sys';
const JOBS = 2;
/** Without the network, cargo gives up by itself, but slowly. */
const CARGO_TIMEOUT_MS = 60_000;

const FLAGS = [
  ...['-O3', '-ffp-contract=off', '-w'],
  // As in wasm/build.rs. Its -D_WIN64 means "64-bit products are cheap", which libopus knows of x86-64 by itself.
  ...[
    '-DOPUS_BUILD',
    '-DVAR_ARRAYS',
    '-DHAVE_LRINTF',
    '-DHAVE_LRINT',
    '-DFLOAT_APPROX',
    '-DENABLE_HARDENING',
  ],
  ...['-Iinclude', '-Icelt', '-Isilk', '-Isilk/float', '-I.'],
];
const DISPATCH_FLAGS = [
  ...['-DOPUS_HAVE_RTCD', '-DCPU_INFO_BY_C'],
  ...['-DOPUS_X86_MAY_HAVE_SSE', '-DOPUS_X86_MAY_HAVE_SSE2', '-DOPUS_X86_MAY_HAVE_SSE4_1'],
  ...['-DOPUS_X86_MAY_HAVE_AVX2', '-DOPUS_X86_PRESUME_SSE', '-DOPUS_X86_PRESUME_SSE2'],
];

/** A variable of a list of libopus, and the flags of the files it names. */
type SourceList = readonly [file: string, variable: string, ...flags: string[]];

const SOURCES: readonly SourceList[] = [
  ['celt_sources.mk', 'CELT_SOURCES'],
  ['silk_sources.mk', 'SILK_SOURCES'],
  ['silk_sources.mk', 'SILK_SOURCES_FLOAT'],
  ['opus_sources.mk', 'OPUS_SOURCES'],
  ['opus_sources.mk', 'OPUS_SOURCES_FLOAT'],
];
const AVX2 = ['-mavx', '-mfma', '-mavx2'];
const DISPATCH_SOURCES: readonly SourceList[] = [
  ['celt_sources.mk', 'CELT_SOURCES_X86_RTCD'],
  ['celt_sources.mk', 'CELT_SOURCES_SSE', '-msse'],
  ['celt_sources.mk', 'CELT_SOURCES_SSE2', '-msse2'],
  ['celt_sources.mk', 'CELT_SOURCES_SSE4_1', '-msse4.1'],
  ['celt_sources.mk', 'CELT_SOURCES_AVX2', ...AVX2],
  ['silk_sources.mk', 'SILK_SOURCES_X86_RTCD'],
  ['silk_sources.mk', 'SILK_SOURCES_SSE4_1', '-msse4.1'],
  ['silk_sources.mk', 'SILK_SOURCES_AVX2', ...AVX2],
  ['silk_sources.mk', 'SILK_SOURCES_FLOAT_AVX2', ...AVX2],
];
const DEEP_FLAGS = ['-Idnn', '-DENABLE_DEEP_PLC'];
const DEEP_SOURCES: readonly SourceList[] = [['lpcnet_sources.mk', 'DEEP_PLC_SOURCES']];
const DEEP_DISPATCH_SOURCES: readonly SourceList[] = [
  ['lpcnet_sources.mk', 'DNN_SOURCES_X86_RTCD'],
  ['lpcnet_sources.mk', 'DNN_SOURCES_SSE2', '-msse2'],
  ['lpcnet_sources.mk', 'DNN_SOURCES_SSE4_1', '-msse4.1'],
  ['lpcnet_sources.mk', 'DNN_SOURCES_AVX2', ...AVX2],
];

/**
 * Builds `program` with libopus inside. The first build of a variant takes about 25 s of two cores.
 *
 * @returns `skipped`, with the reason, if cargo, a C compiler or libopus' source is not available.
 * @throws Error when the compiler refuses the sources or the program: that is a fault of ours.
 */
export async function buildNative(request: NativeRequest): Promise<NativeBuild> {
  const { program, variant, deepPlc = false, extraLibs = [] } = request;
  const source = await opusSource();
  if (typeof source !== 'string') return source;
  const compiler = await run('cc', ['--version'], ROOT);
  const machine = await run('cc', ['-dumpmachine'], ROOT);
  if (compiler.error !== null || machine.error !== null) {
    return { kind: 'skipped', reason: `no C compiler: ${(compiler.error ?? machine.error)!.message}` };
  }
  const hasSimd = variant === 'dispatch' && /^(x86_64|amd64)-/.test(machine.output);
  const version = readFileSync(join(source, 'package_version'), 'utf8').split('"')[1] ?? '?';
  const flags = [...FLAGS, `-DPACKAGE_VERSION="${version}"`, ...(hasSimd ? DISPATCH_FLAGS : [])];
  if (deepPlc) flags.push(...DEEP_FLAGS);
  const lists = [...SOURCES, ...(hasSimd ? DISPATCH_SOURCES : [])];
  if (deepPlc) lists.push(...DEEP_SOURCES, ...(hasSimd ? DEEP_DISPATCH_SOURCES : []));
  const files = lists.flatMap((list) => filesOf(source, list));
  const common = [compiler.output, machine.output, JSON.stringify([flags, files])];

  const library = join(OUT, `libopus-${hashOf(source, sourceFiles(source, deepPlc), common)}`);
  await makeOnce(library, (work) => compile(source, files, flags, work));

  const file = resolve(ROOT, program);
  const name = basename(file, '.c');
  const inputs = [basename(library), JSON.stringify(extraLibs)];
  const folder = join(OUT, `${name}-${hashOf(ROOT, [relative(ROOT, file)], inputs)}`);
  await makeOnce(folder, async (work) => {
    const objects = readdirSync(library).map((object) => join(library, object));
    const link = [...flags, file, ...objects, '-o', join(work, name), ...extraLibs, '-lm'];
    await runOrThrow('cc', link, source);
  });
  return {
    kind: 'built',
    path: join(folder, name),
    variant,
    simd: hasSimd ? 'x86-64, chosen at run time' : 'none',
    version,
    compiler: compiler.output.split('\n')[0]!,
    flags,
  };
}

/** Why something is not available. */
export type Skipped = { readonly kind: 'skipped'; readonly reason: string };

/** The folder of libopus in the pinned crate, or why it is not available. */
async function opusSource(): Promise<string | Skipped> {
  const source = await crateFolder(join(ROOT, 'wasm/Cargo.toml'), CRATE, ['--locked']);
  if (typeof source !== 'string') return source;
  const opus = join(source, 'opus');
  if (!existsSync(opus))
    return { kind: 'skipped', reason: `the source is not fetched: no ${CRATE} in cargo's registry` };
  return opus;
}

/**
 * The folder of a crate that `manifest` names. cargo fetches it where it is not there yet; nothing of it is run.
 *
 * @param options More for `cargo metadata`.
 * @throws Error when the manifest does not name it.
 */
export async function crateFolder(
  manifest: string,
  crate: string,
  options: readonly string[] = [],
): Promise<string | Skipped> {
  const args = ['metadata', '--format-version', '1', ...options, '--manifest-path', manifest];
  const metadata = await run('cargo', args, ROOT, CARGO_TIMEOUT_MS);
  if (metadata.error !== null) {
    const isMissing = (metadata.error as { code?: unknown }).code === 'ENOENT';
    const why = isMissing
      ? 'no cargo'
      : `cargo cannot get the source: ${lastLine(metadata.errors || metadata.error.message)}`;
    return { kind: 'skipped', reason: why };
  }
  const { packages } = JSON.parse(metadata.output) as { packages: { name: string; manifest_path: string }[] };
  const found = packages.find(({ name }) => name === crate);
  if (found === undefined) throw new Error(`Cannot find a crate's source: ${manifest} names no ${crate}`);
  return dirname(found.manifest_path);
}

interface SourceFile {
  readonly file: string;
  readonly flags: readonly string[];
}

/** libopus' lists: a variable, then paths, each line but the last ending in a backslash. */
function filesOf(source: string, [list, variable, ...flags]: SourceList): SourceFile[] {
  const line = readFileSync(join(source, list), 'utf8')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .find((line) => line.split('=')[0]!.trim() === variable);
  if (line === undefined) throw new Error(`Cannot build libopus: ${list} defines no ${variable}`);
  const files = line.split('=')[1]!.trim().split(/\s+/);
  return files.map((file) => ({ file, flags }));
}

/** All that a C file of ours may include; the DNN parts only where they are built. */
function sourceFiles(source: string, deepPlc: boolean): string[] {
  return ['celt', 'include', 'silk', 'src', ...(deepPlc ? ['dnn'] : [])]
    .flatMap((folder) =>
      readdirSync(join(source, folder), { recursive: true }).map((file) => join(folder, String(file))),
    )
    .filter((file) => /\.[ch]$/.test(file))
    .sort();
}

/** Files are hashed by name and content, relative to `folder`, so that a copy elsewhere counts as the same. */
function hashOf(folder: string, files: readonly string[], more: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of more) hash.update(`${text}\0`);
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(folder, file)));
  return hash.digest('hex').slice(0, 16);
}

/** Makes `folder` whole or not at all: two processes may do so at once, and one of them may be ended. */
async function makeOnce(folder: string, fill: (work: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  mkdirSync(OUT, { recursive: true });
  const work = mkdtempSync(join(OUT, 'work-'));
  try {
    await fill(work);
    renameSync(work, folder);
  } catch (error) {
    // Another process was first: its folder holds the same.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function compile(
  source: string,
  files: readonly SourceFile[],
  flags: readonly string[],
  work: string,
): Promise<void> {
  const queue = [...files];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const object = join(work, next.file.replaceAll('/', '_').replace(/\.c$/, '.o'));
      await runOrThrow('cc', [...flags, ...next.flags, '-c', next.file, '-o', object], source);
    }
  };
  await Promise.all(Array.from({ length: JOBS }, worker));
}

interface Ran {
  readonly error: ExecFileException | null;
  readonly output: string;
  readonly errors: string;
}

function run(command: string, args: readonly string[], cwd: string, timeout = 0): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd, timeout, maxBuffer: 1 << 26, encoding: 'utf8' }, (error, output, errors) =>
      resolve({ error, output, errors }),
    );
  });
}

async function runOrThrow(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { error, errors } = await run(command, args, cwd);
  if (error !== null) throw new Error(`Cannot build libopus: ${command} failed: ${errors || error.message}`);
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
