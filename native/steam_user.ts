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
  getSteamID(): bigint;
  loggedOn(): boolean;
  getPlayerSteamLevel(): number;
  getGameBadgeLevel(series: number, foil: boolean): number;
  isBehindNAT(): boolean;
  isPhoneIdentifying(): boolean;
  isPhoneRequiringVerification(): boolean;
  isPhoneVerified(): boolean;
  isTwoFactorEnabled(): boolean;

  getAvailableVoice(): AvailableVoice;
  getVoice(buffer_size_override?: number): CapturedVoice;
  decompressVoice(voice: Uint8Array, sample_rate: number, buffer_size_override?: number): DecompressedVoice;
  getVoiceOptimalSampleRate(): number;

  /** @throws ERR_HOTMIC_STEAM_UNSUPPORTED for any `remote` except 0n before SDK 1.56. */
  getAuthSessionTicket(remote: RemoteIdentity): AuthTicket;
  /** The handle; the ticket comes with get_ticket_for_web_api. @throws ERR_HOTMIC_STEAM_UNSUPPORTED before SDK 1.57. */
  getAuthTicketForWebApi(identity: string): number;
  cancelAuthTicket(handle: number): void;
  /** A BeginAuthSessionResult. */
  beginAuthSession(ticket: Uint8Array, steamId: bigint): number;
  endAuthSession(steamId: bigint): void;
  /** A UserHasLicenseForAppResult. */
  userHasLicenseForApp(steamId: bigint, appId: number): number;

  requestEncryptedAppTicket(userData: Uint8Array): CallHandle;
  /** The ticket, cut to its length; null if there is no ticket. */
  getEncryptedAppTicket(): Uint8Array | null;
  requestStoreAuthURL(url: string): CallHandle;
  getMarketEligibility(): CallHandle;
  getDurationControl(): CallHandle;
  /** @param state A DurationControlOnlineState. */
  setDurationControlOnlineState(state: number): boolean;

  /** Addresses are IPv4 in host order: 127.0.0.1 is 0x7f000001. 0n, 0 and 0 stop advertising. */
  advertiseGame(serverSteamId: bigint, ip: number, port: number): void;
  /** The blob for the server, or null when Steam gave none. */
  initiateGameConnection(serverSteamId: bigint, ip: number, port: number, secure: boolean): Uint8Array | null;
  terminateGameConnection(ip: number, port: number): void;

  /** Empty when Steam gave none. @throws ERR_HOTMIC_STEAM_UNSUPPORTED if the library has no such function. */
  getUserDataFolder(): string;

  /** False once `runCallbacks` found that another thread of this process gets the callbacks. */
  readonly getsCallbacks: boolean;

  /** One frame of Steam: what happened since the last, in order; at most 1024, the rest with the next. */
  runCallbacks(): readonly (SteamEvent | FailedCall)[];
}
