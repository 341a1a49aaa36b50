/**
 * One membership of one lobby: the client's side of the protocol, as a pure state machine. Inputs and instants go in, outputs come out;
 * `deadline` says when the next input is due at the latest. No clock, timer, socket or codec. lobby/membership.ts carries the outputs
 * out.
 *
 * A session outlives its connections. If one breaks after the welcome, the session is away and opens another, after growing waits and for
 * as long as the relay keeps our place. It resumes the place or, if that is gone, joins again. If a connection goes silent, new ones race
 * beside it.
 */

import { writeMessage } from '../../voice/control.js';
import { HotmicError, messageOf } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';
import { connectError, retryAfterMs } from '../transport/upgrade_refusal.js';
import { shownUrl } from '../transport/url.js';
import { Line } from './connecting/line.js';
import { Race } from './connecting/race.js';
import { type BackStep, WayBack } from './connecting/way_back.js';
import type { LobbyCounts } from './counter.js';
import {
  closedError,
  FIRST_REFUSAL_CODE,
  isAnswer,
  lostError,
  mayPass,
  NO_CLOSE_FRAME,
  type Refusal,
  refusalOf,
} from './endings.js';
import { Entrance } from './entrance.js';
import { IncomingMessages } from './incoming.js';
import { newsOf } from './news.js';
import { Outbox } from './outbox.js';
import { Outgoing } from './outgoing.js';
import { type LobbyView, Place, type Welcome } from './place.js';
import type { SessionInput, SessionOutput, SessionSettings } from './session_io.js';
import { bytesOfHex } from './shown_credential.js';

/** The client's side of the protocol for one membership, without any input or output of its own. */
export class Session {
  readonly #settings: SessionSettings;
  readonly #entrance: Entrance;
  readonly #incoming = new IncomingMessages();
  readonly #place: Place;
  readonly #wayBack: WayBack;
  readonly #outgoing: Outgoing;
  /** `leaving` and `ended` are final. */
  #phase: 'joining' | 'joined' | 'away' | 'leaving' | 'ended' = 'joining';
  readonly #line = new Line();
  readonly #race: Race;
  readonly #out = new Outbox();
  /** What the relay said before it closed the connection. */
  #refusal: Refusal | null = null;

  /** @throws RangeError for `redirectHosts` that are not hosts, or more than 256. */
  constructor(settings: SessionSettings) {
    this.#settings = settings;
    this.#entrance = new Entrance(settings.staleVoice);
    this.#place = new Place(settings, settings.rejoin ?? 'never');
    this.#wayBack = new WayBack(settings.url, settings.redirectHosts, settings.random);
    this.#race = new Race(settings.random);
    this.#outgoing = new Outgoing(this.#place, this.#out, () => this.#phase === 'joined');
  }

