/**
 * A lobby at work: carries a session over one connection after another, and tells what happens.
 *
 * At most one connection is ours at a time; what an earlier one still tells is not heard.
 */

import { HotmicError, messageOf } from '../voice/error.js';
import type { Milliseconds } from '../voice/units.js';
import type { CapturedPacket } from './capture_targets.js';
import type { Credentials } from './credentials.js';
import { deferred } from './deferred.js';
import { FirstClock } from './first_clock.js';
import type { Lobby, LobbyCounts, LobbyEvents, LobbyOptions } from './lobby.js';
import { LobbyCounter } from './lobby_counter.js';
import type { Member, Participant } from './lobby_state.js';
import { MAX_BUFFERED_BYTES, OutgoingVoice } from './outgoing_voice.js';
import { Reconnect, type ReconnectStep } from './reconnect.js';
import { Redirects } from './redirects.js';
import { channelsRequest, type Moderation, moderateRequest, renameRequest } from './requests.js';
import type { Rim } from './rim.js';
import { NO_CLOSE_FRAME, Session } from './session.js';
import type { SessionOutput, SessionRequest } from './session_io.js';
import type { ShownCredential } from './shown_credential.js';
import { tellChange } from './tell_change.js';
import type { OpenTransport, Transport, TransportEvents } from './transport.js';
import { connectError, retryAfterMs } from './upgrade_refusal.js';
import { shownUrl } from './url.js';
import type { VoiceTarget } from './voice_target.js';

/** The longest that `joinLobby` waits for the relay's welcome. */
const WELCOME_TIMEOUT_MS: Milliseconds = 10_000;

/** The longest that one try to come back takes: of the 30 s that a place is kept, one that hangs must not take all. */
const RETURN_TIMEOUT_MS: Milliseconds = 5000;

/** The longest that `leave` waits for the relay's close; then it closes the connection itself. */
const LEAVE_TIMEOUT_MS: Milliseconds = 2000;

export class Membership implements Lobby {
  readonly #options: LobbyOptions;
  readonly #credentials: Credentials;
  readonly #openTransport: OpenTransport;
  readonly #rim: Rim;
  readonly #events: LobbyEvents;
  readonly #session: Session;
  readonly #reconnect: Reconnect;
  readonly #redirects: Redirects;
  readonly #firstClock = new FirstClock();
  readonly #counter = new LobbyCounter();
  readonly #outgoing: OutgoingVoice;
  readonly #joined = deferred<Lobby>();
  readonly #closed = deferred<void>();
  #url: URL;
  /** Where the relay sent us for when it closes. */
  #goTo: URL | null = null;
  #transport: Transport | null = null;
  /** The number of the connection that is ours. */
  #attempt = 0;
  /** Calls off the wait that is under way: for a welcome, or until the next try. */
  #stopWaiting: () => void = () => undefined;
  #wasWelcome = false;

