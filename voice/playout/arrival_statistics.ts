/**
 * How much delay a speaker's packets need: learned from when they arrive. Pure: instants are arguments.
 *
 * A packet's relative delay is how much later it came than the fastest packet of the last 10 s would have. The minimum over a window, not over
 * all time, absorbs clock drift: at 200 ppm the two clocks part by 2 ms in it. With each talkspurt it begins again, nearly.
 *
 * The delay that is needed is a quantile of the largest relative delay in each half second, with forgetting. So it follows bursts and not only
 * the usual case: a burst that delays 5 % of the packets, all within one half second in twenty, is at the edge of the quantile. Large
 * delays that repeat within 20 s count in full at once: network stalls come in series.
 */

import { type Milliseconds, msOfSamples, type Samples } from '../units.js';

/** Resolution of the histogram. */
const BUCKET_MS = 5;

/** Each half second with packets in it adds its largest delay to the histogram. */
const INTERVAL_MS = 500;

/** Of the intervals, this share needed no more delay. */
const QUANTILE = 0.95;

/** Weight that the histogram keeps per interval: 60 intervals, so 30 s of talking. Less at first, so that it learns fast. */
const KEPT_PER_INTERVAL = 0.983;

/** The window of the fastest packet: ten slices of one second. */
const SLICES = 10;
const SLICE_MS = 1000;

/**
 * A talkspurt's media clock is set when the game polls Steam, so it may be off by a poll against that of the one before: two game frames at
 * 60 Hz. The fastest packet of the talkspurts before is believed no more than that.
 */
const CLOCK_STEP_MS = 34;

/** A peak is this much above what the histogram says. */
const PEAK_ABOVE_MS = 20;
/** The jitter follows each packet by a sixteenth: RFC 3550. */
const JITTER_MEMORY = 16;

/** Peaks that are remembered, and for how long. Two within that time raise the needed delay to the higher one. */
const PEAKS = 8;
const PEAK_MEMORY_MS = 20_000;

export class ArrivalStatistics {
  readonly #maxMs: Milliseconds;
  readonly #histogram: Float64Array;
  #intervals = 2;
  #intervalFrom: Milliseconds = Number.NEGATIVE_INFINITY;
  #intervalMax: Milliseconds = 0;
  #intervalHas: 'packets' | 'nothing' = 'nothing';
  readonly #sliceNumbers = new Float64Array(SLICES).fill(Number.NaN);
  readonly #sliceMinima = new Float64Array(SLICES);
  #fastest: Milliseconds = 0;
  #observedAt: Milliseconds = Number.NEGATIVE_INFINITY;
  /** Of the newest packet of this talkspurt. */
  #transit: Milliseconds = Number.NaN;
  #jitterMs: Milliseconds = 0;
  #stalled = false;
  readonly #peakHeights = new Float64Array(PEAKS);
  readonly #peakTimes = new Float64Array(PEAKS).fill(Number.NEGATIVE_INFINITY);
  #peaks = 0;
  #quantileMs: Milliseconds;
  #neededMs: Milliseconds;
  /** How often packets were later than `maxMs`: such a stall cannot be bridged, so it does not raise the delay. */
  stalls = 0;

  /**
   * @param initialMs What is needed as long as nothing is known, 0 to `maxMs`.
   * @param maxMs The largest answer.
   */
  constructor(initialMs: Milliseconds, maxMs: Milliseconds) {
    this.#maxMs = maxMs;
    this.#histogram = new Float64Array(Math.ceil(maxMs / BUCKET_MS) + 1);
    this.#histogram[this.#bucketOf(Math.max(0, initialMs - BUCKET_MS))] = 1;
    this.#quantileMs = initialMs;
    this.#neededMs = initialMs;
  }

  /** Arrival of the fastest recent packet minus its media time, in ms: meaningful in differences only. */
  get fastestMs(): Milliseconds {
    return this.#fastest;
  }

  /** The delay, against the fastest packet, with which nearly all packets are in time. In steps of 5 ms. */
  get neededMs(): Milliseconds {
    return this.#neededMs;
  }

  /** How much the delay differs from one packet to the next of a talkspurt, smoothed: the interarrival jitter of RFC 3550, section 6.4.1. */
  get jitterMs(): Milliseconds {
    return this.#jitterMs;
  }

  /** Whether a packet came in the last 10 s: otherwise the next one is the fastest. */
  isFresh(now: Milliseconds): boolean {
    return now - this.#observedAt <= SLICES * SLICE_MS;
  }

