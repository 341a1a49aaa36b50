// Writes pkg/manifest.json: what made the module (sources, C sources, crates, tools, flags) and what it is.
// Run by build.sh, as plain JavaScript, because it must work before the project is compiled.
// Usage: node manifest.mjs NOTES TOOLS RUSTFLAGS, where NOTES is of build.rs and TOOLS of toolchain.sh --check.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const [notesFile, toolsFile, rustFlags] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const filesIn = (folder) =>
  readdirSync(folder)
    .sort()
    .flatMap((name) =>
      statSync(join(folder, name)).isDirectory() ? filesIn(join(folder, name)) : [join(folder, name)],
    );

const sources = [
  ...['Cargo.toml', 'Cargo.lock', 'build.rs', 'build.sh', 'manifest.mjs', 'toolchain.sh'],
  ...['processing/Cargo.toml', 'processing/Cargo.lock'],
].concat(
  ['c', 'processing/src', 'src', 'sysinclude'].flatMap((folder) =>
    filesIn(join(here, folder)).map((file) => relative(here, file)),
  ),
);

const [opus, cFlags, cFiles] = readFileSync(notesFile, 'utf8').trimEnd().split('\n');
const compiled = cFiles.split('\t');
// Which headers a file reads is the compiler's business: all those of the folders that it may look in count.
const headers = ['include', 'celt', 'silk', 'src']
  .flatMap((folder) => filesIn(join(opus, folder)))
  .filter((file) => file.endsWith('.h'))
  .map((file) => relative(opus, file));
const cHash = createHash('sha256');
for (const file of [...compiled, ...headers].sort()) {
  cHash.update(`${file}\n${sha256(readFileSync(join(opus, file)))}\n`);
}

const crates = {};
for (const lock of ['Cargo.lock', 'processing/Cargo.lock']) {
  for (const [, name, version] of readFileSync(join(here, lock), 'utf8').matchAll(
    /\[\[package\]\]\nname = "(.+)"\nversion = "(.+)"\nsource/g,
  )) {
    if (/^(opusic-sys|sonora|wasm-bindgen)/.test(name)) crates[name] = version;
  }
}

const outputs = readdirSync(join(here, 'pkg'))
  .filter((name) => name !== 'manifest.json')
  .sort();
const manifest = {
  note: 'Written by wasm/build.sh; proved by make wasm-check.',
  libopus: readFileSync(join(opus, 'package_version'), 'utf8').split('"')[1],
  crates,
  tools: Object.fromEntries(
    readFileSync(toolsFile, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split('=')),
  ),
  flags: { rust: rustFlags, c: cFlags.split('\t') },
  sources: Object.fromEntries(sources.map((file) => [file, sha256(readFileSync(join(here, file)))])),
  cSource: { sha256: cHash.digest('hex'), compiled: compiled.length, headers: headers.length },
  outputs: Object.fromEntries(
    outputs.map((name) => {
      const bytes = readFileSync(join(here, 'pkg', name));
      return [name, { bytes: bytes.length, sha256: sha256(bytes) }];
    }),
  ),
};
writeFileSync(join(here, 'pkg', 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
