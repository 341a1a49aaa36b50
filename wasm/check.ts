/**
 * Checks the committed codec in `wasm/pkg/`: `make wasm-check`, run as `node dist/wasm/check.js` in the repository's root.
 *
 * Always: sources, outputs, sizes, imports, exports and golden vectors match the manifest and this file. With a toolchain
 * (`sh wasm/toolchain.sh`), it is also built again elsewhere: with the recorded versions the bytes must be the same, with others the
 * golden vectors must pass. `--no-rebuild` skips that; `--rebuild` fails if it cannot be done.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { type Golden, runGolden } from './golden.js';
import { initCodec } from './module.js';

const CRATE = 'wasm';
const PKG = 'wasm/pkg';
const WASM = 'hotmic_wasm_bg.wasm';
const MODULES = [WASM, 'hotmic_wasm_scalar_bg.wasm'] as const;
const PROCESSING = 'hotmic_processing.wasm';
const GOLDEN = 'test/wasm/golden/golden.json';

const MAX_BYTES = 450_000;
const MAX_BROTLI_BYTES = 170_000;
const MAX_PROCESSING_BYTES = 550_000;

const PROCESSING_EXPORTS = [
  // The linker's own.
  ...['__data_end', '__heap_base'],
  ...['memory', 'processor_captured', 'processor_free', 'processor_new'],
  ...['processor_note_played', 'processor_played', 'processor_process'],
];

/** The glue's own; anything else would be something that the module needs from its host. */
const IMPORTS = ['./hotmic_wasm_bg.js __wbindgen_init_externref_table'];
const EXPORTS = [
  ...['__abort_handler', '__instance_terminated', '__wbindgen_externrefs', '__wbindgen_start', 'memory'],
  ...[
    'decoder_conceal',
    'decoder_decode',
    'decoder_fec',
    'decoder_final_range',
    'decoder_free',
    'decoder_new',
    'decoder_reset',
    'decoder_run',
  ],
  ...[
    'encoder_encode',
    'encoder_final_range',
    'encoder_free',
    'encoder_in_dtx',
    'encoder_lookahead',
    'encoder_new',
    'encoder_reset',
    'encoder_run',
  ],
  ...['in_ptr', 'live_bytes', 'out_ptr', 'packet_ptr', 'pcm_ptr', 'resampled_ptr'],
  ...['resampler_delay', 'resampler_free', 'resampler_max_input', 'resampler_max_stream', 'resampler_new'],
  ...['resampler_process', 'resampler_reset', 'resampler_stream', 'resampler_stretch'],
];

/** The fields of `pkg/manifest.json` that are read; manifest.mjs writes it. */
interface Manifest {
  readonly tools: Readonly<Record<string, string>>;
  readonly sources: Readonly<Record<string, string>>;
  readonly cSource: { readonly sha256: string };
  readonly outputs: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

/** The part of WebAssembly's interface used here; its types are in the DOM library. */
declare const WebAssembly: {
  Module: {
    new (bytes: Uint8Array): object;
    imports(module: object): { module: string; name: string }[];
    exports(module: object): { name: string }[];
    customSections(module: object, name: string): ArrayBuffer[];
  };
};

let failures = 0;

function report(what: string, wrong: readonly string[]): void {
  console.log(`${wrong.length === 0 ? 'ok  ' : 'FAIL'} ${what}`);
  for (const line of wrong) console.log(`     ${line}`);
  if (wrong.length > 0) failures++;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function readManifest(file: string): Manifest {
  return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

/** One line for each of `names` whose file differs from its recorded hash or is missing on one side. */
function differences(
  folder: string,
  names: readonly string[],
  recorded: Readonly<Record<string, string>>,
): string[] {
  const all = new Set([...names, ...Object.keys(recorded)]);
  return [...all].flatMap((name) => {
    if (recorded[name] === undefined) return [`${name}: not in the manifest`];
    if (!names.includes(name)) return [`${name}: in the manifest, but not there`];
    const got = sha256(readFileSync(join(folder, name)));
    return got === recorded[name] ? [] : [`${name}: sha256 ${got}, expected ${recorded[name]}`];
  });
}

function outputHashes(manifest: Manifest): Record<string, string> {
  return Object.fromEntries(Object.entries(manifest.outputs).map(([name, output]) => [name, output.sha256]));
}

function checkCommitted(manifest: Manifest): void {
  const folders = ['c', 'processing/src', 'src', 'sysinclude'].flatMap((folder) =>
    filesIn(join(CRATE, folder)).map((file) => join(folder, file)),
  );
  const singles = [
    ...['Cargo.toml', 'Cargo.lock', 'build.rs', 'build.sh', 'manifest.mjs', 'toolchain.sh'],
    ...['processing/Cargo.toml', 'processing/Cargo.lock'],
  ];
  report(
    'the sources are those that the package was made of',
    differences(CRATE, [...singles, ...folders], manifest.sources),
  );
  const outputs = filesIn(PKG).filter((name) => name !== 'manifest.json');
  report('the package is unchanged since it was built', differences(PKG, outputs, outputHashes(manifest)));

  for (const name of MODULES) {
    checkModule(name, { bytes: MAX_BYTES, imports: IMPORTS, exports: EXPORTS, simd: name === WASM });
    report(`golden vectors on ${name}`, golden(join(PKG, name)));
  }
  const wanted = { bytes: MAX_PROCESSING_BYTES, imports: [], exports: PROCESSING_EXPORTS, simd: null };
  checkModule(PROCESSING, wanted);
}

interface WantedModule {
  readonly bytes: number;
  readonly imports: readonly string[];
  readonly exports: readonly string[];
  /** Null: it is stripped of the section that says so. */
  readonly simd: boolean | null;
}

function checkModule(name: string, wanted: WantedModule): void {
  const bytes = readFileSync(join(PKG, name));
  const brotli = brotliCompressSync(bytes).length;
  const fits = bytes.length <= wanted.bytes && brotli <= MAX_BROTLI_BYTES;
  const limits = `expected at most ${wanted.bytes} and ${MAX_BROTLI_BYTES}`;
  report(`${name} has ${bytes.length} bytes, ${brotli} compressed`, fits ? [] : [limits]);
  const module = new WebAssembly.Module(bytes);
  const imports = WebAssembly.Module.imports(module).map((entry) => `${entry.module} ${entry.name}`);
  report(`${name} imports what it should`, listDifference(imports, wanted.imports));
  const exports = WebAssembly.Module.exports(module).map((entry) => entry.name);
  report(`${name} exports what it should`, listDifference(exports, wanted.exports));
  // The compiler records which of WebAssembly's extensions the code uses.
  const features = WebAssembly.Module.customSections(module, 'target_features')
    .map((section) => Buffer.from(section).toString('latin1'))
    .join();
  const isAsWanted = features.includes('simd128') === wanted.simd;
  if (wanted.simd !== null)
    report(
      `${name} ${wanted.simd ? 'has' : 'has no'} SIMD instructions`,
      isAsWanted ? [] : [`features: ${features}`],
    );
  // No paths of the machine may be in it: they would make every build different.
  const paths = bytes.toString('latin1').match(/\/(home|root|usr|tmp|work|Users|build)\/[\w./-]+/g) ?? [];
  report(`${name} contains no path of the machine that built it`, paths);
}

function listDifference(got: readonly string[], wanted: readonly string[]): string[] {
  return [
    ...got.filter((name) => !wanted.includes(name)).map((name) => `has ${name}, which is unexpected`),
    ...wanted.filter((name) => !got.includes(name)).map((name) => `${name} is missing`),
  ];
}

/** Runs the golden vectors on a module in a separate process, because a process can hold one codec. */
function golden(file: string): string[] {
  const run = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--golden', file], {
    encoding: 'utf8',
  });
  if (run.status === 0) return [];
  return `${run.stdout}${run.stderr}`.trimEnd().split('\n');
}

/** The toolchain's versions, or null: a Rust without wasm32, as rustup installs it, does not count. */
function toolVersions(): Record<string, string> | null {
  const run = spawnSync('sh', [join(CRATE, 'toolchain.sh'), '--check'], { encoding: 'utf8' });
  if (run.status !== 0) return null;
  return Object.fromEntries(
    run.stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('=') as [string, string]),
  );
}

