/** The limiter: nothing above full scale, nothing changed below the threshold, and a gain that does not jump. */

import fc from 'fast-check';
import t from 'tap';
import { LIMITER_THRESHOLD, Limiter } from '../../../voice/mixing/limiter.js';
import { samplesOfMs } from '../../../voice/units.js';
import { SEED, SeededRandom } from '../../kit/random.js';

function limit(limiter: Limiter, mix: ArrayLike<number>): Int16Array {
  const out = new Int16Array(mix.length).fill(0x5a5a);
  limiter.process(Float64Array.from(mix), out);
  return out;
}

const constant = (value: number, length: number) => new Array<number>(length).fill(value);
const peakOf = (pcm: ArrayLike<number>) =>
  Array.from(pcm).reduce((peak, x) => Math.max(peak, Math.abs(x)), 0);

/** Long enough for the gain to be 1 again. */
const ONE_SECOND = samplesOfMs(1000);

t.test('the threshold is -3 dBFS', async (t) => {
  t.equal(Math.floor(LIMITER_THRESHOLD), 23_197);
});

t.test('below the threshold every sample passes as it is, and is not counted', async (t) => {
  const limiter = new Limiter(1);
  const all = Int16Array.from({ length: 2 * 23_197 + 1 }, (_, i) => i - 23_197);
  t.strictSame(limit(limiter, all), all);
  t.equal(limiter.limitedSamples, 0);
});

t.test('fractions are rounded to the nearest sample', async (t) => {
  t.strictSame(limit(new Limiter(1), [0.4, 0.6, -0.6, 100.2, -100.8]), Int16Array.of(0, 1, -1, 100, -101));
});

t.test(
  'whatever comes, in pulls of any length, nothing is above full scale or changes its sign',
  async (t) => {
    t.comment(`seed ${SEED}`);
    const value = fc.oneof(
      fc.integer({ min: -40_000, max: 40_000 }),
      fc.integer({ min: -64 * 32_768, max: 64 * 32_767 }),
      fc.double({ min: -1e300, max: 1e300, noNaN: true }),
    );
    const pulls = fc.array(fc.array(value, { maxLength: 400 }), { maxLength: 8 });
    const neverTooLoud = fc.property(pulls, fc.constantFrom(1, 2), (mixes, channels) => {
      const limiter = new Limiter(channels);
      for (const mix of mixes) {
        const whole = mix.slice(0, mix.length - (mix.length % channels));
        const out = limit(limiter, whole);
        for (const [i, x] of whole.entries()) {
          // A wrap-around would change the sign.
          if (Math.abs(out[i]!) > 32_767 || out[i]! * Math.sign(x) < 0) return false;
        }
      }
      return true;
    });
    fc.assert(neverTooLoud, { seed: SEED, numRuns: 1000 });
  },
);

t.test(
  '64 people who shout, in pulls of one sample, are below full scale and soon at the threshold',
  async (t) => {
    const limiter = new Limiter(1);
    const heard = Array.from(
      { length: 400 },
      (_, i) => limit(limiter, [i % 60 < 30 ? 64 * 32_767 : -64 * 32_768])[0]!,
    );
    t.ok(peakOf(heard) <= 32_767);
    t.ok(peakOf(heard.slice(samplesOfMs(2.5))) <= Math.ceil(LIMITER_THRESHOLD), `${peakOf(heard.slice(60))}`);
    t.equal(limiter.limitedSamples, 400);
  },
);

t.test(
  'a peak within a pull comes down to the threshold, because the gain falls 2.5 ms before it',
  async (t) => {
    const limiter = new Limiter(1);
    const mix = constant(10_000, 480);
    for (let i = 200; i < 210; i++) mix[i] = 60_000;
    const out = limit(limiter, mix);
    t.ok(peakOf(out) <= Math.ceil(LIMITER_THRESHOLD), `${peakOf(out)}`);
    t.ok(out[205]! >= Math.floor(LIMITER_THRESHOLD), 'and not lower than that');
    const begin = out.findIndex((sample) => sample < 10_000);
    t.ok(begin >= 200 - samplesOfMs(2.5) && begin < 200, `from ${begin}`);
    for (let i = 1; i < 200; i++) {
      const step = out[i - 1]! - out[i]!;
      if (step < 0 || step > 10_000 / samplesOfMs(2.5) + 1) t.fail(`a step of ${step} at ${i}`);
    }
  },
);

t.test('a peak at the front of a pull goes through the knee', async (t) => {
  const out = limit(new Limiter(1), [...constant(30_000, 480)]);
  t.ok(out[0]! > LIMITER_THRESHOLD && out[0]! < 30_000, `${out[0]} is the first`);
  t.ok(out.subarray(samplesOfMs(2.5)).every((sample) => sample <= Math.ceil(LIMITER_THRESHOLD)));
  for (let i = 1; i < 480; i++) if (out[i]! > out[i - 1]!) t.fail(`louder at ${i}`);
});

t.test('louder in is never quieter out, at one sample', async (t) => {
  let before = 0;
  for (let x = 0; x < 200_000; x += 97) {
    const [sample] = limit(new Limiter(1), [x]);
    if (sample! < before) t.fail(`${x} gives ${sample}, after ${before}`);
    before = sample!;
  }
  t.equal(before, 32_767);
});

t.test('after a peak the gain rises by 63 % in 100 ms, and is exactly 1 within a second', async (t) => {
  const limiter = new Limiter(1);
  limit(limiter, [...constant(0, 100), 2 * LIMITER_THRESHOLD]);
  const after = limit(limiter, constant(20_000, ONE_SECOND));
  const gain = after[samplesOfMs(100) - 1]! / 20_000;
  t.ok(Math.abs(gain - (1 - 0.5 / Math.E)) < 0.01, `${gain}`);
  for (let i = 1; i < ONE_SECOND; i++) if (after[i]! < after[i - 1]!) t.fail(`the gain falls at ${i}`);
  const counted = limiter.limitedSamples;
  const random = new SeededRandom(SEED);
  const quiet = Array.from({ length: 480 }, () => random.below(40_000) - 20_000);
  t.strictSame(limit(limiter, quiet), Int16Array.from(quiet));
  t.equal(limiter.limitedSamples, counted);
});

t.test('both channels have one gain, so nobody moves to the side', async (t) => {
  const limiter = new Limiter(2);
  const mix: number[] = Array.from({ length: 960 }, (_, i) => (i % 2 === 0 ? 10_000 : 1000));
  for (let i = 400; i < 500; i += 2) mix[i] = 100_000;
  const out = limit(limiter, mix);
  let lowered = 0;
  for (let i = 0; i < 960; i += 2) {
    const ratio = out[i]! / mix[i]!;
    if (Math.abs(out[i + 1]! - ratio * 1000) > 1) t.fail(`${out[i]} and ${out[i + 1]} at ${i}`);
    if (out[i + 1]! < 1000) lowered += 1;
  }
  t.ok(lowered > 50);
  t.ok(Math.abs(limiter.limitedSamples - lowered) <= 10, 'an instant counts once');
});

t.test('a loud right channel lowers the left one too', async (t) => {
  const mix = Array.from({ length: 960 }, (_, i) => (i % 2 === 0 ? 1000 : -90_000));
  const out = limit(new Limiter(2), mix);
  t.ok(out[958]! < 300, `${out[958]}`);
});

t.test('a pull without samples changes nothing', async (t) => {
  t.strictSame(limit(new Limiter(1), []), new Int16Array(0));
});
