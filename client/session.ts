/**
 * The client's side of the protocol, pure: what came from the relay goes in, what to send and what happened comes out.
 *
 * A session outlives a connection. When one breaks whose welcome offered to resume, the session is `away`; the next `opened` takes up the
 * place again, and the difference to what was known comes out. When to connect is for whoever carries it. No clock, socket or codec.
 */

import {
  type ModerateMessage,
  PROTOCOL_VERSION,
  type RelayMessage,
  readRelayMessage,
  writeMessage,
} from '../voice/control.js';
import { type ErrorCode, HotmicError } from '../voice/error.js';
import type { Milliseconds } from '../voice/units.js';
import { packetOf, readVoiceHeader, type VoiceHeader } from '../voice/wire.js';
import { type LobbyChange, LobbyState, type Member, type Participant } from './lobby_state.js';
import {
  type BesideAppTicket,
  bytesOfHex,
  type HelloCredential,
  helloFieldsOf,
  hexOfBytes,
  type ShownCredential,
} from './shown_credential.js';
import type { VoiceTarget } from './voice_target.js';

/** Who joins, and where. */
export interface SessionOptions {
  /** Name of the lobby, 1 to 64 characters. */
  readonly lobby: string;
  /** Left out: whose the credential says; without one as well, a guest. `you` tells the one that packets have to carry. */
  readonly steamId?: bigint;
  /** What the others see, 1 to 64 characters. */
  readonly name: string;
}

/** What a session does when its connection breaks. */
export interface SessionReturn {
  /** `auto`: it waits for another connection. `never`: it is over. */
  readonly reconnect: 'auto' | 'never';
  /** Whether it may say hello anew, with another credential or the same, where there is no place to take up. Guests never do. */
  readonly rejoin: 'may' | 'never';
}

export type SessionInput =
  /** A connection is open. `credential` is looked at where a hello is said. */
  | { readonly kind: 'opened'; readonly credential?: ShownCredential }
  /** The ticket for the nonce of the last challenge. */
  | { readonly kind: 'app-ticket'; readonly ticket: Uint8Array }
  | { readonly kind: 'text'; readonly text: string }
  /** `frame` is not kept, but the output refers to it. */
  | { readonly kind: 'voice'; readonly frame: Uint8Array }
  | {
      readonly kind: 'closed';
      readonly code: number;
      readonly reason: string;
      /** The system's own error where there was one. */
      readonly failure?: Error | null;
    };

/** Why a voice frame from the relay was not taken. `not-joined`: before the welcome, or while we leave. */
export type SessionDrop = 'not-joined' | 'malformed' | 'slot-unknown' | 'target-unknown';

export type SessionOutput =
  | LobbyChange
  | { readonly kind: 'send'; readonly text: string }
  /** The relay wants an encrypted app ticket with this nonce, 16 bytes, at the front of its user data. */
  | { readonly kind: 'challenge'; readonly nonce: Uint8Array }
  /** We are in: `you`, `participants` and `channels` are there. The relay's clock is in ms, 32 bit, as in voice frames. */
  | { readonly kind: 'welcome'; readonly relayTimeMs: number }
  /** We are in again, in our old place or in a new one; the changes since follow. */
  | { readonly kind: 'resumed'; readonly how: 'resumed' | 'joined-anew'; readonly relayTimeMs: number }
  /** The connection is gone, by itself or closed by the relay. There is so long to open another. */
  | {
      readonly kind: 'away';
      readonly error: HotmicError;
      readonly why: 'broken' | 'closed';
      readonly withinMs: Milliseconds;
    }
  /** The connection that was to bring us back did not. */
  | { readonly kind: 'still-away'; readonly error: HotmicError }
  | {
      readonly kind: 'voice';
      readonly participant: Participant;
      readonly header: VoiceHeader;
      readonly target: VoiceTarget;
      /** The Steam Voice packet: a view of the frame that came in. */
      readonly packet: Uint8Array;
    }
  | { readonly kind: 'dropped'; readonly reason: SessionDrop }
  /** The relay did not do what we asked for; `code` is one of `FAILURE_CODES`, or a newer relay's. */
  | {
      readonly kind: 'failed';
      /** The type of the message that asked for it. */
      readonly request: string;
      readonly code: string;
      readonly message: string;
    }
  /** The relay closes within this time. `goTo` is the URL of another, which may be anything. */
  | { readonly kind: 'draining'; readonly withinMs: Milliseconds; readonly goTo: string | null }
  /** The session is over; null when we left. */
  | { readonly kind: 'ended'; readonly error: HotmicError | null };

