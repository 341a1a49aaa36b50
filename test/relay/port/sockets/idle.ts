/**
 * Silent connections, in real time: 16 s is the shortest idle time that uWebSockets allows. `make test-sockets` runs this; in `make test`,
 * ws/socket.test.ts has the same for ws without a clock.
 */

import { once } from 'node:events';
import t from 'tap';
import WebSocket from 'ws';
import { BOUNDS, eachLayer, Port, upgradeRequest } from './kit.js';

await eachLayer(t, async (t, layer) => {
  await t.test('a silent client stays while it answers pings, and is cut when it does not', async (t) => {
    const port = await Port.open(t, layer);
    const answering = await port.join();
    const threePings = pingsOf(answering.client, 3);
    const startedAt = performance.now();
    const mute = await port.wire();
    mute.write(upgradeRequest());
    await once(mute, 'close');
    const seconds = (performance.now() - startedAt) / 1000;
    t.ok(seconds > BOUNDS.idleTimeoutS - 5, `cut after ${seconds.toFixed(1)} s`);
    t.equal(mute.heard.split('\r\n\r\n')[1], '\x89\x00', 'it was asked for a sign of life once');
    t.equal(port.closed.length, 1);
    await threePings;
    t.ok(port.heartbeats >= 2, `${port.heartbeats} pongs`);
    t.equal(answering.client.readyState, WebSocket.OPEN);
  });
});

/** Resolves when this many came. */
function pingsOf(client: WebSocket, count: number): Promise<void> {
  let pings = 0;
  return new Promise((resolve) => {
    client.on('ping', () => {
      pings += 1;
      if (pings === count) resolve();
    });
  });
}
