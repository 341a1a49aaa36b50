/** Before the WebSocket is there: paths, headers, methods and addresses. What the socket layer answers by itself is checked here as well. */

import {
  type Answer,
  type Attack,
  ended,
  http,
  httpOf,
  MALFORMED_REQUEST,
  malformedRequest,
  NO_EFFECT,
  notAdmitted,
  refused,
  times,
} from './attack.js';
import { CONNECTIONS_PER_ADDRESS, type Field, ORIGIN, TRUSTED_PROXY } from './field.js';
import { upgradeRequest, type Wire } from './wire.js';

/** Each request alone on a connection; the relay may answer or cut. */
function requests(name: string, answers: readonly Answer[], bytes: readonly string[]): Attack {
  return {
    name,
    answers,
    run: async (field) => {
      const got: Answer[] = [];
      for (const each of bytes) {
        const wire = await field.dial();
        wire.write(each);
        got.push(httpOf(await wire.answer()));
        wire.drop();
      }
      return got;
    },
  };
}

/** The same, for what the socket layer does not take for a request. */
function malformedRequests(name: string, bytes: readonly string[]): Attack {
  const attack = requests(name, [MALFORMED_REQUEST], bytes);
  return { ...attack, run: async (field) => (await attack.run(field)).map(malformedRequest) };
}

/** A request that is not an upgrade. */
const plain = (line: string, ...headers: readonly string[]) =>
  `${line}\r\n${['Host: relay.test', ...headers].join('\r\n')}\r\n\r\n`;

/** Upgrades that become a WebSocket, which is no more than any. */
async function becomesSocket(field: Field, target: string, lines: readonly string[]): Promise<Wire> {
  const wire = await field.dial();
  const answer = await wire.upgrade(target, lines);
  if (answer?.status !== 101) throw new Error(`${target} ${lines} got ${JSON.stringify(answer)}`);
  return wire;
}

/** Opens as many as one address may have, each with other headers, and then one more. */
async function fill(
  field: Field,
  from: string,
  linesOf: (index: number) => readonly string[],
): Promise<Answer> {
  const wires: Wire[] = [];
  for (let index = 0; index < CONNECTIONS_PER_ADDRESS; index += 1)
    wires.push(await field.socket(from, linesOf(index)));
  const last = await field.dial(from);
  const answer = await last.upgrade('/', linesOf(CONNECTIONS_PER_ADDRESS));
  for (const wire of [...wires, last]) wire.drop();
  if (answer?.headers.get('retry-after') !== '1') throw new Error('no Retry-After');
  return httpOf(answer);
}

