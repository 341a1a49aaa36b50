/**
 * Measures what is heard: how late it is, what is missing or made up, and where it clicks.
 *
 * The added delay of a sample is the time from its capture to its playing, minus what nobody can save: the 20 ms of its frame, and the least
 * delay of the network. Only sound in which the speaker is audible counts, for delay and concealment alike.
 *
 * A player can do two things about sound that is not there in time: leave it out, or make something up until it comes. So for each talkspurt
 * two sums are made: frames that were never played, and the time for which something was made up (or nothing was played) in the middle of
 * audible speech. The larger of the two counts as concealed.
 */

import type { PlayedSegment } from '../../client/playout/speaker_playout.js';
import { type NetworkTrace, onListenersClock, onSpeakersClock } from '../../test/kit/network.js';
import {
  FRAME_MS,
  FRAME_SAMPLES,
  type Milliseconds,
  msOfSamples,
  type Samples,
  samplesOfMs,
  VOICE_RATE_HZ,
} from '../../voice/units.js';
import { ClickDetector } from './clicks.js';
import type { Source } from './source.js';

/** How far the delay is counted, and how finely. */
const MAX_DELAY_MS = 5000;
const BINS_PER_MS = 2;

/** For how long after a stall the delay is watched, from one pull after its end. */
const AFTER_STALL: { readonly fromMs: Milliseconds; readonly toMs: Milliseconds } = {
  fromMs: 10,
  toMs: 3000,
};

export interface Measured {
  readonly delayP50Ms: Milliseconds;
  readonly delayP95Ms: Milliseconds;
  /** Frames of 20 ms in which the speaker is audible. */
  readonly audibleFrames: number;
  /** Of these, concealed or missing. */
  readonly concealedFrames: number;
  /** The two sums that it comes from, over all talkspurts. */
  readonly madeUpFrames: number;
  readonly unheardFrames: number;
  readonly clicks: number;
  /** The largest added delay from 10 ms to 3 s after a stall; null without stalls. */
  readonly afterStallMs: Milliseconds | null;
  readonly playedMs: Milliseconds;
}

interface Heard {
  readonly from: Samples;
  readonly audible: Uint8Array;
  /** Samples heard of each frame. */
  readonly heard: Uint16Array;
  madeUp: Samples;
}

export class Meter {
  readonly #trace: NetworkTrace;
  readonly #talkspurts: readonly Heard[];
  /** Samples by their added delay. */
  readonly #delays = new Float64Array(MAX_DELAY_MS * BINS_PER_MS + 1);
  readonly #clicks = new ClickDetector();
  /** The talkspurt of the latest speech, its end, and its whole delay from capture to playing. */
  #talkspurt: Heard | null = null;
  #head: Samples = 0;
  #wholeDelayMs: Milliseconds = 0;
  #afterStallMs: Milliseconds | null;
  #played: Samples = 0;

