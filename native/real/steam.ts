/**
 * The real Steam: ISteamUser of the running Steam client, through the native addon and Steam's own library.
 *
 * Callbacks go to one thread of the process, the first that runs them, and there to every Steam that is open.
 */

import { identityFields } from '../../tickets/network_identity.js';
import { HotmicError } from '../../voice/error.js';
import { VoiceResult } from '../../voice/voice_result.js';
import { checkDecompressRate } from '../../wasm/decompress.js';
import { checkArray } from '../../wasm/module.js';
import { DECOMPRESS_BUFFER_BYTES, type DecompressedVoice } from '../../wasm/voice_decompressor.js';
import { FailureType } from '../enums.js';
import type { FailedCall, SteamEvent } from '../signals.js';
import type { AuthTicket, CallHandle, RemoteIdentity, SteamUser } from '../steam_user.js';
import type { AvailableVoice, CapturedVoice } from '../voice_source.js';
import type { SteamAddon } from './addon.js';
import { isWhole, packingOf, signalOf } from './callbacks.js';
import { callbacksOf, type Mailbox, type ThreadCallbacks } from './thread_callbacks.js';

/** Buffer size when nothing is available yet. Steam is still called, so that the answer is its own. */
const VOICE_ROOM_BYTES = 8192;

/** The largest packet or PCM: 16 MiB. */
const MAX_ROOM_BYTES = 16 * 1024 * 1024;

/** The buffer that is kept between calls; a larger one is allocated for the call. */
const KEPT_ROOM_BYTES = 65_536;

const TWO_TO_32 = 2 ** 32;

/** ISteamUser over the addon; `openRealSteam` makes it. */
export class RealSteam implements SteamUser {
  readonly #addon: SteamAddon;
  readonly #packing = packingOf(process.platform);
  readonly #kept = new Uint8Array(KEPT_ROOM_BYTES);
  readonly #callbacks: ThreadCallbacks;
  readonly #mailbox: Mailbox;
  #isClosed = false;
  #unread = 0;

  /** Takes over one `init` of the addon, which `close` will undo. */
  constructor(addon: SteamAddon) {
    this.#addon = addon;
    this.#callbacks = callbacksOf(addon);
    this.#mailbox = this.#callbacks.attach();
  }

  /** Callbacks and call results of ISteamUser that have no signal, or that could not be read whole. */
  get unreadCallbacks(): number {
    return this.#unread;
  }

  /** Callbacks that were lost because another Steam of this thread ran them and this one did not: the oldest beyond 2048. */
  get lostCallbacks(): number {
    return this.#mailbox.lost;
  }

  getSteamID(): bigint {
    return this.#open().getSteamID();
  }

  loggedOn(): boolean {
    return this.#open().loggedOn();
  }

  getPlayerSteamLevel(): number {
    return this.#open().getPlayerSteamLevel();
  }

  getGameBadgeLevel(series: number, foil: boolean): number {
    return this.#open().getGameBadgeLevel(series, foil);
  }

  isBehindNAT(): boolean {
    return this.#open().isBehindNAT();
  }

  isPhoneIdentifying(): boolean {
    return this.#open().isPhoneIdentifying();
  }

  isPhoneRequiringVerification(): boolean {
    return this.#open().isPhoneRequiringVerification();
  }

  isPhoneVerified(): boolean {
    return this.#open().isPhoneVerified();
  }

  isTwoFactorEnabled(): boolean {
    return this.#open().isTwoFactorEnabled();
  }

