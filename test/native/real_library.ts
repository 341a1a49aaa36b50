/** A real libsteam_api for tests: that of npm's steamworks.js, and whether this machine can use it. */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { LoadedAddon } from '../../native/addon.js';

/** Path of the libsteam_api.so of SDK 1.60 that steamworks.js brings. */
export function realSteamLibrary(): string {
  const folder = dirname(createRequire(import.meta.url).resolve('steamworks.js/package.json'));
  return join(folder, 'dist', 'linux64', 'libsteam_api.so');
}

/** Why tests on the addon and that library are skipped here; null when they run. */
export function withoutAddon(loaded: LoadedAddon): string | null {
  if (loaded.kind === 'missing') return loaded.reason;
  const platform = `${process.platform}-${process.arch}`;
  return platform === 'linux-x64' ? null : `steamworks.js has no libsteam_api.so for ${platform}`;
}