  /** `reconnecting` from the loss of the connection until the output `resumed`. */
  get state(): 'joining' | 'joined' | 'reconnecting' | 'over' {
    if (this.#phase === 'away') return 'reconnecting';
    return this.#phase === 'joining' || this.#phase === 'joined' ? this.#phase : 'over';
  }

  /** What the relay told us about the lobby. */
  get lobby(): LobbyView {
    return this.#place;
  }

  /** Counters over all connections. A copy. */
  counts(): LobbyCounts {
    return {
      ...this.#place.counter.counts(),
      parks: this.#place.parks,
      participantsRefused: this.#place.refusedParticipants,
      redirects: this.#wayBack.counts(),
    };
  }

  /** When the input `time` is due; null if only something else can happen. */
  deadline(): Milliseconds | null {
    return earliest(earliest(this.#line.deadline, this.#race.deadline), this.#outgoing.deadline);
  }

  /**
   * Takes an input. The outputs must be carried out in order, and before those of later inputs.
   *
   * @param now Never goes back. If two inputs share an instant, a change of the whisper list and voice captured before it cannot be told
   *   apart: see `strictClock`.
   * @param waitingBytes What waits in this process to be sent, in bytes.
   */
  handle(input: SessionInput, now: Milliseconds, waitingBytes = 0): readonly SessionOutput[] {
    const outputs = this.#out.begin(waitingBytes);
    if (!('attempt' in input) || this.#line.hears(input.attempt, now)) this.#input(input, now);
    else if (input.attempt === this.#race.attempt) this.#raced(input, now);
    return outputs;
  }

  #input(input: SessionInput, now: Milliseconds): void {
    switch (input.kind) {
      case 'join':
        if (this.#phase === 'joining' && this.#line.attempt === 0) this.#connect(now);
        break;
      case 'credential':
        this.#out.put(this.#line.open(input.credential, this.#wayBack.url, now));
        break;
      case 'no-credential':
        if (this.#line.kind === 'asking' || this.#line.kind === 'entering') this.#unproven(input.thrown, now);
        break;
      case 'connected':
        this.#race.connected(now);
        break;
      case 'opened':
        this.#opened(input.watched ?? false, now);
        break;
      case 'app-ticket':
        if (this.#line.kind === 'entering')
          this.#out.say(this.#entrance.answer(this.#place.entrant, input.ticket));
        break;
      case 'text':
        this.#out.putAll(this.#race.heard(now));
        this.#text(input.text, now);
        break;
      case 'voice':
        this.#out.putAll(this.#race.heard(now));
        this.#voice(input.frame, now);
        break;
      case 'closed':
        this.#closed(input.code, input.reason, input.failure ?? null, now);
        break;
      case 'time':
        this.#time(now);
        break;
      case 'publish':
      case 'whisper':
      case 'request':
        this.#outgoing.take(input, now);
        break;
      case 'leave':
        this.#leave(now);
        break;
      case 'abort':
        if (this.#phase === 'joining')
          this.#failToJoin(closedError(`Gave up joining at ${shownUrl(this.#wayBack.url)}`));
    }
  }

  /** What became of an attempt beside the silent connection. */
  #raced(input: SessionInput, now: Milliseconds): void {
    if (input.kind === 'connected') this.#race.connected(now);
    if (input.kind === 'opened') {
      this.#race.opened(input.watched ?? false, now);
      this.#raceWon(now);
    }
    if (input.kind !== 'closed') return;
    const { code, reason, failure = null } = input;
    const error = lostError(code, reason, failure);
    if (!isAnswer(code, failure)) {
      this.#race.failed();
    } else if (this.#phase === 'away') {
      this.#out.putAll(this.#race.stop());
      this.#stillAway(error, code >= FIRST_REFUSAL_CODE ? 'unknown' : null, now);
    } else {
      this.#race.refused(retryAfterMs(error), now);
    }
  }

  #raceWon(now: Milliseconds): void {
    const won = this.#race.won(now);
    if (!won) return;
    if (this.#phase === 'joined') {
      const silentMs = Math.round(now - this.#line.heardAt);
      const failure = new Error(`the relay was silent for ${silentMs} ms`);
      this.#goAway(lostError(NO_CLOSE_FRAME, '', failure), 'broken', now);
    }
    this.#refusal = null;
    this.#out.put({ kind: 'switch', attempt: won.attempt });
    this.#line.adopt(won, now);
    this.#out.say(this.#entrance.first(this.#place, null));
  }

  #time(now: Milliseconds): void {
    this.#outgoing.time(now);
    if (this.#phase === 'away' && this.#race.isRunning && this.#wayBack.isOver(now)) {
      this.#end(this.#wayBack.lostBy, now);
      return;
    }
    this.#out.putAll(this.#race.time(now, this.#line, this.#wayBack.url));
    this.#raceWon(now);
    switch (this.#line.expired(now)) {
      case 'pause':
        this.#connect(now);
        break;
      case 'attempt':
        this.#giveUpAttempt(`no welcome after ${this.#line.timeoutMs / 1000} s`, now);
        break;
      case 'quiet':
        this.#out.say(writeMessage({ type: 'ping' }));
        break;
      case 'dead':
        this.#giveUpAttempt('the relay was silent for 15 s', now);
        break;
      case 'close-of-relay':
        this.#line.closing('us', now);
        this.#out.put({ kind: 'close' });
        break;
      case 'close':
        this.#closed(NO_CLOSE_FRAME, '', null, now);
    }
  }

  #connect(now: Milliseconds): void {
    this.#refusal = null;
    const opening = this.#place.resumeSecret === null ? 'hello' : 'resume';
    this.#out.put(this.#line.connect(opening, this.#wayBack.url, now));
  }

  #opened(watched: boolean, now: Milliseconds): void {
    const opened = this.#line.opened(watched, now);
    if (opened) this.#out.say(this.#entrance.first(this.#place, opened.credential));
  }

  /** The application provided no credential. Before the welcome, `joinLobby` throws its error. */
  #unproven(thrown: unknown, now: Milliseconds): void {
    if (this.#phase === 'joining') this.#failToJoin(thrown);
    else this.#giveUpAttempt(`there is no credential: ${messageOf(thrown)}`, now);
  }

  /** Gives the current connection up. */
  #giveUpAttempt(why: string, now: Milliseconds): void {
    if (this.#phase === 'joining') {
      const message = `Cannot join at ${shownUrl(this.#wayBack.url)}: ${why}`;
      this.#failToJoin(new HotmicError('ERR_HOTMIC_CONNECT', message));
      return;
    }
    this.#out.put({ kind: 'close' });
    this.#closed(NO_CLOSE_FRAME, '', new Error(why), now);
  }

  #text(text: string, now: Milliseconds): void {
    const { kind, attempt } = this.#line;
    if (kind !== 'entering' && kind !== 'open' && this.#phase !== 'leaving') return;
    const { expectsChallenge } = this.#entrance;
    const message = this.#incoming.read(text, { attempt, isEntering: kind === 'entering', expectsChallenge });
    switch (message.type) {
      case 'none':
        if (message.cannot !== null) this.#refuse(message.cannot, now);
        break;
      case 'challenge':
        this.#entrance.challenged();
        this.#out.put({ kind: 'ask-app-ticket', attempt, nonce: bytesOfHex(message.nonce) });
        break;
      case 'welcome':
        this.#welcome(message, now);
        break;
      case 'refused':
        this.#refusal = refusalOf(message);
        break;
      default:
        this.#out.putAll(newsOf(message, this.#place, this.#wayBack, now));
    }
  }

  #welcome(message: Welcome, now: Milliseconds): void {
    this.#phase = 'joined';
    const welcomed = this.#place.welcome(message, now);
    this.#line.welcomed(this.#place.can('ping'), now);
    const mayRace = this.#settings.reconnect !== 'never' && this.#place.resumeSecret !== null;
    if (mayRace && this.#place.can('heartbeat'))
      this.#race.watch(this.#line.openingMs, message.raceMs ?? 0, now);
    if (welcomed.kind === 'first') this.#out.put({ kind: 'welcome' });
    else this.#out.put({ kind: 'resumed', how: welcomed.kind });
    if (welcomed.kind !== 'first') this.#out.putAll(welcomed.changes);
    this.#outgoing.welcomed(welcomed, now);
  }

  #voice(frame: Uint8Array, now: Milliseconds): void {
    if (this.#phase === 'joined') this.#place.voice(frame, now, this.#out.put);
    else this.#place.counter.dropped('not-joined');
  }

  #leave(now: Milliseconds): void {
    switch (this.#phase) {
      case 'joining':
        this.#failToJoin(closedError('Left the lobby before joining it'));
        break;
      case 'away':
        this.#end(null, now);
        break;
      case 'joined':
        this.#phase = 'leaving';
        this.#out.putAll(this.#race.stop());
        this.#line.closing('relay', now);
        this.#out.say(writeMessage({ type: 'leave' }));
    }
  }

  #closed(code: number, reason: string, failure: Error | null, now: Milliseconds): void {
    const refusal = this.#refusal;
    const error = refusal?.error ?? lostError(code, reason, failure);
    // The refusal message may have been lost; the close code is enough to know.
    const isRefused = refusal !== null || code >= FIRST_REFUSAL_CODE;
    this.#line.drop();
    switch (this.#phase) {
      case 'joining':
        this.#failToJoin(!refusal && failure ? connectError(this.#wayBack.url, failure) : error);
        break;
      case 'joined':
        this.#lost(error, isRefused, code === NO_CLOSE_FRAME || failure ? 'broken' : 'closed', now);
        break;
      case 'away':
        this.#stillAway(error, isRefused ? (refusal?.code ?? 'unknown') : null, now);
        break;
      case 'leaving':
        this.#end(null, now);
        break;
      case 'ended':
        this.#out.put({ kind: 'closed' });
    }
  }

  #lost(error: HotmicError, isRefused: boolean, why: 'broken' | 'closed', now: Milliseconds): void {
    const withinMs = this.#place.returnWithinMs;
    const { reconnect = 'auto' } = this.#settings;
    if (isRefused || reconnect === 'never' || withinMs === 0) {
      this.#end(error, now);
      return;
    }
    const step = this.#goAway(error, why, now);
    if (this.#wayBack.turn(now)) {
      this.#out.putAll(this.#race.stop());
      // Another relay does not know our place.
      if (this.#place.mayRejoin) this.#place.giveUp();
    }
    // A race goes on without the connection that it ran against.
    if (!this.#race.isRunning) this.#step(step, now);
  }

  #goAway(error: HotmicError, why: 'broken' | 'closed', now: Milliseconds): BackStep {
    this.#phase = 'away';
    this.#out.put({ kind: 'away', error });
    this.#out.putAll(this.#place.silenceAll());
    return this.#wayBack.lost(error, why, this.#place.returnWithinMs, now);
  }

  #stillAway(error: HotmicError, refusal: string | null, now: Milliseconds): void {
    const isGone = refusal === 'resume-refused';
    if (isGone) this.#place.giveUp();
    // The error to report is the lost connection: the refusal only says that we were too late.
    if (isGone && !this.#place.mayRejoin) this.#end(this.#wayBack.lostBy, now);
    else if (!isGone && !mayPass(refusal)) this.#end(error, now);
    else this.#step(this.#wayBack.failed(error, now), now);
  }

  #step(step: BackStep, now: Milliseconds): void {
    if (step.kind === 'try') this.#line.pause(now + step.afterMs);
    else this.#end(step.error, now);
  }

  /** The relay does not follow the protocol. */
  #refuse(what: string, now: Milliseconds): void {
    const error = new HotmicError('ERR_HOTMIC_PROTOCOL', `Cannot ${what}`);
    if (this.#phase === 'joining') this.#failToJoin(error);
    else this.#end(error, now);
  }

  /** We never were in the lobby. */
  #failToJoin(error: unknown): void {
    this.#phase = 'ended';
    const { isConnected } = this.#line;
    this.#line.drop();
    this.#out.put({ kind: 'join-failed', error });
    if (isConnected) this.#out.put({ kind: 'close' });
    this.#out.put({ kind: 'closed' });
  }

  #end(error: HotmicError | null, now: Milliseconds): void {
    this.#phase = 'ended';
    this.#out.putAll(this.#race.stop());
    this.#out.put({ kind: 'ended', error });
    if (this.#line.isConnected) {
      this.#line.closing('us', now);
      this.#out.put({ kind: 'close' });
    } else {
      this.#line.drop();
      this.#out.put({ kind: 'closed' });
    }
  }
}

function earliest(one: Milliseconds | null, other: Milliseconds | null): Milliseconds | null {
  return one !== null && other !== null ? Math.min(one, other) : (one ?? other);
}
