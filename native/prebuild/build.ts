/**
 * Builds the addons for all platforms with Zig, and writes the manifest of what made them: `make prebuilds`, run as
 * `node dist/native/prebuild/build.js` in the repository's root.
 *
 * The bytes depend only on the sources and on the fixed versions: the compiler sees relative paths, and nothing asks for the time.
 * `--only linux-x64-musl` builds one platform and leaves the manifest alone.
 */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { writeManifest } from './manifest.js';
import {
  ADDONS,
  type Addon,
  binaryPath,
  COMPILER_FLAGS,
  formatFlags,
  type Platform,
  platformsOf,
  type Sources,
} from './targets.js';

const HEADERS = 'node_modules/node-api-headers';
const NODE_ADDON_API = 'node_modules/node-addon-api';
const DELAY_LOAD_HOOK = 'native/prebuild/delay_load_hook.cpp';

/** A target of binding.gyp, as far as it counts here. */
interface GypTarget {
  readonly target_name: string;
  readonly sources: readonly string[];
  readonly defines: readonly string[];
}

/** Flags that are for C++ only, or for linking. */
const NOT_FOR_C = /^-(std=c\+\+|fvisibility-inlines-hidden|shared$|s$|Wl,)/;
/** Library code in C has warnings that are not ours to fix. */
const C_FLAGS = ['-std=c11', '-Wno-unused-parameter', '-Wno-deprecated-declarations', '-c'];

/** Where a build runs and what it may write to. */
export interface BuildPlace {
  /** Of the checkout, or of a copy of what the manifest lists with node_modules. */
  readonly root: string;
  /** Of the binaries; their paths below it are those of `binaryPath`. */
  readonly output: string;
  /** For what Zig compiles of its own libraries: minutes per platform the first time. */
  readonly cache: string;
}

/** Reads a target of binding.gyp, which is JSON but for its comments. @throws Error when there is no target of that name. */
function gypSources(root: string, name: string): Sources {
  const text = readFileSync(join(root, 'binding.gyp'), 'utf8').replace(/^\s*#.*$/gm, '');
  const { targets } = JSON.parse(text) as { targets: GypTarget[] };
  const target = targets.find(({ target_name }) => target_name === name);
  if (target === undefined) throw new Error(`binding.gyp has no target ${name}`);
  return { cpp: target.sources, c: [], defines: target.defines, include: [NODE_ADDON_API] };
}

/** Builds one addon for one platform. @throws Error with the compiler's words when it refuses. */
export function buildAddon(zig: string, addon: Addon, platform: Platform, place: BuildPlace): void {
  const { cpp, c, defines, include } = addon.sources ?? gypSources(place.root, addon.target);
  const output = resolve(place.output, binaryPath(addon, platform));
  mkdirSync(dirname(output), { recursive: true });
  // Our own objects are compiled each time; Zig's libraries are kept in its global cache.
  const work = mkdtempSync(join(tmpdir(), 'hotmic-prebuilds-'));
  mkdirSync(place.cache, { recursive: true });
  // What Zig says of its linker would be ambiguous with a blank in the path.
  const cache = join(work, 'libraries');
  symlinkSync(resolve(place.cache), cache);
  const library = join(dirname(zig), 'lib');
  const below = relative('.', library);
  const run = (args: readonly string[], verbose = false) => {
    const { status, stdout, stderr, error } = spawnSync(zig, args, {
      cwd: place.root,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
      env: {
        PATH: process.env.PATH,
        HOME: work,
        ZIG_GLOBAL_CACHE_DIR: cache,
        // Relative, where it is below the root: what a build in another folder has cached is then used, too.
        ZIG_LIB_DIR: below.startsWith('..') ? library : below,
        ZIG_LOCAL_CACHE_DIR: join(work, 'cache'),
        ...(verbose ? { ZIG_VERBOSE_LINK: '1' } : {}),
      },
    });
    if (status !== 0)
      throw new Error(`zig ${args[0]} failed for ${platform.name}: ${error?.message ?? stderr}`);
    return `${stdout}${stderr}`;
  };
  const flags = [
    '-target',
    platform.zigTarget,
    ...addon.flags,
    ...COMPILER_FLAGS,
    ...formatFlags(platform.format, addon),
    ...defines.map((define) => `-D${define}`),
    ...[`${HEADERS}/include`, ...include].map((folder) => `-I${folder}`),
  ];
  const cObjects = c.map((source) => ({
    source,
    object: join(work, source.replace(/\W/g, '_').concat('.o')),
  }));
  const compile = ['c++', ...flags, ...cpp, ...cObjects.map(({ object }) => object)];
  try {
    for (const { source, object } of cObjects) {
      run(['cc', ...flags.filter((flag) => !NOT_FOR_C.test(flag)), ...C_FLAGS, source, '-o', object]);
    }
    if (platform.format === 'pe') linkDelayed(run, compile, work, output);
    else run([...compile, '-o', output]);
    chmodSync(output, 0o755);
  } finally {
    rmSync(work, { recursive: true });
  }
}

/**
 * Links for Windows, with node.exe delayed. `zig c++` accepts no such flag, so it links once without, and says how; the same linker
 * then runs again with the flag. The second link also gets a time stamp that depends on the contents only.
 */
function linkDelayed(
  run: (args: readonly string[], verbose?: boolean) => string,
  compile: readonly string[],
  work: string,
  output: string,
): void {
  const library = join(work, 'node_api.lib');
  run(['dlltool', '-m', 'i386:x86-64', '-d', `${HEADERS}/def/node_api.def`, '-D', 'node.exe', '-l', library]);
  const plain = join(work, 'plain.node');
  const said = run([...compile, DELAY_LOAD_HOOK, library, '-o', plain], true);
  const line = said.split('\n').find((it) => /lld-link/.test(it));
  if (line === undefined) throw new Error(`zig does not say how it links: ${said}`);
  const args = line
    .trim()
    .split(' ')
    .slice(line.trim().split(' ').indexOf('lld-link') + 1);
  const again = args.map((arg) => (/^[-/]out:/i.test(arg) ? `-OUT:${output}` : arg));
  run(['lld-link', ...again, '-delayload:node.exe', '-Brepro']);
}

/** The path of Zig, installed with Node's headers if one of them is missing. @throws Error when they cannot be installed. */
export function zigPath(mode: 'install' | 'check'): string | null {
  const outcomes = ['node_headers', 'toolchain'].map((name) =>
    spawnSync('sh', [`native/prebuild/${name}.sh`, ...(mode === 'check' ? ['--check'] : [])], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  if (outcomes.every(({ status }) => status === 0)) return outcomes[1]!.stdout.trim();
  if (mode === 'check') return null;
  throw new Error('there is no Zig to build with, or no headers of Node');
}

export const CACHE = 'native/.toolchain/cache';

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [option, only] = process.argv.slice(2);
  const zig = zigPath('install')!;
  if (only === undefined) for (const { output } of ADDONS) rmSync(output, { recursive: true, force: true });
  for (const addon of ADDONS) {
    for (const platform of platformsOf(addon)) {
      if (option === '--only' && platform.name !== only) continue;
      buildAddon(zig, addon, platform, { root: '.', output: '.', cache: CACHE });
      console.log(binaryPath(addon, platform));
    }
  }
  if (only === undefined) writeManifest();
}
