/**
 * One membership of one lobby: the client's side of the protocol, as a pure state machine. Inputs and instants go in, outputs come out;
 * `deadline` says when the next input is due at the latest. No clock, timer, socket or codec. lobby/membership.ts carries the outputs
 * out.
 *
 * A session outlives its connections. If one breaks after the welcome, the session is away and opens another, after growing waits and for
 * as long as the relay keeps our place. It resumes the place or, if that is gone, joins again.
 */

import { writeMessage } from '../../voice/control.js';
import { HotmicError, messageOf } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';
import { connectError } from '../transport/upgrade_refusal.js';
import { shownUrl } from '../transport/url.js';
import type { CapturedPacket } from './captured_packet.js';
import type { LobbyCounts } from './counter.js';
import { closedError, FIRST_REFUSAL_CODE, lostError, mayPass, NO_CLOSE_FRAME, relayText } from './endings.js';
import { Entrance } from './entrance.js';
import { IncomingMessages } from './incoming.js';
import { Line } from './line.js';
import { Outbox } from './outbox.js';
import { OutgoingVoice } from './outgoing_voice.js';
import { type LobbyView, Place, type Welcome } from './place.js';
import type { SessionInput, SessionOutput, SessionRequest, SessionSettings } from './session_io.js';
import { bytesOfHex } from './shown_credential.js';
import type { VoiceTarget } from './voice_target.js';
import { type BackStep, WayBack } from './way_back.js';

/** The client's side of the protocol for one membership, without any input or output of its own. */
export class Session {
  readonly #settings: SessionSettings;
  readonly #entrance: Entrance;
  readonly #incoming = new IncomingMessages();
  readonly #place: Place;
  readonly #wayBack: WayBack;
  readonly #outgoing: OutgoingVoice;
  /** `leaving` and `ended` are final. */
  #phase: 'joining' | 'joined' | 'away' | 'leaving' | 'ended' = 'joining';
  readonly #line = new Line();
  readonly #out = new Outbox();
  /** What the relay said before it closed the connection. */
  #refusal: { readonly code: string; readonly error: HotmicError } | null = null;

