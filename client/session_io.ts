/**
 * The inputs and outputs of a client's session: the types between the protocol and the code that performs it.
 */

import type { ModerateMessage } from '../voice/control.js';
import type { HotmicError } from '../voice/error.js';
import type { Milliseconds } from '../voice/units.js';
import type { VoiceHeader } from '../voice/wire.js';
import type { LobbyChange, Participant } from './lobby_state.js';
import type { ShownCredential } from './shown_credential.js';
import type { VoiceTarget } from './voice_target.js';

/** Who joins, and where. */
export interface SessionOptions {
  /** Name of the lobby, 1 to 64 characters. */
  readonly lobby: string;
  /**
   * Our SteamID. Without a credential only a relay with --dev accepts it. If left out, the relay uses that of the credential; without
   * either we join as a guest. `Lobby.you` then holds the SteamID that our packets must carry.
   */
  readonly steamId?: bigint;
  /** The name that the others see, 1 to 64 characters. */
  readonly name: string;
}

/** What a session does after its connection broke. */
export interface SessionReturn {
  /** `auto`: it waits for another connection. `never`: it ends. */
  readonly reconnect: 'auto' | 'never';
  /** Whether it may send another hello if there is no place to resume, with the same or another credential. Guests never do. */
  readonly rejoin: 'may' | 'never';
}

export type SessionInput =
  /** A connection is open. `credential` is used if the session sends a hello. */
  | { readonly kind: 'opened'; readonly credential?: ShownCredential }
  /** The encrypted app ticket for the nonce of the last challenge. */
  | { readonly kind: 'app-ticket'; readonly ticket: Uint8Array }
  | { readonly kind: 'text'; readonly text: string }
  /** `frame` is not kept, but the output refers to its bytes. */
  | { readonly kind: 'voice'; readonly frame: Uint8Array }
  | {
      readonly kind: 'closed';
      readonly code: number;
      readonly reason: string;
      /** The system's error, if there was one. */
      readonly failure?: Error | null;
    };

/** Why a voice frame from the relay was dropped. `not-joined`: it came before the welcome, or while we were leaving. */
export type SessionDrop = 'not-joined' | 'malformed' | 'slot-unknown' | 'target-unknown';

export type SessionOutput =
  | LobbyChange
  | { readonly kind: 'send'; readonly text: string }
  /** The relay asks for an encrypted app ticket whose user data begins with this nonce, 16 bytes. */
  | { readonly kind: 'challenge'; readonly nonce: Uint8Array }
  /** We joined: `you`, `participants` and `channels` are known. `relayTimeMs` is the relay's clock in ms, 32 bit, as in voice frames. */
  | { readonly kind: 'welcome'; readonly relayTimeMs: number }
  /** We reconnected, in our old place or in a new one. The changes since then follow. */
  | { readonly kind: 'resumed'; readonly how: 'resumed' | 'joined-anew'; readonly relayTimeMs: number }
  /** The connection broke, or the relay closed it. Another one may be opened within this time. */
  | {
      readonly kind: 'away';
      readonly error: HotmicError;
      readonly why: 'broken' | 'closed';
      readonly withinMs: Milliseconds;
    }
  /** An attempt to reconnect failed. */
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
  /** The relay did not carry out a request. `code` is one of `FAILURE_CODES`, or another one from a newer relay. */
  | {
      readonly kind: 'failed';
      /** The type of the request. */
      readonly request: string;
      readonly code: string;
      readonly message: string;
    }
  /** The relay closes within this time. `goTo` is the URL of another relay, as unchecked text. */
  | { readonly kind: 'draining'; readonly withinMs: Milliseconds; readonly goTo: string | null }
  /** The session is over; null when we left. */
  | { readonly kind: 'ended'; readonly error: HotmicError | null };

/** What a participant may ask of the relay. */
export type SessionRequest =
  | { readonly type: 'rename'; readonly name: string }
  | { readonly type: 'channels'; readonly channels: string[] }
  | { readonly type: 'whisper'; readonly slots: number[] }
  | ModerateMessage;
