/** What only the layer of ws does by itself: looks at idle sockets, the bounds of a message's parts, memory that a slow reader keeps, late senders. */

import { once } from 'node:events';
import net from 'node:net';
import { Duplex } from 'node:stream';
import t, { type Test } from 'tap';
import { WS_LAYER } from '../../../../../relay/port/sockets/ws/server.js';
import { type Shared, TellingWebSocket, WsSocket } from '../../../../../relay/port/sockets/ws/socket.js';
import { Topics } from '../../../../../relay/port/sockets/ws/topics.js';
import { maskedFrame, Port, until, upgradeRequest } from '../kit.js';

/** A stream whose other side reads when it is let. */
class SlowStream extends Duplex {
  bytesRead = 0;
  readonly written: Buffer[] = [];
  #go: (() => void) | null = null;
  #isReading = true;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.written.push(chunk);
    if (this.#isReading) done();
    else this.#go = done;
  }

  stall(): void {
    this.#isReading = false;
  }

  resumeReading(): void {
    this.#isReading = true;
    this.#go?.();
  }
}

/** A socket over such a stream, and what its handlers were told. */
function socketOver(t: Test, maxUnsentBytes = 1000) {
  const stream = new SlowStream();
  const told: string[] = [];
  const toFlush: WsSocket<null>[] = [];
  const shared: Shared<null> = {
    handlers: {
      admit: () => 'admitted',
      release: () => told.push('release'),
      webSocketClosed: () => told.push('webSocketClosed'),
      upgrade: () => ({ kind: 'admitted', data: null }),
      open: () => undefined,
      message: () => told.push('message'),
      heartbeat: () => told.push('heartbeat'),
      dropped: () => told.push('dropped'),
      close: () => told.push('close'),
    },
    maxUnsentBytes,
    topics: new Topics(),
    flushLater: (socket) => toFlush.push(socket),
    closed: () => told.push('closed'),
  };
  // As the server of ws makes one; its types have only the client's constructor.
  const Serving = TellingWebSocket as unknown as new (
    address: null,
    protocols: undefined,
    options: object,
  ) => TellingWebSocket;
  const ws = new Serving(null, undefined, {});
  (ws as unknown as { setSocket(stream: Duplex, head: Buffer, options: object): void }).setSocket(
    stream,
    Buffer.alloc(0),
    { maxPayload: 100 },
  );
  const socket = new WsSocket(null, '192.0.2.1', ws, stream, shared);
  t.teardown(() => stream.destroy());
  const flush = () => {
    for (const one of toFlush.splice(0)) one.flush();
  };
  return { socket, stream, told, toFlush, flush, shared };
}

t.test('a silent socket gets a ping at half of its time, and is cut at the end', async (t) => {
  const { socket, stream, told, flush } = socketOver(t);
  for (let look = 1; look < 8; look += 1) {
    socket.look(8);
    flush();
    t.same(stream.written, look < 4 ? [] : [Buffer.of(0x89, 0)], `look ${look}`);
    t.notOk(stream.destroyed);
  }
  socket.look(8);
  t.ok(stream.destroyed);
  t.same(told, ['closed', 'webSocketClosed', 'close']);
});

t.test('whatever is received begins the time again', async (t) => {
  const { socket, stream, flush } = socketOver(t);
  for (let look = 1; look < 100; look += 1) {
    if (look % 7 === 0) stream.bytesRead += 1;
    socket.look(8);
  }
  flush();
  t.notOk(stream.destroyed);
  t.equal(Buffer.concat(stream.written).length, 2 * 14, 'one ping for each silence');
});

t.test('what is sent within a turn is one write', async (t) => {
  const { socket, stream, toFlush, flush } = socketOver(t);
  socket.send('a');
  socket.send('b');
  t.same(stream.written, []);
  t.equal(toFlush.length, 1, 'and is to be flushed once');
  flush();
  t.same(stream.written, [Buffer.from('\x81\x01a\x81\x01b', 'latin1')]);
  flush();
  t.equal(stream.written.length, 1);
});

t.test('within a turn more than the bound is written, as long as the other side takes it', async (t) => {
  const { socket, stream, flush } = socketOver(t);
  for (let sent = 0; sent < 50; sent += 1) t.equal(socket.send('x'.repeat(100)), 'sent');
  flush();
  t.equal(Buffer.concat(stream.written).length, 50 * 102);
});

