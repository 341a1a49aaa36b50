/**
 * One speaker in the mixer, like a channel strip of a mixing desk: their settings and position, the gains that these make, level and levelling.
 * Pure.
 *
 * Real-time: `add` and `idle` allocate nothing.
 */

import type { Samples } from '../units.js';
import { factorOfDb } from './decibels.js';
import { GainRamp } from './gain_ramp.js';
import { LevelMeter } from './level_meter.js';
import { Levelling } from './levelling.js';
import { leftGain, rightGain, type SpatialField } from './spatial.js';
import { DEFAULT_SETTINGS, type SpeakerSettings } from './speaker_settings.js';
import type { Vector } from './vector.js';

/** What there is to hear of a speaker: 'fading' when they are muted or out of range, and their sound is not silent yet. */
export type Audibility = 'audible' | 'fading' | 'inaudible';

/** Whether the sound of a pull has speech in it, or only silence, comfort noise or a tail. */
export type SoundKind = 'voice' | 'silence';

/** The sums of a pull, interleaved: of the speakers without priority, and of those with it. */
export interface MixSums {
  others: Float64Array;
  priority: Float64Array;
}

/** The way from a speaker to one of the sums: a gain per channel. */
class Send {
  readonly #left = new GainRamp(0);
  readonly #right: GainRamp | null;
  readonly #gains: Float64Array;
  readonly #at: number;

  /** @param gains Where the gains are that `turn` takes over: left at `at`, right behind it. */
  constructor(channels: 1 | 2, gains: Float64Array, at: number) {
    this.#right = channels === 2 ? new GainRamp(0) : null;
    this.#gains = gains;
    this.#at = at;
  }

  get isSilent(): boolean {
    return this.#left.gain === 0 && (this.#right?.gain ?? 0) === 0;
  }

  turn(manner: 'at once' | 'ramp'): void {
    if (manner === 'at once') {
      this.#left.jump(this.#gains, this.#at);
      this.#right?.jump(this.#gains, this.#at + 1);
      return;
    }
    this.#left.aim(this.#gains, this.#at);
    this.#right?.aim(this.#gains, this.#at + 1);
  }

  mix(pcm: Int16Array, samples: Samples, sums: Float64Array): void {
    this.#left.mix(pcm, samples, sums, 0, this.#right ? 2 : 1);
    this.#right?.mix(pcm, samples, sums, 1, 2);
  }
}

export class SpeakerStrip {
  slot: number;
  /** The pull in which they last did something, and the last one with their sound. */
  touchedIn = 0;
  addedIn = -1;
  readonly meter = new LevelMeter();
  readonly #channels: 1 | 2;
  readonly #levelling = new Levelling();
  #settings = DEFAULT_SETTINGS;
  #position: Vector | null = null;
  /** Gains from settings and position, and whether they are up to date: with which of the listener's poses. */
  #leftGain = 1;
  #rightGain = 1;
  /** The gains of the sends, with levelling: left and right to the others, left and right to those with priority. */
  readonly #gains = new Float64Array(4);
  readonly #toOthers: Send;
  readonly #toPriority: Send;
  #version = -1;
  /** Muted or out of range. */
  #isSilenced = false;
  /** Whether they were heard since the strip is theirs: if not, the gains need no ramp. */
  #history: 'fresh' | 'heard' = 'fresh';
  /** Whether the sends have the gains of now, without a ramp. */
  #sends: 'settled' | 'behind' = 'behind';

  constructor(slot: number, channels: 1 | 2) {
    this.slot = slot;
    this.#channels = channels;
    this.#toOthers = new Send(channels, this.#gains, 0);
    this.#toPriority = new Send(channels, this.#gains, 2);
  }

  get settings(): Required<SpeakerSettings> {
    return this.#settings;
  }

  set settings(settings: Required<SpeakerSettings>) {
    if (settings.levelling === 'off') this.#levelling.reset();
    this.#settings = settings;
    this.#version = -1;
  }

  /** The position, of which the strip keeps the object that it is given; or null. */
  set position(position: Vector | null) {
    this.#position = position;
    this.#version = -1;
  }

  /** What forgetting this speaker would lose: nothing, 1 a position, 2 what was set for them. */
  get worth(): 0 | 1 | 2 {
    if (this.#settings !== DEFAULT_SETTINGS) return 2;
    return this.#position ? 1 : 0;
  }

  /** Becomes the strip of another speaker, of whom nothing is known. */
  reset(slot: number): void {
    this.slot = slot;
    this.addedIn = -1;
    this.meter.reset();
    this.settings = DEFAULT_SETTINGS;
    this.position = null;
    this.#history = 'fresh';
  }

  audibility(field: SpatialField): Audibility {
    this.#aim(field);
    if (!this.#isSilenced) return 'audible';
    const isSilent = this.#toOthers.isSilent && this.#toPriority.isSilent;
    return isSilent || this.#history === 'fresh' ? 'inaudible' : 'fading';
  }

  /** Adds a pull's sound of this speaker to the interleaved sums. */
  add(pcm: Int16Array, samples: Samples, kind: SoundKind, field: SpatialField, sums: MixSums): void {
    this.#aim(field);
    this.meter.update(pcm, samples);
    if (kind === 'voice' && this.#settings.levelling === 'on') this.#levelling.update(pcm, samples);
    this.#turn(this.#history === 'fresh' ? 'at once' : 'ramp');
    this.#history = 'heard';
    this.#sends = 'behind';
    this.#toOthers.mix(pcm, samples, sums.others);
    this.#toPriority.mix(pcm, samples, sums.priority);
  }

  /** Passes over a pull in which this speaker was silent. Nobody hears a gain then, so it takes its new value at once. */
  idle(samples: Samples, field: SpatialField): void {
    this.meter.skip(samples);
    this.#aim(field);
    if (this.#sends === 'settled') return;
    this.#turn('at once');
    this.#sends = 'settled';
  }

  /** Gives the sends their gains. Who gets or loses priority moves from one sum to the other without a step. */
  #turn(manner: 'at once' | 'ramp'): void {
    const { factor } = this.#levelling;
    const at = this.#settings.priority === 'priority' ? 2 : 0;
    this.#gains.fill(0);
    this.#gains[at] = this.#leftGain * factor;
    this.#gains[at + 1] = this.#rightGain * factor;
    this.#toOthers.turn(manner);
    this.#toPriority.turn(manner);
  }

  /** Computes the gains again, if settings, position or listener have changed. */
  #aim(field: SpatialField): void {
    if (this.#version === field.version) return;
    this.#version = field.version;
    this.#sends = 'behind';
    const { muted, volumeDb, pan } = this.#settings;
    const position = this.#position;
    const distance = position ? field.distanceGain(position) : 1;
    const gain = muted === 'muted' ? 0 : factorOfDb(volumeDb) * distance;
    this.#isSilenced = gain === 0;
    if (this.#channels === 1 || gain === 0) {
      this.#leftGain = gain;
      this.#rightGain = gain;
      return;
    }
    const side = position ? field.pan(position) : pan;
    this.#leftGain = gain * leftGain(side);
    this.#rightGain = gain * rightGain(side);
  }
}
