/**
 * Why the real Steam could not be opened, in words that say what to do.
 *
 * Steam's own text is quoted unchanged. When Steam is not installed, the code is the general failure (1) and not "no Steam client" (2).
 * So the text decides, and only then the code.
 */

import { HotmicError } from '../../voice/error.js';

/** How far the opening came. */
export type SteamStage =
  /** The addon itself could not be loaded. */
  | 'addon'
  /** libsteam_api could not be found or loaded. */
  | 'library'
  /** The library has not all the functions that are needed. */
  | 'symbols'
  /** Steam refused to initialise. */
  | 'init'
  /** Steam initialised, but has no ISteamUser of this version. */
  | 'interface'
  /** Something else runs its callbacks. */
  | 'dispatch';

/** A failed opening. */
export interface SteamFailure {
  readonly stage: SteamStage;
  /** Steam's ESteamAPIInitResult, where it gave one: 1 failed, 2 no Steam client, 3 version mismatch. */
  readonly code: number | null;
  /** Steam's own text, or the loader's. */
  readonly text: string;
  /** The file of libsteam_api; null when none was found. */
  readonly library: string | null;
}

/** ERR_HOTMIC_STEAM: the real Steam could not be opened. */
export class SteamOpenError extends HotmicError {
  readonly stage: SteamStage;
  readonly failure: SteamFailure;

  /** @param addition Another sentence, such as what else could be done. */
  constructor(failure: SteamFailure, addition: string | null = null) {
    const text = `Cannot open Steam: ${explainFailure(failure)}`;
    super('ERR_HOTMIC_STEAM', addition === null ? text : `${text}. ${addition}`);
    this.stage = failure.stage;
    this.failure = failure;
  }
}

/** The addon's own text for a second Steam in one process. */
const IN_USE = /is open in this process already/;

/** Whether the program made a mistake, rather than Steam being absent: it names a missing file, or opens two Steams at once. */
export function isMistake({ stage, text }: SteamFailure, library: 'named' | 'searched'): boolean {
  return IN_USE.test(text) || (stage === 'library' && library === 'named');
}

/** What Steam's texts mean. The first that matches counts. */
const INIT_REASONS: readonly (readonly [text: RegExp, reason: string, advice: string])[] = [
  [IN_USE, 'one process has one Steam', 'Open it with the same app id, or close it first'],
  [
    /Failed to load module/i,
    'Steam is not installed',
    'Install Steam for this user and start it once; on Linux it puts steamclient.so under ~/.steam',
  ],
  // On Windows, where Steam writes its folder into the registry.
  [
    /Could not determine Steam client install directory/i,
    'Steam is not installed',
    'Install Steam for this user and start it once',
  ],
  [/Cannot create IPC pipe/i, 'Steam is not running', 'Start Steam as this user and log in'],
  [
    /No appID found/i,
    'no app id',
    'Pass an appId to openSteam, start the game from Steam, or put steam_appid.txt into the working directory',
  ],
  // Ours, where libsteam_api gives no text.
  [/; Steam is not running$/, 'Steam is not running', 'Start Steam as this user and log in'],
  [/ConnectToGlobalUser failed/i, 'nobody is logged in to Steam', 'Log in to Steam'],
  [
    /^No Steam(Client|User|Utils)\d+/i,
    'Steam is older than this libsteam_api',
    'Update Steam, or ship an older libsteam_api',
  ],
];

/** The most of a text that is quoted: as much as Steam's own buffer holds. */
const MAX_QUOTED = 1024;

/** One line: the reason, Steam's own text in quotes, what to do. */
export function explainFailure({ stage, code, text: given, library }: SteamFailure): string {
  const text = given.slice(0, MAX_QUOTED).replace(/\p{Cc}+/gu, ' ');
  const quoted = text === '' ? '' : ` (“${text}”)`;
  switch (stage) {
    case 'addon':
      return `the native addon is missing: ${text}`;
    case 'library':
      return library === null
        ? `libsteam_api was not found: ${text}. Copy it from your Steamworks SDK into your application's folder, or set HOTMIC_STEAM_LIBRARY to its path`
        : IN_USE.test(text)
          ? `another libsteam_api is in use${quoted}. Open that one, or close it first`
          : `libsteam_api could not be loaded${quoted}. Check that ${library} exists and is built for this platform`;
    case 'symbols':
      return `${library} is not a libsteam_api of SDK 1.52 or newer${quoted}. Use one of a newer SDK`;
    case 'init': {
      for (const [pattern, reason, advice] of INIT_REASONS) {
        if (pattern.test(text)) return `${reason}${quoted}. ${advice}`;
      }
      if (code === 2) return `Steam is not running${quoted}. Start Steam as this user and log in`;
      if (code === 3) return `Steam is older than this libsteam_api${quoted}. Update Steam`;
      return `Steam refused${quoted}. Check that Steam runs as this user, that someone is logged in, and that there is an app id`;
    }
    case 'interface':
      return `Steam has no ISteamUser of this version${quoted}. Update Steam, or ship an older libsteam_api`;
    case 'dispatch':
      return `something else in this process runs Steam's callbacks${quoted}. Use one Steam binding, and one copy of Hotmic, per process`;
  }
}
