/**
 * The voice of a lobby as a game embeds it: who is there and who speaks, push-to-talk, and the sound to play. People are named by SteamID:
 * slots change with each reconnection. docs/client.md is the guide.
 */

import type { Level } from '../../voice/mixing/level_meter.js';
import type { SpeakerSettings } from '../../voice/mixing/speaker_settings.js';
import type { Pose, Vector } from '../../voice/mixing/vector.js';
import type { Samples } from '../../voice/units.js';
import type { LobbyEvents, LobbyOptions } from '../lobby/lobby.js';
import type { LobbyPlayoutOptions } from '../playout/lobby_playout.js';
import type { SteamVoiceDecoder } from '../playout/steam_decoder.js';
import type { Member } from '../session/lobby_state.js';
import type { Moderation } from '../session/requests.js';
import type { VoiceTarget } from '../session/voice_target.js';
import type { CaptureHandle } from '../talking/publisher.js';
import type { TalkMode } from '../talking/talk_key.js';
import type { VoiceGateOptions } from '../talking/voice_gate.js';
import type { Person } from './people.js';
import type { VoiceStatistics } from './statistics.js';
import type { MissedEvents, VoiceEvent, VoiceEventOf } from './voice_event.js';

/** What records the player: `startCapture` of `hotmic/steam` gives one. */
export interface MicrophoneCapture extends CaptureHandle {
  /** Ends the capture. Called only for one that `VoiceOptions.microphone` made. */
  close?(): unknown;
}

/** The sound that `pull` gives. */
export interface VoiceOutputOptions extends Omit<LobbyPlayoutOptions, 'makeDecoder'> {
  /**
   * Samples per second and channel, a whole number from 8000 to 192000. Default 48000, which most sound outputs have. At 24000, the rate of
   * Steam Voice, nothing is resampled; other rates cost 1.3 ms of delay.
   */
  readonly rateHz?: number;
}

/** How to join: see `joinVoice`. */
export interface VoiceOptions extends Omit<LobbyOptions, 'events'> {
  readonly output?: VoiceOutputOptions;
  /** Steam's decoder instead of ours: `steam.user` of an open Steam. Ours makes what did not arrive. Not in browsers. */
  readonly decoder?: SteamVoiceDecoder;
  /**
   * The player's microphone, or a function that makes it after joining, for the SteamID that our packets must carry: a guest has none
   * before. What the function made is closed with the voice; what was passed stays the caller's. Default: none, see `setMicrophone`.
   */
  readonly microphone?:
    | MicrophoneCapture
    | ((steamId: bigint) => MicrophoneCapture | Promise<MicrophoneCapture>);
  /** When the microphone records. Default `push-to-talk`. */
  readonly talkMode?: TalkMode;
  /** For the mode `voice-activation`. */
  readonly voiceActivation?: VoiceGateOptions;
  /** Whether we begin muted. Default false. */
  readonly muted?: boolean;
  /** People whom we block, by SteamID, at most 10,000: what the event `blocked` reported the last time. */
  readonly blocked?: Iterable<bigint>;
  /**
   * Called with each voice frame as it arrives, before it is played: for measurements, and for showing to whom somebody speaks. `packet` may
   * be kept. Must not throw.
   */
  readonly onFrame?: NonNullable<LobbyEvents['onVoice']>;
  /** Called with every event, from the first on. `Voice.on` and `Voice.events` begin after joining. */
  readonly onEvent?: (event: VoiceEvent) => void;
}

/** Our place in a lobby's voice. */
export interface Voice {
  /** `reconnecting` from the loss of the connection until the event `resumed`. */
  readonly state: 'joined' | 'reconnecting' | 'over';
  /** Ourselves, as the others see us. Our packets must carry `you.steamId`. */
  readonly you: Member;
  /** Everyone else, as of now, except listeners of a large audience: those are only counted. */
  readonly participants: readonly Person[];
  /** The people whom the game lets us hear, by a hearing set (docs/hearing-sets.md); null without one, when we hear everyone. */
  readonly heard: readonly Person[] | null;
  /** How many listeners are in the lobby and not in `participants`, up to a second ago. It includes us if `you.unlisted`. */
  readonly unlisted: number;
  /** The names of all channels, as of now. `Person.channels` says who is in which. */
  readonly channels: readonly string[];
  /** What our credential grants: whether the relay passes our voice on, and whether it sends us that of others. */
  readonly maySpeak: boolean;
  readonly mayListen: boolean;
  /** Resolves when it is over: with null when we left, otherwise with the reason. */
  readonly ended: Promise<VoiceEventOf<'ended'>['error']>;

