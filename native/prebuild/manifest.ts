/**
 * The manifest of the prebuilt addons, `prebuilds/manifest.json`: the hashes of the sources, tools and headers that they were made of,
 * and of the binaries.
 */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ADDONS, binaryPath, platformsOf } from './targets.js';

export const MANIFEST = 'prebuilds/manifest.json';

/** What decides about the bytes, below the root: folders whole, or single files. */
const SOURCES = [
  'binding.gyp',
  'native/prebuild/build.ts',
  'native/prebuild/delay_load_hook.cpp',
  'native/prebuild/node_headers.sh',
  'native/prebuild/targets.ts',
  'native/prebuild/toolchain.sh',
  'native/src',
  'relay/port/sockets/addon/library',
  'relay/port/sockets/addon/src',
];

/** Packages from npm with headers, or definitions of imports, that are compiled in. */
const PACKAGES = ['node-addon-api', 'node-api-headers'] as const;
const COMPILED_IN = /\.(h|def)$/;

export interface Manifest {
  readonly note: string;
  readonly tools: { readonly zig: string; readonly nodeHeaders: string };
  /** Version, and a hash over all files of the package that are compiled in. */
  readonly packages: Readonly<Record<string, { readonly version: string; readonly sha256: string }>>;
  readonly sources: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

export function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Files in a folder, at any depth, or the file itself; below the working directory, sorted. */
function filesOf(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!/\.\w+$/.test(path)) {
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative('.', join(entry.parentPath, entry.name)))
      .sort();
  }
  return [path];
}

/** The version of what a script installs. */
function versionIn(script: string): string {
  return /^version=(.+)$/m.exec(readFileSync(`native/prebuild/${script}`, 'utf8'))?.[1] ?? '';
}

function packageOf(name: string): { version: string; sha256: string } {
  const folder = join('node_modules', name);
  const hash = createHash('sha256');
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (COMPILED_IN.test(file)) hash.update(`${file}\n${sha256(join(folder, file))}\n`);
  }
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  return { version, sha256: hash.digest('hex') };
}

/** Every binary that there has to be, below the root. */
export function binaries(): string[] {
  return ADDONS.flatMap((addon) => platformsOf(addon).map((platform) => binaryPath(addon, platform)));
}

/** The manifest that the files at hand would have. Binaries that are missing are left out. */
export function describe(): Manifest {
  const entries = <T>(names: readonly string[], value: (name: string) => T) =>
    Object.fromEntries(names.map((name) => [name, value(name)]));
  return {
    note: 'Written by make prebuilds; proved by make prebuilds-check.',
    tools: { zig: versionIn('toolchain.sh'), nodeHeaders: versionIn('node_headers.sh') },
    packages: entries(PACKAGES, packageOf),
    sources: entries(SOURCES.flatMap(filesOf), sha256),
    outputs: entries(
      binaries().filter((file) => existsSync(file)),
      (file) => ({ bytes: readFileSync(file).length, sha256: sha256(file) }),
    ),
  };
}

export function readManifest(): Manifest {
  return JSON.parse(readFileSync(MANIFEST, 'utf8')) as Manifest;
}

export function writeManifest(): void {
  writeFileSync(MANIFEST, `${JSON.stringify(describe(), null, 2)}\n`);
}

/** One line per entry in which two manifests differ, such as `sources native/src/addon.cpp: …`. Pure. */
export function differences(recorded: Manifest, found: Manifest): string[] {
  return (['tools', 'packages', 'sources', 'outputs'] as const).flatMap((part) => {
    const was: Readonly<Record<string, unknown>> = recorded[part];
    const is: Readonly<Record<string, unknown>> = found[part];
    return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((name) => {
      if (was[name] === undefined) return [`${part} ${name}: not in the manifest`];
      if (is[name] === undefined) return [`${part} ${name}: in the manifest, but not there`];
      const [expected, got] = [JSON.stringify(was[name]), JSON.stringify(is[name])];
      return got === expected ? [] : [`${part} ${name}: ${got}, expected ${expected}`];
    });
  });
}
