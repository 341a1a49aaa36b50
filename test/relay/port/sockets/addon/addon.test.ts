/** The addon with uWebSockets where the layers' common sentences do not go: misuse, closing in the middle of things, and memory. */

import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import {
  type AddonServerOptions,
  type SocketsAddon,
  unfitReason,
} from '../../../../../relay/port/sockets/addon/binding.js';
import { addonLayer } from '../../../../../relay/port/sockets/addon/server.js';
import { newAuthority } from '../../../../kit/certificates.js';
import { BOUNDS, certificateOf, maskedFrame, Port, until, upgradeRequest } from '../kit.js';
import { addonHere, OPTIONS, Server } from './kit.js';

const here = addonHere();
const skip = 'skip' in here ? here.skip : false;
const addon = 'addon' in here ? here.addon : ({} as SocketsAddon);
const NEVER = 0xffff_ffff;

t.test('a program with an event loop or an OpenSSL of its own is refused', async (t) => {
  const node = { node: '24.0.0', uv: '1.51.0', openssl: '3.5.0' };
  t.equal(unfitReason(node), null);
  t.match(unfitReason({ ...node, bun: '1.4.5' }), /for Node only, and this is bun 1\.4\.5/);
  t.match(unfitReason({ ...node, deno: '2.9.6' }), /deno/);
  t.match(unfitReason({ ...node, electron: '40.0.0' }), /electron/);
  t.match(unfitReason({ ...node, openssl: '1.1.1' }), /OpenSSL 3 .* has 1\.1\.1/);
  const { openssl: _, ...without } = node;
  t.match(unfitReason(without), /has none/);
  t.match(unfitReason({ ...node, uv: '2.0.0' }), /libuv 1 .* has 2\.0\.0/);
});

t.test('wrong options are a TypeError that names the first', { skip }, async (t) => {
  const nothing = () => undefined;
  const handlers = {
    admit: () => true,
    release: nothing,
    upgrade: () => null,
    open: nothing,
    message: nothing,
    heartbeat: nothing,
    dropped: nothing,
    close: nothing,
    page: null,
  };
  const good: AddonServerOptions = { ...OPTIONS, handlers };
  for (const [changed, message] of [
    [{ path: 1 }, /path/],
    [{ maxMessageBytes: 0 }, /maxMessageBytes/],
    [{ maxMessageBytes: 2 ** 32 }, /maxMessageBytes/],
    [{ maxUnsentBytes: Number.NaN }, /maxUnsentBytes/],
    [{ idleTimeoutS: 7 }, /idleTimeoutS/],
    [{ idleTimeoutS: 961 }, /idleTimeoutS/],
    [{ healthy: ['200 OK'] }, /healthy/],
    [{ notFound: ['404', 'x', 'name'] }, /notFound/],
    [{ notFound: ['404', 5] }, /notFound/],
    [{ certificate: 'PEM' }, /object/],
    [{ certificate: {} }, /chain/],
    [{ handlers: null }, /object/],
    [{ handlers: { ...handlers, page: 5 } }, /page/],
    [{ handlers: { ...handlers, close: undefined } }, /close/],
  ] as const) {
    t.throws(() => addon.open({ ...good, ...changed } as AddonServerOptions), {
      name: 'TypeError',
      code: 'ERR_HOTMIC_ADDON',
      message,
    });
  }
  t.throws(() => (addon.open as unknown as () => void)(), TypeError);
  const certificate = { chain: 'x', key: 'x', passphrase: '', ciphers: 'x', groups: 'x', identity: 'x' };
  t.throws(() => addon.open({ ...good, certificate }), {
    name: 'Error',
    message: 'OpenSSL does not accept the certificate',
  });
});

t.test('a number of no socket does nothing, one of no server is a TypeError', { skip }, async (t) => {
  for (const socket of [NEVER, -1, 1e9, Number.NaN, 'one', undefined] as number[]) {
    t.equal(addon.send(socket, 'x'), true);
    t.equal(addon.publish(socket, 'den', Uint8Array.of(1)), undefined);
    t.equal(addon.subscribe(socket, 'den'), undefined);
    t.equal(addon.unsubscribe(socket, 'den'), undefined);
    t.equal(addon.end(socket, 4000, ''), undefined);
    t.equal(addon.cut(socket), undefined);
    t.equal(addon.close(socket), undefined);
    t.throws(() => addon.listen(socket, '127.0.0.1', 0), TypeError);
    t.throws(() => addon.stopListening(socket), TypeError);
  }
});

