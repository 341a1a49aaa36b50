/**
 * The latency side channel: each stage notes when a voice frame passed it, by slot and sequence. Nothing is added to the wire.
 *
 * All instants are CLOCK_MONOTONIC in ms, so notes from several threads and processes of one machine can be combined, in any order.
 * Bounds: histograms of constant size, and at most 65,536 incomplete frames, of which the oldest is dropped and counted.
 */

import { build, type Histogram } from 'hdr-histogram-js';
import type { Milliseconds } from '../voice/units.js';

/** The stages of a voice frame, in order, and the total. */
export const STAGES = ['capture→ring', 'ring→relay', 'relay→listener', 'decode', 'in all'] as const;

export type Stage = (typeof STAGES)[number];

/** The latency of one stage. */
export interface StageLatency {
  readonly frames: number;
  readonly p50Ms: Milliseconds;
  readonly p99Ms: Milliseconds;
  readonly maxMs: Milliseconds;
}

export type StageLatencies = Readonly<Record<Stage, StageLatency>>;

const MAX_INCOMPLETE = 65_536;

/** Longer times count as this one: 60 s, in µs. */
const MAX_MICROSECONDS = 60_000_000;

/** What is known of an incomplete frame; NaN until it is noted. */
interface Notes {
  capturedAt: Milliseconds;
  takenAt: Milliseconds;
  relayedAt: Milliseconds;
  arrivedAt: Milliseconds;
  decodedAt: Milliseconds;
}

const NOTHING: Readonly<Notes> = {
  capturedAt: Number.NaN,
  takenAt: Number.NaN,
  relayedAt: Number.NaN,
  arrivedAt: Number.NaN,
  decodedAt: Number.NaN,
};

/** Collects the notes of one listener's frames. */
export class StageLog {
  readonly #incomplete = new Map<number, Notes>();
  readonly #speakers = new Map<number, Record<Stage, Histogram>>();
  /** Frames that were dropped incomplete. */
  givenUp = 0;

  /** getVoice returned the packet at `capturedAt`; it was read from the ring, ready to be sent, at `takenAt`. */
  taken(slot: number, sequence: number, capturedAt: Milliseconds, takenAt: Milliseconds): void {
    this.#note(slot, sequence, { capturedAt, takenAt });
  }

  /** The relay received it. */
  relayed(slot: number, sequence: number, relayedAt: Milliseconds): void {
    this.#note(slot, sequence, { relayedAt });
  }

  /** The listener received and decoded it. */
  decoded(slot: number, sequence: number, arrivedAt: Milliseconds, decodedAt: Milliseconds): void {
    this.#note(slot, sequence, { arrivedAt, decodedAt });
  }

  /** Latencies of the speaker in `slot`, or of all speakers; null when no frame is complete. */
  latencies(slot?: number): StageLatencies | null {
    const histograms = slot === undefined ? this.#all() : this.#speakers.get(slot);
    if (!histograms || histograms['in all'].totalCount === 0) return null;
    const latency = (stage: Stage): StageLatency => {
      const histogram = histograms[stage];
      return {
        frames: histogram.totalCount,
        p50Ms: histogram.getValueAtPercentile(50) / 1000,
        p99Ms: histogram.getValueAtPercentile(99) / 1000,
        maxMs: histogram.maxValue / 1000,
      };
    };
    return everyStage(latency);
  }

  #note(slot: number, sequence: number, known: Partial<Notes>): void {
    const key = slot * 65_536 + sequence;
    const notes = { ...NOTHING, ...this.#incomplete.get(key), ...known };
    if (Object.values(notes).some(Number.isNaN)) {
      this.#incomplete.set(key, notes);
      if (this.#incomplete.size > MAX_INCOMPLETE) {
        this.#incomplete.delete(this.#incomplete.keys().next().value!);
        this.givenUp += 1;
      }
      return;
    }
    this.#incomplete.delete(key);
    const { capturedAt, takenAt, relayedAt, arrivedAt, decodedAt } = notes;
    const histograms = this.#histograms(slot);
    record(histograms['capture→ring'], takenAt - capturedAt);
    record(histograms['ring→relay'], relayedAt - takenAt);
    record(histograms['relay→listener'], arrivedAt - relayedAt);
    record(histograms.decode, decodedAt - arrivedAt);
    record(histograms['in all'], decodedAt - capturedAt);
  }

  #histograms(slot: number): Record<Stage, Histogram> {
    let histograms = this.#speakers.get(slot);
    if (!histograms) {
      histograms = everyStage(newHistogram);
      this.#speakers.set(slot, histograms);
    }
    return histograms;
  }

  #all(): Record<Stage, Histogram> {
    const all = everyStage(newHistogram);
    for (const histograms of this.#speakers.values()) {
      for (const stage of STAGES) all[stage].add(histograms[stage]);
    }
    return all;
  }
}

function everyStage<T>(make: (stage: Stage) => T): Record<Stage, T> {
  return Object.fromEntries(STAGES.map((stage) => [stage, make(stage)])) as Record<Stage, T>;
}

function newHistogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: MAX_MICROSECONDS,
    numberOfSignificantValueDigits: 3,
  });
}

function record(histogram: Histogram, ms: Milliseconds): void {
  histogram.recordValue(Math.min(MAX_MICROSECONDS, Math.max(0, Math.round(ms * 1000))));
}
