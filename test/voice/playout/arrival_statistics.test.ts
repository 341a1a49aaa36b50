/** What delay a network needs, learned from arrivals. */

import t from 'tap';
import { ArrivalStatistics } from '../../../voice/playout/arrival_statistics.js';
import { FRAME_SAMPLES } from '../../../voice/units.js';
import { SEED, SeededRandom } from '../../kit/random.js';

const random = new SeededRandom(SEED);
t.comment(`HOTMIC_SEED=${SEED}`);

/** A frame each 20 ms for `seconds`, each late by `late` ms. Returns the statistics and each relative delay. */
function observed(
  seconds: number,
  late: (index: number) => number,
  statistics = new ArrivalStatistics(40, 400),
) {
  const relative: number[] = [];
  for (let index = 0; index < seconds * 50; index++)
    relative.push(statistics.observe(index * FRAME_SAMPLES, 5000 + index * 20 + late(index)));
  return { statistics, relative };
}

t.test('before the first packet the initial delay is needed', async (t) => {
  t.equal(new ArrivalStatistics(40, 400).neededMs, 40);
});

t.test('a network without jitter needs 5 ms within 3 s', async (t) => {
  t.equal(observed(3.1, () => 0).statistics.neededMs, 5);
});

t.test('with jitter within 20 ms no more than 20 ms are needed', async (t) => {
  const { statistics, relative } = observed(30, () => random.below(20_000) / 1000);
  t.ok(statistics.neededMs >= 15 && statistics.neededMs <= 20, `${statistics.neededMs} ms`);
  t.ok(Math.min(...relative) === 0 && Math.max(...relative) < 20);
});

t.test('a single burst of late packets does not raise what is needed', async (t) => {
  const { statistics } = observed(40, (index) => (index >= 1500 && index < 1505 ? (1505 - index) * 20 : 0));
  t.equal(statistics.neededMs, 5);
});

t.test('a burst that repeats within 20 s raises it at once to the height of the burst', async (t) => {
  const late = (index: number) => (index >= 1500 && index % 500 < 5 ? 100 - (index % 500) * 20 : 0);
  t.equal(observed(39, late).statistics.neededMs, 5, 'after one');
  t.equal(observed(41, late).statistics.neededMs, 105, 'after two');
});

t.test('a burst in each second is learned by the histogram, and forgotten after it ends', async (t) => {
  const statistics = new ArrivalStatistics(40, 400);
  const late = (index: number) => (index < 1000 && index % 50 < 4 ? 80 - (index % 50) * 20 : 0);
  observed(20, late, statistics);
  t.equal(statistics.neededMs, 85);
  for (let index = 1000; index < 9500; index++) statistics.observe(index * FRAME_SAMPLES, 5000 + index * 20);
  t.equal(statistics.neededMs, 5);
});

t.test(
  'a stall longer than the largest delay raises nothing, and what waited behind it neither',
  async (t) => {
    const { statistics } = observed(40, (index) => (index >= 500 && index < 600 ? (600 - index) * 20 : 0));
    t.equal(statistics.stalls, 1);
    t.equal(statistics.neededMs, 5);
  },
);

t.test('clock drift of 200 ppm is not lateness', async (t) => {
  for (const ppm of [200, -200]) {
    const { statistics, relative } = observed(600, (index) => (index * 20 * ppm) / 1e6);
    t.equal(statistics.neededMs, 5, `${ppm} ppm`);
    t.ok(Math.max(...relative) <= 2.001, `${Math.max(...relative)} ms`);
  }
});

t.test('when the path becomes slower for good, the delay falls back after 10 s', async (t) => {
  const { relative } = observed(30, (index) => (index < 500 ? 0 : 60));
  t.equal(relative[501], 60);
  t.equal(relative.at(-1), 0);
});

t.test('after 10 s without packets the next one is the fastest', async (t) => {
  const { statistics } = observed(5, () => 0);
  t.ok(statistics.isFresh(15_000));
  t.notOk(statistics.isFresh(30_000));
  t.equal(statistics.observe(250 * FRAME_SAMPLES, 40_000), 0);
});

t.test('what is needed never exceeds the largest delay', async (t) => {
  const { statistics } = observed(60, () => random.below(300), new ArrivalStatistics(40, 100));
  t.ok(statistics.neededMs <= 100, `${statistics.neededMs} ms`);
});

t.test('a talkspurt may have another media clock: what was fastest before counts for 34 ms', async (t) => {
  const statistics = new ArrivalStatistics(40, 400);
  const observe = (position: number, late: number, starts: 'talkspurt' | 'nothing') =>
    statistics.observe(position * FRAME_SAMPLES, position * 20 + late, starts);
  observe(0, 100, 'talkspurt');
  for (let index = 1; index < 50; index++) observe(index, 100, 'nothing');
  t.equal(observe(100, 113, 'talkspurt'), 0, 'its clock is 13 ms later');
  t.equal(observe(101, 113, 'nothing'), 0);
  t.equal(observe(102, 126, 'nothing'), 13);
  t.equal(observe(200, 100, 'talkspurt'), 0, 'one that is earlier counts at once');
  t.equal(observe(300, 300, 'talkspurt'), 200 - 34, 'a first packet that waited 200 ms is late');
  t.equal(observe(301, 105, 'nothing'), 0, 'until another one shows what is possible');
  statistics.restart();
  t.equal(observe(400, 700, 'talkspurt'), 0, 'after a restart nothing is known');
});