t.test('arguments of the wrong kind are a TypeError, and the socket goes on', { skip }, async (t) => {
  const server = new Server(t, addon);
  const client = await server.join();
  const [socket] = server.sockets as [number];
  const wrong = (call: () => unknown) => t.throws(call, { name: 'TypeError', code: 'ERR_HOTMIC_ADDON' });
  wrong(() => addon.send(socket, 5 as never));
  wrong(() => addon.publish(socket, 'den', [1] as never));
  wrong(() => addon.publish(socket, 'den', new Int16Array(1) as never));
  wrong(() => addon.publish(socket, 'den', new DataView(new ArrayBuffer(1)) as never));
  wrong(() => addon.publish(socket, Symbol('den') as never, Uint8Array.of(1)));
  wrong(() => addon.subscribe(socket, null as never));
  wrong(() => addon.end(socket, 1e6, ''));
  wrong(() => addon.end(socket, 4000, {} as never));
  wrong(() => addon.listen(server.id, '127.0.0.1', 65_536));
  const heard = once(client, 'message');
  addon.send(socket, 'still here');
  t.equal(String((await heard)[0]), 'still here');
});

t.test('texts of any length and any characters come whole', { skip }, async (t) => {
  const server = new Server(t, addon);
  const client = await server.join();
  const [socket] = server.sockets as [number];
  for (const length of [0, 1, 1018, 1019, 1020, 1021, 1022, 1023, 1024, 1025, 5000]) {
    for (const text of ['x'.repeat(length), 'ä'.repeat(length), '€'.repeat(length), '🎤'.repeat(length)]) {
      const heard = once(client, 'message');
      addon.send(socket, text);
      t.equal(String((await heard)[0]), text);
    }
  }
  const heard = once(client, 'message');
  addon.send(socket, 'half a pair: \ud83c');
  t.equal(String((await heard)[0]), 'half a pair: �');
});

t.test('servers are apart, and one goes on when the other is closed', { skip }, async (t) => {
  const [one, two] = [new Server(t, addon), new Server(t, addon)];
  const clients = [await one.join(), await one.join(), await two.join()];
  const heard: string[] = [];
  clients.forEach((client, index) => {
    client.on('message', (data) => heard.push(`${index} ${data}`));
  });
  for (const socket of [...one.sockets, ...two.sockets]) addon.subscribe(socket, 'den');
  t.equal(new Set([...one.sockets, ...two.sockets]).size, 3, 'numbers are of all servers');
  addon.publish(one.sockets[0]!, 'den', Buffer.from('first'));
  await until(() => heard.length === 1);
  const closed = Promise.all(clients.slice(0, 2).map((client) => once(client, 'close')));
  addon.close(one.id);
  addon.close(one.id);
  t.equal(one.count('close'), 2, 'before close returned');
  await closed;
  addon.send(two.sockets[0]!, 'second');
  await until(() => heard.length === 2);
  t.same(heard, ['1 first', '2 second']);
});

t.test(
  'the object of a closed socket means nothing for the next one with its number',
  { skip },
  async (t) => {
    const port = await Port.open(t, addonLayer(addon));
    const [ada, ben] = [await port.join(), await port.join()];
    ada.socket.cut();
    await ada.ended;
    const cleo = await port.join();
    ben.socket.subscribe('den');
    ada.socket.send('a ghost');
    ada.socket.publish('den', Uint8Array.of(9));
    ada.socket.end(4000, '');
    ada.socket.cut();
    cleo.socket.publish('den', Uint8Array.of(1));
    cleo.socket.send('hello');
    t.same(await ben.next(1), [[1]]);
    t.same(await cleo.next(1), ['hello']);
    t.same(port.counts, { admitted: 3, released: 0, webSocketsClosed: 1 });
  },
);

const text = maskedFrame(0x81, 'x');
const ping = maskedFrame(0x89, 'x');

for (const name of ['admit', 'upgrade', 'open', 'message', 'heartbeat', 'close', 'release'] as const) {
  t.test(`a server may be closed in its handler ${name}`, { skip }, async (t) => {
    const bystander = new Server(t, addon);
    const client = await bystander.join();
    const closeIt = () => addon.close(server.id);
    const server: Server = new Server(t, addon, {
      [name]: closeIt,
      ...(name === 'admit' && {
        admit: () => {
          closeIt();
          return true;
        },
      }),
      ...(name === 'upgrade' && {
        upgrade: () => {
          closeIt();
          return null;
        },
      }),
    });
    if (name === 'release') {
      const wire = net.connect(server.port, '127.0.0.1');
      wire.on('error', () => undefined).resume();
      wire.write('GET /healthz HTTP/1.1\r\nHost: relay.test\r\n\r\n');
      await once(wire, 'close');
    } else {
      await server.send(text, ping, maskedFrame(0x88, ''), text);
    }
    t.ok(server.count(name) > 0);
    t.equal(server.count('admit'), 1);
    t.equal(server.count('open'), server.count('close'));
    t.equal(server.count('admit'), server.count('release') + server.count('close'), server.calls.join(', '));
    const heard = once(client, 'message');
    addon.send(bystander.sockets[0]!, 'still here');
    await heard;
  });
}

