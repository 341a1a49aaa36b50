/** What only the layer of ws does with connections before they are WebSockets. */

import { once } from 'node:events';
import t from 'tap';
import { WS_LAYER } from '../../../../../relay/port/sockets/ws/server.js';
import { Port, until, upgradeRequest } from '../kit.js';

const statusOf = ({ heard }: { heard: string }) => Number(/^HTTP\/1\.1 (\d+) /.exec(heard)?.[1]);

t.test('what is not quite a request for a WebSocket is answered with 404', async (t) => {
  const port = await Port.open(t, WS_LAYER);
  const changed = (from: string | RegExp, to: string) => upgradeRequest().replace(from, to);
  const requests = [
    changed('Version: 13', 'Version: 8'),
    changed('Upgrade: websocket', 'Upgrade: h2c'),
    changed(/Sec-WebSocket-Key: .*\r\n/, ''),
    changed('dGhlIHNhbXBsZSBub25jZQ==', 'short'),
    upgradeRequest('/', ['Content-Length: 2']).concat('ab'),
    upgradeRequest('/', ['Transfer-Encoding: chunked']).concat('0\r\n\r\n'),
  ];
  for (const request of requests) {
    const wire = await port.wire();
    wire.write(request);
    await once(wire, 'close');
    t.equal(statusOf(wire), 404, request);
  }
  const empty = await port.wire();
  empty.write(upgradeRequest('/', ['Content-Length: 0']));
  await port.opened(1);
  empty.destroy();
  await until(() => port.counts.released === requests.length && port.counts.webSocketsClosed === 1);
});

t.test('every header reaches the decision, however many there are', async (t) => {
  const port = await Port.open(t, WS_LAYER);
  const wire = await port.wire();
  // Beyond about a thousand, Node would leave out the rest, and with it what a proxy appends.
  const many = Array.from({ length: 1600 }, () => 'a:');
  wire.write(upgradeRequest('/', [...many, 'X-Forwarded-For: 192.0.2.7']));
  await port.opened(1);
  t.same(port.requests[0]?.headers.at(-1), ['x-forwarded-for', '192.0.2.7']);
  wire.destroy();
});

t.test('more than 8 KiB of headers are refused, and the connection is closed', async (t) => {
  const port = await Port.open(t, WS_LAYER);
  const wire = await port.wire();
  wire.write(upgradeRequest('/', [`X: ${'a'.repeat(8200)}`]));
  await once(wire, 'close');
  t.equal(statusOf(wire), 431);
  await until(() => port.counts.released === 1);
});

t.test('a connection that ends before its request, or within a preamble, is released', async (t) => {
  const port = await Port.open(t, WS_LAYER);
  for (const bytes of ['', '\r\n\r\n', 'GET / HT', upgradeRequest().slice(0, -2)]) {
    const wire = await port.wire();
    const closed = once(wire, 'close');
    wire.end(bytes);
    await closed;
  }
  await until(() => port.counts.released === 4);
  t.same(port.requests, []);
});

t.test('a connection without a whole request is cut when its time is over', async (t) => {
  let now = 0;
  const port = await Port.open(t, WS_LAYER, {}, { now: () => now });
  const [silent, begun] = [await port.wire(), await port.wire()];
  begun.write('GET / HTTP/1.1\r\nHost: a\r\n');
  const ends = [silent, begun].map((wire) => once(wire, 'close'));
  await until(() => port.counts.admitted === 2);
  now = 9999;
  const late = await port.wire();
  await until(() => port.counts.admitted === 3);
  now = 10_000;
  await Promise.all(ends);
  t.notOk(late.destroyed, 'one that came later has time left');
  await until(() => port.counts.released === 2);
  late.destroy();
});
