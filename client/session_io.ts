/**
 * What goes into a client's session and what comes out of it: the types between the protocol and the code that carries it out.
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