/** What a participant asks of the relay. */
export type SessionRequest =
  | { readonly type: 'rename'; readonly name: string }
  | { readonly type: 'channels'; readonly channels: string[] }
  | { readonly type: 'whisper'; readonly slots: number[] }
  | ModerateMessage;

/** The close code of a connection that ended without a close frame. */
const NO_CLOSE_FRAME = 1006;

/** From here on a close code is a refusal. */
const FIRST_REFUSAL_CODE = 4000;

/** How long to try to join anew where the welcome offered no resuming. */
const REJOIN_WITHIN_MS: Milliseconds = 30_000;

/** Refusals that another try, later, may not meet. */
const PASSING_REFUSALS: readonly string[] = [
  'hello-late',
  'steam-id-in-use',
  'lobby-full',
  'relay-full',
  'rate-exceeded',
  'admission-unavailable',
];

type Welcome = Extract<RelayMessage, { type: 'welcome' }>;

/** One membership of one lobby. */
export class Session {
  readonly #options: SessionOptions;
  readonly #return: SessionReturn;
  /** `opening` and `joining` before the first welcome, `away` and `returning` after it. */
  #state: 'opening' | 'joining' | 'joined' | 'away' | 'returning' | 'leaving' | 'ended' = 'opening';
  /** From the first welcome on. */
  #lobby: LobbyState | null = null;
  /** Secret. Null where there is no place to take up. */
  #resume: { readonly token: string; readonly withinMs: Milliseconds } | null = null;
  /** How the last hello was said; null after a resume. */
  #shown: ShownCredential['kind'] | null = null;
  /** What goes beside the app ticket that was asked for. */
  #beside: BesideAppTicket = { kind: 'none' };
  #refusal: { readonly code: string; readonly error: HotmicError } | null = null;
  /** Why we are away. */
  #lostBy: HotmicError | null = null;
  #maySpeak = true;
  #mayListen = true;

  constructor(options: SessionOptions, onLoss: SessionReturn = { reconnect: 'never', rejoin: 'never' }) {
    this.#options = options;
    this.#return = onLoss;
  }

  /** Ourselves. @throws RangeError before the first welcome. */
  get you(): Member {
    return this.#known().you;
  }

  /** Everyone else in the lobby. */
  get participants(): readonly Participant[] {
    return this.#lobby?.participants ?? [];
  }

  /** Names of the lobby's channels. */
  get channels(): readonly string[] {
    return this.#lobby?.channels ?? [];
  }

  /** What our credential grants: whether our voice is passed on, and others' comes to us. */
  get maySpeak(): boolean {
    return this.#maySpeak;
  }

  get mayListen(): boolean {
    return this.#mayListen;
  }

  get joined(): boolean {
    return this.#state === 'joined';
  }

  get over(): boolean {
    return this.#state === 'ended';
  }

  /** Whether the connection is gone and another is to bring us back. */
  get away(): boolean {
    return this.#state === 'away' || this.#state === 'returning';
  }

  /** What the next `opened` says: a hello wants a credential. */
  get opening(): 'hello' | 'resume' {
    return this.#resume ? 'resume' : 'hello';
  }

  /** The number of a target on the wire; null while we are not in the lobby, or not in that channel. */
  numberOf(target: VoiceTarget): number | null {
    return this.#state === 'joined' ? this.#known().numberOf(target) : null;
  }

