/**
 * Joins a lobby: what a game embeds. Who is there, which channels there are, what happens; speaking to all, to a channel, in a whisper.
 *
 * A connection that breaks comes back by itself: docs/client.md.
 */

import type { HotmicError } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';
import type { VoiceHeader } from '../../voice/wire.js';
import type { CapturedPacket } from '../capture_targets.js';
import type { Member, Participant } from '../lobby_state.js';
import type { SessionDrop, SessionOptions } from '../session_io.js';
import type { OpenTransport } from '../transport/transport.js';
import type { VoiceTarget } from '../voice_target.js';
import type { CredentialOptions } from './credentials.js';
import type { RedirectCounts, RedirectRefusal } from './redirects.js';
import type { Moderation } from './requests.js';

/** What a lobby tells. Each is optional, and must not throw. */
export interface LobbyEvents {
  /** We are in: the lobby that `joinLobby` resolves to. Told before anything else. */
  onWelcome?(lobby: Lobby): void;
  onJoined?(participant: Participant): void;
  onLeft?(participant: Participant): void;
  /** Someone began or ceased to speak to us: `participant.speaking`. */
  onSpeaking?(participant: Participant): void;
  /** Anything else about someone: their name, channels, muted, away and so on. */
  onChanged?(participant: Participant, before: Participant): void;
  /** The same about ourselves: `lobby.you`. */
  onYouChanged?(you: Member, before: Member): void;
  /** A channel came to be, or ended: these there are. */
  onChannels?(channels: readonly string[]): void;
  /** A voice frame, and whom it is for. `packet` is the receiver's to keep. */
  onVoice?(participant: Participant, header: VoiceHeader, packet: Uint8Array, target: VoiceTarget): void;
  /** The relay did not do what a message of the type `request` asked for: `code` is one of `FAILURE_CODES`, or a newer relay's. We stay. */
  onFailed?(code: string, message: string, request: string): void;
  /**
   * The relay is to stop within this time. `goTo` is the URL of another, as the relay wrote it, or null. We go there when it closes, unless
   * `onRedirectRefused` follows.
   */
  onDraining?(withinMs: Milliseconds, goTo: string | null): void;
  /** We do not go where the relay sends us, and try to come back to this one. `goTo` is the relay's text: up to 2048 characters of anything. */
  onRedirectRefused?(goTo: string, why: RedirectRefusal): void;
  /** The connection is gone, and another is tried. Until it is there, nothing is sent and nothing comes. */
  onReconnecting?(error: HotmicError): void;
  /**
   * We are back, in our old place (`resumed`) or in a new one (`joined-anew`), with another slot perhaps. What changed meanwhile is told
   * behind it, as if it happened now.
   */
  onResumed?(how: 'resumed' | 'joined-anew'): void;
  /** It is over, once; null when we left. */
  onEnded?(error: HotmicError | null): void;
}

export interface LobbyOptions extends SessionOptions, CredentialOptions {
  /** A `ws:` or `wss:` URL of a relay. */
  readonly url: string;
  readonly events?: LobbyEvents;
  /**
   * What becomes of a lobby whose connection breaks, or whose relay stops. `auto`, the default: it comes back by itself, for as long as the
   * relay keeps the place, mostly 30 s. Where the place is gone, it joins anew, unless it is a guest's or came by a ticket in bytes.
   * `never`: it is over.
   */
  readonly reconnect?: 'auto' | 'never';
  /**
   * Hosts of other relays that a relay which drains may send us to, beside the host of `url`: `relay.example` at every port, or
   * `relay.example:7800`. Exact names, at most 256. The credential is shown at none but these, and never over less than the TLS that we have.
   * Default none.
   */
  readonly redirectHosts?: readonly string[];
  /** Default: the one for Node, which is only then loaded. */
  readonly transport?: OpenTransport;
  /** Gives up joining. Once joined it does nothing: see `leave`. */
  readonly signal?: AbortSignal;
}

/** What a lobby has counted. */
export interface LobbyCounts {
  readonly framesSent: number;
  /**
   * Not sent: the connection did not take what was sent before, was away, or is over; we are not in that channel; or the voice was meant for
   * others: another whisper list, or before we joined.
   */
  readonly framesRefused: number;
  readonly framesReceived: number;
  /** To the lobby or our channels, published by the relay while we were connected, and never here: at least so many. */
  readonly framesMissed: number;
  /** Times that the connection came back. */
  readonly resumes: number;
  /** Voice frames from the relay that were not taken, by reason. */
  readonly dropped: Readonly<Record<SessionDrop, number>>;
  /** People of whom the relay told beyond the 1000 that a lobby may have here. They are not in `participants`. */
  readonly participantsRefused: number;
  /** Times that we went to another relay, or did not, by reason. */
  readonly redirects: RedirectCounts;
}

/** Our place in a lobby. */
export interface Lobby {
  /** `reconnecting` from the loss of the connection until `onResumed`. */
  readonly state: 'joined' | 'reconnecting' | 'over';
  /** Our own number in the lobby. Another after joining anew. */
  readonly slot: number;
  /** Ourselves, as the others see us. Our packets have to carry `you.steamId`: the relay passes on no others. */
  readonly you: Member;
  /** The relay's clock when we joined, in ms, 32 bit, as in voice frames. Those go on on this clock after joining anew. */
  readonly joinedRelayTimeMs: number;
  /** What our credential grants: whether our voice is passed on, and others' comes to us. */
  readonly maySpeak: boolean;
  readonly mayListen: boolean;
  /** Everyone else, as of now. */
  readonly participants: readonly Participant[];
  /** The names of all channels, as of now. Who is in which, each participant says. */
  readonly channels: readonly string[];
  /**
   * Sends one packet, by default to everyone else; it is copied. Returns false when it was not sent: the lobby is over or reconnecting (voice
   * is stale by the time it is back), we are not in that channel (entering takes a moment, and a moderator may move us), or more than 64
   * KiB wait in this process. A connection that hangs then costs voice, not memory.
   *
   * The target changes only between talkspurts: end the one under way (`TalkspurtNumberer.cut`), as `Publisher.speakTo` does. The first
   * packet to another target gets the marker here.
   *
   * @throws TypeError for a target that is none.
   */
  publish(packet: CapturedPacket, target?: VoiceTarget): boolean;
  /**
   * Asks to be in these channels and no others, at most 16; those that are not there come to be. `onYouChanged` tells that it was done,
   * `onFailed` that not.
   *
   * This and the three below return false when the relay was not asked: the lobby is over or reconnecting, or more than 64 KiB wait. The relay takes 10 requests a
   * second, 20 at once, and closes out who asks more.
   *
   * @throws RangeError for more than 16, one twice, or one that is no label.
   */
  enter(channels: readonly string[]): boolean;
  /**
   * Says whom whispers go to that are captured from now on: at most 16 slots. The relay is told once the voice for the list before was sent,
   * 500 ms from now at the latest. A new place has nobody to whisper to. @throws RangeError for others.
   */
  whisper(slots: readonly number[]): boolean;
  /** Changes our name. @throws RangeError for one that is no label. */
  rename(name: string): boolean;
  /** Moderates, for who may. @throws TypeError or RangeError for what is no moderation. */
  moderate(moderation: Moderation): boolean;
  counts(): LobbyCounts;
  /** Leaves; resolves when the connection is closed. */
  leave(): Promise<void>;
}
