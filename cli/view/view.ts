/** What `listen` and `record` show of a lobby: rows on a terminal, a line for each event in a pipe, or JSON. */

import type { Lobby, LobbyEvents } from '../../client/lobby/lobby.js';
import type { Participant } from '../../client/session/lobby_state.js';
import type { VoiceTarget } from '../../client/session/voice_target.js';
import type { Decibels } from '../../voice/mixing/decibels.js';
import type { Milliseconds } from '../../voice/units.js';
import type { LineBudget } from '../line_budget.js';
import type { MemberOptions } from '../options.js';

/** What is measured while it runs. Null: not known, or not measured by this command. */
export interface Measures {
  /** RMS, in dBFS. */
  levelDb(slot: number): Decibels | null;
  /** From arrival to the sound device. */
  delayMs(slot: number): Milliseconds | null;
  /** Sound that never came, of what was said: 0 to 1. */
  lossShare(slot: number): number | null;
  /** What a recording takes on the disk. */
  sizeBytes(): number | null;
}

/** What happens to the sound device, or to a file. */
export type SoundNews =
  | { readonly kind: 'playing'; readonly device: string }
  | { readonly kind: 'back'; readonly device: string }
  | { readonly kind: 'lost'; readonly device: string; readonly reason: string };

export interface RecordedFile {
  readonly path: string;
  readonly durationMs: Milliseconds;
}

export interface LobbyView {
  /** For the lobby. */
  readonly events: LobbyEvents;
  /** Somebody's voice arrived for this target; `onSpeaking` follows with the news that they speak. */
  heard(participant: Participant, target: VoiceTarget): void;
  /** From now on there is something to measure. */
  measure(measures: Measures): void;
  sound(news: SoundNews): void;
  trackFailed(name: string, code: string, message: string): void;
  /** Nothing more happens: what comes next is a summary. */
  end(): void;
  /** What was dropped, by what and why; 0 is left out. */
  dropped(counts: Readonly<Record<string, number>>): void;
}

/** What every view needs. */
export interface ViewOptions {
  readonly member: MemberOptions;
  /** `listening` or `recording`. */
  readonly doing: 'listening' | 'recording';
  readonly now: () => Milliseconds;
  readonly lines: LineBudget;
}

/** Both sets of callbacks, one after the other. */
export function both(one: LobbyEvents, other: LobbyEvents): LobbyEvents {
  return {
    ...one,
    ...other,
    onWelcome: (lobby: Lobby) => {
      one.onWelcome?.(lobby);
      other.onWelcome?.(lobby);
    },
  };
}

export function soundText(news: SoundNews): string {
  switch (news.kind) {
    case 'playing':
      return `Playing to ${news.device}`;
    case 'back':
      return `Playing again to ${news.device}`;
    case 'lost':
      return `The sound device is gone: ${news.reason}. Waiting for it`;
  }
}
