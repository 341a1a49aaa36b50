/**
 * The operator's port over real HTTP, hostile requests included, and the drain that it shows. Every wait is
 * for an event; tap bounds them all.
 */

import { once } from 'node:events';
import net from 'node:net';
import t, { type Test } from 'tap';
import WebSocket from 'ws';
import { OPERATIONS_BOUNDS, startOperations } from '../../../relay/operations/operations.js';
import type { OperatorPortBounds } from '../../../relay/operations/operator_port.js';
import type { RelayOptions } from '../../../relay/options.js';
import type { RelayState } from '../../../relay/port/counts.js';
import type { RunningRelay } from '../../../relay/running_relay.js';
import { startRelay } from '../../../relay/server.js';
import { writeMessage } from '../../../voice/control.js';
import { frameOf, helloOf, steamIdOf } from '../kit.js';

const TOKEN = '0123456789abcdefghijklmnopqrstuvwxyz';
const TOKENS = { from: 'a test', read: () => TOKEN };

/** A relay with an operator's port, closed behind the test. */
async function relayFor(
  t: Test,
  options: Partial<RelayOptions> = {},
): Promise<{ relay: RunningRelay; base: string }> {
  const relay = await startRelay({ dev: true, operations: { port: 0 }, ...options });
  t.teardown(() => relay.close());
  return { relay, base: relay.operationsUrl! };
}

/** The operator's port alone, with what it shows in the test's hands. */
async function operationsFor(t: Test, bounds: Partial<OperatorPortBounds> = {}) {
  const { relay } = await relayFor(t);
  const shown: { state: RelayState } = { state: 'listening' };
  const operations = await startOperations(
    { port: 0 },
    { state: () => shown.state, counts: () => relay.counts() },
    { ...OPERATIONS_BOUNDS, ...bounds },
  );
  t.teardown(() => operations.close());
  return { base: operations.url, shown, port: Number(new URL(operations.url).port) };
}

async function get(url: string, method = 'GET') {
  const response = await fetch(url, { method });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** A raw connection; what it was told is complete when it is closed. */
class Raw {
  readonly socket: net.Socket;
  readonly closed: Promise<string>;
  #heard = '';

  constructor(port: number) {
    this.socket = net.connect(port, '127.0.0.1');
    this.socket.on('error', () => undefined);
    this.socket.on('data', (bytes) => {
      this.#heard += bytes.toString('latin1');
    });
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve(this.#heard)));
  }

  static ask(port: number, text: string): Promise<string> {
    const raw = new Raw(port);
    raw.socket.write(text);
    return raw.closed;
  }
}

/** The status of each answer in what a connection was told. */
function statusesOf(heard: string): readonly number[] {
  return [...heard.matchAll(/^HTTP\/1\.1 (\d+) /gm)].map((match) => Number(match[1]));
}

/** A participant on loopback, welcomed. */
async function joined(url: string, account: number): Promise<WebSocket> {
  const socket = new WebSocket(url);
  await once(socket, 'open');
  const welcome = once(socket, 'message');
  socket.send(writeMessage(helloOf(account)));
  await welcome;
  return socket;
}

/** Of an upgrade that fails: its status and when to try again. */
function refusedUpgrade(url: string): Promise<{ status: number; retryAfter: number }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.on('unexpected-response', (request, response) => {
      resolve({ status: response.statusCode ?? 0, retryAfter: Number(response.headers['retry-after']) });
      request.destroy();
    });
    socket.on('open', () => reject(new Error('it was upgraded')));
    socket.on('error', reject);
  });
}

async function metricOf(base: string, name: string): Promise<number> {
  const { text } = await get(`${base}metrics`);
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1),
  );
}

t.test('without operations there is no second port', async (t) => {
  const relay = await startRelay({ dev: true });
  t.teardown(() => relay.close());
  t.equal(relay.operationsUrl, null);
});

