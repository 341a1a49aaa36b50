/**
 * The client's side of the protocol, pure: what came from the relay goes in, what to send and what happened comes out.
 *
 * It knows who is in the lobby, under which slot, and who is speaking. No clock, socket or codec.
 */

import {
  type ParticipantInfo,
  PROTOCOL_VERSION,
  type RelayMessage,
  readRelayMessage,
  writeMessage,
} from '../voice/control.js';
import { type ErrorCode, HotmicError } from '../voice/error.js';
import { packetOf, readVoiceHeader, type VoiceHeader } from '../voice/wire.js';

/** Who joins, and where. */
export interface SessionOptions {
  /** Name of the lobby, 1 to 64 characters. */
  readonly lobby: string;
  readonly steamId: bigint;
  /** What the others see, 1 to 64 characters. */
  readonly name: string;
  /**
   * Shows the relay that the SteamID is ours: what get_ticket_for_web_api brought for TICKET_IDENTITY, 1 to 2560 bytes, a new one
   * for each joining. A relay in development takes the embedded Steam's; without one it lets everybody in.
   */
  readonly ticket?: Uint8Array;
  /** What the game's backend grants, where the relay wants it: a signed token, at most 4096 characters. */
  readonly token?: string;
}

/** Someone else in the lobby. */
export interface Participant {
  readonly slot: number;
  readonly steamId: bigint;
  readonly name: string;
  readonly speaking: boolean;
}

export type SessionInput =
  | { readonly kind: 'opened' }
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
export type SessionDrop = 'not-joined' | 'malformed' | 'slot-unknown';

export type SessionOutput =
  | { readonly kind: 'send'; readonly text: string }
  /** We are in: our slot, who is there, and the relay's clock in ms, 32 bit, as in voice frames. */
  | {
      readonly kind: 'welcome';
      readonly slot: number;
      readonly relayTimeMs: number;
      /** What our token grants: whether our voice is passed on, and others' comes to us. */
      readonly maySpeak: boolean;
      readonly mayListen: boolean;
      readonly participants: readonly Participant[];
    }
  | { readonly kind: 'joined'; readonly participant: Participant }
  | { readonly kind: 'left'; readonly participant: Participant }
  | { readonly kind: 'speaking'; readonly participant: Participant }
  | {
      readonly kind: 'voice';
      readonly participant: Participant;
      readonly header: VoiceHeader;
      /** The Steam Voice packet: a view of the frame that came in. */
      readonly packet: Uint8Array;
    }
  | { readonly kind: 'dropped'; readonly reason: SessionDrop }
  /** The session is over; null when we left. */
  | { readonly kind: 'ended'; readonly error: HotmicError | null };

/** The close code of a connection that ended without a close frame. */
const NO_CLOSE_FRAME = 1006;