  constructor(url: URL, options: LobbyOptions, credentials: Credentials, open: OpenTransport, rim: Rim) {
    this.#url = url;
    this.#options = options;
    this.#credentials = credentials;
    this.#openTransport = open;
    this.#rim = rim;
    this.#events = options.events ?? {};
    this.#reconnect = new Reconnect(rim.random);
    this.#redirects = new Redirects(url, options.redirectHosts);
    const { reconnect = 'auto' } = options;
    this.#session = new Session(options, { reconnect, rejoin: credentials.again });
    this.#outgoing = new OutgoingVoice(rim, {
      transport: () => this.#transport,
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
    return this.#firstClock.originMs;
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

  /** Connects, for the first time. */
  join(): Promise<Lobby> {
    const { signal } = this.#options;
    const where = shownUrl(this.#url);
    const onAbort = () => {
      if (!this.#wasWelcome)
        this.#abandon(new HotmicError('ERR_HOTMIC_CLOSED', `Gave up joining at ${where}`));
    };
    signal?.addEventListener('abort', onAbort);
    const stopListening = () => signal?.removeEventListener('abort', onAbort);
    this.#joined.promise.then(stopListening, stopListening);
    this.#connect(WELCOME_TIMEOUT_MS);
    if (signal?.aborted) onAbort();
    return this.#joined.promise;
  }

  /** Bound, so that it can be handed over as it is. */
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
    const stopWaiting = this.#rim.after(LEAVE_TIMEOUT_MS, () => this.#transport?.close());
    await this.#closed.promise;
    stopWaiting();
  }

  #request(request: SessionRequest): boolean {
    // A relay that does not read must not have its answers pile up here.
    if ((this.#transport?.bufferedBytes ?? 0) > MAX_BUFFERED_BYTES) return false;
    const send = this.#session.request(request);
    if (send) this.#apply([send]);
    return send !== null;
  }

  /** Opens a connection, which has to bring a welcome within `timeoutMs`. */
  #connect(timeoutMs: Milliseconds): void {
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#wait(timeoutMs, () => this.#failAttempt(new Error(`no welcome after ${timeoutMs / 1000} s`)));
    try {
      const { opening } = this.#session;
      const credential = opening === 'hello' ? this.#credentials.next() : ({ kind: 'none' } as const);
      if (!(credential instanceof Promise)) {
        this.#open(attempt, credential);
        return;
      }
      credential.then(
        (shown) => this.#isOurs(attempt) && this.#open(attempt, shown),
        (thrown: unknown) => this.#isOurs(attempt) && this.#failCredential(thrown),
      );
    } catch (thrown) {
      this.#failCredential(thrown);
    }
  }

  #open(attempt: number, credential: ShownCredential): void {
    const session = this.#session;
    const events: TransportEvents = {
      onOpen: () => {
        if (this.#isOurs(attempt)) this.#apply(session.handle({ kind: 'opened', credential }));
      },
      onText: (text) => {
        if (this.#isOurs(attempt)) this.#apply(session.handle({ kind: 'text', text }));
      },
      onBytes: (frame) => {
        if (this.#isOurs(attempt)) this.#apply(session.handle({ kind: 'voice', frame }));
      },
      onClose: (code, reason, failure) => {
        if (!this.#isOurs(attempt)) return;
        this.#transport = null;
        if (failure && !this.#wasWelcome) this.#joined.reject(connectError(this.#url, failure));
        this.#apply(session.handle({ kind: 'closed', code, reason, failure }));
        if (session.over) this.#closed.resolve();
      },
    };
    try {
      this.#transport = this.#openTransport(this.#url, events);
    } catch (thrown) {
      this.#failAttempt(new Error(messageOf(thrown)));
    }
  }

  #isOurs(attempt: number): boolean {
    return attempt === this.#attempt;
  }

  /** The connection under way is given up. */
  #failAttempt(why: Error): void {
    if (!this.#wasWelcome) {
      const message = `Cannot join at ${shownUrl(this.#url)}: ${why.message}`;
      this.#abandon(new HotmicError('ERR_HOTMIC_CONNECT', message));
      return;
    }
    this.#hangUp();
    this.#apply(this.#session.handle({ kind: 'closed', code: NO_CLOSE_FRAME, reason: '', failure: why }));
  }

  /** The game has no credential for us; before the welcome that is the caller's to know as it is. */
  #failCredential(thrown: unknown): void {
    if (this.#wasWelcome) this.#failAttempt(new Error(`there is no credential: ${messageOf(thrown)}`));
    else this.#abandon(thrown);
  }

  /** What still comes is not ours any more. */
  #abandon(thrown: unknown): void {
    this.#joined.reject(thrown);
    this.#session.abandon();
    this.#stopWaiting();
    this.#hangUp();
    this.#closed.resolve();
  }

  #hangUp(): void {
    this.#attempt += 1;
    this.#transport?.close();
    this.#transport = null;
  }

  #wait(ms: Milliseconds, then: () => void): void {
    this.#stopWaiting();
    this.#stopWaiting = this.#rim.after(ms, then);
  }

  #step(step: ReconnectStep): void {
    // Whoever was told may have left.
    if (this.#session.over) return;
    if (step.kind === 'give-up') this.#apply(this.#session.giveUp());
    else this.#wait(step.afterMs, () => this.#connect(RETURN_TIMEOUT_MS));
  }

  #apply(outputs: readonly SessionOutput[]): void {
    for (const output of outputs) this.#applyOne(output);
  }