  constructor(source: Source, trace: NetworkTrace) {
    this.#trace = trace;
    this.#afterStallMs = trace.stalls ? 0 : null;
    this.#talkspurts = source.talkspurts.map(({ from, audible }) => ({
      from,
      audible,
      heard: new Uint16Array(audible.length),
      madeUp: 0,
    }));
  }

  /** Takes the result of one pull. */
  hear(segments: readonly PlayedSegment[], out: Int16Array, nowMs: Milliseconds): void {
    let at = 0;
    for (const segment of segments) {
      const playedMs = nowMs + msOfSamples(at);
      const isMedia = segment.kind !== 'concealed' && segment.timestamp !== null;
      if (isMedia) this.#media(segment, playedMs);
      else this.#hole(segment.samples, playedMs);
      at += segment.samples;
    }
    if (at !== out.length) throw new Error(`Cannot measure: ${at} samples in segments of ${out.length}`);
    this.#clicks.push(out);
    this.#played += out.length;
  }

  finish(): Measured {
    this.#clicks.finish();
    let audibleFrames = 0;
    let concealedFrames = 0;
    let madeUpFrames = 0;
    let unheardFrames = 0;
    for (const { audible, heard, madeUp } of this.#talkspurts) {
      let unheard = 0;
      for (let frame = 0; frame < audible.length; frame++) {
        if (!audible[frame]) continue;
        audibleFrames += 1;
        if (heard[frame]! < FRAME_SAMPLES / 2) unheard += 1;
      }
      const made = madeUp / FRAME_SAMPLES;
      concealedFrames += Math.max(unheard, made);
      madeUpFrames += made;
      unheardFrames += unheard;
    }
    return {
      delayP50Ms: this.#percentile(0.5),
      delayP95Ms: this.#percentile(0.95),
      audibleFrames,
      concealedFrames,
      madeUpFrames,
      unheardFrames,
      clicks: this.#clicks.clicks.length,
      afterStallMs: this.#afterStallMs,
      playedMs: msOfSamples(this.#played),
    };
  }

  /** Sound of the speaker, frame by frame. */
  #media({ timestamp, samples, mediaSamples, kind }: PlayedSegment, playedMs: Milliseconds): void {
    const from = timestamp!;
    const end = from + mediaSamples;
    const pace = mediaSamples > 0 ? samples / mediaSamples : 0;
    for (let at = from; at < end; ) {
      const talkspurt = this.#talkspurtAt(at);
      const into = talkspurt ? at - talkspurt.from : 0;
      const frame = Math.floor(into / FRAME_SAMPLES);
      const media = talkspurt ? Math.min(end - at, (frame + 1) * FRAME_SAMPLES - into) : end - at;
      if (talkspurt) {
        talkspurt.heard[frame] = Math.min(FRAME_SAMPLES, talkspurt.heard[frame]! + media);
        if (talkspurt.audible[frame] && kind === 'speech')
          this.#late(at, media * pace, playedMs + msOfSamples((at - from) * pace));
        this.#talkspurt = talkspurt;
      }
      at += media;
    }
    this.#head = end;
  }

  #late(timestamp: Samples, samples: Samples, playedMs: Milliseconds): void {
    const { delayMs, stalls } = this.#trace;
    this.#wholeDelayMs = playedMs - onListenersClock(this.#trace, msOfSamples(timestamp));
    const added = this.#wholeDelayMs - FRAME_MS - delayMs;
    const bin = Math.max(0, Math.min(this.#delays.length - 1, Math.round(added * BINS_PER_MS)));
    this.#delays[bin]! += samples;
    if (!stalls || playedMs < stalls.atMs) return;
    const after = ((playedMs - stalls.atMs) % stalls.everyMs) - stalls.forMs;
    if (after >= AFTER_STALL.fromMs && after < AFTER_STALL.toMs)
      this.#afterStallMs = Math.max(this.#afterStallMs!, added);
  }

  /** Counts what is not the speaker's, if it is heard in the middle of audible speech. */
  #hole(samples: Samples, playedMs: Milliseconds): void {
    const talkspurt = this.#talkspurt;
    if (!talkspurt) return;
    // In a pause of the speaker nobody misses anything, even if the pause becomes longer.
    if (!this.#isAudible(talkspurt, this.#head - 1) && !this.#isAudible(talkspurt, this.#head)) return;
    // Where the speaker would be at the same delay.
    const middleMs = playedMs + msOfSamples(samples / 2) - this.#wholeDelayMs;
    const speaker = samplesOfMs(onSpeakersClock(this.#trace, middleMs));
    if (this.#isAudible(talkspurt, speaker)) talkspurt.madeUp += samples;
  }

  #isAudible({ from, audible }: Heard, at: Samples): boolean {
    return audible[Math.floor((at - from) / FRAME_SAMPLES)] === 1;
  }

  #talkspurtAt(at: Samples): Heard | null {
    let [low, high] = [0, this.#talkspurts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#talkspurts[middle]!.from <= at) low = middle + 1;
      else high = middle;
    }
    const found = this.#talkspurts[low - 1];
    return found && at < found.from + found.audible.length * FRAME_SAMPLES ? found : null;
  }

  #percentile(share: number): Milliseconds {
    const all = this.#delays.reduce((sum, samples) => sum + samples, 0);
    let sum = 0;
    for (const [bin, samples] of this.#delays.entries()) {
      sum += samples;
      if (sum >= all * share && sum > 0) return bin / BINS_PER_MS;
    }
    return Number.NaN;
  }
}

/**
 * Audible frames that no buffer of `delayMs` could have saved: lost, or later than that.
 *
 * @param arrivals For each packet of the source, on the listener's clock; null if it was lost.
 */
export function beyondSaving(
  source: Source,
  trace: NetworkTrace,
  arrivals: readonly (Milliseconds | null)[],
  delayMs: Milliseconds,
): number {
  let count = 0;
  let talkspurt = 0;
  for (const [index, { header, frames }] of source.packets.entries()) {
    const at = arrivals[index] ?? null;
    for (let frame = 0; frame < frames; frame++) {
      const timestamp = header.timestamp + frame * FRAME_SAMPLES;
      while ((source.talkspurts[talkspurt + 1]?.from ?? Number.POSITIVE_INFINITY) <= timestamp)
        talkspurt += 1;
      const { from, audible } = source.talkspurts[talkspurt]!;
      if (audible[Math.floor((timestamp - from) / FRAME_SAMPLES)] !== 1) continue;
      const capturedMs = onListenersClock(trace, (timestamp * 1000) / VOICE_RATE_HZ);
      if (at === null || at - capturedMs - FRAME_MS - trace.delayMs > delayMs) count += 1;
    }
  }
  return count;
}