function checkRebuilt(manifest: Manifest, tools: Record<string, string>): void {
  const work = mkdtempSync(join(tmpdir(), 'hotmic-wasm-'));
  try {
    for (const name of Object.keys(manifest.sources)) {
      mkdirSync(dirname(join(work, name)), { recursive: true });
      cpSync(join(CRATE, name), join(work, name));
    }
    const toolchain = process.env.HOTMIC_WASM_TOOLCHAIN ?? join(process.cwd(), CRATE, '.toolchain');
    const build = spawnSync('sh', [join(work, 'build.sh')], {
      encoding: 'utf8',
      env: { ...process.env, HOTMIC_WASM_TOOLCHAIN: toolchain, HOTMIC_WASM_NO_INSTALL: '1' },
    });
    report('the sources build', build.status === 0 ? [] : build.stderr.trimEnd().split('\n').slice(-20));
    if (build.status !== 0) return;

    const rebuilt = readManifest(join(work, 'pkg/manifest.json'));
    const sameC = rebuilt.cSource.sha256 === manifest.cSource.sha256;
    report(
      'the C sources are those recorded',
      sameC ? [] : [`${rebuilt.cSource.sha256}, expected ${manifest.cSource.sha256}`],
    );
    const others = Object.entries(manifest.tools).filter(([name, version]) => tools[name] !== version);
    if (others.length === 0) {
      const outputs = filesIn(join(work, 'pkg')).filter((name) => name !== 'manifest.json');
      const wrong = differences(join(work, 'pkg'), outputs, outputHashes(manifest));
      report('built again in another folder, the package is the same to the byte', wrong);
    } else {
      const list = others.map(([name, version]) => `${name} ${tools[name]} instead of ${version}`).join(', ');
      console.log(`note the toolchain differs, so bytes are not compared: ${list}`);
      for (const name of MODULES)
        report(`golden vectors on ${name}, rebuilt`, golden(join(work, 'pkg', name)));
    }
  } finally {
    rmSync(work, { recursive: true });
  }
}

const [mode, file] = process.argv.slice(2);
if (mode === '--golden' && file !== undefined) {
  initCodec(readFileSync(file));
  const wrong = runGolden(JSON.parse(readFileSync(GOLDEN, 'utf8')) as Golden);
  for (const line of wrong) console.log(line);
  process.exitCode = wrong.length === 0 ? 0 : 1;
} else {
  const manifest = readManifest(join(PKG, 'manifest.json'));
  checkCommitted(manifest);
  const tools = mode === '--no-rebuild' ? null : toolVersions();
  if (tools !== null) checkRebuilt(manifest, tools);
  else if (mode === '--rebuild')
    report('the toolchain is there', ['a part is missing; run sh wasm/toolchain.sh']);
  else
    console.log(
      `skip building it again: ${mode === '--no-rebuild' ? 'not requested' : 'there is no toolchain'}`,
    );
  process.exitCode = failures === 0 ? 0 : 1;
}
