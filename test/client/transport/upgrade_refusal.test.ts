/** A refused upgrade: status, text and Retry-After reach the caller safely, whatever a hostile relay sends. */

import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import t, { type Test } from 'tap';
import { joinLobby, UpgradeRefusedError } from '../../../client/index.js';
import { startRelay } from '../../../relay/index.js';
import { personSteamId } from '../../../voice/steam_id.js';

const ada = { lobby: 'den', name: 'Ada', steamId: personSteamId(1) };

/** A server that answers each upgrade with `answer`. */
async function refusing(t: Test, answer: (socket: net.Socket) => void): Promise<string> {
  const server = http.createServer();
  const sockets = new Set<net.Socket>();
  server.on('upgrade', (_request, socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    answer(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as net.AddressInfo).port}/`;
}

async function refusal(url: string): Promise<UpgradeRefusedError> {
  const thrown = await joinLobby({ ...ada, url }).then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown instanceof UpgradeRefusedError) return thrown;
  throw new Error(`not refused: ${thrown}`);
}

const plain = (head: string, body: string) =>
  `HTTP/1.1 ${head}\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

t.test('status, text and Retry-After of a refusal reach the caller as numbers and text', async (t) => {
  const cases: [head: string, body: string, expected: Partial<UpgradeRefusedError>][] = [
    ['403 Forbidden', 'not from here', { status: 403, retryAfterS: null, reason: 'not from here' }],
    ['404 Not Found', 'no voice here', { status: 404, retryAfterS: null, reason: 'no voice here' }],
    [
      '429 Too Many Requests\r\nretry-after: 7',
      'too many',
      { status: 429, retryAfterS: 7, reason: 'too many' },
    ],
    [
      '503 Service Unavailable\r\nretry-after: 0',
      '',
      { status: 503, retryAfterS: 0, reason: 'Service Unavailable' },
    ],
    [
      '503 Away\r\ndate: Tue, 01 Jan 2030 00:00:00 GMT\r\nretry-after: Tue, 01 Jan 2030 00:01:00 GMT',
      'soon',
      { status: 503, retryAfterS: 60, reason: 'soon' },
    ],
    ['429 Slow\r\nretry-after: 99999999999', 'x', { status: 429, retryAfterS: 86_400 }],
    ['429 Slow\r\nretry-after: tomorrow', 'x', { status: 429, retryAfterS: null }],
  ];
  for (const [head, body, expected] of cases) {
    const error = await refusal(await refusing(t, (socket) => socket.end(plain(head, body))));
    t.match(error, { code: 'ERR_HOTMIC_REFUSED', ...expected }, head);
    t.ok(error.message.includes(`(HTTP ${expected.status})`));
    if (expected.reason) t.ok(error.message.includes(expected.reason));
  }
});

t.test("a proxy's HTML page is not shown, its reason phrase is", async (t) => {
  const page = 'HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\n\r\n<html>down</html>';
  const error = await refusal(await refusing(t, (socket) => socket.end(page)));
  t.match(error, { status: 502, reason: 'Bad Gateway' });
});

t.test('an endless refusal is cut, and one that hangs is still reported', async (t) => {
  const endless = await refusing(t, (socket) => {
    socket.write('HTTP/1.1 403 No\r\ncontent-type: text/plain\r\n\r\n');
    const more = () => {
      while (socket.writable && socket.write('y'.repeat(65_536)));
    };
    socket.on('drain', more);
    more();
  });
  t.equal((await refusal(endless)).reason.length, 501, '500 characters and the mark of the cut');
  const hanging = await refusing(t, (socket) =>
    socket.write('HTTP/1.1 403 No\r\ncontent-type: text/plain\r\ncontent-length: 50\r\n\r\nhalf of it'),
  );
  t.match(await refusal(hanging), { status: 403, reason: 'half of it' });
});

t.test('escape sequences in a refusal do not reach the error', async (t) => {
  const evil = '\u001b[2J\u001b]0;owned\u0007\u202eno\r\n\u009bm';
  const error = await refusal(await refusing(t, (socket) => socket.end(plain('403 Forbidden', evil))));
  t.equal(error.reason, '[2J]0;ownedno m');
  t.notMatch(error.message, /[\p{Cc}\p{Cf}]/u);
});

t.test('a password in the URL is in no message', async (t) => {
  const url = await refusing(t, (socket) => socket.end(plain('403 Forbidden', 'no')));
  const { message } = await refusal(url.replace('ws://', 'ws://ada:secret@'));
  t.notMatch(message, /secret|ada/);
});

t.test('the real relay says why it accepts no more connections from an address', async (t) => {
  const k = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyzABCD').toString('base64url');
  const tokens = { keys: { keys: [{ kty: 'oct', kid: 'a', alg: 'HS256', k }] } };
  const relay = await startRelay({ tokens, guests: 'listen', addressLimits: { connections: 1 } });
  t.teardown(() => relay.close());
  const first = await joinLobby({ lobby: 'den', name: 'Ben', url: relay.url });
  const error = await refusal(relay.url);
  t.equal(error.status, 429);
  t.ok(error.retryAfterS !== null && error.retryAfterS > 0);
  t.match(error.reason, /connections/);
  await first.leave();
});
