/** A hostile relay may send anything: none of it controls the terminal, and none of it crashes a command. */

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { WebSocket } from 'ws';
import { personSteamId } from '../../../voice/steam_id.js';
import { samplesOfMs } from '../../../voice/units.js';
import { readVoiceHeader } from '../../../voice/wire.js';
import { runCli, startCli } from '../../kit/cli.js';
import { frame, kim, relayThat, welcome } from './hostile_kit.js';

const ESCAPE = '\u001b';
/** Turns the text behind it around. */
const OVERRIDE = '\u202e';

t.test('escapes in messages of a relay do not reach the terminal', async (t) => {
  const evil = `${ESCAPE}[2J${ESCAPE}]0;owned\u0007\r\n${OVERRIDE}x`;
  const answers: Record<string, [(socket: WebSocket) => void, code: string]> = {
    'the name of a participant': [(socket) => socket.send(welcome(kim(evil))), 'PROTOCOL'],
    'a refusal': [
      (socket) => {
        socket.send(JSON.stringify({ type: 'refused', code: evil, message: evil }));
        socket.close(4006);
      },
      'REFUSED',
    ],
    'the reason of a close': [(socket) => socket.close(4999, evil), 'CONNECTION_LOST'],
    'a type of message': [(socket) => socket.send(JSON.stringify({ type: evil })), 'PROTOCOL'],
    'no JSON': [(socket) => socket.send(evil), 'PROTOCOL'],
  };
  for (const [what, [answer, code]] of Object.entries(answers)) {
    const {
      code: exit,
      stdout,
      stderr,
    } = await runCli(t, ['listen', await relayThat(t, answer), '-l', 'den']);
    t.equal(exit, 1, what);
    t.match(stderr, new RegExp(`^hotmic: [^\n]* \\[ERR_HOTMIC_${code}\\]\n$`), 'one line');
    for (const bad of [ESCAPE, '\r', '\u0007', OVERRIDE]) t.notOk((stdout + stderr).includes(bad));
  }
});

