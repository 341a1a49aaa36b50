/**
 * The inputs and outputs of a client's session: the types between the protocol and the code that carries it out.
 */

import type { ModerateMessage } from '../../voice/control.js';
import type { HotmicError } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';
import type { VoiceHeader } from '../../voice/wire.js';
import type { CapturedPacket } from './captured_packet.js';
import type { RedirectRefusal } from './connecting/redirects.js';
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
  /**
   * `drop`: voice that is older than the relay's budget is not passed on, and the relay sends none while we are behind. `keep`: all of it
   * comes, however late, as recorders want it. Default `drop`; `keep` for `decodeLobby`.
   */
  readonly staleVoice?: 'drop' | 'keep';
}

/** Everything a session needs. */
export interface SessionSettings extends SessionOptions {
  /** The relay, as `parseRelayUrl` reads it. */
  readonly url: URL;
  /** `auto` (the default): when a connection breaks, another one is opened. `never`: the session ends. */
  readonly reconnect?: 'auto' | 'never';
  /**
   * Whether there is a credential for another hello, if there is no place to resume. Guests who may speak never send one. Default:
   * `never`.
   */
  readonly rejoin?: 'may' | 'never';
  /** Hosts besides that of `url` that a draining relay may redirect us to: see `LobbyOptions`. Default: none. */
  readonly redirectHosts?: readonly string[];
  /** Returns numbers from 0 up to 1, as Math.random does. They spread the attempts to reconnect. */
  readonly random: () => number;
}

/**
 * What happened. `attempt` is the number of the output `open`, `ask-credential` or `ask-app-ticket` that it answers: what belongs to an
 * earlier attempt is ignored.
 */
export type SessionInput =
  /** Opens the first connection. */
  | { readonly kind: 'join' }
  | { readonly kind: 'credential'; readonly attempt: number; readonly credential: ShownCredential }
  /** The application's function failed; `thrown` is its error. */
  | { readonly kind: 'no-credential'; readonly attempt: number; readonly thrown: unknown }
  /** The connection has reached the relay's machine, which has not answered yet. Left out by transports that do not see it. */
  | { readonly kind: 'connected'; readonly attempt: number }
  /** The connection is open. `watched`: its transport notices by itself when it dies silently. Default false. */
  | { readonly kind: 'opened'; readonly attempt: number; readonly watched?: boolean }
  | { readonly kind: 'app-ticket'; readonly attempt: number; readonly ticket: Uint8Array }
  | { readonly kind: 'text'; readonly attempt: number; readonly text: string }
  /** `frame` is not kept, but the output refers to its bytes. */
  | { readonly kind: 'voice'; readonly attempt: number; readonly frame: Uint8Array }
  /** The connection is closed, or could not be opened. */
  | {
      readonly kind: 'closed';
      readonly attempt: number;
      readonly code: number;
      readonly reason: string;
      /** The system's error, if there was one. */
      readonly failure?: Error | null;
    }
  /** The instant of `deadline` has come. */
  | { readonly kind: 'time' }
  /** Our voice, which is copied. The target must be valid: see `checkTarget`. */
  | { readonly kind: 'publish'; readonly packet: CapturedPacket; readonly target: VoiceTarget }
  /** Whispers captured from now on go to these slots. */
  | { readonly kind: 'whisper'; readonly slots: readonly number[] }
  | { readonly kind: 'request'; readonly request: SessionRequest }
  | { readonly kind: 'leave' }
  /** Ends without a message to the relay, if it has not admitted us yet. */
  | { readonly kind: 'abort' };

/** Why a voice frame from the relay was dropped. `not-joined`: it came before the welcome, or while we were leaving. `opaque`: its
 * payload is for clients that can decrypt it. `stale`: it is older than the relay allows. */
export type SessionDrop = 'not-joined' | 'malformed' | 'slot-unknown' | 'target-unknown' | 'opaque' | 'stale';

/** What to do, and what to report to the application, in this order. */
export type SessionOutput =
  /** Answer with `credential` or `no-credential`. */
  | { readonly kind: 'ask-credential'; readonly attempt: number }
  /** Answer with an `app-ticket` whose user data begins with this nonce (16 bytes), or with `no-credential`. */
  | { readonly kind: 'ask-app-ticket'; readonly attempt: number; readonly nonce: Uint8Array }
  /** Open a connection: the present one, or with `beside` another one next to it. There is at most one of each. */
  | { readonly kind: 'open'; readonly attempt: number; readonly url: URL; readonly beside?: true }
  /** Close the connection beside the present one, whatever its state. */
  | { readonly kind: 'abandon'; readonly attempt: number }
  /** The connection beside the present one, which is open, takes its place. Close the other, if there still is one. */
  | { readonly kind: 'switch'; readonly attempt: number }
  /** Send over the present connection. */
  | { readonly kind: 'send'; readonly data: string | Uint8Array }
  /** Close the present connection, whatever its state. */
  | { readonly kind: 'close' }
  /** `publish`, `whisper` or `request` was not carried out: we are not in the lobby, or too much is waiting to be sent. */
  | { readonly kind: 'not-sent' }
  /** We joined: `you`, `participants` and `channels` are known. */
  | { readonly kind: 'welcome' }
  /** We could not join. It is what `joinLobby` throws. */
  | { readonly kind: 'join-failed'; readonly error: unknown }
  /** The connection was lost; another one will be opened. */
  | { readonly kind: 'away'; readonly error: HotmicError }
  /** We reconnected, in our old place or in a new one. The changes since then follow. */
  | { readonly kind: 'resumed'; readonly how: 'resumed' | 'joined-anew' }
  | LobbyChange
  | {
      readonly kind: 'voice';
      readonly participant: Participant;
      /**
       * Its relay time is on the clock of the first relay: see `RelayClock`. It has a marker too if frames before it were skipped or too old,
       * or if it is the first after a reconnection: the gap is not loss.
       */
      readonly header: VoiceHeader;
      readonly target: VoiceTarget;
      /** The Steam Voice packet: a view of the frame that came in. */
      readonly packet: Uint8Array;
    }
  /** The relay sends us no voice, because we are behind, until `caught-up` or `resumed`. */
  | { readonly kind: 'parked' }
  /** We get voice again. So many frames were skipped. */
  | { readonly kind: 'caught-up'; readonly skippedFrames: number }
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
  /** We will not go where the relay redirects us. */
  | { readonly kind: 'redirect-refused'; readonly goTo: string; readonly why: RedirectRefusal }
  /** We were in the lobby and no longer are; null when we left. */
  | { readonly kind: 'ended'; readonly error: HotmicError | null }
  /** The last output, but for `not-sent`: no connection is left, and there is nothing more to do. */
  | { readonly kind: 'closed' };

/** What a participant may ask of the relay. */
export type SessionRequest =
  | { readonly type: 'rename'; readonly name: string }
  | { readonly type: 'channels'; readonly channels: string[] }
  | { readonly type: 'whisper'; readonly slots: number[] }
  | { readonly type: 'recording'; readonly recording: boolean }
  | ModerateMessage;
