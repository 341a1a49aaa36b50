/** The services of a relay: their order, and what a failing one does to the others. */

import t from 'tap';
import { type Service, ServiceList } from '../../relay/service_list.js';

function noting(notes: string[]) {
  return (name: string, more: Partial<Service> = {}): Service => ({
    start: async () => void notes.push(`${name} starts`),
    close: async () => void notes.push(`${name} closes`),
    ...more,
  });
}

t.test('services start in order, and close in reverse order of their stages', async (t) => {
  const notes: string[] = [];
  const service = noting(notes);
  const list = new ServiceList([[service('a')], [service('b'), service('c')], [service('d')]]);
  await list.start();
  t.strictSame(notes.splice(0), ['a starts', 'b starts', 'c starts', 'd starts']);
  await list.close();
  t.strictSame(notes, ['d closes', 'b closes', 'c closes', 'a closes']);
});

t.test('the services of a stage close at the same time', async (t) => {
  const notes: string[] = [];
  let release = (): void => undefined;
  const slow = new Promise<void>((resolve) => {
    release = resolve;
  });
  const service = noting(notes);
  const list = new ServiceList([[service('a')], [service('slow', { close: () => slow }), service('b')]]);
  const closed = list.close();
  await new Promise((resolve) => setImmediate(resolve));
  t.strictSame(notes, ['b closes'], 'and the stage before waits for both');
  release();
  await closed;
  t.strictSame(notes, ['b closes', 'a closes']);
});

t.test('when one cannot start, all are closed and its error is thrown', async (t) => {
  const notes: string[] = [];
  const service = noting(notes);
  const failing = service('b', { start: () => Promise.reject(new Error('the port is in use')) });
  const list = new ServiceList([[service('a')], [failing], [service('c')]]);
  await t.rejects(list.start(), { message: 'the port is in use' });
  t.strictSame(notes, ['a starts', 'c closes', 'b closes', 'a closes']);
});

t.test('close waits for a start under way', async (t) => {
  const notes: string[] = [];
  const service = noting(notes);
  const list = new ServiceList([[service('a')], [service('b')]]);
  const started = list.start();
  await Promise.all([list.close(), started]);
  t.strictSame(notes, ['a starts', 'b starts', 'b closes', 'a closes']);
});

t.test('counts are merged, and a service that is off counts nothing', async (t) => {
  const service = noting([]);
  const list = new ServiceList([
    [service('a', { counts: () => ({ closedConnections: { operations: 1 } }) })],
    [service('b', { counts: () => ({ closedConnections: { admin: 2 } }) }), service('c')],
  ]);
  t.strictSame(list.counts(), {
    admin: null,
    webhooks: null,
    sanctionsFile: null,
    steam: null,
    closedConnections: { operations: 1, admin: 2 },
  });
});

t.test('every service reloads, also when an earlier one fails', async (t) => {
  const notes: string[] = [];
  const service = noting(notes);
  const failing = (name: string) => ({
    reload: () => {
      throw new Error(name);
    },
  });
  const list = new ServiceList([
    [service('a', failing('first'))],
    [service('b', { reload: () => void notes.push('b reloads') }), service('c', failing('second'))],
  ]);
  t.throws(() => list.reload(), { message: 'first' });
  t.strictSame(notes, ['b reloads']);
});