  /** @throws RangeError for `redirectHosts` that are not hosts, or more than 256. */
  constructor(settings: SessionSettings) {
    this.#settings = settings;
    this.#entrance = new Entrance(settings.staleVoice);
    this.#place = new Place(settings, settings.rejoin ?? 'never');
    this.#wayBack = new WayBack(settings.url, settings.redirectHosts, settings.random);
    this.#outgoing = new OutgoingVoice({
      numberOf: (target) => (this.#phase === 'joined' ? this.#place.numberOf(target) : null),
      hasRoom: () => this.#out.hasRoom,
      sendFrame: (frame) => this.#out.put({ kind: 'send', data: frame }),
      sendWhisperList: (slots) => this.#out.send({ type: 'whisper', slots: [...slots] }),
    });
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
    const line = this.#line.deadline;
    const voice = this.#outgoing.deadline;
    return line !== null && voice !== null ? Math.min(line, voice) : (line ?? voice);
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
    return outputs;
  }

  #input(input: SessionInput, now: Milliseconds): void {
    switch (input.kind) {
      case 'join':
        if (this.#phase === 'joining' && this.#line.attempt === 0) this.#connect(now);
        break;
      case 'credential':
        this.#out.put(this.#line.open(input.credential, this.#wayBack.url));
        break;
      case 'no-credential':
        if (this.#line.kind === 'asking' || this.#line.kind === 'entering') this.#unproven(input.thrown, now);
        break;
      case 'opened':
        this.#opened(input.watched ?? false);
        break;
      case 'app-ticket':
        if (this.#line.kind === 'entering')
          this.#out.say(this.#entrance.answer(this.#place.entrant, input.ticket));
        break;
      case 'text':
        this.#text(input.text, now);
        break;
      case 'voice':
        this.#voice(input.frame, now);
        break;
      case 'closed':
        this.#closed(input.code, input.reason, input.failure ?? null, now);
        break;
      case 'time':
        this.#time(now);
        break;
      case 'publish':
        this.#publish(input.packet, input.target, now);
        break;
      case 'whisper':
        if (!this.#outgoing.whisper(input.slots, now)) this.#out.put({ kind: 'not-sent' });
        break;
      case 'request':
        this.#request(input.request);
        break;
      case 'leave':
        this.#leave(now);
        break;
      case 'abort':
        if (this.#phase === 'joining')
          this.#failToJoin(closedError(`Gave up joining at ${shownUrl(this.#wayBack.url)}`));
    }
  }

  #time(now: Milliseconds): void {
    this.#outgoing.time(now);
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

  #opened(watched: boolean): void {
    const opened = this.#line.opened(watched);
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
        this.#out.put({
          kind: 'ask-app-ticket',
          attempt: this.#line.attempt,
          nonce: bytesOfHex(message.nonce),
        });
        break;
      case 'welcome':
        this.#welcome(message, now);
        break;
      case 'failed': {
        const [request, code] = [relayText(message.request), relayText(message.code)];
        this.#out.put({ kind: 'failed', request, code, message: relayText(message.message) });
        break;
      }
      case 'draining': {
        const { withinMs, goTo = null } = message;
        this.#out.put({ kind: 'draining', withinMs, goTo });
        const why = this.#wayBack.noteRedirect(goTo, this.#place.mayMove, now);
        if (goTo !== null && why) this.#out.put({ kind: 'redirect-refused', goTo, why });
        break;
      }
      case 'refused': {
        const code = relayText(message.code);
        const text = `Relay refused (${code}): ${relayText(message.message)}`;
        this.#refusal = { code, error: new HotmicError('ERR_HOTMIC_REFUSED', text) };
        break;
      }
      case 'heartbeat':
        this.#place.heartbeat(message.relayTimeMs, now);
        break;
      case 'parked':
        this.#out.putAll(this.#place.parked(message.relayTimeMs, now));
        break;
      case 'live':
        this.#out.putAll(this.#place.live());
        break;
      default:
        this.#out.putAll(this.#place.apply(message));
    }
  }

  #welcome(message: Welcome, now: Milliseconds): void {
    this.#phase = 'joined';
    const welcomed = this.#place.welcome(message, now);
    this.#line.welcomed(this.#place.can('ping'), now);
    if (welcomed.kind !== 'resumed') this.#outgoing.entered(now);
    if (welcomed.kind === 'first') {
      this.#out.put({ kind: 'welcome' });
      return;
    }
    const { kind, changes, channels, recording } = welcomed;
    this.#out.put({ kind: 'resumed', how: kind });
    if (kind === 'resumed') this.#outgoing.resumed(now);
    this.#out.putAll(changes);
    if (channels.length > 0) this.#out.send({ type: 'channels', channels: [...channels] });
    if (recording) this.#out.send({ type: 'recording', recording });
  }

  #voice(frame: Uint8Array, now: Milliseconds): void {
    if (this.#phase === 'joined') this.#place.voice(frame, now, this.#out.put);
    else this.#place.counter.dropped('not-joined');
  }

  #publish(packet: CapturedPacket, target: VoiceTarget, now: Milliseconds): void {
    if (this.#outgoing.publish(packet, target, now) === 'sent') {
      this.#place.counter.sent();
    } else {
      this.#place.counter.refused();
      this.#out.put({ kind: 'not-sent' });
    }
  }

  #request(request: SessionRequest): void {
    // Requests must not pile up in memory when the relay does not read.
    const isKnown = request.type !== 'recording' || this.#place.can('recording');
    if (this.#phase === 'joined' && this.#out.hasRoom && isKnown) this.#out.send(request);
    else this.#out.put({ kind: 'not-sent' });
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
    this.#phase = 'away';
    this.#out.put({ kind: 'away', error });
    this.#out.putAll(this.#place.silenceAll());
    // Another relay does not know our place.
    if (this.#wayBack.turn(now) && this.#place.mayRejoin) this.#place.giveUp();
    this.#step(this.#wayBack.lost(error, why, withinMs, now), now);
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