  #applyOne(output: SessionOutput): void {
    const events = this.#events;
    switch (output.kind) {
      case 'send':
        this.#transport?.send(output.text);
        break;
      case 'challenge':
        this.#answer(output.nonce);
        break;
      case 'welcome':
        this.#wasWelcome = true;
        this.#stopWaiting();
        this.#firstClock.begin(output.relayTimeMs, this.#rim.now());
        this.#outgoing.entered();
        events.onWelcome?.(this);
        this.#joined.resolve(this);
        break;
      case 'away':
        events.onReconnecting?.(output.error);
        this.#followRedirect();
        this.#step(this.#reconnect.lost(output.why, output.withinMs, this.#rim.now()));
        break;
      case 'still-away':
        this.#step(this.#reconnect.failed(this.#rim.now(), retryAfterMs(output.error)));
        break;
      case 'resumed':
        this.#back(output.how, output.relayTimeMs);
        break;
      case 'joined':
      case 'left':
      case 'speaking':
      case 'changed':
      case 'you-changed':
      case 'channels':
        if (output.kind === 'you-changed') this.#counter.restart();
        tellChange(events, output);
        break;
      case 'voice':
        this.#counter.received(output.header.target, output.header.relaySequence);
        events.onVoice?.(
          output.participant,
          this.#firstClock.header(output.header),
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

  /** The relay wants an encrypted app ticket. */
  #answer(nonce: Uint8Array): void {
    const attempt = this.#attempt;
    this.#credentials.appTicket(nonce).then(
      (ticket) => {
        if (this.#isOurs(attempt)) this.#apply(this.#session.handle({ kind: 'app-ticket', ticket }));
      },
      (thrown: unknown) => {
        if (this.#isOurs(attempt)) this.#failCredential(thrown);
      },
    );
  }

  #back(how: 'resumed' | 'joined-anew', relayTimeMs: number): void {
    this.#stopWaiting();
    this.#counter.resumed();
    if (how === 'resumed') this.#outgoing.resumed();
    else {
      this.#outgoing.entered();
      this.#firstClock.goOn(relayTimeMs, this.#rim.now());
    }
    this.#events.onResumed?.(how);
  }

  #end(error: HotmicError | null): void {
    this.#stopWaiting();
    this.#outgoing.end();
    if (this.#transport) this.#transport.close();
    else {
      // A credential may still come.
      this.#attempt += 1;
      this.#closed.resolve();
    }
    if (this.#wasWelcome) {
      this.#events.onEnded?.(error);
      return;
    }
    this.#joined.reject(
      error ?? new HotmicError('ERR_HOTMIC_CLOSED', 'The lobby was left before it was joined'),
    );
  }

  /** Where the relay sends us when it closes, if that is anywhere. */
  #noteRedirect(goTo: string | null): void {
    this.#goTo = null;
    if (goTo === null) return;
    const mayGo = this.#credentials.again === 'may' && !this.you.guest;
    const judged = mayGo
      ? this.#redirects.judge(goTo, this.#url, this.#rim.now())
      : this.#redirects.refuse('no-credential');
    if (judged instanceof URL) this.#goTo = judged;
    else this.#events.onRedirectRefused?.(goTo, judged);
  }

  #followRedirect(): void {
    if (!this.#goTo) return;
    this.#url = this.#goTo;
    this.#goTo = null;
    this.#redirects.followed(this.#rim.now());
    this.#session.forgetPlace();
  }
}
