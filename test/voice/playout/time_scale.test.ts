/** Stretching and shortening by a period, and seams that are not heard. */

import t from 'tap';
import {
  continueInto,
  FADE,
  HISTORY,
  LONGEST_PERIOD,
  SHORTEST_PERIOD,
  shorten,
  stretch,
} from '../../../voice/playout/time_scale.js';
import { pcmOfWav } from '../../kit/speech.js';

const BLOCK = 480;

/** A tone with two harmonics, of a period in samples, then room for a stretch. */
function tone(period: number, samples = HISTORY + BLOCK): Int16Array {
  const pcm = new Int16Array(samples + LONGEST_PERIOD);
  for (let i = 0; i < samples; i++) {
    const phase = (2 * Math.PI * i) / period;
    pcm[i] = 8000 * Math.sin(phase) + 3000 * Math.sin(2 * phase + 1) + 1000 * Math.sin(3 * phase + 2);
  }
  return pcm;
}

/** The largest step from one sample to the next in `pcm[from, to)`. */
function largestStep(pcm: Int16Array, from: number, to: number): number {
  let largest = 0;
  for (let i = from; i < to; i++) largest = Math.max(largest, Math.abs(pcm[i]! - pcm[i - 1]!));
  return largest;
}

const PERIODS = [70, 96, 120, 171, 240, 300, 340];

t.test('a tone is shortened by its period, and goes on as if it had been played on', async (t) => {
  for (const period of PERIODS) {
    const pcm = tone(period);
    const removed = shorten(pcm, HISTORY, BLOCK, LONGEST_PERIOD, 0.9);
    t.ok(removed > 0 && removed % period <= 1, `${period}: ${removed}`);
    const error = worstError(pcm, tone(period), HISTORY + BLOCK - removed);
    t.ok(error < 500, `${period}: ${error} of 12000`);
  }
});

t.test('a tone is stretched by its period, and goes on as if it had been played on', async (t) => {
  for (const period of PERIODS) {
    const pcm = tone(period);
    const added = stretch(pcm, HISTORY, BLOCK, LONGEST_PERIOD, 0.9);
    t.ok(added > 0 && added % period <= 1, `${period}: ${added}`);
    const error = worstError(pcm, tone(period, HISTORY + BLOCK + LONGEST_PERIOD), HISTORY + BLOCK + added);
    t.ok(error < 500, `${period}: ${error} of 12000`);
  }
});

t.test('no more than allowed is removed, and nothing below the shortest period', async (t) => {
  t.equal(shorten(tone(120), HISTORY, BLOCK, 130, 0.9), 120);
  t.equal(shorten(tone(120), HISTORY, BLOCK, SHORTEST_PERIOD - 1, -1), 0);
  t.equal(shorten(tone(120), HISTORY, SHORTEST_PERIOD + FADE - 1, LONGEST_PERIOD, -1), 0);
});

t.test('sound that does not resemble itself is left as it is', async (t) => {
  let state = 1;
  const noise = Int16Array.from({ length: HISTORY + BLOCK + LONGEST_PERIOD }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    return state >> 18;
  });
  const before = noise.slice();
  t.equal(shorten(noise, HISTORY, BLOCK, LONGEST_PERIOD, 0.9), 0);
  t.equal(stretch(noise, HISTORY, BLOCK, LONGEST_PERIOD, 0.9), 0);
  t.strictSame(noise, before);
});

t.test('silence is cut by as much as is allowed', async (t) => {
  const pcm = new Int16Array(HISTORY + BLOCK + LONGEST_PERIOD);
  t.equal(shorten(pcm, HISTORY, BLOCK, 300, 0.9), 300);
  t.equal(stretch(pcm, HISTORY, BLOCK, LONGEST_PERIOD, 0.9), LONGEST_PERIOD);
});

t.test('the sound outside of the block is never changed', async (t) => {
  const pcm = tone(120);
  const history = pcm.slice(0, HISTORY);
  shorten(pcm, HISTORY, BLOCK, LONGEST_PERIOD, -1);
  stretch(pcm, HISTORY, BLOCK - 120, LONGEST_PERIOD, -1);
  continueInto(pcm, HISTORY, BLOCK);
  t.strictSame(pcm.slice(0, HISTORY), history);
});

t.test('a seam between any two places of speech has no larger step than the speech around it', async (t) => {
  const speech = pcmOfWav('examples/speech/ada.wav');
  let seams = 0;
  let raw = 0;
  for (let at = 24_000; at + 30_000 < speech.length; at += 5000) {
    const pcm = new Int16Array(HISTORY + BLOCK);
    pcm.set(speech.subarray(at, at + HISTORY));
    pcm.set(speech.subarray(at + 20_000, at + 20_000 + BLOCK), HISTORY);
    const usual = Math.max(largestStep(pcm, 1, HISTORY), largestStep(pcm, HISTORY + 1, HISTORY + BLOCK));
    raw = Math.max(raw, largestStep(pcm, HISTORY, HISTORY + 1) - usual);
    continueInto(pcm, HISTORY, BLOCK);
    t.ok(largestStep(pcm, HISTORY, HISTORY + FADE) <= usual * 1.25 + 50, `at ${at}`);
    seams += 1;
  }
  t.ok(seams > 20, `${seams} seams`);
  t.ok(raw > 500, `without it a seam clicks: ${raw} above the largest step`);
});

t.test('after silence a sound fades in', async (t) => {
  const pcm = tone(120);
  pcm.fill(0, 0, HISTORY);
  const before = pcm.slice();
  continueInto(pcm, HISTORY, BLOCK);
  for (let i = 0; i < FADE; i++) t.ok(Math.abs(pcm[HISTORY + i]!) <= Math.abs(before[HISTORY + i]!));
  t.strictSame(pcm.slice(HISTORY + FADE), before.slice(HISTORY + FADE));
});

function worstError(pcm: Int16Array, wanted: Int16Array, to: number): number {
  let worst = 0;
  for (let i = HISTORY; i < to; i++) worst = Math.max(worst, Math.abs(pcm[i]! - wanted[i]!));
  return worst;
}
