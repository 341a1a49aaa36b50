/**
 * Steam's `User` class as the class reference has it: 30 functions, their positional arguments and defaults, the keys of their
 * answers, 15 signals. If you know GodotSteam's `User`, you know this one.
 *
 * SteamIDs are bigints. Byte arrays are Uint8Arrays that belong to the caller, cut to what Steam wrote. Wrong arguments throw TypeError
 * or RangeError at once. A call that Steam does not accept still sends its signal, with a failure. After the Steam was closed,
 * everything throws ERR_HOTMIC_STEAM_CLOSED except recording and decompressVoice: those with an answer return
 * VOICE_RESULT_NOT_INITIALIZED; starting and stopping do nothing.
 */

import { EventEmitter } from 'node:events';
import { checkDecompressRate } from '../wasm/decompress.js';
import { checkArray } from '../wasm/module.js';
import { DECOMPRESS_BUFFER_BYTES, type DecompressedVoice } from '../wasm/voice_decompressor.js';
import { SteamMicrophone } from './capture/steam_microphone.js';
import type {
  BeginAuthSessionResult,
  DurationControlOnlineState,
  UserHasLicenseForAppResult,
} from './enums.js';
import type { AnswerName } from './failed_call.js';
import { SIGNAL_NAMES, type SignalName, type Signals } from './signals.js';
import type { AuthTicket, CallHandle, RemoteIdentity, SteamUser } from './steam_user.js';
import {
  checkAppId,
  checkBoolean,
  checkBufferSize,
  checkBytes,
  checkHandle,
  checkInt32,
  checkIp,
  checkPort,
  checkRemote,
  checkSteamId,
  checkText,
  redirectUrlOf,
  userDataOf,
} from './user_arguments.js';
import type { AvailableVoice, CapturedVoice } from './voice_source.js';

/** The longest ticket that is accepted, in bytes: Steam's own buffers hold 2560. */
const MAX_TICKET_BYTES = 8192;

/** What Steam expects as the server's id when an address is advertised (k_steamIDNonSteamGS), and when it is cleared (nil). */
const NON_STEAM_GAME_SERVER = 2n;
const NO_GAME_SERVER = 0n;

/** What a listener of each signal is called with: the keys in one object. */
export type UserEvents = { [Name in SignalName]: [keys: Signals[Name]] };

/** Answer of getEncryptedAppTicket. */
export interface EncryptedAppTicket {
  /** The ticket, or empty: request one first, and wait for encrypted_app_ticket_response. */
  readonly buffer: Uint8Array;
  readonly size: number;
}

/** Answer of initiateGameConnection. */
export interface GameConnection {
  /** For the game server; empty when Steam gave none. */
  readonly auth_blob: Uint8Array;
  readonly server_id: bigint;
  /** IPv4 in host order. */
  readonly server_ip: number;
  readonly server_port: number;
}

/** What a `User` needs of the Steam that it belongs to. */
export interface UserHost {
  readonly microphone: SteamMicrophone;
  /** Steam did not accept a call: its signal should come with the next callbacks. */
  readonly onRefused: (signal: AnswerName) => void;
  /** No verdict on this player will come any more. */
  readonly onSessionEnded: (steamId: bigint) => void;
}

/** The class reference's `User`, over any Steam. Signals come while the Steam's callbacks are run (`Steam.runCallbacks`). */
export class User extends EventEmitter<UserEvents> {
  readonly #steam: SteamUser;
  readonly #host: UserHost;

  /** @param host Without it, signals of calls that were not accepted do not come. */
  constructor(
    steam: SteamUser,
    host: UserHost = {
      microphone: new SteamMicrophone(steam),
      onRefused: () => undefined,
      onSessionEnded: () => undefined,
    },
  ) {
    super();
    this.#steam = steam;
    this.#host = host;
    // A misspelled signal would never come. `error` is what events.once listens to besides.
    (this as EventEmitter).on('newListener', (name: string | symbol) => {
      if (![...SIGNAL_NAMES, 'newListener', 'removeListener', 'error'].includes(name as string)) {
        throw new TypeError(`Cannot listen to ${String(name)}: expected one of ${SIGNAL_NAMES.join(', ')}`);
      }
    });
  }

