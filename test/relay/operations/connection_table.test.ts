/** Which connection of an operator's port is closed when there are too many. */

import t from 'tap';
import { ConnectionTable } from '../../../relay/operations/connection_table.js';

t.test('while there is room nothing is closed', async (t) => {
  const table = new ConnectionTable<number>(3);
  t.same(
    [1, 2, 3].map((id) => table.came(id, 'a')),
    [null, null, null],
  );
  t.equal(table.closed, 0);
  t.equal(table.came(4, 'a'), 1, 'the oldest goes');
  table.gone(2);
  t.equal(table.came(5, 'a'), null);
  t.equal(table.came(6, 'a'), 3);
  t.equal(table.closed, 2);
});

t.test('an address that opens many connections loses its own, and not those of others', async (t) => {
  const table = new ConnectionTable<number>(4);
  table.came(0, 'operator');
  for (let id = 1; id < 4; id++) table.came(id, 'flood');
  for (let id = 4; id < 1000; id++) t.equal(table.came(id, 'flood'), id - 3);
  t.equal(table.came(1000, 'another'), 997);
});

t.test('a connection that has shown a token is never closed to make room', async (t) => {
  const table = new ConnectionTable<number>(2);
  table.came(1, 'a');
  table.trust(1);
  table.came(2, 'a');
  t.equal(table.came(3, 'a'), 2);
  table.trust(3);
  t.equal(table.came(4, 'a'), 4, 'with no other left the new one goes');
  t.equal(table.closed, 2);
  table.trust(99);
  table.gone(99);
  table.gone(1);
  t.equal(table.came(5, 'a'), null);
});
