/** The Steams that the addon is tested on: the stand-ins of each SDK, and the real libsteam_api on our steamclient.so. */

import { createRequire } from 'node:module';
import { loadAddon, type SteamAddon } from '../../../native/real/addon.js';
import { openRealSteam } from '../../../native/real/open.js';
import type { RealSteam } from '../../../native/real/steam.js';
import { StandInControls } from '../../kit/stand_in_controls.js';
import { buildStandIns, realLibrary, STAND_IN_VARIANTS, standInHome } from '../../kit/stand_in_steam.js';

export interface AddonSteam {
  /** Such as `sdk157` or `real`. */
  readonly name: string;
  readonly library: string;
  readonly controls: StandInControls;
}

export interface AddonSteams {
  readonly addon: SteamAddon;
  readonly all: readonly AddonSteam[];
  /** The stand-in of the newest SDK. */
  readonly newest: AddonSteam;
  /** The real library; null where it does not run. */
  readonly real: AddonSteam | null;
  remove(): void;
}

/** The file of the addon that is in use: compiled here, or prebuilt. */
export function addonFile(): string {
  const finder = createRequire(import.meta.url)('node-gyp-build') as { path(folder: string): string };
  return finder.path(process.cwd());
}

/** Sets HOME, so that the real library finds our steamclient.so. The reason when there is no addon or no compiler. */
export async function addonSteams(): Promise<AddonSteams | string> {
  const loaded = loadAddon();
  if (loaded.kind === 'missing') return loaded.reason;
  const standIns = await buildStandIns();
  if (standIns.kind === 'skipped') return standIns.reason;
  const home = standInHome(standIns);
  process.env.HOME = home.path;
  delete process.env.SteamAppId;
  delete process.env.SteamGameId;
  const controlled = (name: string, library: string, controlledLibrary: string): AddonSteam => ({
    name,
    library,
    controls: new StandInControls(standIns.control, controlledLibrary),
  });
  const all = STAND_IN_VARIANTS.map((name) =>
    controlled(name, standIns.libraries[name], standIns.libraries[name]),
  );
  const found = realLibrary();
  const real = found.kind === 'there' ? controlled('real', found.path, home.steamclient) : null;
  return {
    addon: loaded.addon,
    all: real === null ? all : [...all, real],
    newest: all.at(-1)!,
    real,
    remove: () => home.remove(),
  };
}

/** Opens it with app id 480. @throws Error when it does not open. */
export function openSteam({ library }: AddonSteam): RealSteam {
  const opened = openRealSteam({ library, appId: 480 });
  if (opened.kind === 'failed') throw new Error(`${opened.stage}: ${opened.text}`);
  return opened.steam;
}
