/** HTTP on the voice port: one answer a connection, counted from accept to close, with TLS and without. */

import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import WebSocket from 'ws';
import type { RelayOptions } from '../../../relay/options.js';
import type { RunningRelay } from '../../../relay/running_relay.js';
import { startRelay } from '../../../relay/server.js';
import { newAuthority } from '../../kit/certificates.js';

const AUTHORITY = newAuthority();

async function relayFor(
  t: Test,
  port: 'plain' | 'tls',
  options: Partial<RelayOptions> = {},
): Promise<RunningRelay> {
  const { chain, key } = AUTHORITY.issue({ name: 'relay.test' });
  const folder = t.testdir({ 'chain.pem': chain, 'key.pem': key });
  const files = { certFile: join(folder, 'chain.pem'), keyFile: join(folder, 'key.pem') };
  const relay = await startRelay({ guests: 'listen', ...(port === 'tls' && { tls: files }), ...options });
  t.teardown(() => relay.close());
  return relay;
}

/** Sends this, and gives all that came until the relay closed. */
async function told(relay: RunningRelay, bytes: string): Promise<string> {
  const where = { host: '127.0.0.1', port: relay.port };
  const socket = relay.url.startsWith('wss:')
    ? tls.connect({ ...where, ca: AUTHORITY.certificate, servername: 'relay.test' })
    : net.connect(where);
  let heard = '';
  socket
    .on('error', () => undefined)
    .on('data', (part) => {
      heard += part.toString('latin1');
    });
  socket.write(bytes);
  await once(socket, 'close');
  return heard;
}

/** Waits until what ended on the other side has ended here. */
async function connectionsOf(relay: RunningRelay, wanted: number): Promise<number> {
  const deadline = performance.now() + 60_000;
  while (relay.counts().tcp.connections !== wanted && performance.now() < deadline) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  return relay.counts().tcp.connections;
}

const plain = (line: string, body = '') => `${line} HTTP/1.1\r\nHost: a\r\n${body}\r\n`;
const upgrade = (line = '') =>
  'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${line}\r\n`;
const REFUSED = upgrade('Origin: https://elsewhere.example\r\n');

for (const port of ['plain', 'tls'] as const) {
  t.test(`every answer but 101 closes its connection (${port})`, async (t) => {
    const relay = await relayFor(t, port);
    const cases: [status: number, request: string][] = [
      [200, plain('GET /healthz')],
      [404, plain('GET /elsewhere')],
      [404, `${plain('POST /healthz', 'Content-Length: 3\r\n')}abc`],
      [404, plain('POST /', 'Content-Length: 1000000\r\n')],
      [404, plain('HEAD /healthz')],
      [403, REFUSED],
    ];
    for (const [status, request] of cases) {
      const heard = await told(relay, request);
      t.match(
        heard,
        new RegExp(`^HTTP/1\\.1 ${status} [^]*\r\n[Cc]onnection: close\r\n`),
        request.split('\r\n', 1).join(),
      );
    }
    t.equal(await connectionsOf(relay, 0), 0, 'each is counted until it is closed');
  });

  t.test(`a second request in the same chunk is not served (${port})`, async (t) => {
    const relay = await relayFor(t, port);
    const pieces = [
      plain('GET /healthz').repeat(300),
      REFUSED.repeat(300),
      plain('GET /healthz') + upgrade(),
      REFUSED + upgrade(),
    ];
    for (const piece of pieces) {
      const heard = await told(relay, piece);
      t.ok(heard.split('HTTP/1.1 ').length <= 2, 'at most one answer');
      t.notMatch(heard, / 101 /);
    }
    t.equal(relay.counts().notAdmitted, 2, 'of 301 refused upgrades two were read');
    t.equal(relay.counts().connections, 0);
    t.equal(await connectionsOf(relay, 0), 0);
  });

  t.test(`a connection counts while it is silent, and while it is a WebSocket (${port})`, async (t) => {
    const relay = await relayFor(t, port, { addressLimits: { connections: 2 } });
    const silent = [1, 2].map(() => net.connect(relay.port, '127.0.0.1').on('error', () => undefined));
    t.equal(await connectionsOf(relay, 2), 2);
    const sockets = [1, 2].map(
      () =>
        new WebSocket(relay.url, {
          ca: AUTHORITY.certificate,
          servername: 'relay.test',
        } as WebSocket.ClientOptions),
    );
    await Promise.all(sockets.map((socket) => once(socket, 'open')));
    t.equal(relay.counts().tcp.connections, 4);
    const further = net
      .connect(relay.port, '127.0.0.1')
      .on('error', () => undefined)
      .resume();
    await once(further, 'close');
    t.match(relay.counts(), { notAdmitted: 1, tcp: { connections: 4, refused: { 'address-full': 1 } } });
    for (const socket of silent) socket.destroy();
    t.equal(await connectionsOf(relay, 2), 2);
    for (const socket of sockets) socket.on('error', () => undefined).terminate();
    t.equal(await connectionsOf(relay, 0), 0);
  });
}

t.test('a connection beyond what open files allow is closed and reported', async (t) => {
  const kinds: string[] = [];
  const relay = await relayFor(t, 'plain', {
    onEvent: (event) => kinds.push(event.kind === 'not-admitted' ? event.reason : event.kind),
    limits: { connections: 1 },
    addressLimits: { connections: 10_000, connectionBurst: 10_000 },
  });
  const { most } = relay.counts().tcp;
  t.ok(most >= 1 && most <= 1002, `${most}`);
  const sockets: net.Socket[] = [];
  let closed = 0;
  for (let i = 0; i < most + 3; i++) {
    const socket = net
      .connect(relay.port, '127.0.0.1')
      .on('error', () => undefined)
      .resume();
    socket.once('close', () => {
      closed += 1;
    });
    sockets.push(socket);
    await once(socket, 'connect');
  }
  while (closed < 3) await new Promise((resolve) => setImmediate(resolve));
  t.match(relay.counts().tcp, { connections: most, refused: { 'connections-full': 3 } });
  t.equal(kinds[0], 'connections-full');
  for (const socket of sockets) socket.destroy();
  t.equal(await connectionsOf(relay, 0), 0);
});

t.test('a refused connection counts until its peer closes it', async (t) => {
  const relay = await relayFor(t, 'plain');
  const socket = net.connect({ host: '127.0.0.1', port: relay.port, allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  socket.write(upgrade());
  await once(socket, 'data');
  // A binary message before the hello, masked with zeros.
  socket.write(Buffer.of(0x82, 0x81, 0, 0, 0, 0, 1));
  socket.resume();
  await once(socket, 'end');
  t.match(relay.counts(), { connections: 0, tcp: { connections: 0, closing: 1 } });
});