export const HTTP_ATTACKS: readonly Attack[] = [
  requests(
    'path tricks: dots, slashes, encodings, other cases, other pages',
    [http(404)],
    [
      '/..',
      '/../',
      '//',
      '/./',
      '/%2e%2e/',
      '/%2e',
      '/%2f',
      '/healthz/',
      '/healthz/..',
      '/HEALTHZ',
      '/%68ealthz',
      '/healthz%00',
      '/metrics',
      '/readyz',
      '/v1/lobbies',
      '/admin',
      '/.git/config',
      '/etc/passwd',
      '/..%2f..%2fetc/passwd',
      '/\\..\\',
      '/*',
      '/;/',
      '/a?b#c',
    ].map((path) => plain(`GET ${path} HTTP/1.1`)),
  ),
  requests(
    'an upgrade on another path',
    [http(404)],
    ['/..', '//', '/voice', '/%2e', '/healthz/', '/*', '/.'].map((path) => upgradeRequest(path)),
  ),
  requests(
    'a GET of the WebSocket without an upgrade',
    [http(404)],
    [plain('GET / HTTP/1.1'), plain('GET / HTTP/1.1', 'Upgrade: websocket', 'Connection: Upgrade')],
  ),
  requests(
    'other methods',
    [http(404)],
    [
      ...['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND'].map((method) =>
        plain(`${method} / HTTP/1.1`),
      ),
    ],
  ),
  malformedRequests('invented methods', [plain('BREW / HTTP/1.1'), plain('get / HTTP/1.1')]),
  malformedRequests(
    'anything but HTTP/1.1: CONNECT, URLs as the target, HTTP/1.0 and 2, TLS, SSH, random bytes, bare line feeds',
    [
      plain('CONNECT 127.0.0.1:22 HTTP/1.1'),
      plain('GET http://127.0.0.1:22/ HTTP/1.1'),
      plain('GET http://relay.test/healthz HTTP/1.1'),
      plain('OPTIONS * HTTP/1.1'),
      'GET HTTP/1.1\r\nHost: relay.test\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'GET / HTTP/1.0\r\n\r\n',
      'GET /\r\n\r\n',
      'GET / HTTP/3.0\r\nHost: relay.test\r\n\r\n',
      'GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n',
      '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n',
      'SSH-2.0-OpenSSH_9.2\r\n\r\n',
      '*1\r\n$4\r\nPING\r\n\r\n',
      `${'\u00ff'.repeat(64)}\r\n\r\n`,
      'GET /healthz HTTP/1.1\nHost: a\n\n',
    ],
  ),
  requests('a request without Host', [http(400)], ['GET /healthz HTTP/1.1\r\nAccept: */*\r\n\r\n']),
  // The answer to a client that is still sending may be lost in the reset behind it.
  malformedRequests('a header bomb: a megabyte in one line, ten thousand lines', [
    `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(1_000_000)}`,
    plain('GET / HTTP/1.1', ...times(10_000, 'X: a')),
  ]),
  malformedRequests('a header of 16 KiB, or a path', [
    plain('GET / HTTP/1.1', `X: ${'a'.repeat(16_384)}`),
    `GET /${'a'.repeat(16_384)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  ]),
  requests(
    'request smuggling: two lengths, a length and chunks, a malformed length',
    [http(400)],
    [
      plain('POST / HTTP/1.1', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
      plain('POST / HTTP/1.1', 'Transfer-Encoding: chunked', 'Content-Length: 0'),
      plain('POST / HTTP/1.1', 'Content-Length: -1'),
      plain('POST / HTTP/1.1', 'Content-Length: 1e3'),
      plain('POST / HTTP/1.1', 'Content-Length: 0x10'),
      plain('POST / HTTP/1.1', 'Content-Length: 99999999999999999999'),
    ],
  ),
  {
    name: 'a body before the upgrade, so that it hides a second request',
    answers: [http(404)],
    run: async (field) => {
      const wire = await field.dial();
      const hidden = plain('GET /healthz HTTP/1.1');
      wire.write(`${plain('POST / HTTP/1.1', `Content-Length: ${hidden.length}`)}${hidden}`);
      const answer = await wire.answer();
      wire.drop();
      if (wire.said.some((text) => text.includes('200 OK'))) throw new Error('what was hidden was answered');
      return [httpOf(answer)];
    },
  },
  requests(
    'an upgrade without a key, or with a malformed one',
    [http(404)],
    [
      upgradeRequest('/', ['Sec-WebSocket-Key: -']),
      upgradeRequest('/', ['Sec-WebSocket-Key: short']),
      upgradeRequest('/', [`Sec-WebSocket-Key: ${'A'.repeat(2000)}`]),
    ],
  ),
  {
    name: 'an upgrade of version 8, to h2c or to nothing, with all kinds of subprotocols and extensions',
    answers: [NO_EFFECT],
    run: async (field) => {
      const odd = [
        ['Sec-WebSocket-Version: 8'],
        ['Upgrade: h2c'],
        ['Upgrade: -'],
        ['Sec-WebSocket-Protocol: mqtt, ../../etc'],
        ['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99, x-bomb'],
      ];
      for (const lines of odd) {
        const wire = await field.dial();
        const answer = await wire.upgrade('/', lines);
        wire.drop();
        // uWebSockets accepts it as one of version 13; ws has nothing for it.
        if (answer?.status !== 101 && answer?.status !== 404)
          throw new Error(`${lines}: ${JSON.stringify(answer)}`);
        if (answer.headers.has('sec-websocket-protocol')) throw new Error('a subprotocol was taken');
        if (answer.headers.has('sec-websocket-extensions')) throw new Error('an extension was taken');
      }
      return [NO_EFFECT];
    },
  },
  {
    name: 'a token in the query of the URL, or in a header',
    answers: [refused('credential-expected')],
    run: async (field) => {
      const got: Answer[] = [];
      for (const place of ['query', 'header', 'protocol', 'cookie'] as const) {
        const token = await field.token();
        const target = place === 'query' ? `/?token=${token}&access_token=${token}` : '/';
        const lines = {
          query: [],
          header: [`Authorization: Bearer ${token}`],
          protocol: [`Sec-WebSocket-Protocol: ${token}`],
          cookie: [`Cookie: token=${token}`],
        }[place];
        const wire = await becomesSocket(field, target, lines);
        wire.send({ type: 'hello', versions: [1], lobby: 'arena', name: 'x', steamId: '76561197960265729' });
        got.push(await ended(wire));
      }
      return got;
    },
  },
  {
    name: 'a web page with another origin, none, a similar one, or two',
    answers: [notAdmitted(403)],
    run: async (field) => {
      const origins = [
        'https://evil.example',
        'null',
        '',
        `${ORIGIN}.evil.example`,
        `${ORIGIN}:8443`,
        'http://game.example',
        `${ORIGIN}/`,
        `${ORIGIN}@evil.example`,
        'https://xgame.example',
        `https://evil.example ${ORIGIN}`,
        `${ORIGIN}, https://evil.example`,
        'http://localhost',
        'file://',
      ];
      const got: Answer[] = [];
      for (const origin of origins) {
        const wire = await field.dial();
        got.push(httpOf(await wire.upgrade('/', [`Origin: ${origin}`])));
        wire.drop();
      }
      const twice = await field.dial();
      got.push(httpOf(await twice.upgrade('/', [`Origin: ${ORIGIN}`, 'Origin: https://evil.example'])));
      twice.drop();
      (await field.socket(undefined, [`Origin: ${ORIGIN}`])).drop();
      return got;
    },
  },
  {
    name: 'keeping a connection by requesting /healthz again and again',
    answers: [http(200)],
    run: async (field) => {
      const got: Answer[] = [];
      for (let round = 0; round < 10; round += 1) {
        const wire = await field.dial();
        wire.write('GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n');
        const answer = await wire.answer();
        if (answer?.headers.get('connection') !== 'close') throw new Error('the answer does not close');
        got.push(httpOf(answer));
        await wire.ended();
      }
      return got;
    },
  },
  {
    name: 'refused upgrades, one after the other on one connection',
    answers: [notAdmitted(403)],
    run: async (field) => {
      const wire = await field.dial();
      const upgrade = upgradeRequest('/', ['Origin: https://evil.example']);
      const got = httpOf(await wire.upgrade('/', ['Origin: https://evil.example']));
      wire.write(upgrade.repeat(300));
      await wire.ended();
      return [got];
    },
  },
  {
    name: 'endless refusals, to fill the log',
    answers: [notAdmitted(403)],
    run: async (field) => {
      const startedAt = performance.now();
      const before = field.log.length;
      const got: Answer[] = [];
      for (let sent = 0; sent < 500; sent += 1) {
        const wire = await field.dial();
        got.push(httpOf(await wire.upgrade('/', ['Origin: https://evil.example'])));
      }
      const lines = field.log
        .slice(before)
        .filter((line) => /"event":"(?:not-admitted|refusals)"/.test(line));
      const most = 10 + (performance.now() - startedAt) / 1000;
      if (lines.length > most) throw new Error(`${lines.length} lines of log, expected at most ${most}`);
      return got;
    },
  },
  {
    name: 'more connections from one address than it may have',
    answers: [notAdmitted(429)],
    run: async (field) => [await fill(field, field.address(), () => [])],
  },
  {
    name: 'forged forwarding headers, different for each connection',
    answers: [notAdmitted(429)],
    run: async (field) => {
      const forged = (index: number) => [
        `X-Forwarded-For: 198.51.100.${index}`,
        `Forwarded: for=198.51.100.${index}`,
        `X-Real-IP: 198.51.100.${index}`,
        `CF-Connecting-IP: 198.51.100.${index}`,
        `True-Client-IP: 198.51.100.${index}`,
      ];
      return [await fill(field, field.address(), forged)];
    },
  },
  {
    name: 'a forged chain before the address that a trusted proxy adds',
    answers: [notAdmitted(429)],
    run: async (field) => [
      await fill(field, TRUSTED_PROXY, (index) => [
        `X-Forwarded-For: 203.0.113.${index}, 127.9.0.${index}, 198.51.100.7`,
      ]),
    ],
  },
  {
    name: 'garbage as an address behind a trusted proxy, different each time',
    answers: [notAdmitted(429)],
    run: async (field) => {
      const garbage = (index: number) =>
        [
          `X-Forwarded-For: 999.1.1.${index}`,
          `X-Forwarded-For: _hidden${index}`,
          'X-Forwarded-For: ',
          `Forwarded: for="[::${index}"`,
        ][index % 4]!;
      return [await fill(field, '127.9.0.2', (index) => [garbage(index)])];
    },
  },
  {
    name: 'two forwarding headers that disagree, behind a trusted proxy',
    answers: [notAdmitted(429)],
    run: async (field) => [
      await fill(field, '127.9.0.3', (index) => [
        `X-Forwarded-For: 198.51.100.${index}`,
        'Forwarded: for=203.0.113.9',
      ]),
    ],
  },
  {
    name: 'a PROXY protocol preamble from an untrusted peer',
    answers: [notAdmitted(429)],
    run: async (field) => {
      const from = field.address();
      const wires: Wire[] = [];
      let last: Answer = NO_EFFECT;
      for (let index = 0; index <= CONNECTIONS_PER_ADDRESS; index += 1) {
        const wire = await field.dial(from);
        wires.push(wire);
        wire.write(Buffer.concat([proxyPreamble(index), Buffer.from(upgradeRequest('/'))]));
        last = httpOf(await wire.answer());
      }
      for (const wire of wires) wire.drop();
      return [last];
    },
  },
];

/** Version 2, TCP over IPv4: another source each time. */
function proxyPreamble(index: number): Buffer {
  const head = Buffer.from('0d0a0d0a000d0a515549540a2111000c', 'hex');
  return Buffer.concat([head, Buffer.from([198, 51, 100, index, 127, 0, 0, 1, 0x10, 0, 0x20, 0])]);
}
