/**
 * Finds clicks: places where the sound jumps or breaks off.
 *
 * Each 10 ms of sound are predicted from the samples before them (linear prediction of order 20, from a Hamming window of 30 ms around
 * them). A sample is a click if it misses its prediction by at least 1 % of full scale, and by at least three times as much as any other
 * sample within 10 ms before and after it, except for the millisecond around it. The pulses of a voice, hisses and the bursts of consonants
 * also miss their predictions, but they have neighbours that do so too.
 *
 * In the demo's clips it finds nothing. test/bench/playout/clicks.test.ts states how many hard cuts it finds: about half. The others lie
 * where they happen to fit, or where a voice is just as sharp.
 */

import { type Samples, samplesOfMs } from '../../voice/units.js';

const ORDER = 20;
const HOP: Samples = samplesOfMs(10);
const WINDOW: Samples = samplesOfMs(30);
const LEAST = 300;
const TIMES = 3;
const AROUND: Samples = samplesOfMs(10);
const NEAR: Samples = samplesOfMs(1);

/** Sound before a hop that its window covers, and that its first samples are predicted from. */
const BEFORE: Samples = (WINDOW - HOP) / 2;

const HAMMING = Float64Array.from(
  { length: WINDOW },
  (_, at) => 0.54 - 0.46 * Math.cos((2 * Math.PI * at) / (WINDOW - 1)),
);

/** Takes sound in pieces of any length. Bounded memory, except for the clicks themselves. */
export class ClickDetector {
  /** One window of sound; its middle hop is predicted next. */
  readonly #pcm = new Float64Array(WINDOW);
  /** At first, silence before the sound. */
  #filled = BEFORE;
  /** By how much the latest samples missed their prediction: before, in and after the hop that is judged. */
  readonly #misses = new Float64Array(3 * HOP);
  /** Behind as many zeros as the prediction reaches back. */
  readonly #windowed = new Float64Array(ORDER + WINDOW);
  readonly #correlation = new Float64Array(ORDER + 1);
  readonly #filter = new Float64Array(ORDER + 1);
  readonly #last = new Float64Array(ORDER + 1);
  /** Position of the hop that is judged next. */
  #at: Samples = -HOP;
  /** Positions of the clicks, in samples from the first one pushed. */
  readonly clicks: Samples[] = [];

  push(pcm: Int16Array): void {
    for (let from = 0; from < pcm.length; ) {
      const samples = Math.min(WINDOW - this.#filled, pcm.length - from);
      this.#pcm.set(pcm.subarray(from, from + samples), this.#filled);
      this.#filled += samples;
      from += samples;
      if (this.#filled === WINDOW) this.#hop();
    }
  }

  /** Call after the last piece: looks at its end. */
  finish(): void {
    this.push(new Int16Array(2 * WINDOW));
  }

  #hop(): void {
    this.#misses.copyWithin(0, HOP);
    this.#predict();
    this.#judge();
    this.#at += HOP;
    this.#pcm.copyWithin(0, HOP);
    this.#filled = WINDOW - HOP;
  }

  /** How much each sample of the window's middle hop misses its prediction. */
  #predict(): void {
    const pcm = this.#pcm;
    const misses = this.#misses.subarray(2 * HOP);
    let loudest = 0;
    for (let at = BEFORE - ORDER; at < BEFORE + HOP; at++) loudest = Math.max(loudest, Math.abs(pcm[at]!));
    // Nothing to predict; and a digital silence has no filter.
    if (loudest < LEAST / 2) {
      misses.fill(0);
      return;
    }
    this.#fit();
    for (let at = 0; at < HOP; at++) {
      let miss = 0;
      for (let tap = 0; tap <= ORDER; tap++) miss += this.#filter[tap]! * pcm[BEFORE + at - tap]!;
      misses[at] = Math.abs(miss);
    }
  }

  /** Levinson and Durbin's recursion on the window's autocorrelation. */
  #fit(): void {
    const windowed = this.#windowed;
    const correlation = this.#correlation;
    const filter = this.#filter;
    for (let at = 0; at < WINDOW; at++) windowed[ORDER + at] = this.#pcm[at]! * HAMMING[at]!;
    // Three lags at a time: one sum after the other would wait for each addition.
    for (let lag = 0; lag <= ORDER; lag += 3) {
      let [sum0, sum1, sum2] = [0, 0, 0];
      for (let at = ORDER; at < ORDER + WINDOW; at++) {
        const sample = windowed[at]!;
        sum0 += sample * windowed[at - lag]!;
        sum1 += sample * windowed[at - lag - 1]!;
        sum2 += sample * windowed[at - lag - 2]!;
      }
      correlation[lag] = sum0;
      correlation[lag + 1] = sum1;
      correlation[lag + 2] = sum2;
    }
    correlation[0] = correlation[0]! * 1.0001 + 1;
    filter.fill(0);
    filter[0] = 1;
    let error = correlation[0]!;
    for (let order = 1; order <= ORDER; order++) {
      let sum = correlation[order]!;
      for (let tap = 1; tap < order; tap++) sum += filter[tap]! * correlation[order - tap]!;
      const reflection = -sum / error;
      this.#last.set(filter);
      for (let tap = 1; tap < order; tap++) filter[tap]! += reflection * this.#last[order - tap]!;
      filter[order] = reflection;
      error *= 1 - reflection * reflection;
    }
  }

  /** Looks for clicks in the middle of the three hops. */
  #judge(): void {
    const misses = this.#misses;
    for (let at: Samples = HOP; at < 2 * HOP; at++) {
      const miss = misses[at]!;
      if (miss < LEAST || !this.#isAlone(at, miss)) continue;
      this.clicks.push(this.#at + at - HOP);
      at += NEAR;
    }
  }

  #isAlone(at: Samples, miss: number): boolean {
    const misses = this.#misses;
    for (let offset = 1; offset < NEAR; offset++) {
      if (misses[at - offset]! > miss || misses[at + offset]! > miss) return false;
    }
    // The misses reach one hop to both sides of the judged one.
    for (let offset = NEAR; offset <= AROUND; offset++) {
      const before = misses[at - offset] ?? 0;
      const after = misses[at + offset] ?? 0;
      if (before * TIMES > miss || after * TIMES > miss) return false;
    }
    return true;
  }
}

/** The positions of all clicks in `pcm`. */
export function clicksIn(pcm: Int16Array): Samples[] {
  const detector = new ClickDetector();
  detector.push(pcm);
  detector.finish();
  return detector.clicks;
}