t.test('probes answer, and metrics show what the relay counts', async (t) => {
  const { relay, base } = await relayFor(t);
  t.match(base, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  for (const path of ['healthz', 'readyz']) {
    t.match(await get(base + path), { status: 200, text: 'ok\n' }, path);
  }
  const speaker = await joined(relay.url, 1);
  const listener = await joined(relay.url, 2);
  const heard = new Promise((resolve) => {
    listener.on('message', (_data, isBinary) => isBinary && resolve(null));
  });
  const frame = frameOf(1);
  speaker.send(frame);
  await heard;
  const { text, headers } = await get(`${base}metrics`);
  t.equal(headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  for (const line of [
    'hotmic_connections 2',
    'hotmic_participants 2',
    'hotmic_lobbies 1',
    'hotmic_voice_frames_published_total 1',
    `hotmic_voice_bytes_published_total ${frame.length}`,
  ]) {
    t.ok(text.includes(`\n${line}\n`), line);
  }
  t.match(text, /^hotmic_build_info\{version="\d+\.\d+\.\d+",node="[\d.]+"\} 1$/m);
  t.ok((await metricOf(base, 'process_resident_memory_bytes')) > 1e6);
  t.ok((await metricOf(base, 'process_cpu_seconds_total')) > 0);
  t.ok((await metricOf(base, 'nodejs_eventloop_lag_max_seconds')) >= 0);
});

t.test('no answer contains a lobby, a name, a SteamID or text from a client', async (t) => {
  const { relay, base } = await relayFor(t);
  const socket = new WebSocket(relay.url);
  await once(socket, 'open');
  const welcome = once(socket, 'message');
  socket.send(writeMessage({ ...helloOf(7), lobby: 'secretden', name: 'secretkim' }));
  await welcome;
  const hostile = new WebSocket(relay.url);
  await once(hostile, 'open');
  hostile.send('{"type":"secretkind"}');
  await once(hostile, 'close');
  await fetch(relay.url.replace('ws:', 'http:'), { headers: { origin: 'http://secret.example' } });
  for (const path of ['metrics', 'healthz', 'readyz', 'secretpath']) {
    const { text } = await get(base + path);
    t.notMatch(text, /secret/);
    t.notOk(text.includes(steamIdOf(7)));
  }
});

t.test('an unknown path is 404, tricks with paths included', async (t) => {
  const { base, port } = await operationsFor(t);
  t.equal((await get(`${base}metrics?name[]=up`)).status, 200, 'a query is not looked at');
  const targets = [
    '/',
    '//metrics',
    '/metrics/',
    '/metrics/..',
    '/x/../metrics',
    '/%6detrics',
    '/METRICS',
    '/metrics%00',
    '/metrics;x',
    '/readyz#',
    `http://127.0.0.1:${port}/metrics`,
    '/../../etc/passwd',
    `/${'a'.repeat(4000)}`,
    '?/metrics',
    '*',
  ];
  for (const target of targets) {
    const heard = await Raw.ask(port, `GET ${target} HTTP/1.1\r\nhost: x\r\n\r\n`);
    t.ok([404, 400].includes(statusesOf(heard)[0]!), `${target.slice(0, 40)}: ${heard.slice(0, 30)}`);
    t.equal(statusesOf(heard).length, 1);
    t.notMatch(heard, /hotmic_/);
  }
});

t.test('every other method is answered 405 with the allowed one', async (t) => {
  const { port } = await operationsFor(t);
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND']) {
    for (const path of ['/metrics', '/healthz', '/readyz']) {
      const heard = await Raw.ask(port, `${method} ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
      t.same(statusesOf(heard), [405], `${method} ${path}`);
      t.match(heard, /\r\nallow: GET\r\n/);
    }
  }
  t.same(statusesOf(await Raw.ask(port, 'CONNECT x:80 HTTP/1.1\r\nhost: x\r\n\r\n')), [], 'no tunnel');
});

t.test('hostile requests are answered with their code and leave the others alone', async (t) => {
  const { base, port } = await operationsFor(t);
  const get1 = 'GET /healthz HTTP/1.1\r\nhost: x\r\n';
  const cases: readonly [name: string, text: string, statuses: readonly number[]][] = [
    ['a body that is announced and huge', `${get1}content-length: 999999999999\r\n\r\nxxxx`, [413]],
    ['a body in chunks', `${get1}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`, [413]],
    ['a body that asks first', `${get1}content-length: 5\r\nexpect: 100-continue\r\n\r\n`, [413]],
    ['another expectation', `${get1}expect: tea\r\n\r\n`, [200]],
    ['a length of two minds', `${get1}content-length: 5\r\ncontent-length: 6\r\n\r\n`, [400]],
    [
      'length and chunks together',
      `${get1}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n`,
      [400],
    ],
    ['one header too long', `${get1}x: ${'a'.repeat(20_000)}\r\n\r\n`, [431]],
    ['headers too many', `${get1}${'x: y\r\n'.repeat(5000)}\r\n`, [431]],
    ['a path too long', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, [431]],
    ['no host', 'GET /healthz HTTP/1.1\r\n\r\n', [400]],
    ['no HTTP', '\u0000\u0001\u0002\u0003\r\n\r\n', [400]],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000', [400]],
    ['HTTP/2 from the start', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
    ['a header folded', `${get1}x: a\r\n b\r\n\r\n`, [400]],
    ['a bare line feed in a header', `${get1}x: a\nGET /metrics HTTP/1.1\r\n\r\n`, [400]],
    ['fifty requests in one piece', `${get1}\r\n`.repeat(50), [200]],
    [
      'an upgrade',
      `${get1}connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
      [200],
    ],
  ];
  for (const [name, text, statuses] of cases) {
    const heard = await Raw.ask(port, text);
    t.same(statusesOf(heard), statuses, `${name}: ${heard.slice(0, 60)}`);
    t.notMatch(heard, /hotmic_|100 Continue/, name);
  }
  t.equal((await get(`${base}readyz`)).status, 200);
});

t.test('slow clients are cut: nothing sent, half a request, a byte now and then', async (t) => {
  const { base, port } = await operationsFor(t, { withinMs: 300 });
  const silent = new Raw(port);
  const half = new Raw(port);
  half.socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\nx-slow: ');
  const drip = new Raw(port);
  drip.socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\nx-slow: ');
  const timer = setInterval(() => drip.socket.write('a'), 50);
  for (const raw of [silent, half, drip]) t.notMatch(await raw.closed, /hotmic_/);
  clearInterval(timer);
  t.equal((await get(`${base}healthz`)).status, 200);
});

t.test('64 silent connections keep nobody out: the oldest is closed for a new one', async (t) => {
  const { relay, base } = await relayFor(t, { admin: { port: 0, tokens: TOKENS } });
  const ports = [base, relay.adminUrl!].map((url) => Number(new URL(url).port));
  t.equal(OPERATIONS_BOUNDS.connections, 64);
  for (const port of ports) {
    const held = Array.from({ length: 64 }, () => new Raw(port));
    await Promise.all(held.map(({ socket }) => once(socket, 'connect')));
    const target = port === ports[0] ? '/metrics' : '/v1/counts';
    const request = `GET ${target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`;
    for (let i = 0; i < 40; i++) t.same(statusesOf(await Raw.ask(port, request)), [200]);
    const last = held.at(-1)!;
    last.socket.write(request);
    t.same(statusesOf(await last.closed), [200], 'the others stay');
    t.equal(await held[0]!.closed, '', 'the oldest is closed unanswered');
    for (const { socket } of held) socket.destroy();
  }
  const text = (await get(`${base}metrics`)).text;
  for (const port of ['operations', 'admin']) {
    t.match(text, new RegExp(`hotmic_operator_connections_closed_total\\{port="${port}"\\} [1-9]`));
  }
});

t.test('a second request on the same connection is not served', async (t) => {
  const { relay } = await relayFor(t, { admin: { port: 0, tokens: TOKENS } });
  const port = Number(new URL(relay.adminUrl!).port);
  const put = (lobby: string) =>
    `PUT /v1/lobbies/${lobby} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`;
  t.equal(statusesOf(await Raw.ask(port, put('one') + put('two') + put('three'))).length, 1);
  t.equal(relay.counts().lobbies, 1);
});

t.test('readyz says why the relay is not ready; healthz stays ok', async (t) => {
  const { base, shown } = await operationsFor(t);
  for (const state of ['starting', 'draining', 'closing'] as const) {
    shown.state = state;
    t.match(await get(`${base}readyz`), { status: 503, text: `${state}\n` });
    t.match(await get(`${base}healthz`), { status: 200 });
  }
});

t.test('a port in use is named in the error, and the other one is left free', async (t) => {
  const holder = net.createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  t.teardown(() => holder.close());
  const { port } = holder.address() as net.AddressInfo;
  await t.rejects(startRelay({ dev: true, operations: { port } }), {
    code: 'ERR_HOTMIC_PORT_IN_USE',
    message: new RegExp(`operations port ${port} of 127\\.0\\.0\\.1 is in use`),
  });

  const other = net.createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const free = (other.address() as net.AddressInfo).port;
  await new Promise((resolve) => other.close(resolve));
  await t.rejects(startRelay({ dev: true, port, operations: { port: free } }), {
    code: 'ERR_HOTMIC_PORT_IN_USE',
    message: new RegExp(`relay: port ${port} of 127\\.0\\.0\\.1 is in use`),
  });
  await t.rejects(fetch(`http://127.0.0.1:${free}/healthz`), "the operator's port is closed again");
  for (const wrong of [-1, 65_536, 1.5, Number.NaN]) {
    await t.rejects(startRelay({ dev: true, operations: { port: wrong } }), RangeError);
  }
  await t.rejects(startRelay({ dev: true, operations: { port: 0, host: '192.0.2.1' } }), {
    code: 'ERR_HOTMIC_LISTEN',
    message: /operations port 0 of 192\.0\.2\.1/,
  });
});

t.test('closing the relay closes its operations port with its connections', async (t) => {
  const { relay, base } = await relayFor(t);
  const hanging = new Raw(Number(new URL(base).port));
  await once(hanging.socket, 'connect');
  await relay.close();
  t.equal(await hanging.closed, '');
  await t.rejects(fetch(`${base}healthz`));
});

t.test('a drain refuses new connections, keeps the open ones, and ends when they have closed', async (t) => {
  const events: string[] = [];
  const { relay, base } = await relayFor(t, {
    onEvent: (event) => events.push('reason' in event ? event.reason : event.kind),
  });
  const speaker = await joined(relay.url, 1);
  const listener = await joined(relay.url, 2);
  const drained = relay.drain(40_000);
  t.equal(relay.drain(1), drained, 'a second drain is the first');
  t.match(await get(`${base}readyz`), { status: 503, text: 'draining\n' });
  t.match(await get(`${base}healthz`), { status: 200 });
  t.equal(await metricOf(base, 'hotmic_draining'), 1);

  const { status, retryAfter } = await refusedUpgrade(relay.url);
  t.equal(status, 503);
  t.ok(retryAfter >= 1 && retryAfter <= 40, `Retry-After ${retryAfter}`);
  t.ok(events.includes('draining'));
  t.equal(await metricOf(base, 'hotmic_not_admitted_total'), 1);

  const heard = new Promise((resolve) => {
    listener.on('message', (_data, isBinary) => isBinary && resolve(null));
  });
  speaker.send(frameOf(1));
  await heard;
  const closes = [once(speaker, 'close'), once(listener, 'close')];
  speaker.send(writeMessage({ type: 'leave' }));
  listener.send(writeMessage({ type: 'leave' }));
  for (const [code] of await Promise.all(closes)) t.equal(code, 1000, 'they left, nobody closed them');
  await drained;
  await t.rejects(fetch(`${base}healthz`));
});

t.test('a drain whose time is over closes the remaining connections with 1001', async (t) => {
  const { relay } = await relayFor(t);
  const socket = await joined(relay.url, 1);
  const closed = once(socket, 'close');
  await relay.drain(50);
  t.equal((await closed)[0], 1001);
});

t.test('a drain without connections is over at once, and close ends a drain', async (t) => {
  const { relay: empty } = await relayFor(t);
  await empty.drain(86_400_000);
  const { relay } = await relayFor(t);
  const socket = await joined(relay.url, 1);
  const closed = once(socket, 'close');
  const drained = relay.drain(86_400_000);
  await relay.close();
  await drained;
  t.equal((await closed)[0], 1001);
  await relay.drain(5);
  t.pass('a relay that is closed has nothing to drain');
});

t.test('an invalid time to drain is refused at once', async (t) => {
  const { relay } = await relayFor(t);
  for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY, 86_400_001]) {
    t.throws(() => relay.drain(wrong), {
      name: 'RangeError',
      message: /withinMs is .*, expected 0 to 86400000/,
    });
  }
  t.match(relay.counts(), { connections: 0 });
});
