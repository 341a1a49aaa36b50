/**
 * A lobby as the application sees it: its participants and channels, its events, and voice to everyone, to a channel or as a whisper.
 *
 * A connection that breaks is re-established automatically: docs/client.md.
 */

import type { HotmicError } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';
import type { VoiceHeader } from '../../voice/wire.js';
import type { CapturedPacket } from '../session/captured_packet.js';
import type { RedirectRefusal } from '../session/connecting/redirects.js';
import type { LobbyCounts } from '../session/counter.js';
import type { Member, Participant } from '../session/lobby_state.js';
import type { Moderation } from '../session/requests.js';
import type { SessionOptions } from '../session/session_io.js';
import type { VoiceTarget } from '../session/voice_target.js';
import type { OpenTransport } from '../transport/transport.js';
import type { CredentialOptions } from './credentials.js';

/** Callbacks of a lobby. Each is optional and must not throw. */
export interface LobbyEvents {
  /** We joined: called first, with the lobby that `joinLobby` resolves to. */
  onWelcome?(lobby: Lobby): void;
  /** Somebody joined; they do not speak yet. */
  onJoined?(participant: Participant): void;
  /** Somebody left, for any reason. Their slot may be somebody else's later. */
  onLeft?(participant: Participant): void;
  /** Someone started or stopped speaking to us: see `participant.speaking`. */
  onSpeaking?(participant: Participant): void;
  /** Anything else about a participant changed: their name, channels, `muted`, `away` and so on. */
  onChanged?(participant: Participant, before: Participant): void;
  /** The same about ourselves: `lobby.you`. */
  onYouChanged?(you: Member, before: Member): void;
  /** `lobby.unlisted` is this now: called at most about once per second. */
  onUnlisted?(unlisted: number): void;
  /** A channel was created or ended; `channels` are all that exist now. */
  onChannels?(channels: readonly string[]): void;
  /** A voice frame arrived. `target` says whom it is for. `packet` may be kept. */
  onVoice?(participant: Participant, header: VoiceHeader, packet: Uint8Array, target: VoiceTarget): void;
  /**
   * We are behind: the relay sends us no voice, which would be old, until `onCaughtUp` or `onResumed`. Everything else goes on. It comes when
   * we read again, usually directly before `onCaughtUp`.
   */
  onParked?(): void;
  /** We get voice again. So many frames were skipped. The next frame of their speakers has a marker. */
  onCaughtUp?(skippedFrames: number): void;
  /**
   * The relay did not carry out a request of the type `request`. `code` is one of `FAILURE_CODES`, or another one from a newer relay.
   * We stay in the lobby.
   */
  onFailed?(code: string, message: string, request: string): void;
  /**
   * The relay will stop within this time. `goTo` is the URL of another relay, as this one wrote it, or null. When this relay closes, we
   * connect to that one, unless `onRedirectRefused` follows.
   */
  onDraining?(withinMs: Milliseconds, goTo: string | null): void;
  /** We do not follow the relay's redirect, and will try to reconnect to this relay. `goTo` is unchecked text, up to 2048 characters. */
  onRedirectRefused?(goTo: string, why: RedirectRefusal): void;
  /** The connection was lost and we are trying to reconnect. Until then nothing is sent or received. */
  onReconnecting?(error: HotmicError): void;
  /**
   * We reconnected, in our old place (`resumed`) or in a new one (`joined-anew`), where our slot may differ. Callbacks for what changed
   * while we were away follow, as if it happened now.
   */
  onResumed?(how: 'resumed' | 'joined-anew'): void;
  /** The membership ended. Called once; `error` is null when we left. */
  onEnded?(error: HotmicError | null): void;
}

