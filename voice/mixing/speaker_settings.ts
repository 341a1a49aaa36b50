/** What a listener sets for one speaker: volume, mute, pan, priority, levelling. Checked here, once. Pure. */

import type { Decibels } from './decibels.js';
import { checkRange, checkWord } from './setting_range.js';

/** How one speaker is heard. */
export interface SpeakerSettings {
  /** Gain in dB, -60 to 20. Default 0. */
  readonly volumeDb?: Decibels;
  /** Default 'heard'. */
  readonly muted?: 'muted' | 'heard';
  /** -1 (left) to 1 (right), at equal power. Without effect with 1 channel, and for a speaker with a position. Default 0. */
  readonly pan?: number;
  /** While a priority speaker is heard, those without priority are lowered by `duckDb`. Default 'none'. */
  readonly priority?: 'priority' | 'none';
  /** Whether the mixer brings this speaker to the usual loudness, see `levelling.ts`. Default 'off'. */
  readonly levelling?: 'on' | 'off';
}

export const DEFAULT_SETTINGS: Required<SpeakerSettings> = Object.freeze({
  volumeDb: 0,
  muted: 'heard',
  pan: 0,
  priority: 'none',
  levelling: 'off',
});

/**
 * `changes` over `before`. What `changes` does not name stays. The defaults are always the object `DEFAULT_SETTINGS`.
 *
 * @throws RangeError for a value out of its range.
 */
export function mergedSettings(
  before: Required<SpeakerSettings>,
  changes: SpeakerSettings,
): Required<SpeakerSettings> {
  const { volumeDb = before.volumeDb, muted = before.muted, pan = before.pan } = changes;
  const { priority = before.priority, levelling = before.levelling } = changes;
  const action = 'set a speaker';
  checkRange(action, 'volumeDb', volumeDb, -60, 20);
  checkWord(action, 'muted', muted, ['muted', 'heard']);
  checkRange(action, 'pan', pan, -1, 1);
  checkWord(action, 'priority', priority, ['priority', 'none']);
  checkWord(action, 'levelling', levelling, ['on', 'off']);
  const merged = { volumeDb, muted, pan, priority, levelling };
  const names = Object.keys(DEFAULT_SETTINGS) as (keyof SpeakerSettings)[];
  return names.every((name) => merged[name] === DEFAULT_SETTINGS[name]) ? DEFAULT_SETTINGS : merged;
}