/** One membership of one lobby over one connection. */
export class Session {
  readonly #options: SessionOptions;
  readonly #participants = new Map<number, Participant>();
  #state: 'opening' | 'joining' | 'joined' | 'leaving' | 'ended' = 'opening';
  #refusal: HotmicError | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Everyone else in the lobby. */
  get participants(): readonly Participant[] {
    return [...this.#participants.values()];
  }

  get joined(): boolean {
    return this.#state === 'joined';
  }

  handle(input: SessionInput): SessionOutput[] {
    if (this.#state === 'ended') return [];
    switch (input.kind) {
      case 'opened':
        this.#state = 'joining';
        return [this.#hello()];
      case 'text':
        return this.#text(input.text);
      case 'voice':
        return [this.#voice(input.frame)];
      case 'closed':
        return [this.#end(input.code, input.reason, input.failure ?? null)];
    }
  }

  /** Ends without a word: nothing comes out any more. */
  abandon(): void {
    this.#state = 'ended';
  }

  /** Says goodbye. The relay closes the connection. */
  leave(): SessionOutput[] {
    if (this.#state !== 'joined') return [];
    this.#state = 'leaving';
    return [{ kind: 'send', text: writeMessage({ type: 'leave' }) }];
  }

  #hello(): SessionOutput {
    const { lobby, steamId, name, ticket, token } = this.#options;
    const versions = [PROTOCOL_VERSION];
    const who = { type: 'hello' as const, versions, lobby, steamId: String(steamId), name };
    const hello = {
      ...who,
      ...(ticket ? { ticket: hexOf(ticket) } : {}),
      ...(token ? { token } : {}),
    };
    return { kind: 'send', text: writeMessage(hello) };
  }

  #text(text: string): SessionOutput[] {
    const message = readRelayMessage(text);
    if ('kind' in message)
      return [this.#fail('ERR_HOTMIC_PROTOCOL', `Cannot read relay's message: ${message.detail}`)];
    // The welcome comes first and once; a refusal may come at any time.
    const isWanted = (message.type === 'welcome') === (this.#state === 'joining');
    if (message.type !== 'refused' && !isWanted)
      return [this.#fail('ERR_HOTMIC_PROTOCOL', `Cannot follow relay: "${message.type}" is out of order`)];
    return this.#message(message);
  }

  #message(message: RelayMessage): SessionOutput[] {
    switch (message.type) {
      case 'welcome':
        if (message.version !== PROTOCOL_VERSION) {
          const detail = `it speaks version ${message.version}, wants ${PROTOCOL_VERSION}`;
          return [this.#fail('ERR_HOTMIC_PROTOCOL', `Cannot follow relay: ${detail}`)];
        }
        this.#state = 'joined';
        for (const info of message.participants) this.#participants.set(info.slot, participantOf(info));
        return [
          {
            kind: 'welcome',
            slot: message.slot,
            relayTimeMs: message.relayTimeMs,
            maySpeak: message.speak ?? true,
            mayListen: message.listen ?? true,
            participants: this.participants,
          },
        ];
      case 'joined': {
        const participant = participantOf({ ...message.participant, speaking: false });
        this.#participants.set(participant.slot, participant);
        return [{ kind: 'joined', participant }];
      }
      case 'left': {
        const participant = this.#participants.get(message.slot);
        this.#participants.delete(message.slot);
        return participant ? [{ kind: 'left', participant }] : [];
      }
      case 'speaking': {
        const known = this.#participants.get(message.slot);
        if (!known) return [];
        const participant = { ...known, speaking: message.speaking };
        this.#participants.set(message.slot, participant);
        return [{ kind: 'speaking', participant }];
      }
      case 'challenge':
      case 'changed':
      case 'channel':
      case 'channel-ended':
      case 'failed':
      case 'draining':
        return [];
      case 'refused':
        this.#refusal = new HotmicError(
          'ERR_HOTMIC_REFUSED',
          `Relay refused (${message.code}): ${message.message}`,
        );
        return [];
    }
  }

  #voice(frame: Uint8Array): SessionOutput {
    if (this.#state !== 'joined') return { kind: 'dropped', reason: 'not-joined' };
    const header = readVoiceHeader(frame);
    if (header.kind === 'malformed') return { kind: 'dropped', reason: 'malformed' };
    const participant = this.#participants.get(header.slot);
    if (!participant) return { kind: 'dropped', reason: 'slot-unknown' };
    return { kind: 'voice', participant, header, packet: packetOf(frame) };
  }

  #end(code: number, reason: string, failure: Error | null): SessionOutput {
    if (this.#refusal) {
      this.#state = 'ended';
      return { kind: 'ended', error: this.#refusal };
    }
    if (this.#state === 'leaving') {
      this.#state = 'ended';
      return { kind: 'ended', error: null };
    }
    if (code === NO_CLOSE_FRAME || failure) {
      const cause = failure ? `${code}, ${failure.message}` : String(code);
      return this.#fail('ERR_HOTMIC_CONNECTION_LOST', `Connection to the relay broke (${cause})`, failure);
    }
    const why = reason ? `${code}, ${reason}` : String(code);
    return this.#fail('ERR_HOTMIC_CONNECTION_LOST', `Relay closed the connection (${why})`);
  }

  #fail(code: ErrorCode, message: string, cause?: unknown): SessionOutput {
    this.#state = 'ended';
    return { kind: 'ended', error: new HotmicError(code, message, { cause }) };
  }
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function participantOf(info: ParticipantInfo): Participant {
  return { slot: info.slot, steamId: BigInt(info.steamId), name: info.name, speaking: info.speaking };
}
