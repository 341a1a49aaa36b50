/** What the page and its worker say to each other. Everything is plain data. SteamIDs are text: they are keys of what is shown. */

import type { SpeakerSettings, TalkMode, VoiceTarget } from 'hotmic/client';
import type { PipeEnd } from '../sound/pcm_pipe.js';

/** Who joins, and where. */
export interface JoinOrder {
  readonly url: string;
  readonly lobby: string;
  readonly name: string;
  /** Null for a guest, and in development. */
  readonly token: string | null;
  /** A made-up one, in development. */
  readonly steamId: string | null;
  readonly codecUrl: string;
  /** Of the sound output. */
  readonly rateHz: number;
  readonly talkMode: TalkMode;
  /** SteamIDs. */
  readonly blocked: readonly string[];
}

/** A microphone for the worker: blocks of PCM, and what processes them. */
export interface MicrophoneOrder {
  readonly pipe: PipeEnd;
  readonly rateHz: number;
  /** URL of the module for noise suppression; null without. */
  readonly processingUrl: string | null;
}

export type ToWorker =
  | { readonly kind: 'join'; readonly order: JoinOrder }
  /** The sound output, the first one or another. */
  | { readonly kind: 'output'; readonly pipe: PipeEnd; readonly rateHz: number }
  /** Null: there is no microphone any more. */
  | { readonly kind: 'microphone'; readonly order: MicrophoneOrder | null }
  | { readonly kind: 'press' | 'release' | 'mute' | 'unmute' | 'leave' }
  | { readonly kind: 'talk-mode'; readonly mode: TalkMode }
  | { readonly kind: 'speak-to'; readonly target: VoiceTarget }
  | { readonly kind: 'whisper'; readonly steamIds: readonly string[] }
  | { readonly kind: 'enter'; readonly channels: readonly string[] }
  | { readonly kind: 'rename'; readonly name: string }
  | { readonly kind: 'set'; readonly steamId: string; readonly settings: SpeakerSettings }
  | { readonly kind: 'block' | 'unblock'; readonly steamId: string }
  | {
      readonly kind: 'moderate';
      readonly steamId: string;
      readonly action: 'mute' | 'unmute' | 'kick' | 'ban';
    };

/** Somebody in the lobby, as the page shows them. */
export interface PersonView {
  readonly steamId: string;
  readonly name: string;
  readonly channels: readonly string[];
  readonly speaking: boolean;
  /** A moderator muted them. */
  readonly muted: boolean;
  readonly deafened: boolean;
  readonly away: boolean;
  readonly moderator: boolean;
  readonly guest: boolean;
  readonly spectator: boolean;
  readonly recording: boolean;
  readonly blocked: boolean;
  /** How we hear them. */
  readonly volumeDb: number;
  readonly silenced: boolean;
}

/** The lobby, as the page shows it. */
export interface LobbySnapshot {
  readonly state: 'joined' | 'reconnecting' | 'over';
  readonly you: PersonView;
  readonly people: readonly PersonView[];
  readonly unlisted: number;
  readonly channels: readonly string[];
  readonly maySpeak: boolean;
  readonly mayListen: boolean;
  readonly isLive: boolean;
  readonly isMuted: boolean;
  readonly talkMode: TalkMode;
}

/** How the network was in the last second. */
export interface NetworkSample {
  /** The largest delay of the playout and the largest jitter of anyone, in ms; null while nobody was heard. */
  readonly delayMs: number | null;
  readonly jitterMs: number | null;
  /** Sound that did not come in time, of all that was due, 0 to 1. */
  readonly loss: number;
}

/** Loudness from -96 to 0 dBFS, by SteamID. */
export type Levels = Readonly<Record<string, number>>;

/** Why it ended: a code of `HotmicError`, and its words. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

export type FromWorker =
  | { readonly kind: 'lobby'; readonly lobby: LobbySnapshot }
  | { readonly kind: 'levels'; readonly levels: Levels; readonly mine: number }
  | { readonly kind: 'network'; readonly sample: NetworkSample }
  /** Something the page tells by words. */
  | { readonly kind: 'parked' | 'caught-up' | 'microphone-lost' }
  | { readonly kind: 'draining'; readonly withinMs: number; readonly moves: boolean }
  | { readonly kind: 'failed'; readonly request: string; readonly code: string }
  | { readonly kind: 'blocked'; readonly steamIds: readonly string[] }
  /** We never were in the lobby. */
  | { readonly kind: 'not-joined'; readonly failure: Failure }
  /** It is over; null when we left. */
  | { readonly kind: 'ended'; readonly failure: Failure | null };
