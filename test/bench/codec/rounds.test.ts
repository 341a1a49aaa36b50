/** The interleaved timing of the codec benchmark, with subjects of a known speed. */

import t from 'tap';
import { inRounds, ROUNDS } from '../../../bench/codec/rounds.js';

/** A subject with the speed `speedOf(round)`, where round 0 is the warm-up, that records its turns. */
function subject(name: string, turns: string[], speedOf: (round: number) => number) {
  let round = 0;
  return {
    subject: name,
    case: 'encode',
    measure() {
      turns.push(name);
      return speedOf(round++);
    },
  };
}

t.test('subjects take turns, and the first one of each is not counted', async (t) => {
  const turns: string[] = [];
  const base = subject('native', turns, (round) => (round === 0 ? 1 : 100));
  const { rows } = inRounds([{ base, others: [subject('ours', turns, () => 50)] }]);
  t.same(
    turns,
    Array(ROUNDS + 1)
      .fill(['native', 'ours'])
      .flat(),
  );
  t.match(rows[0], { subject: 'native', metric: 'speed', min: 100, max: 100, runs: ROUNDS });
});

t.test('a ratio is of the same round', async (t) => {
  // A machine that slows down: both go from 100 to 88, and the ratio stays.
  const slowing = (round: number) => 100 - 2 * round;
  const turns: string[] = [];
  const { rows, unsteady } = inRounds([
    {
      base: subject('native', turns, slowing),
      others: [subject('ours', turns, (round) => slowing(round) / 2)],
    },
  ]);
  t.match(rows.at(-1), { subject: 'ours', metric: 'speed / native', min: 0.5, median: 0.5, max: 0.5 });
  t.equal(unsteady, null);
});

t.test('an unsteady base voids the result', async (t) => {
  const wild = subject('native', [], (round) => (round === 3 ? 60 : 100));
  const { unsteady } = inRounds([{ base: wild, others: [] }]);
  t.match(
    unsteady,
    /^native, encode: the fastest round was 1\.67 times as fast as the slowest, expected at most 1\.5$/,
  );
});

t.test('without a base there are speeds and no ratios', async (t) => {
  const { rows } = inRounds([{ base: null, others: [subject('ours', [], () => 50)] }]);
  t.same(
    rows.map(({ metric }) => metric),
    ['speed'],
  );
});