  /** Calls `listener` with each event of this kind from now on, until the function that it returns is called. */
  on<Kind extends VoiceEvent['kind']>(kind: Kind, listener: (event: VoiceEventOf<Kind>) => void): () => void;
  /**
   * The events from now on, up to `ended`: `for await (const event of voice.events())`. For a reader who is slow, 1000 events wait; then the
   * oldest are dropped, and `missed` says how many.
   */
  events(): AsyncIterableIterator<VoiceEvent | MissedEvents>;

  /**
   * Fills `out` with what is to be heard next, and returns it: call it whenever the sound output needs samples, best every 5 to 20 ms. Zeros
   * where nobody speaks, and after the end. Real-time: some 0.05 ms for each speaker and 20 ms.
   *
   * @param out Samples at `output.rateHz`, at most 10 s of them; interleaved left and right with two channels.
   * @throws RangeError for an odd length with two channels.
   */
  pull(out: Int16Array): Int16Array;
  /**
   * The same, each speaker by themselves, for engines that place voices in their world: without volume, pan and distance. People who are
   * blocked, or muted by `set`, are left out. Use this or `pull`, not both: each takes the sound away.
   *
   * @param samples How much, at `output.rateHz`.
   * @param take Called for each speaker with a decoder, silent or not. `pcm` is mono, valid during the call.
   */
  pullEach(samples: Samples, take: (speaker: Person, pcm: Int16Array) => void): void;

  /** The microphone is live: what is said now is sent. True for exactly as long. The event `live` says when it changes. */
  readonly isLive: boolean;
  /** We are muted by `mute`. Mutes by a moderator are in `you.muted`. */
  readonly isMuted: boolean;
  readonly talkMode: TalkMode;
  /** The key goes down: the microphone becomes live, or with `toggle` changes. Without a microphone it is only remembered. */
  press(): void;
  /** The key comes up. Resolves when the tail was sent: see `Publisher.release`. */
  release(): Promise<void>;
  /** From this moment on nothing that was captured is sent, whatever key and mode say. */
  mute(): void;
  /** Ends `mute`. Nothing said before it is ever sent. */
  unmute(): void;
  /** @throws RangeError for another word. */
  setTalkMode(mode: TalkMode): void;
  /** Whom the voice is for from now on: see `Publisher.speakTo`. Default: the lobby. @throws TypeError for an invalid target. */
  speakTo(target: VoiceTarget): void;
  /** Who receives what is said to `whisper` from now on: at most 16 people. Those who are not here get it when they come. */
  whisper(steamIds: readonly bigint[]): boolean;
  /**
   * Takes another microphone, or none. Nothing that the one before captured is sent any more; it is not closed. Key, mode and mute stay.
   *
   * @throws RangeError when the capture has a publisher of its own.
   */
  setMicrophone(capture: MicrophoneCapture | null): void;

  /**
   * Sets how we hear somebody: volume, mute, pan, levelling; what is not named stays. It is kept while they are away, and if they leave
   * and come back. @throws RangeError for a value out of its range.
   */
  set(steamId: bigint, settings: SpeakerSettings): void;
  /** What is set for somebody, with the defaults. */
  settings(steamId: bigint): Required<SpeakerSettings>;
  /** Where somebody is in the game's world; null for a voice that comes from nowhere, such as a radio's. Kept as settings are. */
  setPosition(steamId: bigint, position: Vector | null): void;
  /** Where we are, and where we look. */
  setListener(listener: Pose): void;
  /** How loud somebody is now, before volume and distance. */
  level(steamId: bigint): Level;

  /** People whom we block. */
  readonly blocked: readonly bigint[];
  /**
   * Never hears this person again: not in this lobby, and in none where `blocked` is passed; whispers included. They do not learn of it, and
   * hear us as before. A guest has another SteamID the next time. @throws RangeError for more than 10,000 people.
   */
  block(steamId: bigint): void;
  /** Ends `block`: they are heard again, as they were set. */
  unblock(steamId: bigint): void;

  /** Asks to be in exactly these channels: see `Lobby.enter`. */
  enter(channels: readonly string[]): boolean;
  /** Changes our name: see `Lobby.rename`. */
  rename(name: string): boolean;
  /** Tells everyone that we record what we hear, or no longer do: see `Lobby.announceRecording`. */
  announceRecording(recording: boolean): boolean;
  /** Moderates a player, if we are a moderator: see `Lobby.moderate`. */
  moderate(moderation: Moderation): boolean;

  /** Delay, jitter, loss and the rest, as of now. Allocates. */
  statistics(): VoiceStatistics;
  /** Leaves the lobby. Resolves when the connection is closed. */
  leave(): Promise<void>;
}
