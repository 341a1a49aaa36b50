/** A page that a port serves beside its WebSockets: the same sentences on each layer that loads here. */

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import t from 'tap';
import {
  type HttpAnswer,
  MAX_PAGE_ANSWERS,
  type PlainRequest,
} from '../../../../relay/port/sockets/layer.js';
import { eachLayer, Port, until, upgradeRequest } from './kit.js';

/** More than a socket's buffers take, and not text in UTF-8. */
const LARGE = Buffer.alloc(4_000_000, 0xfe);
function page({ path, acceptEncoding, ifNoneMatch }: PlainRequest): HttpAnswer | null {
  if (path === '/large' && acceptEncoding === 'br')
    return { status: '200 OK', headers: [['content-encoding', 'br']], body: LARGE };
  if (path !== '/') return null;
  if (ifNoneMatch === '"1"') return { status: '304 Not Modified', headers: [['etag', '"1"']], body: '' };
  return { status: '200 OK', headers: [['content-type', 'text/html']], body: Buffer.from('<p>ä</p>') };
}

interface Got {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  readonly localPort: number;
}

async function get(port: number, path: string, options: http.RequestOptions = {}): Promise<Got> {
  const request = http.get({ host: '127.0.0.1', port, path, ...options });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const { localPort = 0 } = response.socket;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const { statusCode: status = 0, headers } = response;
  return { status, headers, body: Buffer.concat(chunks), localPort };
}

await eachLayer(t, async (t, layer) => {
  await t.test('a file comes whole, whatever its size, with its headers', async (t) => {
    const port = await Port.open(t, layer, {}, { page });
    const small = await get(port.port, '/');
    t.equal(small.body.toString(), '<p>ä</p>');
    t.match(small, { status: 200, headers: { 'content-type': 'text/html' } });
    const large = await get(port.port, '/large', { headers: { 'accept-encoding': 'br' } });
    t.equal(large.headers['content-encoding'], 'br');
    t.ok(large.body.equals(LARGE), `${large.body.length} bytes`);
    const same = await get(port.port, '/', { headers: { 'if-none-match': '"1"' } });
    t.match(same, { status: 304, headers: { etag: '"1"' } });
  });

  await t.test('what is no file is not found, and ends the connection', async (t) => {
    const port = await Port.open(t, layer, {}, { page });
    for (const path of ['/none', '/large', '/../', '/%2e'])
      t.equal((await get(port.port, path)).status, 404, path);
    t.equal((await get(port.port, '/', { method: 'POST' })).status, 404);
    t.equal((await get(port.port, '/healthz')).body.toString(), 'ok\n');
    await until(() => port.counts.released === port.counts.admitted);
  });

  await t.test('one connection serves a bounded number of files, and counts until it closes', async (t) => {
    const port = await Port.open(t, layer, {}, { page });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const places: number[] = [];
    for (let file = 0; file < MAX_PAGE_ANSWERS + 1; file++) {
      places.push((await get(port.port, '/', { agent })).localPort);
      if (layer.library !== 'uWebSockets.js' && file === 0)
        t.same(port.counts, { admitted: 1, released: 0, webSocketsClosed: 0 });
    }
    const most = layer.library === 'uWebSockets.js' ? 1 : MAX_PAGE_ANSWERS;
    t.equal(new Set(places.slice(0, most)).size, 1);
    t.equal(new Set(places.slice(0, most + 1)).size, 2);
    agent.destroy();
    await until(() => port.counts.released === port.counts.admitted);
  });

  await t.test('a client that leaves in the middle of a file is released', async (t) => {
    const port = await Port.open(t, layer, {}, { page });
    const wire = net.connect(port.port, '127.0.0.1');
    wire.write('GET /large HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\n\r\n');
    await once(wire, 'readable');
    wire.destroy();
    await until(() => port.counts.released === 1);
    t.same(port.counts, { admitted: 1, released: 1, webSocketsClosed: 0 });
  });

  await t.test('a second request before the file is there cuts the connection', async (t) => {
    const port = await Port.open(t, layer, {}, { page });
    const wire = net.connect(port.port, '127.0.0.1');
    wire.on('error', () => undefined);
    const request = 'GET /large HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\n\r\n';
    wire.write(request + request);
    await until(() => port.counts.released === 1);
    wire.destroy();
    t.equal(port.counts.admitted, 1);
  });

  const skip = layer.library === 'uWebSockets.js' && 'it closes each connection after a file';
  await t.test('a connection with a file behind it may become a WebSocket', { skip }, async (t) => {
    const port = await Port.open(t, layer, {}, { page });
    const wire = net.connect(port.port, '127.0.0.1');
    wire.on('error', () => undefined);
    wire.setEncoding('latin1');
    let heard = '';
    wire.on('data', (text: string) => {
      heard += text;
    });
    wire.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => heard.includes('</p>'));
    wire.write(upgradeRequest());
    await until(() => heard.includes('101 Switching Protocols'));
    wire.destroy();
    await until(() => port.counts.webSocketsClosed === 1);
    t.same(port.counts, { admitted: 1, released: 0, webSocketsClosed: 1 });
  });
});
