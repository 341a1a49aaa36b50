/**
 * What a Steam offers beneath the `User` class: ISteamUser's flat functions, in JavaScript's types.
 *
 * The real Steam (the addon) and the embedded one implement it; `User` and the typed layer use it, and have checked the arguments.
 * After `close()` every function throws ERR_HOTMIC_STEAM_CLOSED except recording and decompressVoice: those with an answer return
 * VOICE_RESULT_NOT_INITIALIZED; starting and stopping do nothing.
 */

import type { NetworkIdentity } from '../tickets/network_identity.js';
import type { DecompressedVoice } from '../wasm/voice_decompressor.js';
import type { FailedCall, SteamEvent } from './signals.js';
import type { AvailableVoice, CapturedVoice, VoiceSource } from './voice_source.js';

/** An auth ticket as getAuthSessionTicket gives it. */
export interface AuthTicket {
  /** The handle, for cancelAuthTicket; 0 when Steam gave none. */
  readonly id: number;
  /** The ticket, cut to its length: a copy that the caller owns. */
  readonly buffer: Uint8Array;
  /** Bytes in `buffer`. */
  readonly size: number;
}

/** Who may use a session ticket: a SteamID, 0n for anyone, or an address or text. */
export type RemoteIdentity = bigint | NetworkIdentity;

/** A handle of an asynchronous call; 0n when Steam did not accept it. */
export type CallHandle = bigint;

/** ISteamUser, and the frame that brings its callbacks. */
export interface SteamUser extends VoiceSource {
  /** The player's SteamID; 0n while nobody is logged on. */
  getSteamID(): bigint;
  /** Whether there is a connection to Steam's servers. */
  loggedOn(): boolean;
  /** The level that friends see in the player's profile. */
  getPlayerSteamLevel(): number;
  /** The level of the player's badge for this game, 0 without one. `foil`: of the foil badge. */
  getGameBadgeLevel(series: number, foil: boolean): number;
  /** Whether Steam thinks that the player is behind a NAT. */
  isBehindNAT(): boolean;
  /** Whether the account's phone number identifies the player. */
  isPhoneIdentifying(): boolean;
  /** Whether the account's phone number still has to be verified. */
  isPhoneRequiringVerification(): boolean;
  /** Whether the account's phone number is verified. */
  isPhoneVerified(): boolean;
  /** Whether Steam Guard's mobile authenticator is on. */
  isTwoFactorEnabled(): boolean;

  /** How many bytes getVoice would write now. */
  getAvailableVoice(): AvailableVoice;
  /** What was recorded since the last call, as one Steam Voice packet of at most `buffer_size_override` bytes; 0: of any length. */
  getVoice(buffer_size_override?: number): CapturedVoice;
  /** PCM of a Steam Voice packet at `sample_rate` Hz, 11025 to 48000, in at most `buffer_size_override` bytes. */
  decompressVoice(voice: Uint8Array, sample_rate: number, buffer_size_override?: number): DecompressedVoice;
  /** The rate in Hz at which decompressVoice does the least work. */
  getVoiceOptimalSampleRate(): number;

  /** @throws ERR_HOTMIC_STEAM_UNSUPPORTED for any `remote` except 0n before SDK 1.56. */
  getAuthSessionTicket(remote: RemoteIdentity): AuthTicket;
  /** The handle; the ticket comes with get_ticket_for_web_api. @throws ERR_HOTMIC_STEAM_UNSUPPORTED before SDK 1.57. */
  getAuthTicketForWebApi(identity: string): number;
  /** Ends a ticket's life: whoever accepted it learns so. */
  cancelAuthTicket(handle: number): void;
  /** A BeginAuthSessionResult. */
  beginAuthSession(ticket: Uint8Array, steamId: bigint): number;
  /** Ends what beginAuthSession began for this player. */
  endAuthSession(steamId: bigint): void;
  /** A UserHasLicenseForAppResult. */
  userHasLicenseForApp(steamId: bigint, appId: number): number;

  /** Asks for an encrypted app ticket with these bytes inside, for encrypted_app_ticket_response. */
  requestEncryptedAppTicket(userData: Uint8Array): CallHandle;
  /** The ticket, cut to its length; null if there is no ticket. */
  getEncryptedAppTicket(): Uint8Array | null;
  /** Asks for a URL that logs the player in to the Steam store and goes on to `url`, for store_auth_url_response. */
  requestStoreAuthURL(url: string): CallHandle;
  /** Asks whether the player may use the Community Market, for market_eligibility_response. */
  getMarketEligibility(): CallHandle;
  /** Asks how long the player has played, for duration_control. */
  getDurationControl(): CallHandle;
  /** Tells Steam whether the game is played online now; whether Steam accepted it. @param state A DurationControlOnlineState. */
  setDurationControlOnlineState(state: number): boolean;

  /** Addresses are IPv4 in host order: 127.0.0.1 is 0x7f000001. 0n, 0 and 0 stop advertising. */
  advertiseGame(serverSteamId: bigint, ip: number, port: number): void;
  /** The blob for the server, or null when Steam gave none. */
  initiateGameConnection(serverSteamId: bigint, ip: number, port: number, secure: boolean): Uint8Array | null;
  /** The player has left the server of initiateGameConnection. The address is IPv4 in host order. */
  terminateGameConnection(ip: number, port: number): void;

  /** Empty when Steam gave none. @throws ERR_HOTMIC_STEAM_UNSUPPORTED if the library has no such function. */
  getUserDataFolder(): string;

  /** False once `runCallbacks` found that another thread of this process gets the callbacks. */
  readonly getsCallbacks: boolean;

  /** One frame of Steam: what happened since the last, in order; at most 1024, the rest with the next. */
  runCallbacks(): readonly (SteamEvent | FailedCall)[];
}
