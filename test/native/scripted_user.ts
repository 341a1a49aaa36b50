/**
 * A Steam beneath the `User` class that does what the test says: it notes each call with its arguments, answers as told, and
 * brings the events that the test sends, in order, with the next runCallbacks.
 *
 * It keeps the contract of native/steam_user.ts and no more: it knows no account and judges no ticket. Closed, it throws
 * ERR_HOTMIC_STEAM_CLOSED, and its voice functions answer VOICE_RESULT_NOT_INITIALIZED.
 */

import type { CallResultName, FailedCall, SignalName, Signals, SteamEvent } from '../../native/signals.js';
import { Steam } from '../../native/steam.js';
import type { SteamParts } from '../../native/steam_parts.js';
import type { AuthTicket, RemoteIdentity, SteamUser } from '../../native/steam_user.js';
import type { AvailableVoice, CapturedVoice } from '../../native/voice_source.js';
import { HotmicError } from '../../voice/error.js';
import { VoiceResult } from '../../voice/voice_result.js';
import type { DecompressedVoice } from '../../wasm/voice_decompressor.js';

type FunctionName = Exclude<keyof SteamUser, 'inputEnded' | 'skippedMs' | 'getsCallbacks'>;

/** What getVoice gives: a packet, or a result without one. */
export type ScriptedVoice = Uint8Array | VoiceResult;

export const NO_BYTES = new Uint8Array(0);

export class ScriptedUser implements SteamUser {
  /** Each call but runCallbacks, with its arguments. */
  readonly calls: (readonly [name: FunctionName, ...args: unknown[]])[] = [];
  /** What is answered instead of the usual. */
  readonly answers: { -readonly [Name in FunctionName]?: SteamUser[Name] } = {};
  /** What getVoice gives next. Without: NO_DATA while it records, else NOT_RECORDING. */
  readonly voice: ScriptedVoice[] = [];
  /** What stopVoiceRecording leaves behind. */
  tail: ScriptedVoice[] = [];
  readonly inputEnded = false;
  getsCallbacks = true;
  #events: (SteamEvent | FailedCall)[] = [];
  #isRecording = false;
  #isClosed = false;
  #tickets = 0;
  #calls = 0n;

  /** Comes with the next runCallbacks. @param call The call that it answers; 0n for a broadcast. */
  send<Name extends SignalName>(signal: Name, keys: Signals[Name], call = 0n): void {
    this.#events.push({ signal, keys, call } as unknown as SteamEvent);
  }

  /** An answer that never comes: an IO failure. */
  lose(signal: CallResultName, call: bigint): void {
    this.#events.push({ signal, keys: null, call });
  }

  /** The arguments of each call of this function. */
  argumentsOf(name: FunctionName): unknown[][] {
    return this.calls.filter(([called]) => called === name).map(([, ...args]) => args);
  }

  runCallbacks(): readonly (SteamEvent | FailedCall)[] {
    this.#mustBeOpen();
    if (this.answers.runCallbacks !== undefined) return this.answers.runCallbacks();
    const events = this.#events;
    this.#events = [];
    return events;
  }

  getSteamID(): bigint {
    return this.#answer('getSteamID', [], () => 76561197960265729n);
  }

  loggedOn(): boolean {
    return this.#answer('loggedOn', [], () => true);
  }

  getPlayerSteamLevel(): number {
    return this.#answer('getPlayerSteamLevel', [], () => 0);
  }

  getGameBadgeLevel(series: number, foil: boolean): number {
    return this.#answer('getGameBadgeLevel', [series, foil], () => 0);
  }

  isBehindNAT(): boolean {
    return this.#answer('isBehindNAT', [], () => false);
  }

  isPhoneIdentifying(): boolean {
    return this.#answer('isPhoneIdentifying', [], () => false);
  }

  isPhoneRequiringVerification(): boolean {
    return this.#answer('isPhoneRequiringVerification', [], () => false);
  }

  isPhoneVerified(): boolean {
    return this.#answer('isPhoneVerified', [], () => false);
  }

  isTwoFactorEnabled(): boolean {
    return this.#answer('isTwoFactorEnabled', [], () => false);
  }

