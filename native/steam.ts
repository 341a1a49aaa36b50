/**
 * An open Steam: the class reference's `User`, and on top of it a typed layer of promises and objects that clean up after
 * themselves. It keeps Steam's verbs; what the class reference answers with a signal is a promise here.
 *
 * Callbacks run only in `runCallbacks`, which openSteam's timer or the game's frame calls. Time comes from the given clock.
 */

import { HotmicError } from '../voice/error.js';
import type { Milliseconds } from '../voice/units.js';
import { type AuthSession, AuthSessions } from './auth_session.js';
import type { CaptureSteam } from './capture/capture.js';
import { SteamMicrophone } from './capture/steam_microphone.js';
import type { EmbeddedSteam } from './embedded/steam.js';
import { AuthSessionResponse, BeginAuthSessionResult } from './enums.js';
import { type AnswerName, failedKeys, refusedCall } from './failed_call.js';
import { Faults } from './faults.js';
import { type HeldTicket, HeldTickets } from './held_ticket.js';
import { type CallOptions, PendingCalls, type Settlement } from './pending_calls.js';
import { Result } from './result.js';
import type { DurationControl, FailedCall, SignalName, Signals, SteamEvent } from './signals.js';
import { SpeakerDecoder, type SpeakerDecoderOptions } from './speaker_decoder.js';
import { SteamCallError } from './steam_call_error.js';
import type { AuthenticateOptions, SteamParts, SteamReport } from './steam_parts.js';
import type { RemoteIdentity, SteamUser } from './steam_user.js';
import { User } from './user.js';
import { redirectUrlOf, userDataOf } from './user_arguments.js';
import { nameOf } from './value_name.js';
import type { RecordVoiceOptions, VoiceRecorder } from './voice_recorder.js';

/** The most signals of calls that Steam did not accept that wait for the next frame; beyond it the oldest are lost. */
const MAX_REFUSED = 1024;

/** An open Steam: the class reference's `User`, promises over it, and a frame loop for its callbacks. */
export class Steam implements Disposable {
  /** The class reference's `User`. */
  readonly user: User;
  readonly report: SteamReport;
  /** For startCapture: records from this Steam, or, with the embedded one, from a second one with the same options. */
  readonly capture: CaptureSteam;
  /** The embedded Steam behind it, with the test controls; null for the real one. */
  readonly embedded: EmbeddedSteam | null;
  readonly #steam: SteamUser;
  readonly #clock: () => Milliseconds;
  readonly #calls: PendingCalls;
  readonly #onClosed: (() => void) | undefined;
  readonly #tickets: HeldTickets;
  readonly #sessions: AuthSessions;
  readonly #microphone: SteamMicrophone;
  readonly #refused: SteamEvent[] = [];
  #isRunning = false;
  #isClosed = false;

  constructor({ steam, report, capture, embedded, microphone, clock, onPending, onClosed }: SteamParts) {
    this.#steam = steam;
    this.report = report;
    this.capture = capture;
    this.embedded = embedded ?? null;
    this.#microphone = new SteamMicrophone(steam, microphone);
    this.user = new User(steam, {
      microphone: this.#microphone,
      onRefused: (signal) => this.#refuse(signal),
      onSessionEnded: (auth_id) => {
        const keys = { auth_id, response: 0, owner_id: 0n };
        this.#calls.withdraw('validate_auth_ticket_response', keys, 'endAuthSession has ended the session');
      },
    });
    this.#tickets = new HeldTickets(steam);
    this.#sessions = new AuthSessions(steam);
    this.#clock = clock;
    this.#calls = new PendingCalls(onPending);
    this.#onClosed = onClosed;
  }

  /** 'real', or 'embedded' when there is no Steam behind it. */
  get kind(): 'real' | 'embedded' {
    return this.report.kind;
  }