export interface LobbyOptions extends SessionOptions, CredentialOptions {
  /** A `ws:` or `wss:` URL of a relay. */
  readonly url: string;
  readonly events?: LobbyEvents;
  /**
   * What happens when the connection breaks or the relay stops. `auto` (the default): reconnect for as long as the relay keeps our place,
   * usually 30 s. If the place is gone, join again, unless we are a guest or joined with a ticket given as bytes. `never`: the
   * membership ends.
   */
  readonly reconnect?: 'auto' | 'never';
  /**
   * Hosts, besides that of `url`, that a draining relay may redirect us to: `relay.example` (any port) or `relay.example:7800`. Exact
   * names, at most 256. The credential is sent to no other host, and never without TLS if the current connection uses TLS. Default: none.
   */
  readonly redirectHosts?: readonly string[];
  /** Default: that of the platform, in Node over the package ws, in a browser its own WebSocket. */
  readonly transport?: OpenTransport;
  /** Aborts joining. It has no effect once we have joined: use `leave`. */
  readonly signal?: AbortSignal;
}

/** Our place in a lobby. */
export interface Lobby {
  /** `reconnecting` from the loss of the connection until `onResumed`. */
  readonly state: 'joined' | 'reconnecting' | 'over';
  /** Our own number in the lobby. It changes when we join again. */
  readonly slot: number;
  /** Ourselves, as the others see us. Our packets must carry `you.steamId`: the relay drops any others. */
  readonly you: Member;
  /** The relay's clock when we joined, in ms, 32 bit, as in voice frames. Their relay times stay on this clock when we join again. */
  readonly joinedRelayTimeMs: number;
  /** What our credential grants: whether the relay passes our voice on, and whether it sends us that of others. */
  readonly maySpeak: boolean;
  readonly mayListen: boolean;
  /** Everyone else, as of now, except listeners of a large audience: those are `unlisted`. */
  readonly participants: readonly Participant[];
  /** How many listeners are in the lobby and not in `participants`, up to a second ago. It includes us if `you.unlisted`. */
  readonly unlisted: number;
  /** The people whom the game lets us hear, by a hearing set; null without one, when we hear everyone. */
  readonly heard: readonly Participant[] | null;
  /** The names of all channels, as of now. `Participant.channels` says who is in which. */
  readonly channels: readonly string[];
  /**
   * Sends one packet, by default to everyone else; it is copied. Returns false when it was not sent: the lobby is over or reconnecting
   * (voice would be stale by then), we are not in that channel (entering takes a moment, and a moderator may move us), or more than
   * 64 KiB are waiting in this process. A stalled connection therefore costs voice, not memory.
   *
   * Change the target only between talkspurts: end the current one first (`TalkspurtNumberer.cut`), as `Publisher.speakTo` does. The
   * first packet to another target gets the marker here.
   *
   * @throws TypeError for an invalid target.
   */
  publish(packet: CapturedPacket, target?: VoiceTarget): boolean;
  /**
   * Asks to be in exactly these channels, at most 16. Channels that do not exist are created. `onYouChanged` reports success,
   * `onFailed` failure.
   *
   * This and the four methods below return false when no request was sent: the lobby is over or reconnecting, or more than 64 KiB are
   * waiting. The relay accepts 10 requests per second, 20 in a burst, and disconnects clients that send more.
   *
   * @throws RangeError for more than 16 channels, a duplicate, or an invalid label.
   */
  enter(channels: readonly string[]): boolean;
  /**
   * Sets who receives whispers captured from now on: at most 16 slots. The relay gets the new list once the voice for the previous list
   * has been sent, at most 500 ms from now. After joining again the list is empty. @throws RangeError for invalid slots, or too many.
   */
  whisper(slots: readonly number[]): boolean;
  /** Changes our name. @throws RangeError for an invalid label. */
  rename(name: string): boolean;
  /**
   * Tells everyone that we record what we hear, or no longer do: they see it in `recordingSince`, as do those who join later. The lobby
   * repeats it after we joined again. In many countries a recording without it is against the law.
   */
  announceRecording(recording: boolean): boolean;
  /** Moderates a player, if we are a moderator. @throws TypeError or RangeError for an invalid moderation. */
  moderate(moderation: Moderation): boolean;
  /** Counters of this membership, over all its connections. A copy. */
  counts(): LobbyCounts;
  /** Leaves the lobby. Resolves when the connection is closed. */
  leave(): Promise<void>;
}
