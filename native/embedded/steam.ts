/**
 * The embedded Steam: the whole of SteamUser without a Steam client, for tests, tools, servers and players without Steam.
 *
 * Everything it issues names it as embedded and is sealed under a development key; nothing in production accepts it. Its `controls`
 * do what the real Steam does only when something happens outside.
 */

import { HotmicError } from '../../voice/error.js';
import { VOICE_RATE_HZ } from '../../voice/units.js';
import { VoiceResult } from '../../voice/voice_result.js';
import type { DecompressedVoice } from '../../wasm/voice_decompressor.js';
import { UserHasLicenseForAppResult } from '../enums.js';
import { Result } from '../result.js';
import type { FailedCall, SteamEvent } from '../signals.js';
import type { SteamAccount, SteamControls } from '../steam_controls.js';
import type { AuthTicket, CallHandle, RemoteIdentity, SteamUser } from '../steam_user.js';
import type { AvailableVoice, CapturedVoice, VoiceSource } from '../voice_source.js';
import { EmbeddedAccount } from './account.js';
import { EmbeddedAppTickets } from './app_tickets.js';
import { EmbeddedCalls } from './calls.js';
import { EmbeddedDuration } from './duration.js';
import { EmbeddedGame, type GameState } from './game.js';
import { type Clock, type EmbeddedRim, type EmbeddedSteamOptions, embeddedSetup } from './options.js';
import { EmbeddedSessions } from './sessions.js';
import { storeAuthUrl } from './store.js';
import { EmbeddedTickets } from './tickets.js';
import { EmbeddedVoice } from './voice.js';
import type { EmbeddedWorld, WorldMember } from './world.js';

export type { GameServer, GameState } from './game.js';
export type { Clock, EmbeddedRim, EmbeddedSteamOptions } from './options.js';
export { checkedPace } from './voice.js';
export { EmbeddedWorld } from './world.js';

/** Everything that exists until `close()`. */
interface Parts {
  readonly steamId: bigint;
  readonly appId: number;
  readonly userDataFolder: string;
  readonly random: (length: number) => Uint8Array;
  readonly world: EmbeddedWorld;
  readonly member: WorldMember;
  readonly voice: EmbeddedVoice;
  readonly calls: EmbeddedCalls;
  readonly account: EmbeddedAccount;
  readonly duration: EmbeddedDuration;
  readonly tickets: EmbeddedTickets;
  readonly sessions: EmbeddedSessions;
  readonly appTickets: EmbeddedAppTickets;
  readonly game: EmbeddedGame;
}

const NOTHING = new Uint8Array(0);
const NOT_INITIALIZED = VoiceResult.VOICE_RESULT_NOT_INITIALIZED;

/** Steam without a Steam client. Holds memory of the codec until `close()`. */
export class EmbeddedSteam implements SteamUser {
  /** What a test can do to it. */
  readonly controls: SteamControls;
  readonly getsCallbacks = true;
  #open: Parts | null;
  #isLoggedOn = true;

  /**
   * @param io Clocks, randomness and world, or the monotonic clock alone, in ms.
   * @throws HotmicError ERR_HOTMIC_INPUT or ERR_HOTMIC_WAV for the input; TypeError or RangeError for options out of range.
   */
  constructor(options: EmbeddedSteamOptions = {}, io: EmbeddedRim | Clock = {}) {
    const { input, ...clocks }: EmbeddedRim = typeof io === 'function' ? { clock: io } : io;
    const setup = embeddedSetup(options, clocks);
    const { steamId, appId, userDataFolder, clock, random, world } = setup;
    const isLoggedOn = () => this.#isLoggedOn;
    const calls = new EmbeddedCalls();
    const account = new EmbeddedAccount(appId, options.account ?? {});
    const sessions = new EmbeddedSessions(setup, calls, isLoggedOn);
    const member: WorldMember = {
      steamId,
      get loggedOn() {
        return isLoggedOn();
      },
      ticketCancelled: (id) => sessions.ticketCancelled(id),
      playerOffline: (id) => sessions.playerOffline(id),
    };
    const duration = new EmbeddedDuration(appId, clock, account.account.duration);
    const tickets = new EmbeddedTickets(setup, calls, isLoggedOn);
    const appTickets = new EmbeddedAppTickets(setup, calls, isLoggedOn);
    const game = new EmbeddedGame(setup);
    const voice = new EmbeddedVoice(steamId, options, clock, input);
    try {
      world.join(member);
    } catch (thrown) {
      voice.close();
      throw thrown;
    }
    const parts = { account, appTickets, calls, duration, game, sessions, tickets, voice };
    this.#open = { steamId, appId, userDataFolder, random, world, member, ...parts };
    this.controls = this.#controls();
  }