  handle(input: SessionInput): SessionOutput[] {
    if (this.#state === 'ended') return [];
    switch (input.kind) {
      case 'opened':
        this.#state = this.#lobby ? 'returning' : 'joining';
        return [this.#open(input.credential ?? { kind: 'none' })];
      case 'app-ticket':
        if (!this.#isEntering()) return [];
        return [this.#hello({ ...helloFieldsOf(this.#beside), appTicket: hexOfBytes(input.ticket) })];
      case 'text':
        return this.#text(input.text);
      case 'voice':
        return [this.#voice(input.frame)];
      case 'closed':
        return this.#closed(input.code, input.reason, input.failure ?? null);
    }
  }

  /** Asks the relay for something; null while we are not in the lobby. */
  request(request: SessionRequest): SessionOutput | null {
    return this.#state === 'joined' ? { kind: 'send', text: writeMessage(request) } : null;
  }

  /** The place is given up, as before going to another relay: the next `opened` says hello, where it may. */
  forgetPlace(): void {
    if (this.#mayRejoin()) this.#resume = null;
  }

  /** The time to come back is over. */
  giveUp(): SessionOutput[] {
    return this.away && this.#lostBy ? [this.#end(this.#lostBy)] : [];
  }

  /** Ends without a word: nothing comes out any more. */
  abandon(): void {
    this.#state = 'ended';
  }

  /** Says goodbye. The relay closes the connection; without one it is over at once. */
  leave(): SessionOutput[] {
    if (this.away) return [this.#end(null)];
    if (this.#state !== 'joined') return [];
    this.#state = 'leaving';
    return [{ kind: 'send', text: writeMessage({ type: 'leave' }) }];
  }

  #open(credential: ShownCredential): SessionOutput {
    this.#refusal = null;
    if (this.#resume) {
      this.#shown = null;
      const { token } = this.#resume;
      return { kind: 'send', text: writeMessage({ type: 'resume', versions: [PROTOCOL_VERSION], token }) };
    }
    this.#shown = credential.kind;
    if (credential.kind !== 'app-ticket') return this.#hello(helloFieldsOf(credential));
    this.#beside = credential.beside;
    return this.#hello({ ...helloFieldsOf(credential.beside), appTicket: 'request' });
  }

  #hello(credential: HelloCredential): SessionOutput {
    const { lobby } = this.#options;
    // Who comes back is who they were, under the name that they had last.
    const steamId = this.#lobby?.you.steamId ?? this.#options.steamId;
    const name = this.#lobby?.you.name ?? this.#options.name;
    const who = { lobby, ...(steamId === undefined ? {} : { steamId: String(steamId) }), name };
    const text = writeMessage({ type: 'hello', versions: [PROTOCOL_VERSION], ...who, ...credential });
    return { kind: 'send', text };
  }

  #text(text: string): SessionOutput[] {
    const message = readRelayMessage(text);
    if ('kind' in message)
      return [this.#fail('ERR_HOTMIC_PROTOCOL', `Cannot read relay's message: ${message.detail}`)];
    if (!this.#isInOrder(message))
      return [this.#fail('ERR_HOTMIC_PROTOCOL', `Cannot follow relay: "${message.type}" is out of order`)];
    return this.#message(message);
  }

  /** A challenge answers its request, the welcome comes next and once; a refusal may come at any time. */
  #isInOrder({ type }: RelayMessage): boolean {
    if (type === 'refused') return true;
    if (type === 'challenge') return this.#isEntering() && this.#shown === 'app-ticket';
    return (type === 'welcome') === this.#isEntering();
  }

  #isEntering(): boolean {
    return this.#state === 'joining' || this.#state === 'returning';
  }

  #message(message: RelayMessage): SessionOutput[] {
    switch (message.type) {
      case 'challenge':
        // One nonce, one ticket.
        this.#shown = null;
        return [{ kind: 'challenge', nonce: bytesOfHex(message.nonce) }];
      case 'welcome':
        return this.#welcome(message);
      case 'failed':
        return [{ kind: 'failed', request: message.request, code: message.code, message: message.message }];
      case 'draining':
        return [{ kind: 'draining', withinMs: message.withinMs, goTo: message.goTo ?? null }];
      case 'refused': {
        const text = `Relay refused (${message.code}): ${message.message}`;
        this.#refusal = { code: message.code, error: new HotmicError('ERR_HOTMIC_REFUSED', text) };
        return [];
      }
      default:
        return this.#known().apply(message);
    }
  }

  #welcome(message: Welcome): SessionOutput[] {
    if (message.version !== PROTOCOL_VERSION) {
      const detail = `it speaks version ${message.version}, wants ${PROTOCOL_VERSION}`;
      return [this.#fail('ERR_HOTMIC_PROTOCOL', `Cannot follow relay: ${detail}`)];
    }
    const how = this.#resume ? 'resumed' : 'joined-anew';
    const { relayTimeMs } = message;
    this.#state = 'joined';
    this.#resume = message.resume ?? null;
    this.#maySpeak = message.speak ?? true;
    this.#mayListen = message.listen ?? true;
    if (!this.#lobby) {
      this.#lobby = new LobbyState(message);
      return [{ kind: 'welcome', relayTimeMs }];
    }
    const { channels } = this.#lobby.you;
    const changes = this.#lobby.replace(message);
    const outputs: SessionOutput[] = [{ kind: 'resumed', how, relayTimeMs }, ...changes];
    // A new place is in no channel.
    if (how === 'joined-anew' && channels.length > 0) {
      outputs.push({ kind: 'send', text: writeMessage({ type: 'channels', channels: [...channels] }) });
    }
    return outputs;
  }

  #voice(frame: Uint8Array): SessionOutput {
    if (this.#state !== 'joined') return { kind: 'dropped', reason: 'not-joined' };
    const header = readVoiceHeader(frame);
    if (header.kind === 'malformed') return { kind: 'dropped', reason: 'malformed' };
    const lobby = this.#known();
    const participant = lobby.participant(header.slot);
    if (!participant) return { kind: 'dropped', reason: 'slot-unknown' };
    const target = lobby.targetOf(header.target);
    if (!target) return { kind: 'dropped', reason: 'target-unknown' };
    return { kind: 'voice', participant, header, target, packet: packetOf(frame) };
  }

  #closed(code: number, reason: string, failure: Error | null): SessionOutput[] {
    if (this.#state === 'leaving') return [this.#end(null)];
    const refusal = this.#refusal;
    const error = refusal?.error ?? lostError(code, reason, failure);
    // A refusal may have been lost on the way; its code says that we are not wanted.
    const isRefused = refusal !== null || code >= FIRST_REFUSAL_CODE;
    if (this.away) return this.#stillAway(error, isRefused ? (refusal?.code ?? 'unknown') : null);
    const withinMs = this.#resume?.withinMs ?? (this.#mayRejoin() ? REJOIN_WITHIN_MS : 0);
    if (this.#state !== 'joined' || isRefused || this.#return.reconnect === 'never' || withinMs === 0) {
      return [this.#end(error)];
    }
    this.#state = 'away';
    this.#lostBy = error;
    const why = code === NO_CLOSE_FRAME || failure ? 'broken' : 'closed';
    return [{ kind: 'away', error, why, withinMs }, ...this.#known().hush()];
  }

  #stillAway(error: HotmicError, refusal: string | null): SessionOutput[] {
    if (refusal === 'resume-refused') {
      this.#resume = null;
      // The place is gone: what we lost is the connection, and the refusal only says that it is too late.
      if (!this.#mayRejoin()) return [this.#end(this.#lostBy)];
    } else if (refusal !== null && !PASSING_REFUSALS.includes(refusal)) {
      return [this.#end(error)];
    }
    this.#state = 'away';
    return [{ kind: 'still-away', error }];
  }

  /** A guest would come back under another SteamID, which no packet of theirs carries. */
  #mayRejoin(): boolean {
    return this.#return.rejoin === 'may' && this.#lobby?.you.guest === false;
  }

  #known(): LobbyState {
    if (!this.#lobby) throw new RangeError('Cannot look into the lobby: there was no welcome yet');
    return this.#lobby;
  }

  #fail(code: ErrorCode, message: string): SessionOutput {
    return this.#end(new HotmicError(code, message));
  }

  #end(error: HotmicError | null): SessionOutput {
    this.#state = 'ended';
    return { kind: 'ended', error };
  }
}

function lostError(code: number, reason: string, failure: Error | null): HotmicError {
  if (code === NO_CLOSE_FRAME || failure) {
    const how = failure ? `${code}, ${failure.message}` : String(code);
    const message = `Connection to the relay broke (${how})`;
    return new HotmicError('ERR_HOTMIC_CONNECTION_LOST', message, { cause: failure });
  }
  const why = reason ? `${code}, ${reason}` : String(code);
  return new HotmicError('ERR_HOTMIC_CONNECTION_LOST', `Relay closed the connection (${why})`);
}
