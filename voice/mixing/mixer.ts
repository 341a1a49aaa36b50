/**
 * Mixes what a listener hears: every speaker's sound of a pull, each with their volume, place and level, limited to full scale. Pure: it has no
 * queue and no clock; jitter buffers before it put the sound in time. docs/mixing.md is for those who use it.
 *
 *     mixer.begin(480);
 *     for (const speaker of speakers) {
 *       if (mixer.audibility(speaker.slot) === 'inaudible') continue;
 *       mixer.add(speaker.slot, pcm, 'voice');
 *     }
 *     mixer.finish(out);
 *
 * While a priority speaker is heard, and 250 ms after, the others are lowered.
 *
 * Bounds: `maxSpeakers` speakers with settings, positions and levels, whatever slots are named.
 */

import { type Samples, samplesOfMs, VOICE_RATE_HZ } from '../units.js';
import { type Decibels, factorOfDb, SILENCE_DB } from './decibels.js';
import { GainRamp } from './gain_ramp.js';
import type { Level } from './level_meter.js';
import { Limiter } from './limiter.js';
import { checkRange, checkWhole, checkWord } from './setting_range.js';
import { SpatialField, type SpatialOptions } from './spatial.js';
import { DEFAULT_SETTINGS, mergedSettings, type SpeakerSettings } from './speaker_settings.js';
import { type Audibility, type MixSums, type SoundKind, SpeakerStrip } from './speaker_strip.js';
import { checkVector, type Pose, type Vector } from './vector.js';

/** How speakers become one mix. */
export interface MixerOptions {
  /** 1, or 2 for interleaved left and right. Default 1. */
  readonly channels?: 1 | 2;
  /** By how much the others are lowered while a priority speaker is heard, in dB, 0 (not at all) to 60. Default 12. */
  readonly duckDb?: Decibels;
  /**
   * Speakers whom the mixer knows at a time, 1 to 1000. Default 64, as many as a relay admits to a lobby by default. For one more it forgets, and
   * counts, somebody else: first of those for whom nothing is set, then of those with only a position; of these, who was neither heard nor set for
   * longest.
   */
  readonly maxSpeakers?: number;
  /** How distance makes speakers with a position quieter. */
  readonly spatial?: SpatialOptions;
}

/** The longest pull: 10 s. */
const LONGEST_PULL: Samples = 10 * VOICE_RATE_HZ;

/** How long a priority speaker may pause, or their network stall, before the others are raised: 250 ms, so that it does not pump. */
const DUCK_HOLD: Samples = samplesOfMs(250);

/** Places in the gains of the others. */
const DUCKED = 0;
const RAISED = 1;

/**
 * Real-time: `begin`, `add` and `finish` allocate memory for the largest pull and for each new speaker, up to `maxSpeakers`, and nothing else.
 */
export class PlayoutMixer {
  readonly #channels: 1 | 2;
  readonly #maxSpeakers: number;
  readonly #field: SpatialField;
  readonly #limiter: Limiter;
  readonly #strips: SpeakerStrip[] = [];
  readonly #stripOf = new Map<number, SpeakerStrip>();
  /** The gains of the others: while a priority speaker is heard, and otherwise. */
  readonly #duckGains: Float64Array;
  readonly #duck = new GainRamp(1);
  /** How long the others stay lowered. */
  #duckFor: Samples = 0;
  #priorityIn: 'nobody' | 'somebody' = 'nobody';
  readonly #sums: MixSums = { others: new Float64Array(0), priority: new Float64Array(0) };
  #samples: Samples = 0;
  #pulls = 0;
  #stage: 'between' | 'within' = 'between';
  /** How often a speaker was forgotten because of `maxSpeakers`. */
  evictedSpeakers = 0;

