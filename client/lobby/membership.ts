/**
 * A lobby while we are in it: keeps one session going over one connection after another, and reports events to the application.
 */

import { deferred } from '../../voice/deferred.js';
import { HotmicError, messageOf } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';
import type { CapturedPacket } from '../capture_targets.js';
import type { Member, Participant } from '../lobby_state.js';
import { NO_CLOSE_FRAME, Session } from '../session.js';
import type { SessionInput, SessionOutput, SessionRequest } from '../session_io.js';
import type { OpenTransport } from '../transport/transport.js';
import { connectError, retryAfterMs } from '../transport/upgrade_refusal.js';
import { shownUrl } from '../transport/url.js';
import type { VoiceTarget } from '../voice_target.js';
import { Connection } from './connection.js';
import { LobbyCounter } from './counter.js';
import type { Credentials } from './credentials.js';
import type { LobbyIo } from './io.js';
import type { Lobby, LobbyCounts, LobbyEvents, LobbyOptions } from './lobby.js';
import { notifyChange } from './notify.js';
import { MAX_BUFFERED_BYTES, OutgoingVoice } from './outgoing_voice.js';
import { Reconnect, type ReconnectStep } from './reconnect.js';
import { Redirects } from './redirects.js';
import { RelayClock } from './relay_clock.js';
import { channelsRequest, type Moderation, moderateRequest, renameRequest } from './requests.js';

/** The longest that `joinLobby` waits for the relay's welcome. */
const WELCOME_TIMEOUT_MS: Milliseconds = 10_000;

/** The longest that one attempt to reconnect takes. A place is kept for 30 s, so one attempt that hangs must not use all of it. */
const RECONNECT_TIMEOUT_MS: Milliseconds = 5000;

/** The longest that `leave` waits for the relay to close the connection. After that it closes the connection itself. */
const LEAVE_TIMEOUT_MS: Milliseconds = 2000;

export class Membership implements Lobby {
  readonly #options: LobbyOptions;
  /** Whether there is a credential for another hello. */
  readonly #rejoin: 'may' | 'never';
  readonly #io: LobbyIo;
  readonly #events: LobbyEvents;
  readonly #session: Session;
  readonly #connection: Connection;
  readonly #reconnect: Reconnect;
  readonly #redirects: Redirects;
  readonly #relayClock = new RelayClock();
  readonly #counter = new LobbyCounter();
  readonly #outgoing: OutgoingVoice;
  readonly #joined = deferred<Lobby>();
  readonly #closed = deferred<void>();
  #url: URL;
  /** The relay to go to when this one closes. */
  #redirect: URL | null = null;
  #wasWelcomed = false;

