/** Gains that change along a line, whatever the pulls. */

import t from 'tap';
import { GainRamp, RAMP } from '../../../voice/mixing/gain_ramp.js';
import { SEED, SeededRandom } from '../../kit/random.js';

const constant = (length: number, value = 1000) => new Int16Array(length).fill(value);

/** `length` samples of 1000 through the ramp, in pulls of the lengths that `next` says. */
function through(ramp: GainRamp, length: number, next: () => number): number[] {
  const heard: number[] = [];
  while (heard.length < length) {
    const samples = Math.min(next(), length - heard.length);
    const sums = new Float64Array(samples);
    ramp.mix(constant(samples), samples, sums, 0, 1);
    heard.push(...sums);
  }
  return heard;
}

t.test('a gain of 1 changes nothing, and a gain of 0 adds nothing', async (t) => {
  const sums = Float64Array.of(5, 6, 7);
  new GainRamp(1).mix(Int16Array.of(1, -2, 32_767), 3, sums, 0, 1);
  t.strictSame([...sums], [6, 4, 32_774]);
  new GainRamp(0).mix(Int16Array.of(1, -2, 32_767), 3, sums, 0, 1);
  t.strictSame([...sums], [6, 4, 32_774]);
});

t.test('the gain goes to its target in equal steps, and is there exactly after 10 ms', async (t) => {
  const ramp = new GainRamp(1);
  ramp.aim(Float64Array.of(0.25), 0);
  const heard = through(ramp, RAMP + 5, () => 1000);
  for (let i = 0; i < RAMP; i++) {
    const wanted = 1000 * (1 - (0.75 * (i + 1)) / RAMP);
    if (Math.abs(heard[i]! - wanted) > 1e-9) t.fail(`${heard[i]} at ${i}, ${wanted} is due`);
  }
  t.strictSame(heard.slice(RAMP - 1), [250, 250, 250, 250, 250, 250]);
  t.equal(ramp.gain, 0.25);
});

t.test('pulls of any length give the same samples', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  for (const first of [0, 1, 0.3]) {
    const [one, many, single] = [new GainRamp(first), new GainRamp(first), new GainRamp(first)];
    for (const ramp of [one, many, single]) ramp.aim(Float64Array.of(0.7), 0);
    const whole = through(one, 700, () => 700);
    t.strictSame(
      through(many, 700, () => random.below(60)),
      whole,
    );
    t.strictSame(
      through(single, 700, () => 1),
      whole,
    );
  }
});

t.test('a new target amid a ramp goes on from the gain of that instant', async (t) => {
  const ramp = new GainRamp(0);
  ramp.aim(Float64Array.of(1), 0);
  through(ramp, RAMP / 2, () => 17);
  t.equal(ramp.gain, 0.5);
  ramp.aim(Float64Array.of(0), 0);
  const heard = through(ramp, RAMP, () => 17);
  t.ok(Math.abs(heard[0]! - (500 - 500 / RAMP)) < 1e-9, `${heard[0]}`);
  t.equal(heard[RAMP - 1], 0);
});

t.test('the same target again does not begin the ramp again', async (t) => {
  const ramp = new GainRamp(0);
  ramp.aim(Float64Array.of(1), 0);
  through(ramp, 200, () => 200);
  ramp.aim(Float64Array.of(1), 0);
  t.equal(through(ramp, 40, () => 40)[39], 1000);
});

t.test('a jump takes no time', async (t) => {
  const ramp = new GainRamp(0);
  ramp.aim(Float64Array.of(1), 0);
  ramp.jump(Float64Array.of(9, 0.5), 1);
  t.strictSame(
    through(ramp, 2, () => 2),
    [500, 500],
  );
});

t.test('sums are scaled frame by frame, with one gain for both channels', async (t) => {
  const ramp = new GainRamp(1);
  ramp.aim(Float64Array.of(0), 0);
  const sums = new Float64Array(2 * (RAMP + 2)).fill(1000);
  ramp.scale(sums, 0, 100, 2);
  ramp.scale(sums, 100, sums.length, 2);
  for (let frame = 0; frame < RAMP; frame++) {
    const wanted = 1000 * (1 - (frame + 1) / RAMP);
    if (Math.abs(sums[2 * frame]! - wanted) > 1e-9)
      t.fail(`${sums[2 * frame]} at ${frame}, ${wanted} is due`);
    if (sums[2 * frame + 1] !== sums[2 * frame]) t.fail(`left and right differ at ${frame}`);
  }
  t.strictSame([...sums.slice(-4)], [0, 0, 0, 0]);
});

t.test('one channel of two is mixed, and the other is left alone', async (t) => {
  const sums = new Float64Array(6);
  new GainRamp(1).mix(Int16Array.of(1, 2, 3), 3, sums, 1, 2);
  t.strictSame([...sums], [0, 1, 0, 2, 0, 3]);
});
