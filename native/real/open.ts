/**
 * Opens the real Steam: loads the addon, finds libsteam_api and initialises it.
 *
 * One process has one Steam. The first open initialises it, on whatever thread; every later one, on any thread, attaches to it. It
 * is shut down when the last one is closed.
 */

import type { Milliseconds } from '../../voice/units.js';
import type { VoiceSource } from '../voice_source.js';
import { type LoadedAddon, loadAddon } from './addon.js';
import { type SteamFailure, SteamOpenError } from './failure.js';
import { searchLibrary } from './process_library.js';
import { RealSteam } from './steam.js';

/** Which libsteam_api is opened, and as which app. */
export interface RealSteamOptions {
  /** Path of libsteam_api. Default: the one that this process has open, else HOTMIC_STEAM_LIBRARY, else one beside the application. */
  readonly library?: string;
  /** 1 to 4294967295, set in the process' environment before Steam is initialised. Default: what is set there, else steam_appid.txt. */
  readonly appId?: number;
}

export interface RealSteamOpen {
  readonly kind: 'open';
  readonly steam: RealSteam;
  /** Path of the library. */
  readonly library: string;
  /** Such as `SteamUser023`. */
  readonly interfaceVersion: string;
  /** The function that initialised Steam. */
  readonly entryPoint: string;
}

export type RealSteamFailed = { readonly kind: 'failed' } & SteamFailure;

/**
 * Opens the real Steam, or attaches to the one that is open in this process.
 *
 * @throws RangeError for an app id out of range.
 */
export function openRealSteam(options: RealSteamOptions = {}): RealSteamOpen | RealSteamFailed {
  const { library, appId } = options;
  if (appId !== undefined && !(Number.isInteger(appId) && appId >= 1 && appId <= 0xffff_ffff)) {
    throw new RangeError(
      `Cannot open Steam: appId is ${appId}, expected a whole number from 1 to 4294967295`,
    );
  }
  return openWith(loadAddon(), library, appId ?? 0);
}

function openWith(
  loaded: LoadedAddon,
  given: string | undefined,
  appId: number,
): RealSteamOpen | RealSteamFailed {
  if (loaded.kind === 'missing') {
    return { kind: 'failed', stage: 'addon', code: null, text: loaded.reason, library: null };
  }
  const { addon } = loaded;
  const opened = given === undefined ? addon.counts().library : null;
  const found = opened === null ? searchLibrary(given) : { kind: 'found' as const, path: opened };
  if (found.kind === 'missing') {
    return { kind: 'failed', stage: 'library', code: null, text: found.text, library: null };
  }
  const { stage, code, text, ...rest } = addon.init(found.path, appId);
  if (stage !== 'open') return { kind: 'failed', stage, code, text, library: rest.library };
  return { kind: 'open', steam: new RealSteam(addon), ...rest };
}

/**
 * What the capture worker calls: see `SteamModule` in capture/worker.ts. Attaches to the Steam that the main thread has opened, or
 * opens it.
 *
 * @throws SteamOpenError with the stage that failed and Steam's own text.
 */
export function openVoiceSource(
  options: RealSteamOptions | undefined,
  _clock: () => Milliseconds,
): VoiceSource {
  const opened = openRealSteam(options);
  if (opened.kind === 'open') return opened.steam;
  throw new SteamOpenError(opened);
}