  /** @throws RangeError for an option out of its range. */
  constructor(options: MixerOptions = {}) {
    const { channels = 1, duckDb = 12, maxSpeakers = 64, spatial = {} } = options;
    checkWhole('mix', 'channels', channels, 1, 2);
    checkRange('mix', 'duckDb', duckDb, 0, 60);
    checkWhole('mix', 'maxSpeakers', maxSpeakers, 1, 1000);
    this.#channels = channels;
    this.#maxSpeakers = maxSpeakers;
    this.#duckGains = Float64Array.of(factorOfDb(-duckDb), 1);
    this.#field = new SpatialField(spatial);
    this.#limiter = new Limiter(channels);
  }

  /** Samples that the limiter lowered; left and right at one instant count once. */
  get limitedSamples(): Samples {
    return this.#limiter.limitedSamples;
  }

  /**
   * Changes what `settings` names, and nothing else, for the speaker in `slot`. It is heard from the next pull on, over 10 ms.
   *
   * @throws RangeError for a slot that is not 0 to 65535, or a value out of its range; then nothing is changed.
   */
  set(slot: number, settings: SpeakerSettings): void {
    checkSlot(slot);
    const merged = mergedSettings(this.settings(slot), settings);
    this.#strip(slot).settings = merged;
  }

  /** What is set for a speaker, with the defaults. */
  settings(slot: number): Required<SpeakerSettings> {
    return this.#stripOf.get(slot)?.settings ?? DEFAULT_SETTINGS;
  }

  /**
   * Places a speaker in the world, or with null takes them out of it: then they are heard at any distance, at their `pan`. Copied.
   *
   * @throws RangeError for a slot that is not 0 to 65535, or a coordinate that is not a finite number.
   */
  setPosition(slot: number, position: Vector | null): void {
    checkSlot(slot);
    if (position) checkVector('place a speaker', 'position', position);
    this.#strip(slot).position = position ? { x: position.x, y: position.y, z: position.z } : null;
  }

  /**
   * Places the listener in the world. Before, they are in the origin, looking along -z, y up. Copied.
   *
   * @throws RangeError for a coordinate that is not a finite number.
   */
  setListener(listener: Pose): void {
    this.#field.setListener(listener);
  }

  /** Forgets a speaker: settings, position and level. For those who left: their slot may be somebody else's next. */
  forget(slot: number): void {
    const strip = this.#stripOf.get(slot);
    if (!strip) return;
    this.#stripOf.delete(slot);
    this.#strips.splice(this.#strips.indexOf(strip), 1);
  }

  /**
   * What there is to hear of a speaker: 'inaudible' when they are muted or out of range, and have faded out. Then they need not be decoded
   * or added. Depends on settings and places only, and not on whether they speak.
   */
  audibility(slot: number): Audibility {
    return this.#stripOf.get(slot)?.audibility(this.#field) ?? 'audible';
  }

  /** How loud a speaker is before volume and distance, as far as they were added. Allocates. */
  level(slot: number): Level {
    return this.#stripOf.get(slot)?.meter.level() ?? { rmsDb: SILENCE_DB, peakDb: SILENCE_DB };
  }

  /**
   * Begins a pull. One that was begun and not finished is dropped.
   *
   * @param samples Its length: per channel, 24 kHz, 0 to 240,000.
   * @throws RangeError for another length.
   */
  begin(samples: Samples): void {
    checkWhole('mix', 'the length of a pull', samples, 0, LONGEST_PULL);
    const values = samples * this.#channels;
    const sums = this.#sums;
    if (sums.others.length < values) {
      sums.others = new Float64Array(values);
      sums.priority = new Float64Array(values);
    }
    sums.others.fill(0, 0, values);
    sums.priority.fill(0, 0, values);
    this.#samples = samples;
    this.#pulls += 1;
    this.#priorityIn = 'nobody';
    this.#stage = 'within';
  }

