/** Limits per address on a real relay: clients with one address share its limits, and only a trusted proxy may forward one. */

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import t, { type Test } from 'tap';
import WebSocket from 'ws';
import { startCli } from '../../kit/cli.js';

async function relayWith(t: Test, ...args: string[]): Promise<string> {
  const relay = startCli(t, ['relay', '--guests', 'listen', '--port', '0', ...args]);
  const [, url = ''] = await relay.printed('stdout', /listens at (\S+) /);
  return url;
}

/** An open connection, or the status that it was refused with. */
async function connect(
  t: Test,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<WebSocket | number> {
  const socket = new WebSocket(url, { headers });
  t.teardown(() => socket.terminate());
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('unexpected-response', (_request, response: IncomingMessage) =>
      resolve(response.statusCode ?? 0),
    );
    socket.once('error', reject);
  });
}

t.test('the connections of an address are limited, whatever address its headers claim', async (t) => {
  const url = await relayWith(t, '--address-limit', 'connections=2');
  const first = (await connect(t, url)) as WebSocket;
  t.type(await connect(t, url, { 'x-forwarded-for': '203.0.113.1' }), WebSocket);
  t.equal(await connect(t, url), 429);
  t.equal(await connect(t, url, { 'x-forwarded-for': '203.0.113.2' }), 429);
  t.equal(await connect(t, url, { forwarded: 'for=203.0.113.3' }), 429);
  first.close();
  await once(first, 'close');
  t.type(await connect(t, url), WebSocket, 'a closed one makes room');
});

t.test('behind a trusted proxy the address is the one that the proxy names', async (t) => {
  const url = await relayWith(t, '--address-limit', 'connections=1', '--trusted-proxy', '127.0.0.1');
  const from = (address: string) => connect(t, url, { 'x-forwarded-for': address });
  t.type(await from('203.0.113.1'), WebSocket);
  t.equal(await from('203.0.113.1'), 429);
  t.equal(await from('203.0.113.2, 203.0.113.1'), 429, 'what the client wrote in front does not count');
  t.type(await from('203.0.113.2'), WebSocket);
  t.type(await from('2001:db8::1'), WebSocket);
  t.equal(await from('2001:db8::2'), 429, 'a /64 is one');
  t.type(await from('garbage'), WebSocket, 'counted for the proxy');
  t.equal(await from('unknown'), 429, 'and shared by all clients that send such headers');
});

t.test('the rate of new connections is limited', async (t) => {
  const limits = ['--address-limit', 'connectionBurst=3', '--address-limit', 'connectionsPerSecond=1'];
  const url = await relayWith(t, ...limits);
  const answers = [];
  for (let n = 0; n < 4; n += 1) answers.push(typeof (await connect(t, url)));
  t.same(answers, ['object', 'object', 'object', 'number']);
});