  /**
   * Learns from one packet, whose first sample is at `position` of the media clock, and returns its relative delay.
   *
   * @param starts Whether a talkspurt begins with it (default: no): then its media clock may differ from that of the one before.
   */
  observe(
    position: Samples,
    arrivedAt: Milliseconds,
    starts: 'talkspurt' | 'nothing' = 'nothing',
  ): Milliseconds {
    const transit = arrivedAt - msOfSamples(position);
    const least = starts === 'talkspurt' && this.isFresh(arrivedAt) ? this.#fastest + CLOCK_STEP_MS : transit;
    if (starts === 'talkspurt') this.#sliceNumbers.fill(Number.NaN);
    else if (!Number.isNaN(this.#transit))
      this.#jitterMs += (Math.abs(transit - this.#transit) - this.#jitterMs) / JITTER_MEMORY;
    this.#transit = transit;
    this.#findFastest(Math.min(transit, least), arrivedAt);
    this.#observedAt = arrivedAt;
    const relative = transit - this.#fastest;
    this.#learn(relative, arrivedAt);
    return relative;
  }

  /** The media clock has jumped: forgets who was fastest, and keeps what delay is needed. */
  restart(): void {
    this.#sliceNumbers.fill(Number.NaN);
    this.#transit = Number.NaN;
    this.#observedAt = Number.NEGATIVE_INFINITY;
    this.#intervalFrom = Number.NEGATIVE_INFINITY;
    this.#intervalHas = 'nothing';
    this.#intervalMax = 0;
    this.#stalled = false;
  }

  #findFastest(transit: Milliseconds, arrivedAt: Milliseconds): void {
    const number = Math.floor(arrivedAt / SLICE_MS);
    const slice = ((number % SLICES) + SLICES) % SLICES;
    if (this.#sliceNumbers[slice] !== number) {
      this.#sliceNumbers[slice] = number;
      this.#sliceMinima[slice] = transit;
    } else if (transit < this.#sliceMinima[slice]!) {
      this.#sliceMinima[slice] = transit;
    }
    this.#fastest = transit;
    for (let i = 0; i < SLICES; i++) {
      if (this.#sliceNumbers[i]! > number - SLICES && this.#sliceMinima[i]! < this.#fastest)
        this.#fastest = this.#sliceMinima[i]!;
    }
  }

  #learn(relative: Milliseconds, arrivedAt: Milliseconds): void {
    // What waited behind a stall is a part of it.
    if (relative > this.#maxMs) {
      if (!this.#stalled) this.stalls += 1;
      this.#stalled = true;
    } else if (relative <= this.#neededMs) {
      this.#stalled = false;
    }
    if (arrivedAt - this.#intervalFrom >= INTERVAL_MS) {
      if (this.#intervalHas === 'packets') this.#endInterval();
      this.#intervalFrom = arrivedAt;
      this.#intervalMax = 0;
      this.#intervalHas = 'nothing';
    }
    if (this.#stalled) return;
    this.#intervalHas = 'packets';
    this.#intervalMax = Math.max(this.#intervalMax, relative);
  }

  #endInterval(): void {
    const kept = Math.min(KEPT_PER_INTERVAL, 1 - 2 / (this.#intervals + 1));
    this.#intervals += 1;
    for (let i = 0; i < this.#histogram.length; i++) this.#histogram[i]! *= kept;
    this.#histogram[this.#bucketOf(this.#intervalMax)]! += 1 - kept;

    if (this.#intervalMax > this.#quantileMs + PEAK_ABOVE_MS) {
      this.#peakHeights[this.#peaks % PEAKS] = this.#intervalMax;
      this.#peakTimes[this.#peaks % PEAKS] = this.#intervalFrom;
      this.#peaks += 1;
    }
    let above = 0;
    let bucket = this.#histogram.length - 1;
    for (; bucket > 0; bucket--) {
      above += this.#histogram[bucket]!;
      if (above > 1 - QUANTILE) break;
    }
    this.#quantileMs = Math.min(this.#maxMs, (bucket + 1) * BUCKET_MS);
    this.#neededMs = Math.max(this.#quantileMs, this.#repeatedPeak());
  }

  /** The highest of the remembered peaks, if there are at least two. */
  #repeatedPeak(): Milliseconds {
    let recent = 0;
    let highest = 0;
    for (let i = 0; i < PEAKS; i++) {
      if (this.#intervalFrom - this.#peakTimes[i]! > PEAK_MEMORY_MS) continue;
      recent += 1;
      highest = Math.max(highest, this.#peakHeights[i]!);
    }
    if (recent < 2) return 0;
    return Math.min(this.#maxMs, (Math.floor(highest / BUCKET_MS) + 1) * BUCKET_MS);
  }

  #bucketOf(ms: Milliseconds): number {
    return Math.min(this.#histogram.length - 1, Math.floor(ms / BUCKET_MS));
  }
}
