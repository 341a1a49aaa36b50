/** The states of a relay from its start to its end, with steps that only note that they were called. */

import t from 'tap';
import { Lifecycle } from '../../relay/lifecycle.js';

function relayWith(connections: number) {
  const steps: string[] = [];
  const relay = { connections };
  const lifecycle = new Lifecycle({
    announceDrain: (withinMs, goTo) => void steps.push(`announce ${withinMs} ${goTo}`),
    connections: () => relay.connections,
    shutDown: async () => void steps.push(`shut down while ${lifecycle.state}`),
  });
  return { lifecycle, steps, relay };
}

t.test('a drain waits for the last connection, then closes', async (t) => {
  const { lifecycle, steps, relay } = relayWith(1);
  t.equal(lifecycle.state, 'starting');
  lifecycle.listening();
  t.equal(lifecycle.state, 'listening');
  const drained = lifecycle.drain(60_000, 'wss://b.example');
  t.equal(lifecycle.state, 'draining');
  t.strictSame(steps, ['announce 60000 wss://b.example']);
  relay.connections = 0;
  lifecycle.lastConnectionGone();
  await drained;
  await lifecycle.ended;
  t.equal(lifecycle.state, 'closing');
  t.strictSame(steps, ['announce 60000 wss://b.example', 'shut down while closing']);
});

t.test('a drain ends when its time is over, and at once without connections', async (t) => {
  await relayWith(1).lifecycle.drain(1, null);
  const { lifecycle, steps } = relayWith(0);
  await lifecycle.drain(60_000, null);
  t.strictSame(steps, ['announce 60000 null', 'shut down while closing']);
});

t.test('close ends a drain, and both run once however often they are called', async (t) => {
  const { lifecycle, steps } = relayWith(1);
  const drained = [lifecycle.drain(60_000, null), lifecycle.drain(1, 'wss://b.example')];
  await Promise.all([lifecycle.close(), lifecycle.close(), ...drained]);
  await lifecycle.drain(60_000, null);
  t.strictSame(steps, ['announce 60000 null', 'shut down while closing']);
});

t.test('a relay that was closed before it listens never listens', async (t) => {
  const { lifecycle, steps } = relayWith(0);
  await lifecycle.close();
  lifecycle.listening();
  t.equal(lifecycle.state, 'closing');
  await lifecycle.drain(0, null);
  t.strictSame(steps, ['shut down while closing']);
});

t.test('a failure while closing is passed on, and is the end too', async (t) => {
  const lifecycle = new Lifecycle({
    announceDrain: () => undefined,
    connections: () => 0,
    shutDown: () => Promise.reject(new Error('stuck')),
  });
  await t.rejects(lifecycle.close(), { message: 'stuck' });
  await lifecycle.ended;
});
