/** A relay at a path of its own, as behind a proxy that serves other things at `/`, and one behind a proxy that takes the path off. */

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import t from 'tap';
import { joinLobby } from '../../../client/lobby/join.js';
import { readVoicePath } from '../../../relay/port/voice_path.js';
import { startRelay } from '../../../relay/server.js';
import { personSteamId } from '../../../voice/steam_id.js';

const player = { lobby: 'den', steamId: personSteamId(1), name: 'Ada' };

t.test('players join at the path, with or without a trailing slash, and nowhere else', async (t) => {
  const relay = await startRelay({ dev: true, path: '/games/voice/' });
  t.teardown(() => relay.close());
  t.equal(relay.url, `ws://127.0.0.1:${relay.port}/games/voice`);
  for (const url of [relay.url, `${relay.url}/`]) {
    const lobby = await joinLobby({ ...player, url });
    t.equal(lobby.you.slot >= 0, true);
    await lobby.leave();
  }
  await t.rejects(joinLobby({ ...player, url: `ws://127.0.0.1:${relay.port}/` }), /404/);
  await t.rejects(joinLobby({ ...player, url: `${relay.url}s` }), /404/);
  const elsewhere = await fetch(`http://127.0.0.1:${relay.port}/`);
  t.match(await elsewhere.text(), /WebSocket is at \/games\/voice\./);
  t.equal((await fetch(`http://127.0.0.1:${relay.port}/healthz`)).status, 200);
});

t.test('a relay at / is reached through a proxy that strips a path', async (t) => {
  const relay = await startRelay({ dev: true });
  t.teardown(() => relay.close());
  const paths: (string | undefined)[] = [];
  const proxy = http.createServer();
  proxy.on('upgrade', (request, socket) => {
    paths.push(request.url);
    const back = net.connect(relay.port, '127.0.0.1');
    const lines = request.rawHeaders.flatMap((name, i, all) => (i % 2 ? [] : [`${name}: ${all[i + 1]}`]));
    back.write(`GET / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    back.pipe(socket).pipe(back);
    back.on('error', () => socket.destroy());
    socket.on('error', () => back.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => proxy.close());
  const { port } = proxy.address() as net.AddressInfo;
  const lobby = await joinLobby({ ...player, url: `ws://127.0.0.1:${port}/games/voice?v=1` });
  t.same(paths, ['/games/voice?v=1']);
  await lobby.leave();
});

t.test('a path is letters, digits and a few signs, and not that of the health check', async (t) => {
  for (const [text, path] of [
    ['/', '/'],
    ['/voice', '/voice'],
    ['/voice/', '/voice'],
    ['/a/b.c/d_e~f-1', '/a/b.c/d_e~f-1'],
    ['', null],
    ['voice', null],
    ['//', null],
    ['/a//b', null],
    ['/../x', null],
    ['/a/./b', null],
    ['/:name', null],
    ['/*', null],
    ['/a?b', null],
    ['/a b', null],
    ['/healthz', null],
    ['/healthz/', null],
    [`/${'a'.repeat(256)}`, null],
  ] as const)
    t.equal(readVoicePath(text), path, text.slice(0, 20));
  await t.rejects(startRelay({ dev: true, path: '/*' }), {
    name: 'RangeError',
    message: /path is "\/\*", expected a path/,
  });
});
