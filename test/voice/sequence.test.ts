/** Wrap-around, in a table: 16-bit sequences and the 32-bit media clock. */

import fc from 'fast-check';
import t from 'tap';
import {
  sequenceAfter,
  sequenceDelta,
  sequenceDistance,
  timestampAfter,
  timestampDelta,
} from '../../voice/sequence.js';
import { SEED } from '../kit/random.js';

t.test('the sequence after wraps at 65535', async (t) => {
  t.equal(sequenceAfter(0), 1);
  t.equal(sequenceAfter(65534), 65535);
  t.equal(sequenceAfter(65535), 0);
  t.equal(sequenceAfter(65535, 0), 65535);
  t.equal(sequenceAfter(65530, 10), 4);
  t.equal(sequenceAfter(1, 65535), 0);
  t.equal(sequenceAfter(7, 65536), 7);
  t.equal(sequenceAfter(0, -1), 65535);
  t.equal(sequenceAfter(5, -10), 65531);
});

t.test('distance goes forward only, delta the shorter way', async (t) => {
  const table: [from: number, to: number, distance: number, delta: number][] = [
    [0, 0, 0, 0],
    [0, 1, 1, 1],
    [1, 0, 65535, -1],
    [65535, 0, 1, 1],
    [0, 65535, 65535, -1],
    [65535, 65535, 0, 0],
    [65530, 4, 10, 10],
    [4, 65530, 65526, -10],
    [0, 32767, 32767, 32767],
    [0, 32768, 32768, -32768],
    [0, 32769, 32769, -32767],
    [32768, 0, 32768, -32768],
    [32769, 0, 32767, 32767],
    [40000, 7231, 32767, 32767],
    [40000, 7232, 32768, -32768],
  ];
  for (const [from, to, distance, delta] of table) {
    t.equal(sequenceDistance(from, to), distance, `distance from ${from} to ${to}`);
    t.equal(sequenceDelta(from, to), delta, `delta from ${from} to ${to}`);
  }
});

t.test('the timestamp after wraps at 2^32 and stays unsigned', async (t) => {
  t.equal(timestampAfter(0, 480), 480);
  t.equal(timestampAfter(2 ** 31 - 1, 1), 2 ** 31);
  t.equal(timestampAfter(2 ** 32 - 480, 480), 0);
  t.equal(timestampAfter(2 ** 32 - 1, 480), 479);
  t.equal(timestampAfter(0, -480), 2 ** 32 - 480);
});

t.test('a timestamp delta goes the shorter way', async (t) => {
  const table: [from: number, to: number, delta: number][] = [
    [0, 0, 0],
    [0, 480, 480],
    [480, 0, -480],
    [2 ** 32 - 480, 0, 480],
    [0, 2 ** 32 - 480, -480],
    [0, 2 ** 31 - 1, 2 ** 31 - 1],
    [0, 2 ** 31, -(2 ** 31)],
    [2 ** 31, 0, -(2 ** 31)],
    [2 ** 31 + 1, 0, 2 ** 31 - 1],
  ];
  for (const [from, to, delta] of table) t.equal(timestampDelta(from, to), delta, `from ${from} to ${to}`);
});

t.test('going by the delta arrives', async (t) => {
  t.comment(`seed ${SEED}`);
  const u16 = fc.integer({ min: 0, max: 65535 });
  const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(u16, u16, (from, to) => {
      const delta = sequenceDelta(from, to);
      return (
        delta >= -32768 &&
        delta <= 32767 &&
        sequenceAfter(from, delta) === to &&
        sequenceAfter(from, sequenceDistance(from, to)) === to
      );
    }),
    { seed: SEED, numRuns: 5000 },
  );
  fc.assert(
    fc.property(u32, u32, (from, to) => {
      const delta = timestampDelta(from, to);
      return delta >= -(2 ** 31) && delta < 2 ** 31 && timestampAfter(from, delta) === to;
    }),
    { seed: SEED, numRuns: 5000 },
  );
});
