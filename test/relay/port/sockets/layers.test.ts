/**
 * What a relay may rely on, whatever holds its sockets: the same sentences on each layer that loads here, directly on `SocketLayer.open`. What takes
 * the idle time of a connection is in idle.ts.
 */

import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import t from 'tap';
import WebSocket from 'ws';
import { newAuthority } from '../../../kit/certificates.js';
import { BOUNDS, certificateOf, eachLayer, maskedFrame, Port, until, upgradeRequest } from './kit.js';

const authority = newAuthority();

await eachLayer(t, async (t, layer) => {
  await t.test('a message is published to all subscribers but its sender', async (t) => {
    const port = await Port.open(t, layer);
    const [ada, ben, cleo, dan] = [
      await port.join(),
      await port.join(),
      await port.join(),
      await port.join(),
    ];
    for (const { socket } of [ada, ben, cleo]) socket.subscribe('den');
    dan.socket.subscribe('elsewhere');
    const bytes = Uint8Array.of(1, 2, 3);
    ada.socket.publish('den', bytes);
    bytes.fill(9);
    for (const one of [ada, ben, cleo, dan]) one.socket.send('behind it');
    for (const [one, heard] of [
      [ada, ['behind it']],
      [ben, [[1, 2, 3], 'behind it']],
      [cleo, [[1, 2, 3], 'behind it']],
      [dan, ['behind it']],
    ] as const)
      t.same(await one.next(heard.length), heard);
    t.equal(port.dropped, 0);
  });

  await t.test('a sender without a subscription is heard, and not by itself', async (t) => {
    const port = await Port.open(t, layer);
    const [ada, ben] = [await port.join(), await port.join()];
    ben.socket.subscribe('den');
    ada.socket.publish('den', Uint8Array.of(1));
    t.same(await ben.next(1), [[1]]);
    ada.socket.send('behind it');
    t.same(await ada.next(1), ['behind it']);
  });

  await t.test('a sender alone in its topic hears nothing', async (t) => {
    const port = await Port.open(t, layer);
    const [ada, ben] = [await port.join(), await port.join()];
    for (const topic of ['den', 'red']) ada.socket.subscribe(topic);
    ben.socket.subscribe('red');
    ada.socket.publish('den', Uint8Array.of(1));
    ben.socket.unsubscribe('red');
    ada.socket.publish('red', Uint8Array.of(2));
    ada.socket.send('behind it');
    t.same(await ada.next(1), ['behind it']);
  });

  await t.test('after unsubscribing, and after closing, nothing more comes', async (t) => {
    const port = await Port.open(t, layer);
    const [ada, ben, cleo] = [await port.join(), await port.join(), await port.join()];
    for (const { socket } of [ben, cleo]) for (const topic of ['den', 'red']) socket.subscribe(topic);
    ben.socket.unsubscribe('den');
    ben.socket.unsubscribe('never');
    cleo.socket.end(4000, 'gone');
    cleo.socket.publish('red', Uint8Array.of(9));
    ada.socket.publish('den', Uint8Array.of(1));
    ada.socket.publish('red', Uint8Array.of(2));
    t.same(await ben.next(1), [[2]]);
    t.same(await cleo.ended, { code: 4000, reason: 'gone' });
    t.same(cleo.heard, []);
    t.equal(port.dropped, 0, 'a closed socket is not a listener');
  });

  await t.test('texts and binary messages come in the order in which they were sent', async (t) => {
    const port = await Port.open(t, layer);
    const [ada, ben] = [await port.join(), await port.join()];
    ben.socket.subscribe('den');
    const sent: (string | number[])[] = [];
    for (let index = 0; index < 100; index += 1) {
      ben.socket.send(`text ${index}`);
      ada.socket.publish('den', Uint8Array.of(index));
      sent.push(`text ${index}`, [index]);
    }
    t.same(await ben.next(sent.length), sent);
  });

  await t.test(
    'what was published arrives, ahead of a text, when the last subscription ends behind it',
    async (t) => {
      const port = await Port.open(t, layer);
      const [ada, ben] = [await port.join(), await port.join()];
      const sent: (string | number[])[] = [];
      for (let index = 0; index < 100; index += 1) {
        ben.socket.subscribe('den');
        ada.socket.publish('den', Uint8Array.of(index));
        // A relay that lets somebody hear no longer says so, and ends the subscription.
        ben.socket.send(`until ${index}`);
        ben.socket.unsubscribe('den');
        ada.socket.publish('den', Uint8Array.of(255));
        sent.push([index], `until ${index}`);
      }
      t.same(await ben.next(sent.length), sent);
      t.equal(port.dropped, 0);
    },
  );

  await t.test('messages of any length up to the limit arrive whole, in both directions', async (t) => {
    const port = await Port.open(t, layer);
    const [ada, ben] = [await port.join(), await port.join()];
    ben.socket.subscribe('den');
    for (const length of [0, 1, 125, 126, 127, 255, 256, 4096, BOUNDS.maxMessageBytes]) {
      const text = 'ä'.repeat(length >> 1) + 'a'.repeat(length & 1);
      ada.client.send(text);
      t.equal(await ada.said(), text, `${length} bytes of text`);
      const bytes = Buffer.alloc(length, length);
      ada.client.send(bytes);
      t.same(Buffer.from((await ada.said()) as number[]), bytes, `${length} bytes`);
      ben.socket.send(text);
      ada.socket.publish('den', bytes);
      t.same(await ben.next(2), [text, [...bytes]]);
    }
  });

  await t.test(
    'a text of any length is sent while nothing waits, such as the state of a large lobby',
    async (t) => {
      const port = await Port.open(t, layer);
      const ada = await port.join();
      for (const length of [0xffff, 0x10000, 500_000]) {
        t.equal(ada.socket.send('x'.repeat(length)), 'sent');
        t.equal((await ada.next(1))[0]?.length, length);
      }
    },
  );

  await t.test('a longer message cuts the connection, also in fragments', async (t) => {
    const port = await Port.open(t, layer);
    const ada = await port.join();
    ada.client.send(Buffer.alloc(BOUNDS.maxMessageBytes + 1));
    t.equal((await ada.ended).code, 1006);
    const ben = await port.join();
    for (let sent = 0; sent <= BOUNDS.maxMessageBytes; sent += 1024)
      ben.client.send(Buffer.alloc(1024), { fin: false });
    t.equal((await ben.ended).code, 1006);
    t.same(port.closed, [ada.socket, ben.socket]);
    t.equal(port.messages, 0);
  });

  await t.test('a listener that does not read is left out, counted, and hears later ones', async (t) => {
    const port = await Port.open(t, layer);
    const [ada, ben, cleo] = [await port.join(), await port.join(), await port.join()];
    for (const { socket } of [ben, cleo]) socket.subscribe('den');
    ben.client.pause();
    const bytes = new Uint8Array(8000);
    let sent = 0;
    // Until the kernel holds no more, and the socket's own bound is reached.
    while (port.dropped === 0) {
      new DataView(bytes.buffer).setUint32(0, sent);
      ada.socket.publish('den', bytes);
      sent += 1;
      t.same((await cleo.next(1))[0]?.slice(0, 4), [...bytes.subarray(0, 4)]);
      if (sent > 10_000) throw new Error('80 MB fit');
    }
    t.equal(port.dropped, 1, 'one call for each listener that was left out');
    t.equal(ben.socket.send('x'.repeat(BOUNDS.maxMessageBytes)), 'dropped', 'a text does not fit either');
    t.equal(port.dropped, 1, 'which the caller hears, and nobody else');
    ben.client.resume();
    const whole = await ben.next(sent - 1);
    t.same(
      whole.map((message) => Buffer.from(message as number[]).readUInt32BE(0)),
      whole.map((_, index) => index),
      'all before the dropped one',
    );
    // What waited is written when the event loop comes to it.
    await until(() => ben.socket.send('later') === 'sent');
    ada.socket.publish('den', Uint8Array.of(7));
    t.same((await ben.next(2)).at(-1), [7]);
  });

  await t.test('more than the bound within one turn reaches listeners who read', async (t) => {
    const port = await Port.open(t, layer);
    const [ada, ben] = [await port.join(), await port.join()];
    ben.socket.subscribe('den');
    const bytes = new Uint8Array(BOUNDS.maxMessageBytes);
    for (let sent = 0; sent < 20; sent += 1) ada.socket.publish('den', bytes.fill(sent));
    t.same(
      (await ben.next(20)).map((message) => message[0]),
      Array.from({ length: 20 }, (_, index) => index),
    );
    t.equal(port.dropped, 0);
  });

  await t.test(
    'a ping is answered with its payload, in order, and reported; a pong is reported',
    async (t) => {
      const port = await Port.open(t, layer);
      const ada = await port.join();
      const pong = once(ada.client, 'pong');
      port.onMessage = (socket) => socket.send('first');
      ada.client.send('');
      ada.client.ping('mark');
      const [payload] = (await pong) as [Buffer];
      t.equal(payload.toString(), 'mark');
      t.same(ada.heard, ['first'], 'what was sent before it came before it');
      t.equal(port.heartbeats, 1);
      ada.client.pong();
      await until(() => port.heartbeats === 2);
      t.equal(ada.client.readyState, WebSocket.OPEN);
    },
  );

  await t.test('end sends what waits, then the code, then the end of the connection', async (t) => {
    const port = await Port.open(t, layer);
    const wire = await port.wire();
    wire.write(upgradeRequest());
    const socket = await port.opened(1);
    let calls = 0;
    port.onClose = () => {
      calls += 1;
    };
    socket.send('last words');
    socket.end(4003, 'enough');
    t.equal(calls, 1, 'the handler was called before end returned');
    socket.end(4004, 'again');
    socket.cut();
    t.equal(socket.send('more'), 'sent', 'and means nothing');
    socket.subscribe('den');
    socket.publish('den', Uint8Array.of(1));
    await once(wire, 'end');
    const [, frames] = wire.heard.split('\r\n\r\n');
    t.equal(frames, '\x81\x0alast words\x88\x08\x0f\xa3enough');
    wire.end();
    await once(wire, 'close');
    t.equal(calls, 1, 'once');
    t.same(port.counts, { admitted: 1, released: 0, webSocketsClosed: 1 });
  });

  await t.test('cut ends the connection without a close frame', async (t) => {
    const port = await Port.open(t, layer);
    const ada = await port.join();
    let calls = 0;
    port.onClose = () => {
      calls += 1;
    };
    ada.socket.cut();
    t.equal(calls, 1, 'the handler was called before cut returned');
    ada.socket.cut();
    ada.socket.end(4000, '');
    t.equal((await ada.ended).code, 1006);
    t.equal(calls, 1);
    t.same(port.counts, { admitted: 1, released: 0, webSocketsClosed: 1 });
  });

  for (const how of ['end', 'cut'] as const) {
    await t.test(`nothing behind a message is read after ${how} in its handler`, async (t) => {
      const port = await Port.open(t, layer);
      const wire = await port.wire();
      let messages = 0;
      port.onMessage = (socket) => {
        messages += 1;
        if (how === 'end') socket.end(4000, '');
        else socket.cut();
      };
      const message = maskedFrame(0x81, 'x');
      wire.write(upgradeRequest());
      await port.opened(1);
      wire.write(Buffer.concat([message, message, maskedFrame(0x89, 'p'), message]));
      await once(wire, 'end');
      t.equal(messages, 1);
      t.equal(port.heartbeats, 0);
      t.equal(port.closed.length, 1);
    });

    await t.test(`a socket may be closed with ${how} as soon as it opens`, async (t) => {
      const port = await Port.open(t, layer);
      port.onOpen = (socket) => {
        if (how === 'end') socket.end(4000, 'no');
        else socket.cut();
      };
      const client = new WebSocket(port.url);
      client.on('error', () => undefined);
      const code = await new Promise((resolve) => client.once('close', resolve));
      t.equal(code, how === 'end' ? 4000 : 1006);
      t.equal(port.closed.length, 1);
      t.same(port.counts, { admitted: 1, released: 0, webSocketsClosed: 1 });
    });
  }

  await t.test(
    'the close of the other side is answered, and its connection’s end without one is noticed',
    async (t) => {
      const port = await Port.open(t, layer);
      const [ada, ben, cleo] = [await port.join(), await port.join(), await port.join()];
      ada.client.close(4321, 'bye');
      t.same(await ada.ended, { code: 4321, reason: 'bye' });
      ben.client.terminate();
      await until(() => port.closed.length === 2);
      // Its end alone: what it could still hear is not sent.
      (cleo.client as unknown as { _socket: net.Socket })._socket.end();
      t.equal((await cleo.ended).code, 1006);
      await until(() => port.closed.length === 3);
      t.same(port.counts, { admitted: 3, released: 0, webSocketsClosed: 3 });
    },
  );

  await t.test('what breaks the protocol cuts the connection, and messages before it count', async (t) => {
    const port = await Port.open(t, layer);
    const broken = [
      maskedFrame(0x83, 'x'),
      maskedFrame(0xc1, 'x'),
      maskedFrame(0x80, 'x'),
      maskedFrame(0x09, 'x'),
      maskedFrame(0x81, '\xff'),
    ];
    let messages = 0;
    port.onMessage = () => {
      messages += 1;
    };
    for (const bytes of broken) {
      const wire = await port.wire();
      wire.write(upgradeRequest());
      await once(wire, 'data');
      wire.write(Buffer.concat([maskedFrame(0x81, 'good'), bytes]));
      await once(wire, 'close');
      t.equal(wire.heard.split('\r\n\r\n')[1], '', 'no close frame');
    }
    t.equal(messages, broken.length);
    t.equal(port.closed.length, broken.length);
  });

  await t.test('a refused upgrade gets its answer, and is released', async (t) => {
    const port = await Port.open(t, layer, {
      upgrade: () => ({
        kind: 'refused',
        answer: { status: '429 Too Many Requests', headers: [['retry-after', '1']], body: 'not now\n' },
      }),
    });
    const wire = await port.wire();
    wire.write(upgradeRequest());
    await once(wire, 'close');
    t.match(wire.heard, /^HTTP\/1\.1 429 Too Many Requests\r\n/);
    t.match(wire.heard, /\r\nretry-after: 1\r\n/i);
    t.match(wire.heard, /\r\nconnection: close\r\n/i);
    t.match(wire.heard, /\r\n\r\nnot now\n$/);
    await until(() => port.counts.released === 1);
    t.same(port.counts, { admitted: 1, released: 1, webSocketsClosed: 0 });
  });

  await t.test('an upgrade is decided with its peer and all its headers', async (t) => {
    const port = await Port.open(t, layer);
    const wire = await port.wire({ localAddress: '127.0.0.9' });
    wire.write(
      upgradeRequest('/', [
        'X-Forwarded-For: 192.0.2.1',
        'Origin: https://a.example',
        'X-Forwarded-For: 192.0.2.2',
      ]),
    );
    await port.opened(1);
    const [request] = port.requests;
    t.equal(request?.peer, '127.0.0.9');
    t.equal(request?.proxiedPeer, '');
    t.same(
      request?.headers.filter(([name]) => /^(x-forwarded-for|origin)$/.test(name)),
      [
        ['x-forwarded-for', '192.0.2.1'],
        ['origin', 'https://a.example'],
        ['x-forwarded-for', '192.0.2.2'],
      ],
    );
  });

  await t.test('a connection that is not admitted is closed before it is read', async (t) => {
    const port = await Port.open(t, layer, { admit: () => 'refused' });
    const wire = await port.wire();
    wire.write(upgradeRequest());
    await once(wire, 'close');
    t.equal(wire.heard, '');
    t.same(port.peers, ['127.0.0.1']);
    t.same(port.requests, []);
    t.same(port.counts, { admitted: 0, released: 0, webSocketsClosed: 0 });
  });

  await t.test('a preamble of the PROXY protocol is read, wherever it is divided', async (t) => {
    const port = await Port.open(t, layer);
    const head = Buffer.from('0d0a0d0a000d0a515549540a2111000c', 'hex');
    // uWebSockets needs the beginning of the request in the chunk in which the preamble ends.
    const ends = layer.name === 'ws' ? [...Array(29).keys()] : [...Array(28).keys()];
    for (const [index, end] of ends.entries()) {
      const preamble = Buffer.concat([head, Buffer.of(198, 51, 100, index, 127, 0, 0, 1, 16, 0, 32, 0)]);
      const wire = await port.wire();
      wire.setNoDelay(true);
      if (end > 0) await new Promise((resolve) => wire.write(preamble.subarray(0, end), resolve));
      for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      wire.write(Buffer.concat([preamble.subarray(end), Buffer.from(upgradeRequest())]));
      await port.opened(index + 1);
      t.equal(port.requests[index]?.proxiedPeer, `198.51.100.${index}`, `after ${end} bytes`);
      t.equal(port.requests[index]?.peer, '127.0.0.1');
      wire.destroy();
    }
  });

  await t.test(
    'WebSockets are at the path, with or without a slash, /healthz is ok, and the rest is 404',
    async (t) => {
      for (const [path, others] of [
        ['/', ['//', '/voice', '/healthz', '/healthz/']],
        ['/games/voice', ['/', '/games', '/games/voice/x', '/games/voice//', '/games/voices']],
      ] as const) {
        const port = await Port.open(t, layer, {}, { path });
        for (const good of path === '/' ? ['/', '/?a=b'] : [path, `${path}/`, `${path}?a=b`]) {
          const client = new WebSocket(`ws://127.0.0.1:${port.port}${good}`);
          await once(client, 'open');
          client.terminate();
        }
        for (const other of others) {
          const wire = await port.wire();
          wire.write(upgradeRequest(other));
          await once(wire, 'close');
          const status = other === '/healthz' ? 200 : 404;
          t.match(wire.heard, new RegExp(`^HTTP/1\\.1 ${status} `), `${other} beside ${path}`);
          if (status === 404) t.match(wire.heard, `The voice WebSocket is at ${path}.`);
        }
        await until(() => port.counts.released === others.length);
      }
    },
  );

  await t.test('a certificate is replaced for new connections, and open ones stay', async (t) => {
    const first = certificateOf(t, authority.issue({ name: 'first' }));
    const port = await Port.open(t, layer, {}, { certificate: first });
    const [ada, ben] = [await port.join(authority.certificate), await port.join(authority.certificate)];
    const nameOf = async () => {
      const socket = tls.connect({
        port: port.port,
        host: '127.0.0.1',
        ca: authority.certificate,
        servername: 'relay.test',
      });
      await once(socket, 'secureConnect');
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      return subject.CN;
    };
    t.equal(await nameOf(), 'first');
    await port.server.replaceCertificate(certificateOf(t, authority.issue({ name: 'second' })));
    t.equal(await nameOf(), 'second');
    const cleo = await port.join(authority.certificate);
    for (const { socket } of [ben, cleo]) socket.subscribe('den');
    ada.socket.publish('den', Uint8Array.of(1));
    for (const one of [ben, cleo]) t.same(await one.next(1), [[1]], 'old and new hear each other');
    cleo.socket.publish('den', Uint8Array.of(2));
    t.same(await ben.next(1), [[2]]);
  });

  await t.test('a handshake takes TLS 1.2 or newer, a few groups, and no protocol by ALPN', async (t) => {
    const certificate = certificateOf(t, authority.issue({ name: 'relay' }));
    const port = await Port.open(t, layer, {}, { certificate });
    const handshake = (options: tls.ConnectionOptions) =>
      new Promise<tls.TLSSocket | null>((resolve) => {
        const { port: at } = port;
        const who = { port: at, host: '127.0.0.1', ca: authority.certificate, servername: 'relay.test' };
        const socket = tls.connect({ ...who, ...options });
        t.teardown(() => socket.destroy());
        socket.once('secureConnect', () => resolve(socket)).once('error', () => resolve(null));
      });
    for (const ecdhCurve of ['X25519', 'P-256', 'P-384'])
      t.ok(await handshake({ minVersion: 'TLSv1.3', ecdhCurve }), ecdhCurve);
    for (const ecdhCurve of ['P-521', 'X448', 'ffdhe2048', 'ffdhe8192'])
      t.notOk(await handshake({ minVersion: 'TLSv1.3', ecdhCurve }), ecdhCurve);
    t.ok(await handshake({ maxVersion: 'TLSv1.2' }));
    const ALL = 'ALL:@SECLEVEL=0';
    t.notOk(await handshake({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: ALL }));
    t.equal((await handshake({ ALPNProtocols: ['h2', 'http/1.1'] }))?.alpnProtocol, false);
  });

  await t.test('a port that no longer listens keeps its connections, and close ends them', async (t) => {
    const port = await Port.open(t, layer);
    const [ada, ben] = [await port.join(), await port.join()];
    const silent = await port.wire();
    const silentClosed = once(silent, 'close');
    await until(() => port.counts.admitted === 3);
    port.server.stopListening();
    const late = net.connect(port.port, '127.0.0.1');
    t.match(await once(late, 'error').then(([error]) => error), { code: 'ECONNREFUSED' });
    ben.socket.subscribe('den');
    ada.socket.publish('den', Uint8Array.of(1));
    t.same(await ben.next(1), [[1]]);
    port.server.close();
    for (const one of [ada, ben]) t.equal((await one.ended).code, 1006);
    await silentClosed;
    await until(() => port.counts.released === 1);
    t.same(port.counts, { admitted: 3, released: 1, webSocketsClosed: 2 });
    port.server.close();
  });

  await t.test('a port in use is refused with its code', async (t) => {
    const port = await Port.open(t, layer);
    await t.rejects(Port.open(t, layer, {}, { port: port.port }), { code: 'ERR_HOTMIC_PORT_IN_USE' });
  });
});
