/** Installs the npm packages that the codec is compared with into out/bench/peers. They are not in package.json. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

const FOLDER = resolve('out/bench/peers');

/** All have the MIT licence. `libopus` is the version according to their own documentation. */
export const PEERS = {
  opusscript: { version: '0.1.1', libopus: '1.4' },
  'opus-encdec': { version: '0.1.1', libopus: '1.3.1' },
  '@evan/opus': { version: '1.0.3', libopus: 'of unknown version' },
  'opus-decoder': { version: '0.7.12', libopus: 'of unknown version' },
  '@discordjs/opus': { version: '0.10.0', libopus: '1.3.1' },
} as const;

export type PeerName = keyof typeof PEERS;

/** Requires modules of the installed packages. */
export const peerRequire = createRequire(join(FOLDER, 'package.json'));

/** The folder of an installed package. */
export function peerFolder(name: PeerName): string {
  return join(FOLDER, 'node_modules', name);
}

/** Installs the package without its scripts, unless that version is installed. Returns why it could not, or null. */
export function installPeer(name: PeerName): string | null {
  const { version } = PEERS[name];
  if (installedVersion(name) !== version) {
    mkdirSync(FOLDER, { recursive: true });
    if (!existsSync(join(FOLDER, 'package.json'))) {
      writeFileSync(join(FOLDER, 'package.json'), '{ "name": "bench-peers", "private": true }\n');
    }
    console.log(`installing ${name} ${version}`);
    const reason = npm('install', '--ignore-scripts', '--save-exact', `${name}@${version}`);
    if (reason !== null) return reason;
  }
  return name === '@discordjs/opus' ? buildDiscord() : null;
}

function installedVersion(name: PeerName): string | null {
  try {
    const { version } = JSON.parse(readFileSync(join(peerFolder(name), 'package.json'), 'utf8'));
    return version;
  } catch {
    return null;
  }
}

/** Its prebuilt binaries are not in the npm registry, so it is compiled: about 40 s, once. */
function buildDiscord(): string | null {
  if (existsSync(join(peerFolder('@discordjs/opus'), 'prebuild'))) return null;
  const prefix = dirname(dirname(process.execPath));
  if (!existsSync(join(prefix, 'include/node/node_api.h'))) {
    return `it must be compiled, and Node's headers are not in ${join(prefix, 'include/node')}`;
  }
  console.log('compiling @discordjs/opus');
  return npm('rebuild', '@discordjs/opus', '--build-from-source', `--nodedir=${prefix}`);
}

/** Runs npm in the peers' folder; returns why it failed, or null. */
function npm(...args: readonly string[]): string | null {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--fetch-retries=1', '--fetch-timeout=30000'];
  const { error, status, stderr } = spawnSync('npm', [...args, ...quiet], { cwd: FOLDER, encoding: 'utf8' });
  if (error !== undefined) return `cannot run npm: ${error.message}`;
  if (status === 0) return null;
  const lines = [...stderr.matchAll(/^npm (?:error|ERR!) (?!code )(.+)$/gm)];
  return `npm ${args[0]} failed: ${lines[0]?.[1] ?? `exit code ${status}`}`;
}
