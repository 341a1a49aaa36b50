/**
 * The delay of one speaker's playout: what it is, what it should be, and what follows from the difference.
 *
 * Delay means: the instant at which a sample is played, minus that at which the fastest recent packet would have brought it. A sound output asks
 * for many samples at once. The packet of a frame that begins in the middle of a pull must be there when the pull begins: such a frame has less
 * time than its delay.
 */

import { type Milliseconds, msOfSamples, type Samples, samplesOfMs, VOICE_RATE_HZ } from '../units.js';
import { ArrivalStatistics } from './arrival_statistics.js';

/** Bounds of the delay. */
export interface DelayBounds {
  /** The smallest target, in ms, 0 to 400. Default 20: one frame. */
  readonly minDelayMs?: Milliseconds;
  /** The largest target, in ms, `minDelayMs` to 1000. Default 400. Sound that is later is not played. */
  readonly maxDelayMs?: Milliseconds;
}

/** Initial target, until the network is known. */
const INITIAL_DELAY_MS = 40;

/** The delay may differ from what is wanted by this much before sound is shortened or stretched. */
const TOLERANCE_MS = 5;

/** What plays may exceed the largest delay by this before it is skipped. */
const SLACK_MS = 30;

/** The most delay that sound has after old sound was skipped, and that a talkspurt begins with unless the network needs more. */
const LIVE_MS = 160;

export class PlayoutDelay {
  readonly arrivals: ArrivalStatistics;
  readonly #minMs: Milliseconds;
  readonly #maxMs: Milliseconds;
  #longestPull: Samples = 0;

  /** @throws RangeError for a bound out of its range. */
  constructor(bounds: DelayBounds) {
    const { minDelayMs = 20, maxDelayMs = 400 } = bounds;
    checkBound('minDelayMs', minDelayMs, 0, 400);
    checkBound('maxDelayMs', maxDelayMs, Math.max(20, minDelayMs), 1000);
    this.#minMs = minDelayMs;
    this.#maxMs = maxDelayMs;
    this.arrivals = new ArrivalStatistics(Math.min(INITIAL_DELAY_MS, maxDelayMs), maxDelayMs);
  }

  /** The wanted delay. */
  get targetMs(): Milliseconds {
    return Math.max(this.#minMs, this.arrivals.neededMs);
  }

  /** Notes how much an output asks for. A long pull is forgotten in some seconds. */
  pulled(samples: Samples): void {
    this.#longestPull = Math.max(samples, this.#longestPull * 0.99);
  }

  /** Delay that the sample at `position` has if it is played `at` samples into a pull at `now`. */
  of(position: Samples, now: Milliseconds, at: Samples): Milliseconds {
    return now + msOfSamples(at - position) - this.arrivals.fastestMs;
  }

  /** Samples to wait until the talkspurt at `position` begins: all of the `room` that is left, if this pull is too early for it. */
  wait(position: Samples, now: Milliseconds, at: Samples, room: Samples): Samples {
    const delay = this.of(position, now, at);
    if (delay - msOfSamples(at) < this.arrivals.neededMs) return room;
    return Math.min(room, Math.max(0, Math.ceil(((this.targetMs - delay) * VOICE_RATE_HZ) / 1000)));
  }

  /**
   * Whether sound that came with this delay is too old to be played, as after a stall that no delay could bridge. What has less is played, and
   * shortened until it is live.
   */
  isTooOld(delay: Milliseconds): boolean {
    return delay > this.#maxMs;
  }

  /** The same of sound that is being played. */
  isFarBehind(delay: Milliseconds): boolean {
    return delay > this.#maxMs + SLACK_MS;
  }

  /** How much of the sound with this delay, which is too old, has to be skipped: then it is as live as usual. */
  excessAge(delay: Milliseconds): Samples {
    return Math.max(0, samplesOfMs(delay - Math.min(this.targetMs, LIVE_MS)));
  }

  /** How much of the front of a talkspurt that would begin with this delay has to be skipped: what was said in a stall is not live. */
  excessAtStart(delay: Milliseconds): Samples {
    return Math.max(0, samplesOfMs(delay - Math.max(this.targetMs, LIVE_MS)));
  }

  /**
   * How much delay a pause may take away, in ms, where sound of `samples` would follow; below 0, how much it should add.
   */
  spareMs(delay: Milliseconds, at: Samples, samples: Samples): Milliseconds {
    const early = delay - this.targetMs;
    return early <= 0 ? early : Math.max(0, Math.min(early, this.#removableMs(delay, at, samples)));
  }

  /** How much a frame of `samples` with this delay may be shortened (above 0), or should be stretched (below 0). */
  excess(delay: Milliseconds, at: Samples, samples: Samples): Samples {
    const early = delay - this.targetMs;
    const removable = Math.min(early, this.#removableMs(delay, at, samples));
    if (removable > TOLERANCE_MS) return samplesOfMs(removable);
    const shortfall = Math.max(-early - TOLERANCE_MS, -this.#beforeNeededMs(delay, at, samples));
    // A bit more than is missing, but not so much that it would be shortened again.
    return shortfall > 0 ? -samplesOfMs(shortfall + 2 * TOLERANCE_MS) : 0;
  }

  /**
   * By how much a frame comes before it is needed. If frames are whole pulls long, all of them begin at the same place in a pull; other frames
   * begin anywhere, and at worst at its end.
   */
  #beforeNeededMs(delay: Milliseconds, at: Samples, samples: Samples): Milliseconds {
    const lead = this.#isAligned(samples) ? at : this.#longestPull;
    return delay - this.arrivals.neededMs - msOfSamples(lead);
  }

  /**
   * By how much sound may become earlier. To remove the part of the pull before it costs nothing, because the frame is needed by the same pull.
   * To remove more, it must be there one pull earlier.
   */
  #removableMs(delay: Milliseconds, at: Samples, samples: Samples): Milliseconds {
    const before = this.#beforeNeededMs(delay, at, samples);
    if (!this.#isAligned(samples)) return before;
    const pullMs = msOfSamples(this.#longestPull);
    return msOfSamples(at) + Math.floor(before / pullMs) * pullMs;
  }

  #isAligned(samples: Samples): boolean {
    return samples % this.#longestPull === 0;
  }
}

function checkBound(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  throw new RangeError(`Cannot buffer voice: ${name} is ${value}, expected ${least} to ${most}`);
}
