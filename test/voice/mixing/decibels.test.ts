/** Decibels and factors. */

import t from 'tap';
import { dbOfFactor, dbOfPower, factorOfDb, SILENCE_DB } from '../../../voice/mixing/decibels.js';

t.test('0 dB is exactly 1, 20 dB is 10, and minus infinity is silence', async (t) => {
  t.equal(factorOfDb(0), 1);
  t.equal(factorOfDb(20), 10);
  t.equal(factorOfDb(-20), 0.1);
  t.equal(factorOfDb(Number.NEGATIVE_INFINITY), 0);
});

t.test('from dB to a factor and back is the same, and so is the square as power', async (t) => {
  for (let db = SILENCE_DB; db <= 60; db += 0.37) {
    t.ok(Math.abs(dbOfFactor(factorOfDb(db)) - db) < 1e-9, `${db} dB`);
    t.ok(Math.abs(dbOfPower(factorOfDb(db) ** 2) - db) < 1e-9, `${db} dB of power`);
  }
});

t.test('silence is -96 dB, and nothing is below', async (t) => {
  for (const factor of [0, 1e-300, 1e-6]) {
    t.equal(dbOfFactor(factor), SILENCE_DB);
    t.equal(dbOfPower(factor ** 2), SILENCE_DB);
  }
});
