/**
 * The client's side of the protocol, as a pure state machine: its inputs are what the relay sent, its outputs what to send and what
 * happened.
 *
 * A session outlives its connections. If one breaks after a welcome that offered to resume, the session is `away`. The next `opened`
 * resumes the place, and the outputs report what changed. Its user decides when to connect. No clock, socket or codec.
 */

import { PROTOCOL_VERSION, type RelayMessage, readRelayMessage, writeMessage } from '../voice/control.js';
import { type ErrorCode, HotmicError, messageOf } from '../voice/error.js';
import { printable } from '../voice/printable.js';
import type { Milliseconds } from '../voice/units.js';
import { packetOf, readVoiceHeader } from '../voice/wire.js';
import { LobbyState, type Member, type Participant } from './lobby_state.js';
import type {
  SessionInput,
  SessionOptions,
  SessionOutput,
  SessionRequest,
  SessionReturn,
} from './session_io.js';
import {
  type BesideAppTicket,
  bytesOfHex,
  type HelloCredential,
  helloFieldsOf,
  hexOfBytes,
  type ShownCredential,
} from './shown_credential.js';
import { UpgradeRefusedError } from './transport/upgrade_refusal.js';
import type { VoiceTarget } from './voice_target.js';

/** The close code of a connection that ended without a close frame, or that we gave up on. */
export const NO_CLOSE_FRAME = 1006;

/** Close codes from here on are refusals. */
const FIRST_REFUSAL_CODE = 4000;

/** How long to try to join again if the welcome did not offer to resume. */
const REJOIN_WITHIN_MS: Milliseconds = 30_000;

/** The longest time to keep reconnecting, whatever the relay's welcome says: an hour. */
const MAX_RETURN_MS: Milliseconds = 3_600_000;

/** The most of a text from the relay that is kept, in characters: it appears in errors and logs. */
const MAX_TEXT_CHARS = 500;

/** Refusals that may have passed by the next attempt. */
const TEMPORARY_REFUSALS: readonly string[] = [
  'hello-late',
  'steam-id-in-use',
  'lobby-full',
  'relay-full',
  'rate-exceeded',
  'admission-unavailable',
  'address-full',
  'guests-full',
];

type Welcome = Extract<RelayMessage, { type: 'welcome' }>;

/** One membership of one lobby. */
export class Session {
  readonly #options: SessionOptions;
  readonly #return: SessionReturn;
  /** `opening` and `joining` before the first welcome, `away` and `returning` after it. */
  #state: 'opening' | 'joining' | 'joined' | 'away' | 'returning' | 'leaving' | 'ended' = 'opening';
  /** Null until the first welcome. */
  #lobby: LobbyState | null = null;
  /** Secret. Null if there is no place to resume. */
  #resume: { readonly secret: string; readonly withinMs: Milliseconds } | null = null;
  /** The kind of credential in the last hello; null after a resume, or once the challenge came. */
  #shown: ShownCredential['kind'] | null = null;
  /** The proof that accompanies the requested app ticket. */
  #beside: BesideAppTicket = { kind: 'none' };
  #refusal: { readonly code: string; readonly error: HotmicError } | null = null;
  /** Why we are away. */
  #lostBy: HotmicError | null = null;
  /** Why the last attempt to reconnect failed, if the relay refused it in HTTP. */
  #upgradeRefusal: UpgradeRefusedError | null = null;
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

  /** What our credential grants: whether the relay passes our voice on, and whether it sends us that of others. */
  get maySpeak(): boolean {
    return this.#maySpeak;
  }

  get mayListen(): boolean {
    return this.#mayListen;
  }

  /** People announced by the relay beyond the limit of a lobby. */
  get refusedParticipants(): number {
    return this.#lobby?.refusedParticipants ?? 0;
  }

  get joined(): boolean {
    return this.#state === 'joined';
  }

  get over(): boolean {
    return this.#state === 'ended';
  }

  /** Whether the connection is lost and we are waiting for another. */
  get away(): boolean {
    return this.#state === 'away' || this.#state === 'returning';
  }

  /** What the session sends at the next `opened`: a hello needs a credential. */
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

  /** The message for a request; null while we are not in the lobby. */
  request(request: SessionRequest): SessionOutput | null {
    return this.#state === 'joined' ? { kind: 'send', text: writeMessage(request) } : null;
  }

  /** Gives our place up, as before going to another relay: the next `opened` sends a hello, if we may join again. */
  forgetPlace(): void {
    if (this.#mayRejoin()) this.#resume = null;
  }

  /** The time to reconnect is over. */
  giveUp(): SessionOutput[] {
    return this.away && this.#lostBy
      ? [this.#end(lostAndRefusedError(this.#lostBy, this.#upgradeRefusal))]
      : [];
  }

  /** Ends without a message to the relay. There are no more outputs. */
  abandon(): void {
    this.#state = 'ended';
  }

  /** Tells the relay that we leave; it closes the connection. Without a connection the session ends at once. */
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
      const { secret } = this.#resume;
      return { kind: 'send', text: writeMessage({ type: 'resume', versions: [PROTOCOL_VERSION], secret }) };
    }
    this.#shown = credential.kind;
    if (credential.kind !== 'app-ticket') return this.#hello(helloFieldsOf(credential));
    this.#beside = credential.beside;
    return this.#hello({ ...helloFieldsOf(credential.beside), appTicket: 'request' });
  }