t.test('closing a server closes all, though handlers close others meanwhile', { skip }, async (t) => {
  const server: Server = new Server(t, addon, {
    close: () => {
      // Behind it in the library's list, and before it.
      for (const at of [0, 1, 5, 18, 19]) addon.cut(server.sockets[at]!);
      addon.end(server.sockets[9]!, 4000, 'bye');
    },
  });
  const clients = await Promise.all(Array.from({ length: 20 }, () => server.join()));
  const closed = clients.map((client) => once(client, 'close'));
  addon.close(server.id);
  t.equal(server.count('close'), 20);
  await Promise.all(closed);
});

t.test('handshakes that wait for their turn end with the server', { skip }, async (t) => {
  const authority = newAuthority();
  const port = await Port.open(
    t,
    addonLayer(addon),
    {},
    { certificate: certificateOf(t, authority.issue({ name: 'relay' })) },
  );
  // The beginning of a hello, which makes the library put them into its queue.
  const wires = await Promise.all(
    Array.from({ length: 60 }, async () => {
      const wire = await port.wire();
      wire.write(Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1));
      return wire;
    }),
  );
  await until(() => port.counts.admitted === 60);
  const closed = wires.map((wire) => new Promise((resolve) => wire.once('close', resolve)));
  port.server.close();
  await Promise.all(closed);
  await until(() => port.counts.released === 60);
});

t.test('a buffer that was transferred away is replaced', { skip }, async (t) => {
  const heard: string[] = [];
  const server = new Server(t, addon, {
    message: (_socket, buffer, length) => {
      heard.push(Buffer.from(buffer, 0, length).toString());
      if (heard.length === 2) structuredClone(buffer, { transfer: [buffer] });
    },
  });
  const client = await server.join();
  for (const word of ['one', 'two', 'three', '', 'five']) client.send(word);
  await until(() => heard.length === 5);
  t.same(heard, ['one', 'two', 'three', '', 'five']);
});

t.test('what is dropped is reported once, in a later turn', { skip }, async (t) => {
  let inPublish = false;
  const server: Server = new Server(t, addon, {
    dropped: () => {
      t.notOk(inPublish);
      // It may change everything.
      for (const socket of server.sockets) addon.unsubscribe(socket, 'den');
      addon.cut(server.sockets[1]!);
    },
  });
  const speaker = await server.join();
  const deaf = [await server.join(), await server.join()];
  for (const client of deaf) client.pause();
  for (const socket of server.sockets) addon.subscribe(socket, 'den');
  const bytes = new Uint8Array(20_000);
  while (server.count('dropped') === 0) {
    inPublish = true;
    for (let index = 0; index < 10; index += 1) addon.publish(server.sockets[0]!, 'den', bytes);
    inPublish = false;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => server.count('close') === 1);
  t.equal(speaker.readyState, speaker.OPEN);
  t.ok(server.count('dropped') >= 1);
});

t.test('closed sockets and servers leave nothing for the garbage collector to keep', { skip }, async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const collected: string[] = [];
  const registry = new FinalizationRegistry((what: string) => collected.push(what));
  await (async () => {
    const server = await addonLayer(addon).open<object>({
      host: '127.0.0.1',
      port: 0,
      path: '/',
      certificate: null,
      bounds: BOUNDS,
      handlers: {
        admit: () => 'admitted',
        release: () => undefined,
        webSocketClosed: () => undefined,
        upgrade: () => {
          const data = {};
          registry.register(data, 'data');
          return { kind: 'admitted', data };
        },
        open: (socket) => {
          registry.register(socket, 'socket');
          socket.cut();
        },
        message: () => undefined,
        heartbeat: () => undefined,
        dropped: () => undefined,
        close: () => undefined,
      },
      now: () => 0,
      unixSeconds: () => 0,
    });
    registry.register(server, 'server');
    for (let index = 0; index < 10; index += 1) {
      const wire = net.connect(server.port, '127.0.0.1');
      wire.on('error', () => undefined).resume();
      wire.write(upgradeRequest());
      await new Promise((resolve) => wire.once('close', resolve));
    }
    server.close();
  })();
  const expected = [...Array(10).fill('data'), 'server', ...Array(10).fill('socket')];
  await until(() => {
    collect();
    return collected.length === expected.length;
  });
  t.same(collected.toSorted(), expected);
});

t.test('the file can be loaded again, for functions that stand apart', { skip }, async (t) => {
  const require = createRequire(import.meta.url);
  const file = Object.keys(require.cache).find((name) => /hotmic_sockets.*\.node$/.test(name));
  t.ok(file, 'it is a file');
  delete require.cache[file!];
  const again = require(file!) as SocketsAddon;
  t.not(again, addon);
  const [one, two] = [new Server(t, addon), new Server(t, again)];
  const [ada, ben] = [await one.join(), await two.join()];
  for (const [its, client] of [
    [one, ada],
    [two, ben],
  ] as const) {
    const heard = once(client, 'message');
    its.addon.send(its.sockets[0]!, 'hello');
    t.equal(String((await heard)[0]), 'hello');
  }
  const closed = once(ada, 'close');
  addon.close(one.id);
  await closed;
  const heard = once(ben, 'message');
  again.send(two.sockets[0]!, 'still here');
  await heard;
});