  /**
   * Adds a speaker's sound of this pull. Speakers who are silent, or inaudible, may be left out.
   *
   * @param pcm Mono, 24 kHz; its first samples, as many as `begin` named. Read, and not kept.
   * @param kind Whether there is speech in it, decoded or concealed. 'silence' does not lower others, and does not count for levelling.
   * @throws RangeError for a slot that is not 0 to 65535, too few samples, an unknown kind, outside of a pull, or twice in one.
   */
  add(slot: number, pcm: Int16Array, kind: SoundKind): void {
    checkSlot(slot);
    checkWord('mix', 'kind', kind, KINDS);
    if (this.#stage !== 'within') throw new RangeError(`Cannot mix slot ${slot}: no pull was begun`);
    if (pcm.length < this.#samples) {
      throw new RangeError(
        `Cannot mix slot ${slot}: ${pcm.length} samples, expected at least ${this.#samples}`,
      );
    }
    const strip = this.#strip(slot);
    if (strip.addedIn === this.#pulls)
      throw new RangeError(`Cannot mix slot ${slot}: added twice in one pull, expected once`);
    strip.addedIn = this.#pulls;
    strip.add(pcm, this.#samples, kind, this.#field, this.#sums);
    const hasPriority = strip.settings.priority === 'priority';
    if (hasPriority && kind === 'voice' && strip.audibility(this.#field) === 'audible')
      this.#priorityIn = 'somebody';
  }

  /**
   * Ends a pull: writes the mix to all of `out`, interleaved. Where nobody speaks it is silence.
   *
   * @param out Samples × channels of the pull.
   * @throws RangeError for another length, or outside of a pull.
   */
  finish(out: Int16Array): void {
    if (this.#stage !== 'within') throw new RangeError('Cannot finish the mix: no pull was begun');
    const values = this.#samples * this.#channels;
    if (out.length !== values) {
      throw new RangeError(`Cannot finish the mix: room for ${out.length} values, expected ${values}`);
    }
    this.#stage = 'between';
    for (const strip of this.#strips) {
      if (strip.addedIn !== this.#pulls) strip.idle(this.#samples, this.#field);
    }
    this.#duckOthers(values);
    const { others, priority } = this.#sums;
    for (let i = 0; i < values; i++) others[i]! += priority[i]!;
    this.#limiter.process(others, out);
  }

  /** Lowers those without priority while somebody with it is heard, and for DUCK_HOLD after. */
  #duckOthers(values: number): void {
    const isHeard = this.#priorityIn === 'somebody';
    const lowered = isHeard ? this.#samples : Math.min(this.#duckFor, this.#samples);
    this.#duckFor = isHeard ? DUCK_HOLD : this.#duckFor - lowered;
    const border = lowered * this.#channels;
    if (lowered > 0) this.#duck.aim(this.#duckGains, DUCKED);
    this.#duck.scale(this.#sums.others, 0, border, this.#channels);
    if (lowered < this.#samples) this.#duck.aim(this.#duckGains, RAISED);
    this.#duck.scale(this.#sums.others, border, values, this.#channels);
  }

  #strip(slot: number): SpeakerStrip {
    let strip = this.#stripOf.get(slot);
    if (!strip) {
      strip = this.#strips.length < this.#maxSpeakers ? this.#newStrip(slot) : this.#evict(slot);
      this.#stripOf.set(slot, strip);
    }
    strip.touchedIn = this.#pulls;
    return strip;
  }

  #newStrip(slot: number): SpeakerStrip {
    const strip = new SpeakerStrip(slot, this.#channels);
    this.#strips.push(strip);
    return strip;
  }

  /** Forgets the speaker of the least worth; of equals, who was neither heard nor set for longest. `slot` gets their strip. */
  #evict(slot: number): SpeakerStrip {
    let least = this.#strips[0]!;
    for (const strip of this.#strips) {
      const isLess =
        strip.worth === least.worth ? strip.touchedIn < least.touchedIn : strip.worth < least.worth;
      if (isLess) least = strip;
    }
    this.#stripOf.delete(least.slot);
    least.reset(slot);
    this.evictedSpeakers += 1;
    return least;
  }
}

const KINDS: readonly SoundKind[] = ['voice', 'silence'];

function checkSlot(slot: number): void {
  checkWhole('mix', 'slot', slot, 0, 65_535);
}
