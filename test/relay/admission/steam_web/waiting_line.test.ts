/** The line before Steam: how many are served, who is next, who is refused. */

import t from 'tap';
import { type Place, WaitingLine } from '../../../../relay/admission/steam_web/waiting_line.js';
import { SEED, SeededRandom } from '../../../kit/random.js';

const settled = () => new Promise((resolve) => setImmediate(resolve));

t.test('some are served, some wait, the rest is refused', async (t) => {
  const line = new WaitingLine({ atOnce: 2, waiting: 3 });
  const places = Array.from({ length: 6 }, () => line.enter());
  t.same(
    places.map((place) => place !== null),
    [true, true, true, true, true, false],
  );
  const served: number[] = [];
  for (const [at, place] of places.entries()) void place?.turn.then(() => served.push(at));
  await settled();
  t.same(served, [0, 1]);
  places[1]!.leave();
  places[1]!.leave();
  await settled();
  t.same(served, [0, 1, 2], 'one goes, one comes, and leaving twice is leaving once');
});

t.test('an entry that leaves while waiting is skipped', async (t) => {
  const line = new WaitingLine({ atOnce: 1, waiting: 3 });
  const places = Array.from({ length: 4 }, () => line.enter()!);
  const served: number[] = [];
  for (const [at, place] of places.entries()) void place.turn.then(() => served.push(at));
  places[1]!.leave();
  t.not(line.enter(), null, 'and makes room for another');
  places[0]!.leave();
  await settled();
  t.same(served, [0, 2]);
});

t.test('whatever the order, every place is given once', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  const line = new WaitingLine({ atOnce: 3, waiting: 5 });
  const inside = new Set<Place>();
  const served = new Set<Place>();
  for (let step = 0; step < 2000; step++) {
    const place = random.below(2) === 0 ? line.enter() : null;
    if (place) {
      inside.add(place);
      void place.turn.then(() => served.add(place));
    } else if (inside.size > 0) {
      const leaving = [...inside][random.below(inside.size)]!;
      inside.delete(leaving);
      leaving.leave();
    }
    await Promise.resolve();
    const now = [...inside].filter((entry) => served.has(entry)).length;
    if (now !== Math.min(inside.size, 3) || inside.size > 8) t.fail(`step ${step}: ${now} of ${inside.size}`);
  }
  t.pass();
});