  constructor(url: URL, options: LobbyOptions, credentials: Credentials, open: OpenTransport, io: LobbyIo) {
    this.#url = url;
    this.#options = options;
    this.#rejoin = credentials.again;
    this.#io = io;
    this.#events = options.events ?? {};
    this.#reconnect = new Reconnect(io.random);
    this.#redirects = new Redirects(url, options.redirectHosts);
    const { reconnect = 'auto' } = options;
    this.#session = new Session(options, { reconnect, rejoin: this.#rejoin });
    this.#connection = new Connection(open, credentials, io, {
      url: () => this.#url,
      opening: () => this.#session.opening,
      handle: (input) => this.#handle(input),
      fail: (why) => this.#failConnection(why),
      failCredential: (thrown) => this.#failCredential(thrown),
    });
    this.#outgoing = new OutgoingVoice(io, {
      transport: () => this.#connection.transport,
      numberOf: (target) => this.#session.numberOf(target),
      request: (request) => this.#request(request),
    });
  }

  get state(): Lobby['state'] {
    if (this.#session.joined) return 'joined';
    return this.#session.away ? 'reconnecting' : 'over';
  }

  get slot(): number {
    return this.#session.you.slot;
  }

  get you(): Member {
    return this.#session.you;
  }

  get joinedRelayTimeMs(): number {
    return this.#relayClock.originMs;
  }

  get maySpeak(): boolean {
    return this.#session.maySpeak;
  }

  get mayListen(): boolean {
    return this.#session.mayListen;
  }

  get participants(): readonly Participant[] {
    return this.#session.participants;
  }

  get channels(): readonly string[] {
    return this.#session.channels;
  }

  /** Opens the first connection. Resolves at the welcome. */
  join(): Promise<Lobby> {
    const { signal } = this.#options;
    const where = shownUrl(this.#url);
    const onAbort = () => {
      if (!this.#wasWelcomed)
        this.#abandon(new HotmicError('ERR_HOTMIC_CLOSED', `Gave up joining at ${where}`));
    };
    signal?.addEventListener('abort', onAbort);
    const stopListening = () => signal?.removeEventListener('abort', onAbort);
    this.#joined.promise.then(stopListening, stopListening);
    this.#connection.open(WELCOME_TIMEOUT_MS);
    if (signal?.aborted) onAbort();
    return this.#joined.promise;
  }

  /** Bound to this lobby, so that it can be passed as a function. */
  readonly publish = (packet: CapturedPacket, target: VoiceTarget = 'lobby'): boolean => {
    const number = this.#outgoing.publish(packet, target);
    if (number === null) this.#counter.refused();
    else this.#counter.sent(number, this.maySpeak && !this.you.muted ? 'published' : 'dropped');
    return number !== null;
  };

  enter(channels: readonly string[]): boolean {
    return this.#request(channelsRequest(channels));
  }

  whisper(slots: readonly number[]): boolean {
    return this.#outgoing.whisper(slots);
  }

  rename(name: string): boolean {
    return this.#request(renameRequest(name));
  }

  moderate(moderation: Moderation): boolean {
    return this.#request(moderateRequest(moderation));
  }

  counts(): LobbyCounts {
    return {
      ...this.#counter.counts(),
      participantsRefused: this.#session.refusedParticipants,
      redirects: this.#redirects.counts(),
    };
  }

  async leave(): Promise<void> {
    this.#apply(this.#session.leave());
    const cancelTimer = this.#io.after(LEAVE_TIMEOUT_MS, () => this.#connection.transport?.close());
    await this.#closed.promise;
    cancelTimer();
  }

  #request(request: SessionRequest): boolean {
    // Requests must not pile up in memory when the relay does not read.
    if ((this.#connection.transport?.bufferedBytes ?? 0) > MAX_BUFFERED_BYTES) return false;
    const send = this.#session.request(request);
    if (send) this.#apply([send]);
    return send !== null;
  }

  #handle(input: SessionInput): void {
    if (input.kind === 'closed' && input.failure && !this.#wasWelcomed) {
      this.#joined.reject(connectError(this.#url, input.failure));
    }
    this.#apply(this.#session.handle(input));
    if (input.kind === 'closed' && this.#session.over) this.#closed.resolve();
  }

  /** Gives the current connection up. */
  #failConnection(why: Error): void {
    if (!this.#wasWelcomed) {
      const message = `Cannot join at ${shownUrl(this.#url)}: ${why.message}`;
      this.#abandon(new HotmicError('ERR_HOTMIC_CONNECT', message));
      return;
    }
    this.#connection.hangUp();
    this.#handle({ kind: 'closed', code: NO_CLOSE_FRAME, reason: '', failure: why });
  }

  /** The application provided no credential. Before the welcome, `joinLobby` rejects with its own error. */
  #failCredential(thrown: unknown): void {
    if (this.#wasWelcomed) this.#failConnection(new Error(`there is no credential: ${messageOf(thrown)}`));
    else this.#abandon(thrown);
  }

  /** Ends without a word to the relay; whatever it still sends is ignored. */
  #abandon(thrown: unknown): void {
    this.#joined.reject(thrown);
    this.#session.abandon();
    this.#connection.cancelTimer();
    this.#connection.hangUp();
    this.#closed.resolve();
  }

  #step(step: ReconnectStep): void {
    // The application's callback may have left the lobby.
    if (this.#session.over) return;
    if (step.kind === 'give-up') this.#apply(this.#session.giveUp());
    else this.#connection.openAfter(step.afterMs, RECONNECT_TIMEOUT_MS);
  }

  #apply(outputs: readonly SessionOutput[]): void {
    for (const output of outputs) this.#applyOne(output);
  }

  #applyOne(output: SessionOutput): void {
    const events = this.#events;
    switch (output.kind) {
      case 'send':
        this.#connection.transport?.send(output.text);
        break;
      case 'challenge':
        this.#connection.answerChallenge(output.nonce);
        break;
      case 'welcome':
        this.#wasWelcomed = true;
        this.#connection.cancelTimer();
        this.#relayClock.begin(output.relayTimeMs, this.#io.now());
        this.#outgoing.entered();
        events.onWelcome?.(this);
        this.#joined.resolve(this);
        break;
      case 'away':
        events.onReconnecting?.(output.error);
        this.#followRedirect();
        this.#step(this.#reconnect.lost(output.why, output.withinMs, this.#io.now()));
        break;
      case 'still-away':
        this.#step(this.#reconnect.failed(this.#io.now(), retryAfterMs(output.error)));
        break;
      case 'resumed':
        this.#returned(output.how, output.relayTimeMs);
        break;
      case 'joined':
      case 'left':
      case 'speaking':
      case 'changed':
      case 'you-changed':
      case 'channels':
        if (output.kind === 'you-changed') this.#counter.restart();
        notifyChange(events, output);
        break;
      case 'voice':
        this.#counter.received(output.header.target, output.header.relaySequence);
        events.onVoice?.(
          output.participant,
          this.#relayClock.header(output.header),
          output.packet,
          output.target,
        );
        break;
      case 'dropped':
        this.#counter.dropped(output.reason);
        break;
      case 'failed':
        events.onFailed?.(output.code, output.message, output.request);
        break;
      case 'draining':
        events.onDraining?.(output.withinMs, output.goTo);
        this.#noteRedirect(output.goTo);
        break;
      case 'ended':
        this.#end(output.error);
    }
  }

  #returned(how: 'resumed' | 'joined-anew', relayTimeMs: number): void {
    this.#connection.cancelTimer();
    this.#counter.resumed();
    if (how === 'resumed') this.#outgoing.resumed();
    else {
      this.#outgoing.entered();
      this.#relayClock.rejoin(relayTimeMs, this.#io.now());
    }
    this.#events.onResumed?.(how);
  }

  #end(error: HotmicError | null): void {
    this.#connection.cancelTimer();
    this.#outgoing.end();
    const { transport } = this.#connection;
    if (transport) transport.close();
    else {
      // A credential may still come.
      this.#connection.hangUp();
      this.#closed.resolve();
    }
    if (this.#wasWelcomed) {
      this.#events.onEnded?.(error);
      return;
    }
    this.#joined.reject(error ?? new HotmicError('ERR_HOTMIC_CLOSED', 'Left the lobby before joining it'));
  }

  /** Remembers where to go when this relay closes, if it may send us there. */
  #noteRedirect(goTo: string | null): void {
    this.#redirect = null;
    if (goTo === null) return;
    const mayGo = this.#rejoin === 'may' && !this.you.guest;
    const judged = mayGo
      ? this.#redirects.judge(goTo, this.#url, this.#io.now())
      : this.#redirects.refuse('no-credential');
    if (judged instanceof URL) this.#redirect = judged;
    else this.#events.onRedirectRefused?.(goTo, judged);
  }

  #followRedirect(): void {
    if (!this.#redirect) return;
    this.#url = this.#redirect;
    this.#redirect = null;
    this.#redirects.followed(this.#io.now());
    this.#session.forgetPlace();
  }
}
