/** The operator's port: it tells counts, takes no orders, and holds nobody's connection for long. */

import net from 'node:net';
import { type Answer, type Attack, CUT, http, httpOf, times } from './attack.js';
import type { Field } from './field.js';
import { DEADLINE_MS } from './wire.js';

function asks(name: string, answers: readonly Answer[], requests: readonly string[]): Attack {
  return {
    name,
    answers,
    run: async (field) => {
      const got: Answer[] = [];
      for (const request of requests) got.push(httpOf(await field.ask(field.operationsPort, request)));
      return got;
    },
  };
}

const plain = (line: string, ...headers: readonly string[]) =>
  `${line}\r\n${['Host: relay.test', ...headers].join('\r\n')}\r\n\r\n`;

export const OPERATIONS_ATTACKS: readonly Attack[] = [
  asks(
    'operations: path tricks',
    [http(404)],
    [
      '/',
      '//metrics',
      '/metrics/',
      '/metrics/..',
      '/./metrics',
      '/%6detrics',
      '/METRICS',
      '/metrics%00',
      '/../metrics',
      '/healthz/x',
      '/v1/lobbies',
      '/..%2f..%2fetc/passwd',
    ].map((path) => plain(`GET ${path} HTTP/1.1`)),
  ),
  asks(
    'operations: other methods than GET',
    [http(405)],
    ['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE'].map((method) =>
      plain(`${method} /metrics HTTP/1.1`),
    ),
  ),
  asks(
    'operations: a body, in one piece or in chunks',
    [http(413)],
    [
      `${plain('GET /metrics HTTP/1.1', 'Content-Length: 5')}hello`,
      `${plain('POST /metrics HTTP/1.1', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`,
      plain('POST /metrics HTTP/1.1', 'Content-Length: 10000000000', 'Expect: 100-continue'),
    ],
  ),
  asks(
    'operations: a header bomb',
    [http(431)],
    [
      plain('GET /metrics HTTP/1.1', `X: ${'a'.repeat(20_000)}`),
      plain(`GET /${'a'.repeat(20_000)} HTTP/1.1`),
    ],
  ),
  asks(
    'operations: request smuggling and anything but HTTP',
    [http(400)],
    [
      plain('POST /metrics HTTP/1.1', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
      plain('POST /metrics HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2'),
      plain('GET /metrics HTTP/1.1', 'X\0: a'),
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      '\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n',
    ],
  ),
  asks(
    'operations: CONNECT, and an upgrade to a WebSocket',
    [CUT, http(404)],
    [
      plain('CONNECT 127.0.0.1:22 HTTP/1.1'),
      plain(
        'GET / HTTP/1.1',
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
        'Sec-WebSocket-Version: 13',
      ),
    ],
  ),
];

/** Held open, to keep operators out: they get through all the same. */
async function holdOpen(
  field: Field,
  port: number,
  asks: () => Promise<{ readonly status: number }>,
): Promise<Answer[]> {
  const open = (): Promise<net.Socket> =>
    new Promise((resolve, reject) => {
      const socket = net.connect({ host: '127.0.0.1', port, localAddress: field.address() });
      socket.on('error', () => undefined);
      socket.once('connect', () => resolve(socket)).once('error', reject);
    });
  const sockets = await Promise.all(times(200, null).map(open));
  const closed = sockets.map(
    (socket) =>
      new Promise<Answer>((resolve, reject) => {
        if (socket.closed) {
          resolve(CUT);
          return;
        }
        const timer = setTimeout(() => reject(new Error(`still open after ${DEADLINE_MS} ms`)), DEADLINE_MS);
        socket.resume().once('close', () => {
          clearTimeout(timer);
          resolve(CUT);
        });
      }),
  );
  for (let round = 0; round < 40; round += 1) {
    const { status } = await asks();
    if (status !== 200) throw new Error(`an operator's request ${round} is answered ${status}`);
  }
  return Promise.all(closed);
}

export const SLOW_OPERATIONS_ATTACKS: readonly Attack[] = [
  {
    name: 'operations: two hundred silent connections',
    answers: [CUT],
    run: (field) => holdOpen(field, field.operationsPort, () => field.get(field.operationsPort, '/metrics')),
  },
  {
    name: 'admin: two hundred silent connections',
    answers: [CUT],
    run: (field) => {
      const headers = { authorization: `Bearer ${field.adminToken}` };
      return holdOpen(field, field.adminPort, () => field.get(field.adminPort, '/v1/counts', headers));
    },
  },
];