  getSteamID(): bigint {
    return this.#at('getSteamID').steamId;
  }

  loggedOn(): boolean {
    this.#at('loggedOn');
    return this.#isLoggedOn;
  }

  getPlayerSteamLevel(): number {
    return this.#account('getPlayerSteamLevel').steamLevel;
  }

  getGameBadgeLevel(series: number, foil: boolean): number {
    return this.#at('getGameBadgeLevel').account.badgeLevel({ series, foil });
  }

  isBehindNAT(): boolean {
    return this.#account('isBehindNAT').behindNat;
  }

  isPhoneIdentifying(): boolean {
    return this.#account('isPhoneIdentifying').phoneIdentifying;
  }

  isPhoneRequiringVerification(): boolean {
    return this.#account('isPhoneRequiringVerification').phoneRequiringVerification;
  }

  isPhoneVerified(): boolean {
    return this.#account('isPhoneVerified').phoneVerified;
  }

  isTwoFactorEnabled(): boolean {
    return this.#account('isTwoFactorEnabled').twoFactorEnabled;
  }

  startVoiceRecording(): void {
    this.#open?.voice.startVoiceRecording();
  }

  stopVoiceRecording(): void {
    this.#open?.voice.stopVoiceRecording();
  }

  getAvailableVoice(): AvailableVoice {
    return this.#open?.voice.getAvailableVoice() ?? { result: NOT_INITIALIZED, buffer: 0 };
  }

  getVoice(buffer_size_override?: number): CapturedVoice {
    const closed = { result: NOT_INITIALIZED, written: 0, buffer: NOTHING };
    return this.#open?.voice.getVoice(buffer_size_override) ?? closed;
  }

  getVoiceInto(target: Uint8Array): number {
    return this.#open?.voice.getVoiceInto(target) ?? -NOT_INITIALIZED;
  }

  decompressVoice(voice: Uint8Array, sample_rate: number, buffer_size_override?: number): DecompressedVoice {
    const closed = { result: NOT_INITIALIZED, size: 0, uncompressed: NOTHING };
    return this.#open?.voice.decompressVoice(voice, sample_rate, buffer_size_override) ?? closed;
  }

  getVoiceOptimalSampleRate(): number {
    this.#at('getVoiceOptimalSampleRate');
    return VOICE_RATE_HZ;
  }

  get skippedMs(): number {
    return this.#open?.voice.skippedMs ?? 0;
  }

  get inputEnded(): boolean {
    return this.#open?.voice.inputEnded ?? true;
  }

  getAuthSessionTicket(remote: RemoteIdentity): AuthTicket {
    return this.#at('getAuthSessionTicket').tickets.sessionTicket(remote);
  }

  getAuthTicketForWebApi(identity: string): number {
    return this.#at('getAuthTicketForWebApi').tickets.webTicket(identity);
  }

  cancelAuthTicket(handle: number): void {
    this.#at('cancelAuthTicket').tickets.cancel(handle);
  }

  beginAuthSession(ticket: Uint8Array, steamId: bigint): number {
    return this.#at('beginAuthSession').sessions.begin(ticket, steamId);
  }

  endAuthSession(steamId: bigint): void {
    this.#at('endAuthSession').sessions.end(steamId);
  }

  /** NO_AUTH for anyone, including the player, who was not authenticated with beginAuthSession. */
  userHasLicenseForApp(steamId: bigint, appId: number): number {
    const { account, sessions } = this.#at('userHasLicenseForApp');
    if (!sessions.isAuthenticated(steamId)) {
      return UserHasLicenseForAppResult.USER_HAS_LICENSE_RESULT_NO_AUTH;
    }
    return account.owns(steamId, appId)
      ? UserHasLicenseForAppResult.USER_HAS_LICENSE_RESULT_HAS_LICENSE
      : UserHasLicenseForAppResult.USER_HAS_LICENSE_RESULT_DOES_NOT_HAVE_LICENSE;
  }

  requestEncryptedAppTicket(userData: Uint8Array): CallHandle {
    return this.#at('requestEncryptedAppTicket').appTickets.request(userData);
  }

  getEncryptedAppTicket(): Uint8Array | null {
    return this.#at('getEncryptedAppTicket').appTickets.get();
  }

