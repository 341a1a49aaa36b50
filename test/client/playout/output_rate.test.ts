/** Sound at the rate of an output: exact in count, continuous over pulls of any length. */

import fc from 'fast-check';
import t from 'tap';
import { OutputRate, RateConverter } from '../../../client/playout/output_rate.js';
import { VOICE_RATE_HZ } from '../../../voice/units.js';
import { loadCodec } from '../../../wasm/load.js';
import { codecLiveBytes } from '../../../wasm/module.js';
import { Resampler } from '../../../wasm/resampler.js';
import { tonePcm } from '../../kit/tone.js';

loadCodec();

const RATES = [8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000];

/** Pulls these lengths from `pcm`, through one converter. */
function pullAll(rateHz: number, pulls: readonly number[], pcm: Int16Array): Int16Array {
  const rate = new OutputRate(rateHz);
  const converter = new RateConverter(rate);
  const made: number[] = [];
  let at = 0;
  for (const samples of pulls) {
    const input = rate.inputFor(samples);
    const out = new Int16Array(samples);
    converter.convert(pcm.subarray(at, at + input), out, samples);
    rate.made(samples);
    at += input;
    made.push(...out);
  }
  converter.free();
  return Int16Array.from(made);
}

t.test('however the pulls are cut, the sound is that of one resampler', async (t) => {
  const pcm = tonePcm(1);
  const property = fc.property(
    fc.constantFrom(...RATES),
    fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 12 }),
    (rateHz, pulls) => {
      const got = pullAll(rateHz, pulls, pcm);
      let wanted = pcm;
      if (rateHz !== VOICE_RATE_HZ) {
        const resampler = new Resampler(VOICE_RATE_HZ, rateHz);
        wanted = new Int16Array(rateHz + 1);
        resampler.streamPcm(pcm, wanted);
        resampler.free();
      }
      t.same(got, wanted.subarray(0, got.length));
    },
  );
  fc.assert(property, { numRuns: 60 });
});

t.test('in an hour of pulls as much is taken as is played', async (t) => {
  for (const rateHz of RATES) {
    const rate = new OutputRate(rateHz);
    let input = 0;
    const pulls = Math.floor((3600 * rateHz) / 441);
    for (let pull = 0; pull < pulls; pull++) {
      input += rate.inputFor(441);
      rate.made(441);
    }
    const exact = (pulls * 441 * VOICE_RATE_HZ) / rateHz;
    // One sample of the output is as long as that many.
    t.ok(Math.abs(input - exact) <= Math.ceil(VOICE_RATE_HZ / rateHz), `${rateHz} Hz: ${input} of ${exact}`);
  }
});

t.test('a converter that begins in the middle is in step with the others', async (t) => {
  const pcm = tonePcm(1);
  for (const rateHz of RATES) {
    const rate = new OutputRate(rateHz);
    rate.inputFor(101);
    rate.made(101);
    const late = new RateConverter(rate);
    const out = new Int16Array(1000);
    for (const samples of [7, 441, 1, 1000]) {
      out.fill(12_345);
      late.convert(pcm.subarray(0, rate.inputFor(samples)), out, samples);
      rate.made(samples);
      t.ok(
        out.subarray(0, samples).every((sample) => sample !== 12_345),
        `${rateHz} Hz: all ${samples} are written`,
      );
    }
    late.free();
  }
});

t.test('other rates are refused, and nothing is left in the codec', async (t) => {
  const before = codecLiveBytes();
  for (const rateHz of [0, 7999, 192_001, 44_100.5, Number.NaN])
    t.throws(() => new OutputRate(rateHz), RangeError, String(rateHz));
  const converter = new RateConverter(new OutputRate(44_100));
  converter.free();
  converter.free();
  t.equal(codecLiveBytes(), before);
});