  /**
   * Tells friends which unsecured server the player is on. Without an address or a port, stops telling them.
   *
   * @param server_ip IPv4, as `127.0.0.1` or in host order (0x7f000001).
   */
  advertiseGame(server_ip: string | number = '', port = 0): void {
    const ip = checkIp('advertise a game', 'server_ip', server_ip);
    checkPort('advertise a game', 'port', port);
    if (ip === 0 || port === 0) this.#steam.advertiseGame(NO_GAME_SERVER, 0, 0);
    else this.#steam.advertiseGame(NON_STEAM_GAME_SERVER, ip, port);
  }

  /**
   * Begins to authenticate a player who sent a ticket of getAuthSessionTicket. The result says only whether the ticket is
   * well-formed; the verdict comes with validate_auth_ticket_response. End the session with endAuthSession.
   *
   * @param ticket_size Bytes of `auth_ticket` that are the ticket.
   */
  beginAuthSession(auth_ticket: Uint8Array, ticket_size: number, steam_id: bigint): BeginAuthSessionResult {
    const action = 'begin an auth session';
    checkBytes(action, 'auth_ticket', auth_ticket, MAX_TICKET_BYTES);
    if (!(Number.isInteger(ticket_size) && ticket_size >= 0 && ticket_size <= auth_ticket.length)) {
      throw new RangeError(
        `Cannot ${action}: ticket_size is ${ticket_size}, expected 0 to ${auth_ticket.length}`,
      );
    }
    checkSteamId(action, 'steam_id', steam_id);
    return this.#steam.beginAuthSession(
      auth_ticket.subarray(0, ticket_size),
      steam_id,
    ) as BeginAuthSessionResult;
  }

  /** Cancels a ticket. Steam tells everyone who began a session with it. */
  cancelAuthTicket(auth_ticket: number): void {
    this.#steam.cancelAuthTicket(checkHandle('cancel an auth ticket', 'auth_ticket', auth_ticket));
  }

  /**
   * Decodes a packet of getVoice to PCM, mono, signed 16 bit. Its result is VOICE_RESULT_OK, BUFFER_TOO_SMALL (nothing has changed:
   * call again with room for `size`), DATA_CORRUPTED, UNSUPPORTED_CODEC or NOT_INITIALIZED. Decoders keep their state between calls:
   * pass each packet once and in order.
   *
   * @param sample_rate In Hz, 11025 to 48000.
   * @param buffer_size_override Bytes of room for PCM; 20480 by default.
   * @throws HotmicError ERR_HOTMIC_SAMPLE_RATE for a rate out of range.
   */
  decompressVoice(
    voice: Uint8Array,
    sample_rate: number,
    buffer_size_override = DECOMPRESS_BUFFER_BYTES,
  ): DecompressedVoice {
    const action = 'decompress voice';
    checkDecompressRate(sample_rate);
    checkArray(`${action}: voice`, voice, Uint8Array);
    return this.#steam.decompressVoice(
      voice,
      sample_rate,
      checkBufferSize(action, 'buffer_size_override', buffer_size_override),
    );
  }

  /** Ends what beginAuthSession began for this player. No verdict on them will come any more. */
  endAuthSession(steam_id: bigint): void {
    this.#steam.endAuthSession(checkSteamId('end an auth session', 'steam_id', steam_id));
    this.#host.onSessionEnded(steam_id);
  }

  /**
   * A ticket for a player or server that is to authenticate this player. Wait for get_auth_session_ticket_response before you use
   * it, and cancel it when done. It does not work with Steam's Web API.
   *
   * @param remote_steam_id Who may use it: a SteamID, `{ ip, port }` of a server's public address, or `{ text }`. Default 0: anyone.
   */
  getAuthSessionTicket(remote_steam_id: RemoteIdentity | 0 = 0): AuthTicket {
    const remote = checkRemote('get an auth session ticket', 'remote_steam_id', remote_steam_id);
    const ticket = this.#steam.getAuthSessionTicket(remote);
    if (ticket.id === 0) this.#host.onRefused('get_auth_session_ticket_response');
    return ticket;
  }

  /**
   * Requests a ticket for Steam's Web API; it comes with get_ticket_for_web_api. Returns its handle, 0 when Steam gave none.
   *
   * @param service_identity The service that will check it. Default empty: no particular one.
   */
  getAuthTicketForWebApi(service_identity = ''): number {
    const handle = this.#steam.getAuthTicketForWebApi(
      checkText('get a ticket for the Web API', 'service_identity', service_identity, 1024),
    );
    if (handle === 0) this.#host.onRefused('get_ticket_for_web_api');
    return handle;
  }

  /** How much getVoice would return now. The result is VOICE_RESULT_OK, NO_DATA or NOT_RECORDING. */
  getAvailableVoice(): AvailableVoice {
    return this.#steam.getAvailableVoice();
  }

  /** Requests duration_control. */
  getDurationControl(): void {
    this.#noteCall(this.#steam.getDurationControl(), 'duration_control');
  }

  /** The last ticket that requestEncryptedAppTicket brought; empty before the first. It may be stale: request a new one. */
  getEncryptedAppTicket(): EncryptedAppTicket {
    const buffer = this.#steam.getEncryptedAppTicket() ?? new Uint8Array(0);
    return { buffer, size: buffer.length };
  }

  /** Level of the player's badge for this game: 0 without one, up to 5; up to 1 for a foil badge. */
  getGameBadgeLevel(series: number, foil: boolean): number {
    const action = 'get a badge level';
    return this.#steam.getGameBadgeLevel(
      checkInt32(action, 'series', series),
      checkBoolean(action, 'foil', foil),
    );
  }

  /** Requests market_eligibility_response. */
  getMarketEligibility(): void {
    this.#noteCall(this.#steam.getMarketEligibility(), 'market_eligibility_response');
  }

  /** The level that friends see in the player's profile. */
  getPlayerSteamLevel(): number {
    return this.#steam.getPlayerSteamLevel();
  }

  /** The player's SteamID. */
  getSteamID(): bigint {
    return this.#steam.getSteamID();
  }

  /**
   * The next Steam Voice packet. Call it once per game frame, and at least four times a second. The result is VOICE_RESULT_OK,
   * NO_DATA (normal in silence), NOT_RECORDING, or BUFFER_TOO_SMALL, which loses nothing.
   *
   * @param buffer_size_override Size of the buffer in bytes. Default 0: as large as the packet.
   * @throws HotmicError ERR_HOTMIC_CAPTURE while a capture or a recording reads the microphone: Steam gives each packet only once.
   */
  getVoice(buffer_size_override = 0): CapturedVoice {
    const size = checkBufferSize('get voice', 'buffer_size_override', buffer_size_override);
    return this.#host.microphone.getVoice(size);
  }

  /** The rate at which decompressVoice does the least work, in Hz; 24000 with the embedded Steam. */
  getVoiceOptimalSampleRate(): number {
    return this.#steam.getVoiceOptimalSampleRate();
  }

  /**
   * Begins the old handshake with a game server; end it with terminateGameConnection. Use tickets instead.
   *
   * @param server_ip IPv4, in host order or as `127.0.0.1`.
   */
  initiateGameConnection(
    server_id: bigint,
    server_ip: number | string,
    server_port: number,
    secure: boolean,
  ): GameConnection {
    const action = 'initiate a game connection';
    checkSteamId(action, 'server_id', server_id);
    const ip = checkIp(action, 'server_ip', server_ip);
    checkPort(action, 'server_port', server_port);
    checkBoolean(action, 'secure', secure);
    const blob = this.#steam.initiateGameConnection(server_id, ip, server_port, secure);
    return { auth_blob: blob ?? new Uint8Array(0), server_id, server_ip: ip, server_port };
  }

  /** Whether Steam thinks that the player is behind a NAT. */
  isBehindNAT(): boolean {
    return this.#steam.isBehindNAT();
  }

  /** Whether the player's phone number identifies them. */
  isPhoneIdentifying(): boolean {
    return this.#steam.isPhoneIdentifying();
  }

  /** Whether the player's phone number has yet to be verified. */
  isPhoneRequiringVerification(): boolean {
    return this.#steam.isPhoneRequiringVerification();
  }

  /** Whether the account's phone number is verified. */
  isPhoneVerified(): boolean {
    return this.#steam.isPhoneVerified();
  }

  /** Whether Steam Guard's mobile authenticator is on. */
  isTwoFactorEnabled(): boolean {
    return this.#steam.isTwoFactorEnabled();
  }

  /** Whether Steam is connected to its servers now. It reconnects by itself and then sends steam_server_connected. */
  loggedOn(): boolean {
    return this.#steam.loggedOn();
  }

  /**
   * Requests an encrypted app ticket; encrypted_app_ticket_response says when it is ready. One at a time, and one per minute.
   *
   * @param secret What the ticket carries: bytes, or text, which becomes UTF-8 without a NUL at the end.
   */
  requestEncryptedAppTicket(secret: string | Uint8Array): void {
    const call = this.#steam.requestEncryptedAppTicket(userDataOf(secret));
    this.#noteCall(call, 'encrypted_app_ticket_response');
  }

  /** Requests a URL that logs a browser in to the store and then redirects to `redirect_url`; store_auth_url_response brings it. */
  requestStoreAuthURL(redirect_url: string): void {
    const call = this.#steam.requestStoreAuthURL(redirectUrlOf(redirect_url));
    this.#noteCall(call, 'store_auth_url_response');
  }

  /** Tells Steam whether the game is played online now. Whether Steam accepted it. */
  setDurationControlOnlineState(new_state: DurationControlOnlineState): boolean {
    return this.#steam.setDurationControlOnlineState(
      checkInt32('set the online state', 'new_state', new_state),
    );
  }

  /**
   * Starts recording. If Steam still records, also the tail, it goes on.
   *
   * @throws HotmicError ERR_HOTMIC_CAPTURE while a capture or a recording has the microphone.
   */
  startVoiceRecording(): void {
    this.#host.microphone.start();
  }

  /**
   * Key-up. It also ends a capture or a recording of `recordVoice`, as their own key-up would. Steam goes on recording for a moment:
   * call getVoice until it returns VOICE_RESULT_NOT_RECORDING.
   */
  stopVoiceRecording(): void {
    this.#host.microphone.stop();
  }

  /** Ends a connection of initiateGameConnection. @param server_ip IPv4, as `127.0.0.1` or in host order. */
  terminateGameConnection(server_ip: string | number, server_port: number): void {
    const action = 'terminate a game connection';
    const ip = checkIp(action, 'server_ip', server_ip);
    this.#steam.terminateGameConnection(ip, checkPort(action, 'server_port', server_port));
  }

  /** Whether a player owns a DLC. The player must have been authenticated with beginAuthSession. */
  userHasLicenseForApp(steam_id: bigint, app_id: number): UserHasLicenseForAppResult {
    const action = 'look up a licence';
    return this.#steam.userHasLicenseForApp(
      checkSteamId(action, 'steam_id', steam_id),
      checkAppId(action, 'app_id', app_id),
    ) as UserHasLicenseForAppResult;
  }

  #noteCall(call: CallHandle, signal: AnswerName): void {
    if (call === 0n) this.#host.onRefused(signal);
  }
}
