/**
 * The trial builds: the codec's crate, copied to out/bench/plc/ and changed to compile libopus with deep PLC. Each change replaces a text
 * that must be there, so a crate that has moved on is reported instead of built wrongly. wasm/ itself is not touched.
 *
 * It takes the toolchain of `sh wasm/toolchain.sh`, which is not installed here, and a C compiler for the file of weights.
 */

import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { crateFolder } from '../../test/kit/opus/native_opus.js';

const FOLDER = resolve('out/bench/plc');
const TRIAL = resolve('bench/plc/trial');
const TOOLS = resolve(process.env.HOTMIC_WASM_TOOLCHAIN ?? 'wasm/.toolchain');
const CRATE = ['Cargo.toml', 'Cargo.lock', 'build.rs', 'c', 'src', 'sysinclude'];
export const WEIGHTS = join(FOLDER, 'weights.bin');

/** A build: where the weights are, and the kernels of the networks. */
export interface Variant {
  readonly name: string;
  readonly weights: 'inside' | 'file';
  /** `generic`: libopus' own C, as clang vectorises it. `simd`: trial/vec_wasm.h. */
  readonly kernels: 'generic' | 'simd';
}

export const VARIANTS = {
  generic: { name: 'generic', weights: 'inside', kernels: 'generic' },
  inside: { name: 'inside', weights: 'inside', kernels: 'simd' },
  file: { name: 'file', weights: 'file', kernels: 'simd' },
} as const satisfies Record<string, Variant>;

/**
 * Builds all variants and the file of weights unless they are there: delete out/bench/plc/ after a change of trial/ or of wasm/. Returns
 * why it could not, or null.
 */
export async function buildTrial(): Promise<string | null> {
  if (!existsSync(join(TOOLS, 'library.stamp')) || !existsSync(join(TOOLS, 'bin/cargo')))
    return 'the toolchain of the codec is missing: run sh wasm/toolchain.sh';
  const crate = await crateFolder(resolve('wasm/Cargo.toml'), 'opusic-sys', ['--locked']);
  if (typeof crate !== 'string') return crate.reason;
  for (const variant of Object.values(VARIANTS)) {
    if (!existsSync(modulePath(variant))) buildModule(variant);
  }
  if (existsSync(WEIGHTS)) return null;
  const opus = join(crate, 'opus');
  const writer = join(FOLDER, 'write_weights');
  const include = ['include', 'celt', 'dnn'].map((folder) => `-I${join(opus, folder)}`);
  const reader = join(opus, 'dnn/parse_lpcnet_weights.c');
  const compiler = spawnSync('cc', ['--version']);
  if (compiler.error) return `no C compiler: ${compiler.error.message}`;
  run('cc', [
    '-O1',
    '-w',
    '-DOPUS_BUILD',
    '-DVAR_ARRAYS',
    ...include,
    join(TRIAL, 'write_weights.c'),
    reader,
    '-o',
    writer,
  ]);
  run(writer, [WEIGHTS]);
  return null;
}

export function modulePath({ name }: Variant): string {
  return join(FOLDER, `${name}.wasm`);
}

function buildModule(variant: Variant): void {
  const crate = join(FOLDER, 'crate', variant.name);
  mkdirSync(crate, { recursive: true });
  for (const part of CRATE) cpSync(join('wasm', part), join(crate, part), { recursive: true });
  change(crate, variant);
  const target = 'wasm32-unknown-unknown';
  const flags = `-C linker=wasm-ld-22 -C target-feature=+simd128 --remap-path-prefix=${crate}=wasm`;
  const own = { RUSTFLAGS: flags, HOTMIC_WASM_SIMD: 'on', CARGO_TARGET_DIR: join(crate, 'target') };
  run('cargo', ['build', '--quiet', '--lib', '--release', '--target', target], crate, own);
  copyFileSync(join(crate, 'target', target, 'release/hotmic_wasm.wasm'), modulePath(variant));
}

function change(crate: string, { weights, kernels }: Variant): void {
  const rust = join(crate, 'build.rs');
  const lists = '    ("opus_sources.mk", &["OPUS_SOURCES", "OPUS_SOURCES_FLOAT"]),\n';
  replace(rust, lists, `${lists}    ("lpcnet_sources.mk", &["DEEP_PLC_SOURCES"]),\n`);
  const flags = ['-Idnn', '-DENABLE_DEEP_PLC', ...(weights === 'file' ? ['-DUSE_WEIGHTS_FILE'] : [])];
  replace(rust, '    "-I.",\n', `    "-I.",\n${flags.map((flag) => `    "${flag}",\n`).join('')}`);
  if (kernels === 'simd') {
    const args = '                        .args(local)\n';
    const before =
      '.args(file.starts_with("dnn/").then_some(["-include", "vec_wasm.h"]).into_iter().flatten())';
    replace(rust, args, `${args}                        ${before}\n`);
    copyFileSync(join(TRIAL, 'vec_wasm.h'), join(crate, 'sysinclude/vec_wasm.h'));
  }
  appendFileSync(join(crate, 'src/decoder.rs'), readFileSync(join(TRIAL, 'deep.rs')));
  withoutBindgen(crate);
  writeFileSync(join(crate, 'sysinclude/assert.h'), '#define assert(condition) ((void)0)\n');
  replace(
    join(crate, 'sysinclude/string.h'),
    'size_t strlen(const char *text);\n',
    'size_t strlen(const char *text);\n' +
      'static inline int strcmp(const char *a, const char *b) {\n' +
      '    while (*a && *a == *b) a++, b++;\n' +
      '    return (unsigned char)*a - (unsigned char)*b;\n' +
      '}\n',
  );
}

/** Numbers go in and out, so the exports work without wasm-bindgen too, and the trial needs two tools less. */
function withoutBindgen(crate: string): void {
  replace(join(crate, 'Cargo.toml'), /^wasm-bindgen = .*\n/m, '');
  for (const name of readdirSync(join(crate, 'src'), { recursive: true }).map(String)) {
    const path = join(crate, 'src', name);
    if (!name.endsWith('.rs') || !readFileSync(path, 'utf8').includes('wasm_bindgen]')) continue;
    const text = readFileSync(path, 'utf8').replace('use wasm_bindgen::prelude::wasm_bindgen;\n', '');
    writeFileSync(path, text.replaceAll('#[wasm_bindgen]\npub fn', '#[no_mangle]\npub extern "C" fn'));
  }
}

function replace(path: string, from: string | RegExp, to: string): void {
  const text = readFileSync(path, 'utf8');
  if (text.split(from).length !== 2) throw new Error(`Cannot change ${path}: expected once: ${from}`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
}

function run(program: string, args: readonly string[], cwd = '.', env: Record<string, string> = {}): void {
  const ran = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${join(TOOLS, 'bin')}:${process.env.PATH}`, ...env },
  });
  if (ran.status !== 0)
    throw new Error(`Cannot build the trial: ${program}: ${ran.error?.message ?? ran.stderr.trim()}`);
}