  #hello(credential: HelloCredential): SessionOutput {
    const { lobby } = this.#options;
    // When we join again, we keep our SteamID and our latest name.
    const steamId = this.#lobby?.you.steamId ?? this.#options.steamId;
    const name = this.#lobby?.you.name ?? this.#options.name;
    const who = { lobby, ...(steamId === undefined ? {} : { steamId: String(steamId) }), name };
    const text = writeMessage({ type: 'hello', versions: [PROTOCOL_VERSION], ...who, ...credential });
    return { kind: 'send', text };
  }

  #text(text: string): SessionOutput[] {
    const message = readRelayMessage(text);
    if ('kind' in message)
      return [this.#fail('ERR_HOTMIC_PROTOCOL', `Cannot read the relay's message: ${message.detail}`)];
    if (!this.#isInOrder(message))
      return [
        this.#fail(
          'ERR_HOTMIC_PROTOCOL',
          `Cannot follow the relay: its message "${message.type}" is out of order`,
        ),
      ];
    return this.#message(message);
  }

  /** A challenge answers its request; then the welcome comes, once. A refusal may come at any time. */
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
        // One nonce is good for one ticket.
        this.#shown = null;
        return [{ kind: 'challenge', nonce: bytesOfHex(message.nonce) }];
      case 'welcome':
        return this.#welcome(message);
      case 'failed':
        return [
          {
            kind: 'failed',
            request: relayText(message.request),
            code: relayText(message.code),
            message: relayText(message.message),
          },
        ];
      case 'draining':
        return [{ kind: 'draining', withinMs: message.withinMs, goTo: message.goTo ?? null }];
      case 'refused': {
        const code = relayText(message.code);
        const text = `Relay refused (${code}): ${relayText(message.message)}`;
        this.#refusal = { code, error: new HotmicError('ERR_HOTMIC_REFUSED', text) };
        return [];
      }
      default:
        return this.#known().apply(message);
    }
  }

  #welcome(message: Welcome): SessionOutput[] {
    if (message.version !== PROTOCOL_VERSION) {
      const detail = `it speaks version ${message.version}, expected ${PROTOCOL_VERSION}`;
      return [this.#fail('ERR_HOTMIC_PROTOCOL', `Cannot follow the relay: ${detail}`)];
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
    // A new place is in no channel. A guest cannot enter channels: a moderator had moved them there.
    if (how === 'joined-anew' && channels.length > 0 && !message.you.guest) {
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
    // The refusal message may have been lost; the close code is enough to know.
    const isRefused = refusal !== null || code >= FIRST_REFUSAL_CODE;
    if (this.away) return this.#stillAway(error, isRefused ? (refusal?.code ?? 'unknown') : null);
    const offeredMs = this.#resume?.withinMs ?? (this.#mayRejoin() ? REJOIN_WITHIN_MS : 0);
    const withinMs = Math.min(offeredMs, MAX_RETURN_MS);
    if (this.#state !== 'joined' || isRefused || this.#return.reconnect === 'never' || withinMs === 0) {
      return [this.#end(error)];
    }
    this.#state = 'away';
    this.#lostBy = error;
    this.#upgradeRefusal = null;
    const why = code === NO_CLOSE_FRAME || failure ? 'broken' : 'closed';
    return [{ kind: 'away', error, why, withinMs }, ...this.#known().silenceAll()];
  }

  #stillAway(error: HotmicError, refusal: string | null): SessionOutput[] {
    if (refusal === 'resume-refused') {
      this.#resume = null;
      // The place is gone. The error to report is the lost connection: the refusal only says that we were too late.
      if (!this.#mayRejoin()) return [this.#end(this.#lostBy)];
    } else if (refusal !== null && !TEMPORARY_REFUSALS.includes(refusal)) {
      return [this.#end(error)];
    }
    this.#state = 'away';
    this.#upgradeRefusal = error instanceof UpgradeRefusedError ? error : null;
    return [{ kind: 'still-away', error }];
  }

  /** A guest gets another SteamID after joining again, and their packets carry the old one. So only a guest who may not speak rejoins. */
  #mayRejoin(): boolean {
    const isSpeakingGuest = this.#lobby?.you.guest !== false && this.#maySpeak;
    return this.#return.rejoin === 'may' && this.#lobby !== null && !isSpeakingGuest;
  }

  #known(): LobbyState {
    if (!this.#lobby) throw new RangeError('Cannot read the lobby: the relay has not sent a welcome yet');
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

/** The error for a lost connection that could not be replaced, with the reason. */
function lostAndRefusedError(lostBy: HotmicError, refusal: UpgradeRefusedError | null): HotmicError {
  if (!refusal) return lostBy;
  return new HotmicError(lostBy.code, `${lostBy.message}; ${refusal.message}`, { cause: refusal });
}

function lostError(code: number, reason: string, failure: Error | null): HotmicError {
  if (failure instanceof UpgradeRefusedError) return failure;
  if (code === NO_CLOSE_FRAME || failure) {
    const how = failure ? `${code}, ${messageOf(failure)}` : String(code);
    const message = `Connection to the relay broke (${how})`;
    return new HotmicError('ERR_HOTMIC_CONNECTION_LOST', message, { cause: failure });
  }
  const why = reason ? `${code}, ${relayText(reason)}` : String(code);
  return new HotmicError('ERR_HOTMIC_CONNECTION_LOST', `Relay closed the connection (${why})`);
}

/** Makes a text from the relay, which may be hostile, safe to print. */
function relayText(text: string): string {
  return printable(text, MAX_TEXT_CHARS);
}