  /** Whether `close()` was called. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * One frame of Steam: settles promises and sends the signals of `user`. Returns how many came; 0 when a listener calls it, since its
   * frame is still going on. What listeners throw is thrown after all of them were called: several errors as one AggregateError.
   */
  runCallbacks(): number {
    if (this.#isClosed || this.#isRunning) return 0;
    this.#isRunning = true;
    const faults = new Faults();
    let count = 0;
    let isFlushed = false;
    this.#calls.beginFrame();
    faults.attempt(() => {
      for (const event of [...this.#refused.splice(0), ...this.#steam.runCallbacks()]) {
        count += 1;
        isFlushed ||= event.signal === 'ipc_failure';
        this.#tell(event, faults);
        if (this.#isClosed) break;
      }
    });
    if (isFlushed) this.#calls.failFlushed();
    if (!this.#steam.getsCallbacks) this.#calls.fail((action) => elsewhere(action));
    faults.attempt(() => this.#calls.expire(this.#clock()));
    this.#isRunning = false;
    faults.rethrow('Several listeners threw while callbacks were run');
    return count;
  }

  /**
   * A ticket for another player or a game server, once Steam has confirmed it.
   *
   * @param remote Who may use it: a SteamID, `{ ip, port }` or `{ text }`. Default 0: anyone.
   * @throws SteamCallError with Steam's Result; ERR_HOTMIC_STEAM_TIMEOUT; the reason of the AbortSignal. The ticket is then cancelled.
   */
  getAuthSessionTicket(remote: RemoteIdentity | 0 = 0, options: CallOptions = {}): Promise<HeldTicket> {
    const action = 'get an auth session ticket';
    return this.#ask(action, options, () => {
      const { id, buffer } = this.user.getAuthSessionTicket(remote);
      return this.#awaitTicket(action, id, 'get_auth_session_ticket_response', options, () => buffer);
    });
  }

  /**
   * A ticket for Steam's Web API, once Steam has delivered it.
   *
   * @param identity The service that will check it, as it names itself to AuthenticateUserTicket.
   * @throws As getAuthSessionTicket.
   */
  getAuthTicketForWebApi(identity = '', options: CallOptions = {}): Promise<HeldTicket> {
    const action = 'get a ticket for the Web API';
    return this.#ask(action, options, () => {
      const id = this.user.getAuthTicketForWebApi(identity);
      const name = 'get_ticket_for_web_api';
      return this.#awaitTicket(action, id, name, options, ({ ticket_buffer }) => ticket_buffer);
    });
  }

  /**
   * An encrypted app ticket, made by Steam. At most one per minute.
   *
   * @param userData Up to 1024 bytes (embedded Steam: 512) for your backend, such as a nonce that it gave.
   * @throws SteamCallError: RESULT_LIMIT_EXCEEDED within the minute, RESULT_DUPLICATE_REQUEST while another request is pending.
   */
  requestEncryptedAppTicket(userData: string | Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    const action = 'request an encrypted app ticket';
    return this.#ask(action, options, () => {
      const call = this.#steam.requestEncryptedAppTicket(userDataOf(userData));
      return this.#awaitCall(action, call, 'encrypted_app_ticket_response', options, ({ result }) => {
        checkResult(action, result);
        const ticket = this.#steam.getEncryptedAppTicket();
        if (ticket !== null) return ticket;
        throw new HotmicError('ERR_HOTMIC_STEAM_CALL', `Cannot ${action}: Steam has no ticket`);
      });
    });
  }

  /** A URL that logs a browser in to the store and then redirects to `redirectUrl`. Open it at once: it is short-lived. */
  requestStoreAuthURL(redirectUrl: string, options: CallOptions = {}): Promise<string> {
    const action = 'request a store URL';
    return this.#ask(action, options, () => {
      const call = this.#steam.requestStoreAuthURL(redirectUrlOf(redirectUrl));
      return this.#awaitCall(action, call, 'store_auth_url_response', options, ({ url }) => {
        if (url !== '') return url;
        throw new HotmicError('ERR_HOTMIC_STEAM_CALL', `Cannot ${action}: Steam gave no URL`);
      });
    });
  }

  /** Whether the player may use the Steam Community Market. Rejects as the other calls do. */
  getMarketEligibility(options: CallOptions = {}): Promise<Signals['market_eligibility_response']> {
    const action = 'get the market eligibility';
    return this.#ask(action, options, () => {
      const call = this.#steam.getMarketEligibility();
      return this.#awaitCall(action, call, 'market_eligibility_response', options, (keys) => keys);
    });
  }

  /** How long the player has played, where a law limits it. Rejects as the other calls do. */
  getDurationControl(options: CallOptions = {}): Promise<DurationControl> {
    const action = 'get the duration control';
    return this.#ask(action, options, () => {
      const call = this.#steam.getDurationControl();
      return this.#awaitCall(action, call, 'duration_control', options, ({ result, duration }) => {
        checkResult(action, result);
        return duration;
      });
    });
  }

  /**
   * Authenticates a player who sent a ticket of getAuthSessionTicket, and waits for Steam's verdict.
   *
   * @throws SteamCallError with the BeginAuthSessionResult or AuthSessionResponse that says why; the session is then ended.
   */
  beginAuthSession(
    ticket: Uint8Array,
    steamId: bigint,
    options: AuthenticateOptions = {},
  ): Promise<AuthSession> {
    const action = 'authenticate a player';
    return this.#ask(action, options, () => {
      const begun = this.user.beginAuthSession(ticket, ticket?.length, steamId);
      if (begun !== 0) throw new SteamCallError(action, begun, nameOf(BeginAuthSessionResult, begun));
      const isIts = (keys: Signals['validate_auth_ticket_response']) => keys.auth_id === steamId;
      return this.#wait(action, 'validate_auth_ticket_response', 0n, isIts, options, {
        answered: (verdict) => {
          const { response } = verdict;
          if (response === 0) return this.#sessions.begin(verdict, options.onEnded);
          this.#steam.endAuthSession(steamId);
          throw new SteamCallError(action, response, nameOf(AuthSessionResponse, response));
        },
        gaveUp: () => this.#steam.endAuthSession(steamId),
      });
    });
  }

  /**
   * Key-down: records, and yields the packets one by one until Steam has nothing more. If the last recording still drains, its
   * iteration ends and the rest of it comes here, since Steam goes on recording.
   *
   * @throws HotmicError ERR_HOTMIC_CAPTURE while a capture, the `User` class or another recording has the microphone.
   */
  recordVoice(options: RecordVoiceOptions = {}): VoiceRecorder {
    this.#checkOpen('record');
    return this.#microphone.record(this.#clock, options);
  }

  /**
   * The folder where Steam keeps this player's files of this game on this machine, such as `…/userdata/123/480/local`. It may not
   * exist yet. Valve recommends Steam Cloud instead.
   *
   * @throws HotmicError ERR_HOTMIC_STEAM_UNSUPPORTED if the library has no such function, ERR_HOTMIC_STEAM_CALL if Steam gave no folder.
   */
  getUserDataFolder(): string {
    this.#checkOpen('get the user data folder');
    const folder = this.#steam.getUserDataFolder();
    if (folder !== '') return folder;
    throw new HotmicError('ERR_HOTMIC_STEAM_CALL', 'Cannot get the user data folder: Steam gave no folder');
  }

  /** A decoder for one speaker's packets, which uses this Steam's decompressVoice. */
  createSpeakerDecoder(options: SpeakerDecoderOptions = {}): SpeakerDecoder {
    this.#checkOpen('create a decoder');
    return new SpeakerDecoder(this.#steam, options);
  }

  /**
   * Stops its recording, whose iteration ends without the tail; rejects pending promises with ERR_HOTMIC_STEAM_CLOSED; cancels its
   * tickets and ends its sessions. A second call does nothing.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const faults = new Faults();
    faults.attempt(() => this.#microphone.close());
    this.#calls.fail((action) => closed(action));
    for (const ticket of this.#tickets.all()) faults.attempt(() => ticket.cancel());
    for (const session of this.#sessions.all()) faults.attempt(() => session.end());
    faults.attempt(() => this.#steam.close());
    faults.attempt(() => this.#onClosed?.());
    faults.rethrow('Several steps threw while Steam was closed');
  }

  /** Closes Steam: for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Listeners are called here and not by emit, which stops at the first that throws. */
  #tell(event: SteamEvent | FailedCall, faults: Faults): void {
    faults.attempt(() => this.#calls.handle(event));
    const keys = event.keys ?? failedKeys(event.signal);
    if (event.signal === 'validate_auth_ticket_response') {
      const { auth_id, response } = event.keys;
      faults.attempt(() => this.#sessions.of(auth_id)?.judge(response as AuthSessionResponse));
    }
    for (const listener of this.user.rawListeners(event.signal)) {
      faults.attempt(() => void Reflect.apply(listener, this.user, [keys]));
    }
  }

  /** Misuse rejects like everything else: an awaiting caller needs one place to catch. */
  async #ask<T>(action: string, options: CallOptions, call: () => Promise<T>): Promise<T> {
    this.#checkOpen(action);
    this.#calls.check(action, options);
    return await call();
  }

  #checkOpen(action: string): void {
    if (this.#isClosed) throw closed(action);
  }

  #wait<Name extends SignalName, T>(
    action: string,
    name: Name,
    call: bigint,
    isIts: (keys: Signals[Name]) => boolean,
    options: CallOptions,
    settlement: Settlement<Signals[Name], T>,
  ): Promise<T> {
    return this.#calls.wait(action, name, call, isIts, this.#clock(), options, settlement);
  }

  /** Listeners get their answer in the next frame as well. */
  #refuse(signal: AnswerName): void {
    if (this.#refused.length >= MAX_REFUSED) this.#refused.shift();
    this.#refused.push(refusedCall(signal));
  }

  #awaitCall<Name extends AnswerName, T>(
    action: string,
    call: bigint,
    name: Name,
    options: CallOptions,
    answered: (keys: Signals[Name]) => T,
  ): Promise<T> {
    if (call === 0n) {
      this.#refuse(name);
      throw new HotmicError('ERR_HOTMIC_STEAM_CALL', `Cannot ${action}: Steam did not accept the call`);
    }
    return this.#wait(action, name, call, () => true, options, { answered });
  }

  #awaitTicket<Name extends 'get_auth_session_ticket_response' | 'get_ticket_for_web_api'>(
    action: string,
    handle: number,
    name: Name,
    options: CallOptions,
    bytesOf: (keys: Signals[Name]) => Uint8Array,
  ): Promise<HeldTicket> {
    if (handle === 0) {
      throw new HotmicError('ERR_HOTMIC_STEAM_CALL', `Cannot ${action}: Steam gave no handle`);
    }
    const cancel = () => this.#steam.cancelAuthTicket(handle);
    return this.#wait(action, name, 0n, (keys) => keys.auth_ticket === handle, options, {
      answered: (keys) => {
        if (keys.result !== Result.RESULT_OK) cancel();
        checkResult(action, keys.result);
        const bytes = bytesOf(keys);
        if (bytes.length > 0) return this.#tickets.hold(handle, bytes);
        cancel();
        throw new HotmicError('ERR_HOTMIC_STEAM_CALL', `Cannot ${action}: Steam gave an empty ticket`);
      },
      gaveUp: cancel,
    });
  }
}

function closed(action: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_STEAM_CLOSED', `Cannot ${action}: this Steam is closed`);
}

function elsewhere(action: string): HotmicError {
  const text = `Cannot ${action}: another thread of this process gets Steam's callbacks; make the call there`;
  return new HotmicError('ERR_HOTMIC_STEAM_CALL', text);
}

function checkResult(action: string, result: number): void {
  if (result !== Result.RESULT_OK) throw new SteamCallError(action, result, nameOf(Result, result));
}