t.test(
  'beyond the bound a message is dropped, and when there is room again, the next one is sent',
  async (t) => {
    const { socket, stream, flush } = socketOver(t);
    stream.stall();
    let sent = 0;
    while (socket.send('x'.repeat(100)) === 'sent') sent += 1;
    t.equal(sent, 10, 'the first with which more than 1000 bytes wait is the last');
    t.equal(socket.send('x'), 'dropped', 'and a short one is dropped, too');
    stream.resumeReading();
    await until(() => stream.writableLength === 0);
    t.equal(socket.send('x'), 'sent');
    flush();
    t.equal(Buffer.concat(stream.written).length, 10 * 102 + 3);
  },
);

t.test('what a slow reader keeps waiting is in memory of its own', async (t) => {
  const { socket, stream, flush } = socketOver(t, 64 * 1024);
  stream.stall();
  for (let turn = 0; turn < 20; turn += 1) {
    socket.send('x'.repeat(50));
    flush();
  }
  stream.resumeReading();
  await until(() => stream.writableLength === 0);
  t.equal(stream.written.length, 20);
  for (const kept of stream.written.slice(1))
    t.equal(kept.buffer.byteLength, kept.length, 'and not a slice of a larger buffer');
});

t.test('after its end a socket writes nothing and has no topics', async (t) => {
  const { socket, stream, told, flush, shared } = socketOver(t);
  socket.subscribe('den');
  socket.send('waiting');
  socket.cut();
  flush();
  socket.subscribe('den');
  t.equal(socket.send('more'), 'sent');
  socket.look(1);
  flush();
  t.same([...shared.topics.of('den')], []);
  t.same(stream.written, []);
  t.same(told, ['closed', 'webSocketClosed', 'close']);
});

t.test('a message in very many parts cuts the connection', async (t) => {
  const port = await Port.open(t, WS_LAYER);
  for (const [parts, isCut] of [
    [256, false],
    [257, true],
  ] as const) {
    const wire = await port.wire();
    wire.write(upgradeRequest());
    const before = port.messages;
    await port.opened(isCut ? 2 : 1);
    const middle = Array.from({ length: parts - 2 }, () => maskedFrame(0x00, ''));
    wire.write(Buffer.concat([maskedFrame(0x02, 'x'), ...middle, maskedFrame(0x80, 'x')]));
    if (isCut) await once(wire, 'close');
    else await until(() => port.messages === before + 1);
    t.equal(port.messages, isCut ? before : before + 1);
    wire.destroy();
  }
});

t.test('a frame in very many pieces cuts the connection', async (t) => {
  const port = await Port.open(t, WS_LAYER);
  const wire = await port.wire();
  wire.setNoDelay(true);
  wire.write(upgradeRequest());
  const socket = await port.opened(1);
  const closed = new Promise((resolve) => wire.once('close', resolve));
  wire.write(Buffer.of(0x82, 0xfe, 0x20, 0, 0, 0, 0, 0));
  let pieces = 0;
  // Pieces that arrive together are one.
  while (!port.closed.includes(socket) && pieces < 8000) {
    await new Promise((resolve) => wire.write(Buffer.of(0), resolve));
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    pieces += 1;
  }
  await closed;
  t.ok(pieces >= 256 && pieces < 8000, `${pieces} pieces`);
  t.equal(port.messages, 0);
});

t.test('who goes on sending after the close frame is cut after a megabyte', async (t) => {
  const port = await Port.open(t, WS_LAYER);
  port.onMessage = (socket) => socket.end(4000, '');
  const wire = net.connect({ host: '127.0.0.1', port: port.port, allowHalfOpen: true });
  t.teardown(() => wire.destroy());
  wire.on('error', () => undefined);
  let heard = '';
  wire.on('data', (bytes) => {
    heard += bytes.toString('latin1');
  });
  wire.write(upgradeRequest());
  await port.opened(1);
  const frame = maskedFrame(0x82, 'x'.repeat(120));
  const some = Buffer.concat(Array.from({ length: 1000 }, () => frame));
  const closed = new Promise((resolve) => wire.once('close', resolve));
  let sent = 0;
  while (!wire.destroyed && sent < 1000) {
    await new Promise((resolve) => wire.write(some, resolve));
    sent += 1;
  }
  await closed;
  t.ok(sent > 7, `${sent} times 126 kB`);
  t.match(heard, '\x88\x02\x0f\xa0', 'it got the code before');
});
