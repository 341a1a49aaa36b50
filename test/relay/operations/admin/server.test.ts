/** A relay with its admin port and its file of mutes and bans, from outside: what is asked over HTTP happens to people. */

import { once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import WebSocket from 'ws';
import { startRelay } from '../../../../relay/server.js';
import { writeMessage } from '../../../../voice/control.js';
import { CloseCode } from '../../../../voice/control_codes.js';
import { helloOf, steamIdOf } from '../../kit.js';
import { ask, TOKEN } from './kit.js';

async function relayFor(t: Test, sanctionsFile: string) {
  const relay = await startRelay({
    dev: true,
    admin: { port: 0, tokens: { from: 'token', read: () => TOKEN } },
    sanctionsFile,
  });
  t.teardown(() => relay.close());
  const kit = { api: { url: relay.adminUrl! } } as Parameters<typeof ask>[0];
  return { relay, kit };
}

/** Says hello: the type of the first answer, and the socket's end. */
async function hello(url: string, account: number) {
  const socket = new WebSocket(url);
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await once(socket, 'open');
  const first = once(socket, 'message');
  socket.send(writeMessage(helloOf(account)));
  const [bytes] = await first;
  return { type: (JSON.parse(String(bytes)) as { type: string }).type, closed };
}

t.test('a ban over HTTP disconnects a player, and is in force after a restart', async (t) => {
  const file = join(t.testdir(), 'sanctions');
  const { relay, kit } = await relayFor(t, file);
  const anna = await hello(relay.url, 1);
  const ben = await hello(relay.url, 2);
  t.same([anna.type, ben.type], ['welcome', 'welcome']);
  const banned = await ask(kit, 'POST', `/v1/all-lobbies/participants/${steamIdOf(1)}/ban`);
  t.equal(banned.status, 204);
  t.equal(await anna.closed, CloseCode.banned);
  const muted = await ask(kit, 'POST', `/v1/lobbies/den/participants/${steamIdOf(2)}/mute`);
  t.equal(muted.status, 204);
  t.match((await ask(kit, 'GET', '/v1/lobbies/den')).body, { participants: 1, members: [{ muted: true }] });
  await relay.close();

  const { relay: again, kit: kitAgain } = await relayFor(t, file);
  t.equal((await hello(again.url, 1)).type, 'refused');
  t.equal((await hello(again.url, 2)).type, 'welcome');
  t.match((await ask(kitAgain, 'GET', '/v1/lobbies/den')).body, {
    members: [{ steamId: steamIdOf(2), muted: true }],
  });
  t.equal((await ask(kitAgain, 'POST', `/v1/all-lobbies/participants/${steamIdOf(1)}/unban`)).status, 204);
  t.equal((await hello(again.url, 1)).type, 'welcome');
});

t.test('a drain over HTTP is answered, and ends the relay', async (t) => {
  const { relay, kit } = await relayFor(t, join(t.testdir(), 'sanctions'));
  const anna = await hello(relay.url, 1);
  t.equal((await ask(kit, 'POST', '/v1/drain', { withinMs: 20 })).status, 202);
  t.equal(await anna.closed, 1001);
  await relay.ended;
  await t.rejects(fetch(relay.adminUrl!), 'its admin port is closed');

  const empty = await relayFor(t, join(t.testdir(), 'sanctions'));
  t.equal(
    (await ask(empty.kit, 'POST', '/v1/drain', { withinMs: 60_000 })).status,
    202,
    'with nobody there, too',
  );
  await empty.relay.ended;
});

t.test('an unreadable file of tokens does not keep webhooks from their new secrets', async (t) => {
  let tokens = TOKEN;
  let reads = 0;
  const relay = await startRelay({
    dev: true,
    admin: { port: 0, tokens: { from: 'token', read: () => tokens } },
    webhooks: [
      {
        url: 'http://127.0.0.1:9/',
        secret: {
          from: 'secret',
          read: () => {
            reads += 1;
            return `whsec_${Buffer.from(TOKEN).toString('base64')}`;
          },
        },
      },
    ],
  });
  t.teardown(() => relay.close());
  t.equal(reads, 1);
  tokens = '';
  t.throws(() => relay.reloadSecrets(), { code: 'ERR_HOTMIC_FILE' });
  t.equal(reads, 2);
});

t.test('a malformed moderator keeps the relay from starting', async (t) => {
  await t.rejects(startRelay({ dev: true, moderators: ['robin'] }), { name: 'RangeError' });
});

t.test('a drain ends a stream of updates, whose last change is in force', async (t) => {
  const { relay, kit } = await relayFor(t, join(t.testdir(), 'sanctions'));
  const staying = await hello(relay.url, 1);
  const lines = new TransformStream<Uint8Array, Uint8Array>();
  const writer = lines.writable.getWriter();
  const response = fetch(new URL('/v1/updates', kit.api.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/x-ndjson' },
    body: lines.readable,
    duplex: 'half',
  } as RequestInit);
  const update = { operation: 'mute', lobby: 'den', steamId: steamIdOf(1) };
  await writer.write(new TextEncoder().encode(`${JSON.stringify(update)}\n`));
  const { body } = await response;
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  t.same((await reader.read()).value, '{"number":1,"status":204}\n');
  t.match((await ask(kit, 'GET', '/v1/lobbies/den')).body, { members: [{ muted: true }] });
  const drained = relay.drain(60_000);
  t.same((await reader.read()).value, '{"end":"draining","lines":1}\n');
  await writer.close().catch(() => undefined);
  await relay.close();
  await drained;
  await staying.closed;
});
