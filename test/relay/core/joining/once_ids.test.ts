/** Credentials that are good once: remembered for a day, and nobody fills the place of others. */

import t from 'tap';
import { OnceIds } from '../../../../relay/core/joining/once_ids.js';

const DAY = 86_400_000;

t.test('a used credential stays used for a day, for everybody', async (t) => {
  const ids = new OnceIds();
  t.equal(ids.judge(['a'], '1', 0), 'new');
  ids.use(['a'], '1', 0);
  t.equal(ids.judge(['a'], '1', DAY - 1), 'used');
  t.equal(ids.judge(['a'], '2', DAY - 1), 'used');
  t.equal(ids.judge(['a'], '1', DAY), 'new');
});

t.test('a player who joins a thousand times a day has to wait, and nobody else', async (t) => {
  const ids = new OnceIds();
  for (let used = 0; used < 1000; used++) {
    t.equal(ids.judge([`${used}`], '1', used), 'new');
    ids.use([`${used}`], '1', used);
  }
  t.equal(ids.judge(['next'], '1', 1000), 'full');
  t.equal(ids.judge(['5'], '1', 1000), 'used', 'and gets the true reason');
  t.equal(ids.judge(['next'], '2', 1000), 'new');
  t.equal(ids.judge(['next'], '1', DAY), 'new', 'the first is a day old');
  ids.use(['next'], '1', DAY);
  t.equal(ids.judge(['another'], '1', DAY), 'full');
});

t.test('when it is full, no more ids are accepted until the oldest is forgotten', async (t) => {
  const ids = new OnceIds(100_000);
  for (let used = 0; used < 100_000; used++) {
    if (ids.judge([`${used}`], `${used % 1000}`, used) !== 'new') throw new Error(`${used} counts as used`);
    ids.use([`${used}`], `${used % 1000}`, used);
  }
  t.equal(ids.judge(['new'], 'x', DAY - 1), 'full');
  t.equal(ids.judge(['0'], '0', DAY - 1), 'used');
  t.equal(ids.judge(['new'], 'x', DAY), 'new', 'the oldest made room');
  t.equal(ids.judge(['1'], '1', DAY), 'used');
});

t.test('two credentials used together are each used, and both must fit', async (t) => {
  const ids = new OnceIds(3);
  ids.use(['a', 'b'], '1', 0);
  t.equal(ids.judge(['x', 'b'], '1', 1), 'used');
  t.equal(ids.judge(['x', 'y'], '1', 1), 'full', 'one place is left');
  t.equal(ids.judge(['x'], '1', 1), 'new');
  ids.use(['x'], '1', 1);
  t.equal(ids.judge([], '1', 1), 'new', 'a reusable credential uses no space');
  t.equal(ids.judge(['y', 'z'], '1', DAY), 'new', 'the first two made room together');
});
