/** The transport for Node: a connection that went silent is detected, one that answers pings is kept. */

import { once } from 'node:events';
import type net from 'node:net';
import t, { type Test } from 'tap';
import { WebSocketServer } from 'ws';
import { wsTransport } from '../../../client/transport/ws.js';
import { tcpProxy } from '../tcp_proxy.js';

/** A relay that sends nothing beyond what WebSocket requires. */
async function silentRelay(t: Test): Promise<{ url: URL; pinged: () => number }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  let pings = 0;
  server.on('connection', (socket) => {
    socket.on('ping', () => {
      pings += 1;
    });
  });
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const { port } = server.address() as net.AddressInfo;
  return { url: new URL(`ws://127.0.0.1:${port}/`), pinged: () => pings };
}

t.test('a half-open connection is detected by an unanswered ping', async (t) => {
  const { url, pinged } = await silentRelay(t);
  const line = await tcpProxy(t, url);
  const closed = await new Promise<unknown[]>((resolve) => {
    wsTransport(20, 60)(line.url, {
      onConnected: () => undefined,
      // From here on nothing gets through, and neither end is told.
      onOpen: () => line.freeze(),
      onText: () => undefined,
      onBytes: () => undefined,
      onClose: (...closed) => resolve(closed),
    });
  });
  t.match(closed, [1006, '', { message: 'the relay was silent for 0.08 s' }]);
  t.equal(pinged(), 0);
});

t.test('a silent relay that answers pings is alive', async (t) => {
  const { url, pinged } = await silentRelay(t);
  const closes: number[] = [];
  const transport = await new Promise<ReturnType<ReturnType<typeof wsTransport>>>((resolve) => {
    const opened = wsTransport(5, 5000)(url, {
      onConnected: () => undefined,
      onOpen: () => resolve(opened),
      onText: () => undefined,
      onBytes: () => undefined,
      onClose: (code) => closes.push(code),
    });
  });
  while (pinged() < 5) await new Promise((resolve) => setImmediate(resolve));
  t.same(closes, []);
  transport.close();
});