t.test('the reason for a refused upgrade is printed on one line and without escapes', async (t) => {
  const server = http.createServer();
  server.on('upgrade', (_request, socket) => {
    const head = 'HTTP/1.1 429 Too Many Requests\r\ncontent-type: text/plain\r\nretry-after: 7\r\n\r\n';
    socket.on('error', () => undefined).end(`${head}too many${ESCAPE}[2J\r\n${OVERRIDE}connections`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  const { code, stdout, stderr } = await runCli(t, ['listen', `ws://127.0.0.1:${port}`, '-l', 'den']);
  t.equal(code, 1);
  t.equal(
    stderr,
    `hotmic: Relay at ws://127.0.0.1:${port}/ refused the connection (HTTP 429): too many[2J connections; try again in 7 s [ERR_HOTMIC_REFUSED]\n`,
  );
  t.equal(stdout, '');
});

t.test('a name that reverses the text direction is shown without doing so', async (t) => {
  const folder = t.testdir();
  const url = await relayThat(t, (socket) => {
    socket.send(welcome(kim(`${OVERRIDE}miK\u200b`)));
    socket.send(frame(1, 0));
    socket.send(JSON.stringify({ type: 'speaking', slot: 1, speaking: true }));
    socket.send(JSON.stringify({ type: 'left', slot: 1 }));
  });
  const record = startCli(t, ['record', url, '-l', 'den', '-o', folder]);
  await record.printed('stderr', /miK speaks/);
  record.signal('SIGINT');
  const { code, stdout, stderr } = await record.ended;
  t.equal(code, 0);
  t.match(stdout, /\/miK-\d+\.wav /);
  t.notOk((stdout + stderr).includes(OVERRIDE));
});

t.test('a participant who leaves in the same chunk as the welcome crashes nothing', async (t) => {
  for (const command of ['listen', 'record']) {
    const url = await relayThat(t, (socket) => {
      socket.send(welcome(kim('Kim')));
      socket.send(frame(1, 0));
      socket.send(JSON.stringify({ type: 'left', slot: 1 }));
      socket.close(1001);
    });
    const args = [
      command,
      url,
      '-l',
      'den',
      '--no-reconnect',
      ...(command === 'record' ? ['-o', t.testdir()] : []),
    ];
    const { code, stderr } = await runCli(t, args);
    t.equal(code, 1);
    t.match(stderr, /\nhotmic: Relay closed the connection \(1001\) \[ERR_HOTMIC_CONNECTION_LOST\]\n$/);
  }
});

t.test('a participant in a reused slot is heard from the first frame', async (t) => {
  const folder = t.testdir();
  const url = await relayThat(t, (socket) => {
    socket.send(welcome(kim('Kim')));
    for (let sequence = 100; sequence < 150; sequence += 1) socket.send(frame(1, sequence));
    socket.send(JSON.stringify({ type: 'left', slot: 1 }));
    const ben = { ...kim('Ben'), steamId: String(personSteamId(10)) };
    socket.send(JSON.stringify({ type: 'joined', participant: ben }));
    for (let sequence = 0; sequence < 5; sequence += 1) socket.send(frame(1, sequence));
    socket.send(JSON.stringify({ type: 'speaking', slot: 1, speaking: true }));
  });
  const record = startCli(t, ['record', url, '-l', 'den', '-o', folder]);
  await record.printed('stderr', /Ben speaks/);
  record.signal('SIGINT');
  const { code, stdout } = await record.ended;
  t.equal(code, 0);
  t.match(stdout, /Ben-\d+\.wav/, 'Ben has a track');
});

t.test('a relay that hangs does not keep a command from ending', async (t) => {
  const url = await relayThat(t, (socket) => {
    socket.send(welcome());
    // Reads nothing more: neither the leave nor the close is answered.
    socket.pause();
  });
  const listen = startCli(t, ['listen', url, '-l', 'den']);
  await listen.printed('stderr', /In lobby/);
  listen.signal('SIGINT');
  const { code, stderr } = await listen.ended;
  t.equal(code, 0, 'in order, and not by the limit of time');
  t.notMatch(stderr, /ERR_HOTMIC/);
});

t.test('a second Ctrl-C ends a command at once', async (t) => {
  const url = await relayThat(t, (socket) => {
    socket.send(welcome());
    socket.pause();
  });
  const listen = startCli(t, ['listen', url, '-l', 'den']);
  await listen.printed('stderr', /In lobby/);
  listen.signal('SIGINT');
  // The first one was handled when the second comes: it cannot be told from outside, so it is sent until it is.
  const timer = setInterval(() => listen.signal('SIGINT'), 100);
  const { code } = await listen.ended;
  clearInterval(timer);
  t.equal(code, 130);
});

/** Each command that joins, and its other arguments. */
function joiners(t: Test): readonly (readonly string[])[] {
  return [['listen'], ['record', '-o', join(t.testdir(), 'out')], ['talk', '--tone', '440']];
}

t.test('Ctrl-C ends a command at once while a server accepts and never answers', async (t) => {
  const server = net.createServer();
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  for (const [command = '', ...options] of joiners(t)) {
    const connected = once(server, 'connection');
    const running = startCli(t, [command, url, '-l', 'den', ...options]);
    await connected;
    running.signal('SIGINT');
    const { code, signal, stdout, stderr } = await running.ended;
    // After the 10 s that a connection may take it would end with an error.
    t.match({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: '', stderr: '' }, command);
  }
});

t.test('Ctrl-C ends a command at once while the welcome is missing', async (t) => {
  for (const [command = '', ...options] of joiners(t)) {
    let sayAsked: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      sayAsked = resolve;
    });
    const url = await relayThat(t, () => sayAsked());
    const running = startCli(t, [command, url, '-l', 'den', ...options]);
    await asked;
    running.signal('SIGINT');
    const { code, signal, stdout, stderr } = await running.ended;
    t.match({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: '', stderr: '' }, command);
  }
});

t.test('losing the relay during the tail is a failure', async (t) => {
  let firstTimestamp: number | null = null;
  let isLost = false;
  const url = await relayThat(t, (socket) => {
    socket.on('message', (frame: Buffer, isBinary) => {
      const header = isBinary ? readVoiceHeader(frame) : null;
      if (header?.kind !== 'header' || isLost) return;
      firstTimestamp ??= header.timestamp;
      // What was captured this late was captured with the key up; most of the tail, over two seconds, is still to come.
      if (header.timestamp - firstTimestamp < samplesOfMs(540)) return;
      isLost = true;
      socket.terminate();
    });
    socket.send(welcome());
  });
  const args = [
    'talk',
    url,
    '-l',
    'den',
    '--no-reconnect',
    '--tone',
    '440',
    '--seconds',
    '0.5',
    '--hangover',
    '2000',
  ];
  const { code, stderr } = await runCli(t, args);
  t.equal(code, 1);
  t.match(stderr, /\nhotmic: Connection to the relay broke \(1006\) \[ERR_HOTMIC_CONNECTION_LOST\]\n$/);
  t.notMatch(stderr, /Said/);
  t.ok(isLost);
});
