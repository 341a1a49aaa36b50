/**
 * How much sound a player is due. Pure; instants are arguments.
 *
 * A tool that says how much it has played is kept `LEAD_MS` ahead of that: it sets the pace, so that the clocks of the computer and of its
 * sound device cannot drift apart. One that never says is fed by our clock. Either way nothing piles up behind a player that stops.
 */

import { type Milliseconds, msOfSamples, type Samples, samplesOfMs } from '../../voice/units.js';

/** How far the player is kept ahead: more than a timer of a busy machine is late, plus what the player keeps. */
export const LEAD_MS: Milliseconds = 80;

/** Sound is given in blocks of this length: long pulls cost delay. */
const BLOCK_MS: Milliseconds = 5;
export const BLOCK: Samples = samplesOfMs(BLOCK_MS);

/** The most that may be late: 100 ms. What was due before is left out: old sound is not played late. */
const MAX_BLOCKS_LATE = 20;

/** Without a report for so long, the player has stopped. */
const MAX_SILENCE_MS: Milliseconds = 500;

/** How fast the pace follows a report: they are some ms off. */
const FOLLOW = 0.2;
/** A report that differs by more is a jump, such as after an underrun. */
const JUMP_MS: Milliseconds = 50;

export class PlayPacer {
  readonly #startedAt: Milliseconds;
  readonly #pace: 'reports' | 'clock';
  /** Our clock minus what was played, by the reports. */
  #offsetMs: Milliseconds | null = null;
  #reportedAt: Milliseconds = 0;
  #reportedMs: Milliseconds = 0;
  /** How far we are in the stream: sound that was given, or left out. */
  #position: Samples = 0;
  #instant: Milliseconds = Number.NEGATIVE_INFINITY;
  /** Sound that was due and left out. */
  leftOut: Samples = 0;

  constructor(now: Milliseconds, pace: 'reports' | 'clock') {
    this.#startedAt = now;
    this.#pace = pace;
  }

  /** The player has played so much since it was started. */
  reported(playedMs: Milliseconds, now: Milliseconds): void {
    this.#reportedAt = now;
    if (playedMs === this.#reportedMs) {
      // It has not begun, or waits for sound.
      this.#offsetMs = null;
      return;
    }
    this.#reportedMs = playedMs;
    const offset = now - playedMs;
    const before = this.#offsetMs;
    this.#offsetMs =
      before === null || Math.abs(offset - before) > JUMP_MS ? offset : before + FOLLOW * (offset - before);
  }

  /**
   * The instant of the next block of `BLOCK` samples to give the player, or null if it has enough. Instants are as even as the player plays,
   * however late this is called, so that the playout does not take a late timer for a change of the network. The block counts as given.
   */
  next(now: Milliseconds): Milliseconds | null {
    const ahead = LEAD_MS - msOfSamples(this.#position) + this.#playedMs(now);
    const blocks = Math.floor(samplesOfMs(ahead) / BLOCK);
    if (blocks <= 0) return null;
    const skipped = Math.max(0, blocks - MAX_BLOCKS_LATE);
    this.leftOut += skipped * BLOCK;
    this.#position += (skipped + 1) * BLOCK;
    // Even blocks, and never back when the pace is corrected.
    this.#instant = Math.max(this.#instant, Math.min(now, now - ahead + skipped * BLOCK_MS + BLOCK_MS));
    return this.#instant;
  }

  /** How much was given and not played, as far as is known. */
  aheadMs(now: Milliseconds): Milliseconds {
    return Math.max(0, msOfSamples(this.#position) - this.#playedMs(now));
  }

  #playedMs(now: Milliseconds): Milliseconds {
    if (this.#pace === 'clock') return now - this.#startedAt;
    if (this.#offsetMs === null) return this.#reportedMs;
    return Math.min(now, this.#reportedAt + MAX_SILENCE_MS) - this.#offsetMs;
  }
}
