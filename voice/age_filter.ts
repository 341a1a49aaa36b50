/**
 * Tells voice that is too old from voice in time, by what arrives alone. d is our own clock minus the sender's time of a frame: the clocks
 * are not set to each other, so only its differences mean anything. The least d is the path; what exceeds it is the frame's age.
 *
 * The difficulty is to follow the path when it changes, and not a backlog that is read at last: its d is large and falls. So only frames in
 * time move the base, and what is late or early throughout has to stay level first. docs/protocol.md, "Staleness".
 */

import type { Milliseconds } from './units.js';

/** The base is the least d of the last one to two windows: of this many frames in time each, and at least this long. */
const WINDOW_FRAMES = 250;
const WINDOW_MS: Milliseconds = 5000;

/** By how much clocks may drift apart, in ms per ms. */
const DRIFT = 0.0002;

/** The most that silence adds to the budget for drift: that of 83 minutes. */
const MAX_DRIFT_MS: Milliseconds = 1000;

/** The least d of two spans in a row that differ by no more than this are level: a backlog falls faster. */
const LEVEL_MS: Milliseconds = 10;

/** How long a span is: half of the time by which its frames are too late, within these limits. */
const MIN_SPAN_MS: Milliseconds = 500;
const MAX_SPAN_MS: Milliseconds = 5000;

/** A d below the base by more than this part of the budget does not become the base at once. */
const EARLY_PART = 2 / 3;

/** One sender's clock, as it arrives here. Real-time: no allocation. */
export class AgeFilter {
  readonly #budgetMs: Milliseconds;
  readonly #earlyMs: Milliseconds;
  /** Whether anything came yet. */
  #isSeated = false;
  /** The least d of the window before this one, and of this one. */
  #before: Milliseconds = Number.POSITIVE_INFINITY;
  #least: Milliseconds = Number.POSITIVE_INFINITY;
  #frames = 0;
  #windowBeganAt: Milliseconds = 0;
  /** When the last frame in time came, or the base was set again. */
  #movedAt: Milliseconds = 0;
  /** The span: everything that comes, whether in time or not. */
  #spanBeganAt: Milliseconds = 0;
  #spanLeast: Milliseconds = Number.POSITIVE_INFINITY;
  #spanStale = false;
  #spanEarly = true;
  /** The same of the span before it; infinite before the second. */
  #lastLeast: Milliseconds = Number.POSITIVE_INFINITY;
  #lastStale = false;
  #lastEarly = false;

  /** @param budgetMs A frame that is older than this is stale, in ms. @throws RangeError if it is not more than 0. */
  constructor(budgetMs: Milliseconds) {
    if (!(budgetMs > 0))
      throw new RangeError(`Cannot filter by age: a budget of ${budgetMs} ms, expected more than 0`);
    this.#budgetMs = budgetMs;
    this.#earlyMs = budgetMs * EARLY_PART;
  }

  /** The least d: that of a frame without age. Null before the first one. */
  get base(): Milliseconds | null {
    return this.#isSeated ? this.#base : null;
  }

  /**
   * Whether a frame is too old to be heard.
   *
   * @param delay Its d, on clocks that do not wrap.
   * @param now Our own clock. Never goes back.
   * @param graceMs More age that is allowed for this frame. One that needs it does not move the base.
   */
  judge(delay: Milliseconds, now: Milliseconds, graceMs: Milliseconds = 0): 'in-time' | 'stale' {
    if (!this.#isSeated) this.#seat(delay, now);
    if (this.#isSpanOver(now)) this.#endSpan(now);
    const excessMs = delay - this.#latest(now);
    this.#spanLeast = Math.min(this.#spanLeast, delay);
    this.#spanStale ||= excessMs > graceMs;
    this.#spanEarly &&= this.#isEarly(delay);
    if (excessMs > graceMs) return 'stale';
    if (excessMs <= 0 && !this.#isEarly(delay)) this.#move(delay, now);
    return 'in-time';
  }

  /** The sender's time came without a frame, as in a heartbeat: moves the base as a frame does. */
  note(delay: Milliseconds, now: Milliseconds): void {
    this.judge(delay, now);
  }

  get #base(): Milliseconds {
    return Math.min(this.#before, this.#least);
  }

  /** The largest d that is in time. */
  #latest(now: Milliseconds): Milliseconds {
    return this.#base + this.#budgetMs + this.#driftMs(now);
  }

  /** How far the clocks may have drifted apart since the last frame in time. */
  #driftMs(now: Milliseconds): Milliseconds {
    return Math.min(MAX_DRIFT_MS, (now - this.#movedAt) * DRIFT);
  }

  #isEarly(delay: Milliseconds): boolean {
    return delay < this.#base - this.#earlyMs;
  }

  /** A frame in time: the base may have drifted, up to this d at most. */
  #move(delay: Milliseconds, now: Milliseconds): void {
    const raiseMs = Math.min(this.#driftMs(now), delay - this.#base);
    if (raiseMs > 0) {
      this.#before += raiseMs;
      this.#least += raiseMs;
    }
    this.#movedAt = now;
    if (this.#frames >= WINDOW_FRAMES && now - this.#windowBeganAt >= WINDOW_MS) {
      this.#before = this.#least;
      this.#least = delay;
      this.#frames = 0;
      this.#windowBeganAt = now;
    }
    this.#least = Math.min(this.#least, delay);
    this.#frames += 1;
  }

  /** The base is this d from now on, whatever came before. */
  #seat(delay: Milliseconds, now: Milliseconds): void {
    this.#isSeated = true;
    this.#before = Number.POSITIVE_INFINITY;
    this.#least = delay;
    this.#frames = 0;
    this.#windowBeganAt = now;
    this.#movedAt = now;
    this.#lastLeast = Number.POSITIVE_INFINITY;
    this.#beginSpan(now);
  }

  #isSpanOver(now: Milliseconds): boolean {
    if (this.#spanLeast === Number.POSITIVE_INFINITY) return false;
    const excessMs = this.#spanLeast - this.#base;
    return now - this.#spanBeganAt >= Math.min(MAX_SPAN_MS, Math.max(MIN_SPAN_MS, excessMs / 2));
  }

  /** Moves the base where the path or a clock has changed: there the least d is level, in a backlog it falls. */
  #endSpan(now: Milliseconds): void {
    const least = Math.min(this.#spanLeast, this.#lastLeast);
    const isLevel = Math.abs(this.#spanLeast - this.#lastLeast) <= LEVEL_MS;
    const isOff = this.#spanStale || this.#lastStale || (this.#spanEarly && this.#lastEarly);
    if (isLevel && isOff) {
      this.#seat(least, now);
      return;
    }
    this.#lastLeast = this.#spanLeast;
    this.#lastStale = this.#spanStale;
    this.#lastEarly = this.#spanEarly;
    this.#beginSpan(now);
  }

  #beginSpan(now: Milliseconds): void {
    this.#spanBeganAt = now;
    this.#spanLeast = Number.POSITIVE_INFINITY;
    this.#spanStale = false;
    this.#spanEarly = true;
  }
}
