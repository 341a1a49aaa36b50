/**
 * The native addon: where its `.node` file is found, and the types of what it exports (native/src/addon.cpp).
 *
 * The package contains one for each platform of native/prebuild/targets.ts. One that was compiled, in build/Release, comes first: a
 * checkout has it after `make build` if there is a compiler. Without any, everything but the real Steam works, and the reason is
 * returned.
 */

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { codeOf, messageOf } from '../../voice/error.js';
import { packageFile } from '../../wasm/package_file.js';

/** A function of libsteam_api that the addon looks up. */
export interface SteamSymbol {
  readonly name: string;
  /** A library must have every required one, and one of each 'any-of' group. */
  readonly need: 'required' | 'optional' | 'any-of';
  readonly group: string | null;
}

/** The outcome of opening Steam: `stage` is 'open', or where it failed. */
export interface InitOutcome {
  readonly stage: 'open' | 'library' | 'symbols' | 'init' | 'interface' | 'dispatch';
  /** Steam's ESteamAPIInitResult; null where Steam gave none. */
  readonly code: number | null;
  /** Steam's or the loader's own text. */
  readonly text: string;
  readonly library: string;
  readonly interfaceVersion: string;
  readonly entryPoint: string;
}

/** A callback or a call result of ISteamUser. */
export interface SteamMessage {
  readonly id: number;
  /** The call that it answers; 0n for a callback. */
  readonly call: bigint;
  /** A copy; null for a call result that never came. */
  readonly payload: Uint8Array | null;
}

/** What the one Steam of this process holds and has counted. */
export interface SteamCounts {
  /** Threads that have Steam open. */
  readonly environments: number;
  /** Auth tickets and auth sessions that will be cancelled and ended together with their thread. */
  readonly tickets: number;
  readonly sessions: number;
  /** Those beyond 4096 per thread, which only Steam's own shutdown ends. */
  readonly untracked: number;
  /** Callbacks of other interfaces. */
  readonly foreign: number;
  /** Callbacks whose payload was missing or too large. */
  readonly refused: number;
  /** The open library; null while Steam is closed. */
  readonly library: string | null;
}

/**
 * What the addon exports. Every thread that loads it is a separate environment over the one Steam of the process. While Steam is
 * closed to it, functions throw an Error with code ERR_HOTMIC_STEAM_CLOSED, except those that return a packed voice answer.
 *
 * A packed voice answer is result × 2^32 + bytes: a VoiceResult and the bytes written or needed.
 */
export interface SteamAddon {
  steamSymbols(): readonly SteamSymbol[];
  /** Opens Steam, or attaches to the open one. @param appId 0 leaves it to the environment. */
  init(library: string, appId: number): InitOutcome;
  /** Undoes one init. The last one of the process shuts Steam down. */
  close(): void;
  counts(): SteamCounts;
  /** At most 1024. Null when another thread gets the callbacks. */
  runCallbacks(): readonly SteamMessage[] | null;

  startVoiceRecording(): void;
  stopVoiceRecording(): void;
  /** A packed voice answer. */
  getAvailableVoice(): number;
  /** A packed voice answer. `target` may lie on a SharedArrayBuffer. No allocation. */
  getVoice(target: Uint8Array): number;
  /** A packed voice answer. */
  decompressVoice(voice: Uint8Array, target: Uint8Array, sampleRate: number): number;
  getVoiceOptimalSampleRate(): number;

  getSteamID(): bigint;
  loggedOn(): boolean;
  getPlayerSteamLevel(): number;
  getGameBadgeLevel(series: number, foil: boolean): number;
  isBehindNAT(): boolean;
  isPhoneIdentifying(): boolean;
  isPhoneRequiringVerification(): boolean;
  isPhoneVerified(): boolean;
  isTwoFactorEnabled(): boolean;

  /**
   * Null when the library cannot bind a ticket.
   *
   * @param identityType Of SteamNetworkingIdentity: 16 SteamID, 1 address, 2 text; 0 for anyone. @param identityValue Its value's bytes.
   */
  getAuthSessionTicket(
    identityType: number,
    identityValue: Uint8Array,
  ): { id: number; buffer: Uint8Array; size: number } | null;
  /** Null when the library has no such function. */
  getAuthTicketForWebApi(identity: string): number | null;
  cancelAuthTicket(handle: number): void;
  beginAuthSession(ticket: Uint8Array, steamId: bigint): number;
  endAuthSession(steamId: bigint): void;
  userHasLicenseForApp(steamId: bigint, appId: number): number;

  requestEncryptedAppTicket(userData: Uint8Array): bigint;
  getEncryptedAppTicket(): Uint8Array | null;
  requestStoreAuthURL(url: string): bigint;
  getMarketEligibility(): bigint;
  getDurationControl(): bigint;
  setDurationControlOnlineState(state: number): boolean;

  advertiseGame(server: bigint, ip: number, port: number): void;
  initiateGameConnection(server: bigint, ip: number, port: number, secure: boolean): Uint8Array | null;
  terminateGameConnection(ip: number, port: number): void;
  /** Empty when Steam gave none, null when the library has no such function. */
  getUserDataFolder(): string | null;
}

export type LoadedAddon =
  | { readonly kind: 'loaded'; readonly addon: SteamAddon }
  /** `reason`: why, and what to do about it. */
  | { readonly kind: 'missing'; readonly reason: string };

/**
 * Loads the addon: build/Release of the checkout, or the package's prebuilds. Once loaded, it stays.
 *
 * @throws HotmicError ERR_HOTMIC_BUNDLED when a bundler has moved this module: no Steam, embedded or real, would work there.
 */
export function loadAddon(): LoadedAddon {
  try {
    // A bundled copy would look for the addon in the application's folders.
    packageFile('the addon', () => new URL('./steam.js', import.meta.url));
    const require = createRequire(import.meta.url);
    const load = require('node-gyp-build') as (folder: string) => SteamAddon;
    return { kind: 'loaded', addon: load(fileURLToPath(new URL('../../../', import.meta.url))) };
  } catch (thrown) {
    if (codeOf(thrown) === 'ERR_HOTMIC_BUNDLED') throw thrown;
    const { platform, arch } = process;
    const [what = ''] = messageOf(thrown).split('\n');
    const todo =
      'compile it with `npm explore hotmic -- npm run addon` (in a checkout `make build`); this needs a C++17 compiler, Python 3 and make';
    return {
      kind: 'missing',
      reason: `Cannot load Hotmic's addon for ${platform}-${arch}: ${what}; ${todo}`,
    };
  }
}
