/** Slots and channels' numbers: low, each one's own, and given out again only when they have rested. */

import t from 'tap';
import { RestingNumbers } from '../../../../relay/core/lobby/resting_numbers.js';

t.test('the lowest number that was never used or has rested comes first', async (t) => {
  const numbers = new RestingNumbers(1, 10, 100);
  t.same([numbers.take(0), numbers.take(0), numbers.take(0)], [1, 2, 3]);
  numbers.free(2, 50);
  t.equal(numbers.take(149), 4);
  t.equal(numbers.take(150), 2);
});

t.test('when all free numbers are resting, the longest rested is used', async (t) => {
  const numbers = new RestingNumbers(0, 3, 100);
  for (let at = 0; at < 3; at++) numbers.take(0);
  numbers.free(1, 10);
  numbers.free(0, 20);
  t.equal(numbers.take(30), 1);
  t.equal(numbers.take(30), 0);
});

t.test('no number is returned when none is free', async (t) => {
  const numbers = new RestingNumbers(5, 2, 100);
  t.same([numbers.take(0), numbers.take(0), numbers.take(0)], [5, 6, null]);
  numbers.free(6, 0);
  t.equal(numbers.take(0), 6, 'a resting number is used when no other is free');
});

t.test('a number in use is never given out, however often it was freed before', async (t) => {
  const numbers = new RestingNumbers(0, 4, 10);
  const taken = new Set<number>();
  for (let now = 0; now < 1000; now += 3) {
    if (taken.size === 4 || (taken.size > 0 && now % 2 === 0)) {
      const [first] = taken;
      taken.delete(first!);
      numbers.free(first!, now);
    } else {
      const number = numbers.take(now);
      if (number === null || taken.has(number)) t.fail(`${number} at ${now}`);
      else taken.add(number);
    }
  }
  t.ok(taken.size > 0);
});