  startVoiceRecording(): void {
    if (!this.#isClosed) this.#addon.startVoiceRecording();
  }

  stopVoiceRecording(): void {
    if (!this.#isClosed) this.#addon.stopVoiceRecording();
  }

  getAvailableVoice(): AvailableVoice {
    if (this.#isClosed) return { result: VoiceResult.VOICE_RESULT_NOT_INITIALIZED, buffer: 0 };
    const answer = this.#addon.getAvailableVoice();
    return { result: resultOf(answer), buffer: bytesOf(answer) };
  }

  getVoice(buffer_size_override = 0): CapturedVoice {
    if (this.#isClosed) {
      return { result: VoiceResult.VOICE_RESULT_NOT_INITIALIZED, written: 0, buffer: new Uint8Array(0) };
    }
    if (buffer_size_override > 0) return this.#getVoice(buffer_size_override);
    const { buffer: available } = this.getAvailableVoice();
    const voice = this.#getVoice(available > 0 ? available : VOICE_ROOM_BYTES);
    // More was recorded between the two calls.
    return voice.result === VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL ? this.#getVoice(voice.written) : voice;
  }

  /** Real-time: no allocation, here or in the addon; two locks, which are held only briefly. */
  getVoiceInto(target: Uint8Array): number {
    if (this.#isClosed) return -VoiceResult.VOICE_RESULT_NOT_INITIALIZED;
    const answer = this.#addon.getVoice(target);
    if (answer >= TWO_TO_32) return -resultOf(answer);
    return answer > 0 ? answer : -VoiceResult.VOICE_RESULT_NO_DATA;
  }

  decompressVoice(
    voice: Uint8Array,
    sample_rate: number,
    buffer_size_override = DECOMPRESS_BUFFER_BYTES,
  ): DecompressedVoice {
    checkDecompressRate(sample_rate);
    checkArray('decompress voice: voice', voice, Uint8Array);
    if (this.#isClosed) {
      return {
        result: VoiceResult.VOICE_RESULT_NOT_INITIALIZED,
        size: 0,
        uncompressed: new Uint8Array(0),
      };
    }
    const room = this.#room(buffer_size_override);
    const answer = this.#addon.decompressVoice(voice, room, sample_rate);
    const result = resultOf(answer);
    const size = bytesOf(answer);
    const isOk = result === VoiceResult.VOICE_RESULT_OK;
    const isTooSmall = result === VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL;
    return { result, size: isOk || isTooSmall ? size : 0, uncompressed: room.slice(0, isOk ? size : 0) };
  }

  getVoiceOptimalSampleRate(): number {
    return this.#open().getVoiceOptimalSampleRate();
  }

  /** @throws HotmicError ERR_HOTMIC_STEAM_UNSUPPORTED for any identity except 0n if the library is older than SDK 1.56. */
  getAuthSessionTicket(remote: RemoteIdentity): AuthTicket {
    const { type, value } = typeof remote === 'bigint' ? steamIdFields(remote) : identityFields(remote);
    const ticket = this.#open().getAuthSessionTicket(type, value);
    if (ticket !== null) return ticket;
    throw unsupported('get auth session ticket for one SteamID, address or text', '1.56');
  }

  getAuthTicketForWebApi(identity: string): number {
    const handle = this.#open().getAuthTicketForWebApi(identity);
    if (handle !== null) return handle;
    throw unsupported('get auth ticket for web api', '1.57');
  }

  cancelAuthTicket(handle: number): void {
    this.#open().cancelAuthTicket(handle);
  }

  beginAuthSession(ticket: Uint8Array, steamId: bigint): number {
    return this.#open().beginAuthSession(ticket, steamId);
  }

  endAuthSession(steamId: bigint): void {
    this.#open().endAuthSession(steamId);
  }

  userHasLicenseForApp(steamId: bigint, appId: number): number {
    return this.#open().userHasLicenseForApp(steamId, appId);
  }

  requestEncryptedAppTicket(userData: Uint8Array): CallHandle {
    return this.#callbacks.claim(this.#open().requestEncryptedAppTicket(userData), this.#mailbox);
  }

  getEncryptedAppTicket(): Uint8Array | null {
    return this.#open().getEncryptedAppTicket();
  }

  requestStoreAuthURL(url: string): CallHandle {
    return this.#callbacks.claim(this.#open().requestStoreAuthURL(url), this.#mailbox);
  }

  getMarketEligibility(): CallHandle {
    return this.#callbacks.claim(this.#open().getMarketEligibility(), this.#mailbox);
  }

  getDurationControl(): CallHandle {
    return this.#callbacks.claim(this.#open().getDurationControl(), this.#mailbox);
  }

  setDurationControlOnlineState(state: number): boolean {
    return this.#open().setDurationControlOnlineState(state);
  }

  advertiseGame(serverSteamId: bigint, ip: number, port: number): void {
    this.#open().advertiseGame(serverSteamId, ip, port);
  }

  initiateGameConnection(
    serverSteamId: bigint,
    ip: number,
    port: number,
    secure: boolean,
  ): Uint8Array | null {
    return this.#open().initiateGameConnection(serverSteamId, ip, port, secure);
  }

  terminateGameConnection(ip: number, port: number): void {
    this.#open().terminateGameConnection(ip, port);
  }

  getUserDataFolder(): string {
    const folder = this.#open().getUserDataFolder();
    if (folder !== null) return folder;
    throw unsupported('get user data folder', '1.52');
  }

  get getsCallbacks(): boolean {
    return this.#callbacks.getsCallbacks;
  }

  runCallbacks(): readonly (SteamEvent | FailedCall)[] {
    this.#open();
    const signals: (SteamEvent | FailedCall)[] = [];
    const { messages, hasLoss } = this.#callbacks.run(this.#mailbox);
    if (hasLoss) {
      const keys = { type: FailureType.FAILURE_FLUSHED_CALLBACK_QUEUE };
      signals.push({ signal: 'ipc_failure', keys, call: 0n });
    }
    for (const message of messages) {
      const signal = signalOf(message, this.#packing);
      if (message.payload !== null && !isWhole(message, this.#packing)) this.#unread += 1;
      if (signal !== null) signals.push(signal);
    }
    return signals;
  }

  /** A microphone never ends. */
  get inputEnded(): boolean {
    return false;
  }

  /**
   * Closes this Steam. When it was the thread's last one, the thread's tickets are cancelled, its auth sessions ended and its recording
   * stopped; when it was the process's last one, Steam is shut down. A second call does nothing.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#callbacks.detach(this.#mailbox);
    this.#addon.close();
  }

  #open(): SteamAddon {
    if (!this.#isClosed) return this.#addon;
    throw new HotmicError('ERR_HOTMIC_STEAM_CLOSED', 'Cannot call Steam: it is closed');
  }

  #getVoice(wanted: number): CapturedVoice {
    const room = this.#room(wanted);
    const answer = this.#addon.getVoice(room);
    const result = resultOf(answer);
    const isOk = result === VoiceResult.VOICE_RESULT_OK;
    const isTooSmall = result === VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL;
    const written = isOk || isTooSmall ? bytesOf(answer) : 0;
    return { result, written, buffer: room.slice(0, isOk ? written : 0) };
  }

  /** A buffer for one call. */
  #room(wanted: number): Uint8Array {
    const bytes = Math.min(Math.max(0, Math.floor(wanted)) || 0, MAX_ROOM_BYTES);
    return bytes <= KEPT_ROOM_BYTES ? this.#kept.subarray(0, bytes) : new Uint8Array(bytes);
  }
}

function unsupported(action: string, sdk: string): HotmicError {
  const text = `Cannot ${action}: this libsteam_api has no such function, expected one of SDK ${sdk} or newer`;
  return new HotmicError('ERR_HOTMIC_STEAM_UNSUPPORTED', text);
}

/** Steam's number of the identity type SteamID. */
const STEAM_ID_TYPE = 16;

function steamIdFields(steamId: bigint): { readonly type: number; readonly value: Uint8Array } {
  if (steamId === 0n) return { type: 0, value: new Uint8Array(0) };
  const value = new Uint8Array(8);
  new DataView(value.buffer).setBigUint64(0, steamId, true);
  return { type: STEAM_ID_TYPE, value };
}

function resultOf(answer: number): VoiceResult {
  // Numbers from newer SDKs are passed on unchanged.
  return Math.floor(answer / TWO_TO_32) as VoiceResult;
}

function bytesOf(answer: number): number {
  return answer % TWO_TO_32;
}