  startVoiceRecording(): void {
    this.calls.push(['startVoiceRecording']);
    if (this.#isClosed) return;
    this.answers.startVoiceRecording?.();
    this.#isRecording = true;
  }

  stopVoiceRecording(): void {
    this.calls.push(['stopVoiceRecording']);
    if (this.#isClosed) return;
    this.answers.stopVoiceRecording?.();
    if (this.#isRecording) this.voice.push(...this.tail);
    this.#isRecording = false;
  }

  getAvailableVoice(): AvailableVoice {
    this.calls.push(['getAvailableVoice']);
    if (this.#isClosed) return { result: VoiceResult.VOICE_RESULT_NOT_INITIALIZED, buffer: 0 };
    return this.answers.getAvailableVoice?.() ?? { result: VoiceResult.VOICE_RESULT_NO_DATA, buffer: 0 };
  }

  getVoice(...args: [buffer_size_override?: number]): CapturedVoice {
    this.calls.push(['getVoice', ...args]);
    if (this.#isClosed) return noVoice(VoiceResult.VOICE_RESULT_NOT_INITIALIZED);
    if (this.answers.getVoice !== undefined) return this.answers.getVoice(...args);
    const next = this.voice.shift();
    if (next instanceof Uint8Array) {
      return { result: VoiceResult.VOICE_RESULT_OK, written: next.length, buffer: next };
    }
    const silent = this.#isRecording
      ? VoiceResult.VOICE_RESULT_NO_DATA
      : VoiceResult.VOICE_RESULT_NOT_RECORDING;
    return noVoice(next ?? silent);
  }

  getVoiceInto(target: Uint8Array): number {
    this.calls.push(['getVoiceInto', target]);
    return this.answers.getVoiceInto?.(target) ?? -VoiceResult.VOICE_RESULT_NO_DATA;
  }

  decompressVoice(
    ...args: [voice: Uint8Array, sample_rate: number, buffer_size_override?: number]
  ): DecompressedVoice {
    this.calls.push(['decompressVoice', ...args]);
    if (this.#isClosed) {
      return { result: VoiceResult.VOICE_RESULT_NOT_INITIALIZED, size: 0, uncompressed: NO_BYTES };
    }
    return (
      this.answers.decompressVoice?.(...args) ?? {
        result: VoiceResult.VOICE_RESULT_DATA_CORRUPTED,
        size: 0,
        uncompressed: NO_BYTES,
      }
    );
  }

  getVoiceOptimalSampleRate(): number {
    return this.#answer('getVoiceOptimalSampleRate', [], () => 24_000);
  }

  /** The tickets' handles are 1, 2, 3, …; a ticket holds its handle. */
  getAuthSessionTicket(remote: RemoteIdentity): AuthTicket {
    return this.#answer('getAuthSessionTicket', [remote], () => {
      const buffer = Uint8Array.of(0, ++this.#tickets);
      return { id: this.#tickets, buffer, size: buffer.length };
    });
  }

  getAuthTicketForWebApi(identity: string): number {
    return this.#answer('getAuthTicketForWebApi', [identity], () => ++this.#tickets);
  }

  cancelAuthTicket(handle: number): void {
    this.#answer('cancelAuthTicket', [handle], () => undefined);
  }

  beginAuthSession(ticket: Uint8Array, steamId: bigint): number {
    return this.#answer('beginAuthSession', [ticket, steamId], () => 0);
  }

  endAuthSession(steamId: bigint): void {
    this.#answer('endAuthSession', [steamId], () => undefined);
  }

  userHasLicenseForApp(steamId: bigint, appId: number): number {
    return this.#answer('userHasLicenseForApp', [steamId, appId], () => 0);
  }

  /** The calls' handles are 1n, 2n, 3n, … */
  requestEncryptedAppTicket(userData: Uint8Array): bigint {
    return this.#answer('requestEncryptedAppTicket', [userData], () => ++this.#calls);
  }

  getEncryptedAppTicket(): Uint8Array | null {
    return this.#answer('getEncryptedAppTicket', [], () => null);
  }

  requestStoreAuthURL(url: string): bigint {
    return this.#answer('requestStoreAuthURL', [url], () => ++this.#calls);
  }

  getMarketEligibility(): bigint {
    return this.#answer('getMarketEligibility', [], () => ++this.#calls);
  }

  getDurationControl(): bigint {
    return this.#answer('getDurationControl', [], () => ++this.#calls);
  }

  setDurationControlOnlineState(state: number): boolean {
    return this.#answer('setDurationControlOnlineState', [state], () => true);
  }

  advertiseGame(serverSteamId: bigint, ip: number, port: number): void {
    this.#answer('advertiseGame', [serverSteamId, ip, port], () => undefined);
  }

  initiateGameConnection(
    serverSteamId: bigint,
    ip: number,
    port: number,
    secure: boolean,
  ): Uint8Array | null {
    return this.#answer('initiateGameConnection', [serverSteamId, ip, port, secure], () => null);
  }

  terminateGameConnection(ip: number, port: number): void {
    this.#answer('terminateGameConnection', [ip, port], () => undefined);
  }

  getUserDataFolder(): string {
    return this.#answer('getUserDataFolder', [], () => '/steam/userdata/1/480/local');
  }

  close(): void {
    this.calls.push(['close']);
    this.answers.close?.();
    this.#isClosed = true;
  }

  #answer<Name extends FunctionName>(
    name: Name,
    args: Parameters<SteamUser[Name]>,
    usual: () => ReturnType<SteamUser[Name]>,
  ): ReturnType<SteamUser[Name]> {
    this.#mustBeOpen();
    this.calls.push([name, ...args]);
    const told = this.answers[name] as
      | ((...args: Parameters<SteamUser[Name]>) => ReturnType<SteamUser[Name]>)
      | undefined;
    return told === undefined ? usual() : told(...args);
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new HotmicError('ERR_HOTMIC_STEAM_CLOSED', 'Cannot ask Steam: it is closed');
  }
}

function noVoice(result: VoiceResult): CapturedVoice {
  return { result, written: 0, buffer: NO_BYTES };
}

/** An open Steam over a scripted one, a clock that the test moves, and what the Steam told of itself. */
export interface ScriptedOpening {
  readonly steam: Steam;
  readonly under: ScriptedUser;
  readonly clock: { nowMs: number };
  /** Numbers that onPending was called with. */
  readonly pending: number[];
  /** How often onClosed was called. */
  closings: number;
}

export function openScripted(parts: Partial<SteamParts> = {}): ScriptedOpening {
  const under = new ScriptedUser();
  const clock = { nowMs: 1_000 };
  const pending: number[] = [];
  const opening = { under, clock, pending, closings: 0 };
  const steam = new Steam({
    steam: under,
    report: {
      kind: 'real',
      why: 'a test',
      failure: null,
      library: '/lib.so',
      interfaceVersion: 'SteamUser023',
    },
    capture: {} as SteamParts['capture'],
    clock: () => clock.nowMs,
    onPending: (count) => pending.push(count),
    onClosed: () => {
      opening.closings += 1;
    },
    ...parts,
  });
  return Object.assign(opening, { steam });
}
