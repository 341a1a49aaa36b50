/** The resampler: clean tones stay clean, what does not fit is taken out, and it does not matter how a stream is cut. */

import t from 'tap';
import { loadCodec } from '../../wasm/load.js';
import { Resampler } from '../../wasm/resampler.js';
import { seededRandom } from './random.js';

const SEED = Number(process.env.SEED ?? 20_240_608);

/** From and to, in Hz. The last ones have ratios of many fractions, whose filters are interpolated. */
const RATIOS = [
  [44_100, 24_000],
  [48_000, 24_000],
  [24_000, 48_000],
  [24_000, 44_100],
  [24_000, 11_025],
  [22_050, 24_000],
  [8000, 24_000],
  [96_000, 24_000],
  [192_000, 24_000],
  [192_000, 4000],
  [4000, 192_000],
  [24_000, 24_000],
  [44_101, 24_000],
  [24_000, 47_999],
  [191_999, 4001],
] as const;

t.before(() => loadCodec());

for (const [from, to] of RATIOS) {
  t.test(`from ${from} to ${to} Hz, tones below the lower Nyquist frequency stay clean`, async (t) => {
    const nyquist = Math.min(from, to) / 2;
    for (const hz of [Math.min(1000, nyquist * 0.5), nyquist * 0.8]) {
      const { snrDb, gainDb } = measure(from, to, hz);
      t.ok(snrDb >= 90, `${hz} Hz: SNR ${snrDb.toFixed(1)} dB, wants 90`);
      t.ok(Math.abs(gainDb) < 0.01, `${hz} Hz: level ${gainDb.toFixed(4)} dB`);
    }
  });
}

for (const [from, to] of RATIOS.filter(([from, to]) => from > to)) {
  t.test(`from ${from} to ${to} Hz, tones above the new Nyquist frequency vanish`, async (t) => {
    for (const part of [1.01, 1.25, 1.5, 1.9]) {
      const hz = (to / 2) * part;
      if (hz > from / 2) continue;
      const input = tone(from, hz, from);
      const output = whole(new Resampler(from, to), input).subarray(200, -200);
      const level = 10 * Math.log10(meanSquare(output) / meanSquare(input) + 1e-30);
      t.ok(level < -80, `${hz.toFixed(0)} Hz: ${level.toFixed(1)} dB, wants -80`);
    }
  });
}

t.test('the delay is the stated one', async (t) => {
  for (const [from, to] of RATIOS) {
    const resampler = new Resampler(from, to);
    const at = 2000;
    const input = new Float32Array(at * 2);
    // A smooth bump, centred at input time `at`.
    const width = 8 * Math.max(1, from / to);
    for (let i = 0; i < input.length; i++) input[i] = Math.exp(-(((i - at) / width) ** 2));
    const output = whole(resampler, input, resampler.delaySamples);
    const centre = output.reduce((sum, y, i) => sum + y * i, 0) / output.reduce((sum, y) => sum + y, 0);
    const wanted = ((at + resampler.delaySamples) * to) / from;
    t.ok(
      Math.abs(centre - wanted) < 0.01,
      `${from} to ${to}: ${centre.toFixed(3)}, wants ${wanted.toFixed(3)}`,
    );
  }
});

t.test('a constant stays that constant', async (t) => {
  for (const [from, to] of RATIOS) {
    const output = whole(new Resampler(from, to), new Float32Array(10_000).fill(0.5));
    const settled = output.subarray(Math.ceil((8000 * to) / from));
    const worst = settled.reduce((most, y) => Math.max(most, Math.abs(y - 0.5)), 0);
    t.ok(settled.length > 0 && worst < 1e-5, `${from} to ${to}: off by ${worst}`);
  }
});

t.test(`it does not matter how a stream is cut (seed ${SEED})`, async (t) => {
  const random = seededRandom(SEED);
  for (const [from, to] of RATIOS) {
    const input = Float32Array.from({ length: 20_000 }, () => random() * 2 - 1);
    const once = whole(new Resampler(from, to), input);
    t.equal(once.length, Math.ceil((input.length * to) / from), `${from} to ${to}: samples out`);
    const resampler = new Resampler(from, to);
    const parts: number[] = [];
    for (let at = 0; at < input.length; ) {
      const size = Math.floor(random() ** 3 * 6000);
      for (const y of resampler.process(input.subarray(at, at + size))) parts.push(y);
      at += size;
    }
    resampler.free();
    t.ok(
      parts.length === once.length && parts.every((y, i) => y === once[i]),
      `${from} to ${to}: the same samples`,
    );
  }
});

t.test('misuse is an error that names what is wanted', async (t) => {
  for (const rate of [3999, 192_001, 44_100.5, Number.NaN, -8000]) {
    t.throws(() => new Resampler(rate, 24_000), { name: 'RangeError', message: /from 4000 to 192000/ });
    t.throws(() => new Resampler(24_000, rate), RangeError);
  }
  const resampler = new Resampler(48_000, 24_000);
  resampler.free();
  resampler.free();
  t.throws(() => resampler.process(new Float32Array(1)), { code: 'ERR_HOTMIC_CODEC', message: /freed/ });
});

function tone(rate: number, hz: number, length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rate));
}

/** Resamples all of `input` and `tail` zeros, and frees the resampler. */
function whole(resampler: Resampler, input: Float32Array, tail = 0): Float32Array {
  const padded = new Float32Array(input.length + tail);
  padded.set(input);
  const output = resampler.process(padded).slice();
  resampler.free();
  return output;
}

function meanSquare(samples: Float32Array): number {
  return samples.reduce((sum, y) => sum + y * y, 0) / samples.length;
}

/** Half a second of tone through the resampler: its level, and what else is there. */
function measure(from: number, to: number, hz: number): { snrDb: number; gainDb: number } {
  const output = whole(new Resampler(from, to), tone(from, hz, from >> 1));
  const settled = output.subarray(Math.ceil(output.length / 4));
  // The sine and cosine of that frequency that fit best; the rest is error.
  let [ss, cc, sc, ys, yc, yy] = [0, 0, 0, 0, 0, 0];
  settled.forEach((y, i) => {
    const s = Math.sin((2 * Math.PI * hz * i) / to);
    const c = Math.cos((2 * Math.PI * hz * i) / to);
    ss += s * s;
    cc += c * c;
    sc += s * c;
    ys += y * s;
    yc += y * c;
    yy += y * y;
  });
  const determinant = ss * cc - sc * sc;
  const a = (ys * cc - yc * sc) / determinant;
  const b = (yc * ss - ys * sc) / determinant;
  const error = settled.reduce((sum, y, i) => {
    const fit = a * Math.sin((2 * Math.PI * hz * i) / to) + b * Math.cos((2 * Math.PI * hz * i) / to);
    return sum + (y - fit) ** 2;
  }, 0);
  return { snrDb: 10 * Math.log10(yy / error), gainDb: 20 * Math.log10(Math.hypot(a, b) / 0.5) };
}
