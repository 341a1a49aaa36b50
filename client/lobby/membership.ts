/** A lobby while we are in it: carries out what its session says, and reports to the application. The protocol is in session/. */

import { deferred } from '../../voice/deferred.js';
import type { Milliseconds } from '../../voice/units.js';
import type { LobbyIo } from '../platform/platform.js';
import type { CapturedPacket } from '../session/captured_packet.js';
import type { LobbyCounts } from '../session/counter.js';
import type { Member, Participant } from '../session/lobby_state.js';
import {
  channelsRequest,
  checkTarget,
  type Moderation,
  moderateRequest,
  recordingRequest,
  renameRequest,
  whisperRequest,
} from '../session/requests.js';
import { Session } from '../session/session.js';
import type { SessionInput, SessionOutput } from '../session/session_io.js';
import type { VoiceTarget } from '../session/voice_target.js';
import { strictClock } from '../strict_clock.js';
import type { OpenTransport } from '../transport/transport.js';
import { Connection } from './connection.js';
import type { Credentials } from './credentials.js';
import type { Lobby, LobbyEvents, LobbyOptions } from './lobby.js';
import { notify } from './notify.js';

export class Membership implements Lobby {
  readonly #io: LobbyIo;
  readonly #moment: () => Milliseconds;
  readonly #signal: AbortSignal | undefined;
  readonly #events: LobbyEvents;
  readonly #session: Session;
  readonly #connection: Connection;
  readonly #joined = deferred<Lobby>();
  readonly #closed = deferred<void>();
  /** Outputs that wait for those before them: a callback of the application may call us. */
  readonly #waiting: SessionOutput[] = [];
  #state: 'carrying-out' | 'idle' = 'idle';
  /** For when the timer is set. */
  #deadline: Milliseconds | null = null;
  #cancelTimer: () => void = () => undefined;

  constructor(url: URL, options: LobbyOptions, credentials: Credentials, open: OpenTransport, io: LobbyIo) {
    const { lobby, name, steamId, reconnect, redirectHosts, signal, events = {} } = options;
    this.#io = io;
    this.#moment = strictClock(io.now);
    this.#signal = signal;
    this.#events = events;
    this.#session = new Session({
      ...{ lobby, name, url, rejoin: credentials.again, random: io.random },
      ...(steamId === undefined ? {} : { steamId }),
      ...(reconnect === undefined ? {} : { reconnect }),
      ...(redirectHosts === undefined ? {} : { redirectHosts }),
    });
    this.#connection = new Connection(open, credentials, (input) => this.#handle(input));
  }

  get state(): Lobby['state'] {
    const { state } = this.#session;
    return state === 'joining' ? 'over' : state;
  }

  get slot(): number {
    return this.you.slot;
  }

  get you(): Member {
    return this.#session.lobby.you;
  }

  get joinedRelayTimeMs(): number {
    return this.#session.lobby.joinedRelayTimeMs;
  }

  get maySpeak(): boolean {
    return this.#session.lobby.maySpeak;
  }

  get mayListen(): boolean {
    return this.#session.lobby.mayListen;
  }

  get participants(): readonly Participant[] {
    return this.#session.lobby.participants;
  }

  get unlisted(): number {
    return this.#session.lobby.unlisted;
  }

  get heard(): readonly Participant[] | null {
    return this.#session.lobby.heard;
  }

  get channels(): readonly string[] {
    return this.#session.lobby.channels;
  }

  /** Opens the first connection. Resolves at the welcome. */
  join(): Promise<Lobby> {
    const signal = this.#signal;
    const onAbort = () => this.#handle({ kind: 'abort' });
    signal?.addEventListener('abort', onAbort);
    const stopListening = () => signal?.removeEventListener('abort', onAbort);
    this.#joined.promise.then(stopListening, stopListening);
    if (signal?.aborted) onAbort();
    else this.#handle({ kind: 'join' });
    return this.#joined.promise;
  }

  /** Bound to this lobby, so that it can be passed as a function. */
  readonly publish = (packet: CapturedPacket, target: VoiceTarget = 'lobby'): boolean => {
    checkTarget(target);
    return this.#ask({ kind: 'publish', packet, target });
  };

  enter(channels: readonly string[]): boolean {
    return this.#ask({ kind: 'request', request: channelsRequest(channels) });
  }

  whisper(slots: readonly number[]): boolean {
    const request = whisperRequest(slots);
    return this.#ask({ kind: 'whisper', slots: request.slots });
  }

  rename(name: string): boolean {
    return this.#ask({ kind: 'request', request: renameRequest(name) });
  }

  announceRecording(recording: boolean): boolean {
    return this.#ask({ kind: 'request', request: recordingRequest(recording) });
  }

  moderate(moderation: Moderation): boolean {
    return this.#ask({ kind: 'request', request: moderateRequest(moderation) });
  }

  counts(): LobbyCounts {
    return this.#session.counts();
  }

  leave(): Promise<void> {
    this.#handle({ kind: 'leave' });
    return this.#closed.promise;
  }

  /** Returns false when it was not carried out. */
  #ask(input: SessionInput): boolean {
    return !this.#handle(input).some(({ kind }) => kind === 'not-sent');
  }

  #handle(input: SessionInput): readonly SessionOutput[] {
    const outputs = this.#session.handle(input, this.#moment(), this.#connection.waitingBytes);
    this.#waiting.push(...outputs);
    if (this.#state === 'idle') this.#carryOut();
    return outputs;
  }

  #carryOut(): void {
    this.#state = 'carrying-out';
    try {
      for (let output = this.#waiting.shift(); output; output = this.#waiting.shift()) {
        this.#carryOutOne(output);
      }
    } finally {
      this.#state = 'idle';
      this.#setTimer();
    }
  }

  #carryOutOne(output: SessionOutput): void {
    switch (output.kind) {
      case 'ask-credential':
        this.#connection.askCredential(output.attempt);
        break;
      case 'ask-app-ticket':
        this.#connection.askAppTicket(output.attempt, output.nonce);
        break;
      case 'open':
        this.#connection.open(output.attempt, output.url, output.beside ? 'beside' : 'present');
        break;
      case 'abandon':
        this.#connection.abandon();
        break;
      case 'switch':
        this.#connection.switch();
        break;
      case 'send':
        this.#connection.send(output.data);
        break;
      case 'close':
        this.#connection.close();
        break;
      case 'not-sent':
        break;
      case 'join-failed':
        this.#joined.reject(output.error);
        break;
      case 'closed':
        this.#closed.resolve();
        break;
      default:
        notify(this.#events, output, this);
        if (output.kind === 'welcome') this.#joined.resolve(this);
    }
  }

  #setTimer(): void {
    const deadline = this.#session.deadline();
    if (deadline === this.#deadline) return;
    this.#cancelTimer();
    this.#deadline = deadline;
    if (deadline === null) return;
    // Timers count whole ms.
    const waitMs = Math.max(0, Math.floor(deadline - this.#io.now()));
    this.#cancelTimer = this.#io.after(waitMs, () => {
      this.#deadline = null;
      this.#handle({ kind: 'time' });
    });
  }
}
