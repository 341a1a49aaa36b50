/**
 * The stand-ins for Steam's libraries (test/kit/steam/), built once and kept in `out/stand_in/` under a hash of sources,
 * compiler and flags; and what a test needs to start a Steam on them, or the real libsteam_api on our steamclient.so.
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Which SDK a stand-in libsteam_api stands for. sdk152: SteamUser_v021, GetAuthSessionTicket with three arguments, no web
 * tickets. v022: SteamUser_v022, no web tickets. sdk157: v023, SteamAPI_Init and InitSafe. sdk158a: SteamAPI_Init is gone,
 * SteamInternal_SteamAPI_Init is new. sdk160: SteamAPI_InitFlat too.
 */
export const STAND_IN_VARIANTS = ['sdk152', 'v022', 'sdk157', 'sdk158a', 'sdk160'] as const;
export type StandInVariant = (typeof STAND_IN_VARIANTS)[number];

/** Why something is not available. */
export interface Skipped {
  readonly kind: 'skipped';
  readonly reason: string;
}

/** Says a command to the fake client inside `library`; its answer. @throws Error when it was not understood. */
export type Control = (library: string, command: string) => string;

export interface StandIns {
  readonly kind: 'built';
  /** The path of each stand-in libsteam_api. */
  readonly libraries: Readonly<Record<StandInVariant, string>>;
  /** The stand-in steamclient.so. Load the real libsteam_api with `standInHome` to have it found. */
  readonly steamclient: string;
  /** The program of test/kit/steam/harness.cpp. */
  readonly harness: string;
  readonly control: Control;
}

/** What compilers call process.arch. Under emulation, the compiler is that of the machine around it. */
const MACHINES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SOURCES = join(ROOT, 'test/kit/steam');
const OUT = join(ROOT, 'out/stand_in');

/**
 * Builds the stand-ins: about 10 s the first time. Several processes may ask at once. Where HOTMIC_STAND_INS names a folder, they
 * are in there and nothing is built: a tree without a compiler takes those of the machine around it.
 *
 * @param flags More for the compiler, such as `-fsanitize=address`.
 * @returns `skipped`, with the reason, without a C++ compiler or Node's headers, or not on Linux.
 * @throws Error when the compiler refuses the sources: that is a fault of ours.
 */
export async function buildStandIns(flags: readonly string[] = []): Promise<StandIns | Skipped> {
  if (process.platform !== 'linux')
    return skipped(`the stand-ins are built on Linux, not on ${process.platform}`);
  const built = process.env.HOTMIC_STAND_INS;
  if (built && flags.length === 0) return standInsIn(built);
  const compiler = await output(process.env.CXX ?? 'g++', ['--version']).catch(() => null);
  if (compiler === null) return skipped('no C++ compiler: no g++');
  const target = await output(process.env.CXX ?? 'g++', ['-dumpmachine']);
  const machine = MACHINES[process.arch] ?? process.arch;
  if (!target.startsWith(machine))
    return skipped(`the C++ compiler is for ${target.trim()}, not for ${machine}`);
  const headers = nodeHeaders();
  if (headers === null) return skipped("no node_api.h: Node's headers are not installed");

  const hash = createHash('sha256').update(JSON.stringify([compiler, headers, flags, process.arch]));
  for (const file of readdirSync(SOURCES).sort()) hash.update(file).update(readFileSync(join(SOURCES, file)));
  const folder = join(OUT, hash.digest('hex').slice(0, 16));
  if (!existsSync(folder)) await build(folder, headers, flags);
  return standInsIn(folder);
}

function standInsIn(folder: string): StandIns {
  const libraries = Object.fromEntries(
    STAND_IN_VARIANTS.map((variant) => [variant, join(folder, variant, 'libsteam_api.so')]),
  ) as Record<StandInVariant, string>;
  const addon = () =>
    createRequire(import.meta.url)(join(folder, 'control.node')) as { readonly control: Control };
  return {
    kind: 'built',
    libraries,
    steamclient: join(folder, 'client/steamclient.so'),
    harness: join(folder, 'harness'),
    control: (library, command) => addon().control(library, command),
  };
}

/** Made completely or not at all: in a separate folder, then renamed. A second builder throws its own away. */
async function build(folder: string, headers: string, flags: readonly string[]): Promise<void> {
  mkdirSync(OUT, { recursive: true });
  const work = mkdtempSync(join(OUT, 'work-'));
  try {
    await output('sh', [join(SOURCES, 'build.sh'), work, ...flags], {
      ...process.env,
      NODE_HEADERS: headers,
    });
    renameSync(work, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function nodeHeaders(): string | null {
  const beside = join(dirname(process.execPath), '../include/node');
  const folders = [process.env.NODE_HEADERS, beside, '/usr/include/node', '/usr/local/include/node'];
  return folders.find((folder) => folder !== undefined && existsSync(join(folder, 'node_api.h'))) ?? null;
}

/** The real libsteam_api.so, SDK 1.60, of npm's steamworks.js, or why it is not available. */
export function realLibrary(): { readonly kind: 'there'; readonly path: string } | Skipped {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return skipped(`the real library is run on Linux x64 only, this is ${process.platform} ${process.arch}`);
  }
  const path = join(ROOT, 'node_modules/steamworks.js/dist/linux64/libsteam_api.so');
  return existsSync(path) ? { kind: 'there', path } : skipped('no steamworks.js in node_modules');
}

/** A home folder for the real library: it looks for `$HOME/.steam/sdk64/steamclient.so`. */
export interface StandInHome {
  /** For HOME. */
  readonly path: string;
  /** What a process needs to find it, with app id 480: for `env` of a child, over `process.env`. */
  readonly environment: Readonly<Record<'HOME' | 'SteamAppId', string>>;
  /** Where the real library finds steamclient.so: the library to control. */
  readonly steamclient: string;
  /** Deletes it. What was loaded stays. */
  remove(): void;
}

/**
 * Makes one. Set `process.env.HOME` to its path, and `process.env.SteamAppId`, on the main thread before initialisation: there,
 * and not in a Worker, native code sees it.
 *
 * @param client `none` for the home of a user without Steam.
 */
export function standInHome(standIns: StandIns, client: 'stand-in' | 'none' = 'stand-in'): StandInHome {
  const path = mkdtempSync(join(tmpdir(), 'hotmic-home-'));
  const folder = join(path, '.steam/sdk64');
  const steamclient = join(folder, 'steamclient.so');
  mkdirSync(folder, { recursive: true });
  if (client === 'stand-in') symlinkSync(standIns.steamclient, steamclient);
  const environment = { HOME: path, SteamAppId: '480' };
  return { path, environment, steamclient, remove: () => rmSync(path, { recursive: true, force: true }) };
}

const skipped = (reason: string): Skipped => ({ kind: 'skipped', reason });

function output(command: string, args: readonly string[], env = process.env): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { env, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command} failed: ${error.message}\n${stderr}`));
    });
  });
}
