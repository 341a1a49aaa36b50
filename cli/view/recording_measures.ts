/** Levels of speakers whose sound is decoded as it arrives, and the size of a recording on the disk. */

import { statSync } from 'node:fs';
import { type Decibels, SILENCE_DB } from '../../voice/mixing/decibels.js';
import { LevelMeter } from '../../voice/mixing/level_meter.js';
import { type Milliseconds, samplesOfMs } from '../../voice/units.js';

/** The most speakers with a level: those of a lobby. */
const MAX_SPEAKERS = 1000;

/** Without sound for so long, a speaker is silent: sound comes in bursts. */
const GAP_MS: Milliseconds = 150;

interface Metered {
  readonly meter: LevelMeter;
  heardAt: Milliseconds;
}

export class SpeakerMeters {
  readonly #now: () => Milliseconds;
  readonly #speakers = new Map<number, Metered>();

  constructor(now: () => Milliseconds) {
    this.#now = now;
  }

  heard(slot: number, pcm: Int16Array): void {
    let speaker = this.#speakers.get(slot);
    if (!speaker) {
      if (this.#speakers.size >= MAX_SPEAKERS) return;
      speaker = { meter: new LevelMeter(), heardAt: 0 };
      this.#speakers.set(slot, speaker);
    }
    speaker.meter.update(pcm);
    speaker.heardAt = this.#now();
  }

  /** Null for somebody who was never heard. */
  levelDb(slot: number): Decibels | null {
    const speaker = this.#speakers.get(slot);
    if (!speaker) return null;
    const silentMs = this.#now() - speaker.heardAt;
    if (silentMs > GAP_MS) {
      speaker.meter.skip(samplesOfMs(silentMs - GAP_MS));
      speaker.heardAt = this.#now() - GAP_MS;
    }
    const { rmsDb } = speaker.meter.level();
    return Number.isFinite(rmsDb) ? rmsDb : SILENCE_DB;
  }
}

/** How often the disk is asked. */
const EVERY_MS: Milliseconds = 1000;
/** POSIX: the unit of `blocks`. */
const BLOCK_BYTES = 512;

/** What files take on the disk; holes, which silence makes, take nothing. */
export class RecordingSize {
  readonly #paths: () => readonly string[];
  readonly #now: () => Milliseconds;
  #askedAt: Milliseconds = Number.NEGATIVE_INFINITY;
  #bytes = 0;

  constructor(paths: () => readonly string[], now: () => Milliseconds) {
    this.#paths = paths;
    this.#now = now;
  }

  bytes(): number {
    const now = this.#now();
    if (now - this.#askedAt < EVERY_MS) return this.#bytes;
    this.#askedAt = now;
    this.#bytes = this.#paths().reduce((sum, path) => sum + bytesOf(path), 0);
    return this.#bytes;
  }
}

function bytesOf(path: string): number {
  try {
    const { blocks, size } = statSync(path);
    // Windows has no blocks.
    return Number.isFinite(blocks) && blocks > 0 ? blocks * BLOCK_BYTES : size;
  } catch {
    // It is not there yet, or was removed.
    return 0;
  }
}