  /** 0n for a URL so long that the answer would not fit into Steam's 512 bytes. */
  requestStoreAuthURL(redirect: string): CallHandle {
    const { steamId, appId, random, calls } = this.#at('requestStoreAuthURL');
    const url = storeAuthUrl({ redirect, steamId, appId, token: random(8) });
    if (url === null) return 0n;
    return calls.answer('store_auth_url_response', this.#isLoggedOn ? { url } : null);
  }

  getMarketEligibility(): CallHandle {
    const { account, calls } = this.#at('getMarketEligibility');
    return calls.answer(
      'market_eligibility_response',
      this.#isLoggedOn ? { ...account.account.market } : null,
    );
  }

  getDurationControl(): CallHandle {
    const { calls, duration } = this.#at('getDurationControl');
    const result = this.#isLoggedOn ? Result.RESULT_OK : Result.RESULT_NO_CONNECTION;
    return calls.answer('duration_control', { result, duration: duration.now() });
  }

  setDurationControlOnlineState(state: number): boolean {
    return this.#at('setDurationControlOnlineState').duration.setOnlineState(state);
  }

  advertiseGame(serverSteamId: bigint, ip: number, port: number): void {
    this.#at('advertiseGame').game.advertise({ serverSteamId, ip, port });
  }

  initiateGameConnection(
    serverSteamId: bigint,
    ip: number,
    port: number,
    secure: boolean,
  ): Uint8Array | null {
    const { game } = this.#at('initiateGameConnection');
    if (!this.#isLoggedOn) return null;
    return game.connect({ serverSteamId, ip, port }, secure ? 'secure' : 'insecure');
  }

  terminateGameConnection(ip: number, port: number): void {
    this.#at('terminateGameConnection').game.terminate(ip, port);
  }

  getUserDataFolder(): string {
    return this.#at('getUserDataFolder').userDataFolder;
  }

  runCallbacks(): readonly (SteamEvent | FailedCall)[] {
    const { calls, duration } = this.#at('runCallbacks');
    for (const due of duration.due()) {
      calls.tell('duration_control', { result: Result.RESULT_OK, duration: due });
    }
    return calls.take();
  }

  /** The games and servers that it was told about. */
  get gameState(): GameState {
    return this.#at('gameState').game.state;
  }

  /** The DurationControlOnlineState that was set last. */
  get durationControlOnlineState(): number {
    return this.#at('durationControlOnlineState').duration.onlineState;
  }

  /** Events lost because nobody called runCallbacks: the oldest beyond 1024. */
  get lostEvents(): number {
    return this.#at('lostEvents').calls.lost;
  }

  /** Cancels its tickets and frees its memory. A second call does nothing. */
  close(): void {
    if (!this.#open) return;
    const { voice, tickets, world, member } = this.#open;
    this.#open = null;
    world.leave(member);
    tickets.cancelAll();
    voice.close();
  }

  #controls(): SteamControls {
    return {
      setAccount: (change: Partial<SteamAccount>) => {
        const { account, duration } = this.#at('setAccount');
        account.change(change);
        if (change.duration) duration.set(change.duration);
      },
      setLicense: (appId, owned, steamId) => {
        const { account, calls, steamId: ownSteamId } = this.#at('setLicense');
        const owner = steamId ?? ownSteamId;
        account.setLicense(owner, appId, owned);
        if (owner === ownSteamId) calls.tell('licenses_updated', {});
      },
      loseConnection: (result) => {
        const { calls, world, member } = this.#at('loseConnection');
        if (!this.#isLoggedOn) return;
        this.#isLoggedOn = false;
        calls.tell('steam_server_disconnected', { result });
        world.wentOffline(member);
      },
      restoreConnection: () => {
        const { calls, sessions } = this.#at('restoreConnection');
        if (this.#isLoggedOn) return;
        this.#isLoggedOn = true;
        calls.tell('steam_server_connected', {});
        sessions.connected();
      },
      answerNext: (answer) => this.#at('answerNext').calls.lay(answer),
      emit: (signal, keys) => this.#at('emit').calls.tell(signal, keys),
    };
  }

  #account(action: string): SteamAccount {
    return this.#at(action).account.account;
  }

  /** @throws HotmicError ERR_HOTMIC_STEAM_CLOSED. */
  #at(action: string): Parts {
    if (this.#open) return this.#open;
    throw new HotmicError('ERR_HOTMIC_STEAM_CLOSED', `Cannot call ${action}: this Steam is closed`);
  }
}

/** What the capture worker calls: see `SteamModule` in capture/worker.ts. */
export function openVoiceSource(options: EmbeddedSteamOptions, clock: Clock): VoiceSource {
  return new EmbeddedSteam(options, clock);
}
