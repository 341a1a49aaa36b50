/** When to reconnect: at once, then after growing random waits, and no longer than the place is kept. */

import t from 'tap';
import { Reconnect } from '../../../../client/session/connecting/reconnect.js';
import { SEED, SeededRandom } from '../../../kit/random.js';

/** The waits after one loss when every attempt fails at once, until reconnecting is given up. */
function waits(random: () => number, withinMs = 30_000): number[] {
  const reconnect = new Reconnect(random);
  const all: number[] = [];
  let now = 1000;
  let step = reconnect.lost('broken', withinMs, now);
  while (step.kind === 'try') {
    all.push(step.afterMs);
    now += step.afterMs;
    step = reconnect.failed(now);
  }
  return all;
}

t.test('the first attempt is made at once, and each wait is up to twice as long, up to 4 s', async (t) => {
  t.same(
    waits(() => 0.999999)
      .map(Math.round)
      .slice(0, 7),
    [0, 250, 500, 1000, 2000, 4000, 4000],
  );
});

t.test('randomness shortens a wait by up to half', async (t) => {
  t.same(waits(() => 0).slice(0, 7), [0, 125, 250, 500, 1000, 2000, 2000]);
});

t.test('the last attempt is made when the time is over, and none after it', async (t) => {
  for (let round = 0; round < 100; round += 1) {
    const random = new SeededRandom(SEED + round);
    const all = waits(() => random.next() / 2 ** 32);
    const sum = all.reduce((a, b) => a + b, 0);
    t.equal(Math.round(sum), 30_000, `seed ${SEED + round}`);
    t.ok(all.length < 25, `${all.length} tries`);
  }
});

t.test('after a relay closed, first attempts are spread over a second', async (t) => {
  const afterMs = [0, 0.5, 0.999].map((chance) => {
    const step = new Reconnect(() => chance).lost('closed', 30_000, 0);
    return step.kind === 'try' ? step.afterMs : null;
  });
  t.same(afterMs, [0, 500, 999]);
});

t.test('a second loss starts over, with its own time limit', async (t) => {
  const reconnect = new Reconnect(() => 0);
  reconnect.lost('broken', 1000, 0);
  for (const now of [100, 200, 300]) reconnect.failed(now);
  t.same(reconnect.failed(1000), { kind: 'give-up' });
  t.same(reconnect.lost('broken', 1000, 15_000), { kind: 'try', afterMs: 0 });
  t.same(reconnect.failed(15_000), { kind: 'try', afterMs: 125 });
  t.same(reconnect.failed(15_999), { kind: 'try', afterMs: 1 }, 'not beyond the end');
});

t.test('a wait that the relay asks for is honored, up to a minute and while the place is kept', async (t) => {
  const reconnect = new Reconnect(() => 0.5);
  reconnect.lost('broken', 200_000, 0);
  t.same(reconnect.failed(0, 10_000), { kind: 'try', afterMs: 10_500 });
  t.same(reconnect.failed(0, 86_400_000), { kind: 'try', afterMs: 60_500 });
  t.same(
    reconnect.failed(190_000, 86_400_000),
    { kind: 'try', afterMs: 10_000 },
    'the last try is made in time',
  );
  t.same(reconnect.failed(200_000, 1), { kind: 'give-up' });
});

t.test(
  'a relay that repeatedly admits us and disconnects at once is tried less and less often',
  async (t) => {
    const reconnect = new Reconnect(() => 0.999999);
    const lost = (now: number) => {
      const step = reconnect.lost('broken', 30_000, now);
      return step.kind === 'try' ? Math.round(step.afterMs) : null;
    };
    t.same([0, 1, 2, 3, 4, 5, 6].map(lost), [0, 250, 500, 1000, 2000, 4000, 4000]);
    t.equal(lost(20_000), 0, 'after a steady connection the waits start over');
  },
);
