/** The addon with uWebSockets and the process that it is in: errors in handlers, exits, workers. Each in a process of its own. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { addonHere } from './kit.js';

const here = addonHere();
const skip = 'skip' in here ? here.skip : false;

const BINDING = new URL('../../../../../relay/port/sockets/addon/binding.js', import.meta.url).href;
const KIT = new URL('./kit.js', import.meta.url).href;

/** `listen(handlers)` opens a server in the program; `talk(port)` sends it a request, a message and a ping, and waits for the end. */
const HEAD = `
  const { loadSocketsAddon } = await import(${JSON.stringify(BINDING)});
  const { OPTIONS } = await import(${JSON.stringify(KIT)});
  const net = await import('node:net');
  const { once } = await import('node:events');
  const addon = loadSocketsAddon();
  function listen(handlers) {
    const usual = { admit: () => true, release() {}, upgrade: () => null, open() {}, message() {}, heartbeat() {}, dropped() {}, close() {}, page: null };
    const server = addon.open({ ...OPTIONS, handlers: { ...usual, ...handlers } });
    return { server, port: addon.listen(server, '127.0.0.1', 0) };
  }
  const frame = (first) => Buffer.of(first, 0x81, 0, 0, 0, 0, 0x78);
  const REQUEST = ['GET / HTTP/1.1', 'Host: relay.test', 'Upgrade: websocket', 'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13', '', ''].join('\\r\\n');
  async function talk(port) {
    const wire = net.connect(port, '127.0.0.1');
    wire.on('error', () => undefined).write(REQUEST);
    // What comes with the request is not read.
    wire.once('data', () => wire.end(Buffer.concat([frame(0x81), frame(0x89)])));
    await once(wire, 'close');
  }`;

/** Runs a module after the head. */
async function run(body: string): Promise<{ code: number | null; signal: string | null; said: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', `${HEAD}\n${body}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes) => {
      said += bytes;
    });
  }
  const [code, signal] = await once(child, 'close');
  return { code, signal, said };
}

t.test('what a handler throws is an uncaught exception, and the server goes on', { skip }, async (t) => {
  const { code, said } = await run(`
    process.on('uncaughtException', ({ message }) => console.log('uncaught', message));
    for (const name of ['admit', 'upgrade', 'open', 'message', 'heartbeat', 'close', 'release']) {
      const { server, port } = listen({ [name]: () => { throw new Error(name); } });
      if (name === 'release') {
        const wire = net.connect(port, '127.0.0.1').on('error', () => undefined).resume();
        wire.write('GET /healthz HTTP/1.1\\r\\nHost: relay.test\\r\\n\\r\\n');
        await once(wire, 'close');
      } else {
        await talk(port);
        await talk(port);
      }
      addon.close(server);
    }
    // Within a call of ours.
    const { server, port } = listen({
      open(socket) {
        addon.cut(socket);
        console.log('after cut');
      },
      close: () => { throw new Error('nested'); },
    });
    await talk(port);
    addon.close(server);`);
  const lines = said.trim().split('\n');
  const twice = ['admit', 'upgrade', 'open', 'message', 'heartbeat', 'close'].flatMap((name) => [name, name]);
  t.same(lines, [...[...twice, 'release', 'nested'].map((name) => `uncaught ${name}`), 'after cut']);
  t.equal(code, 0, 'and it ended by itself');
});

t.test('without a handler for uncaught exceptions the process ends with its stack', { skip }, async (t) => {
  const { code, signal, said } = await run(`
    const { port } = listen({ message: () => { throw new Error('the reason'); } });
    await talk(port);
    console.log('not reached');`);
  t.equal(signal, null);
  t.equal(code, 1);
  t.match(said, /Error: the reason\n {4}at .*message/);
  t.notMatch(said, /not reached/);
});

t.test('promises and next ticks run after each handler', { skip }, async (t) => {
  const { said } = await run(`
    const { server, port } = listen({
      message: () => {
        process.nextTick(() => console.log('tick'));
        Promise.resolve().then(() => console.log('promise'));
        console.log('message');
      },
      heartbeat: () => console.log('heartbeat'),
    });
    await talk(port);
    addon.close(server);`);
  t.equal(said, 'message\ntick\npromise\nheartbeat\n');
});

t.test('the process may exit in a handler, and ends by itself when all is closed', { skip }, async (t) => {
  for (const name of ['admit', 'upgrade', 'open', 'message', 'close']) {
    const { code, signal, said } = await run(`
      const { port } = listen({ ${name}: () => process.exit(7) });
      await talk(port);`);
    t.same({ code, signal, said }, { code: 7, signal: null, said: '' }, name);
  }
  const { code, said } = await run(`
    const { server, port } = listen({ message: () => addon.close(server) });
    await talk(port);
    process.on('exit', () => console.log('ended'));`);
  t.same({ code, said }, { code: 0, said: 'ended\n' });
});

t.test('a thread that sleeps loses nothing', { skip }, async (t) => {
  const { said } = await run(`
    let messages = 0;
    const { server, port } = listen({
      open: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50),
      message: () => { messages += 1; },
    });
    await Promise.all(Array.from({ length: 10 }, () => talk(port)));
    console.log(messages);
    addon.close(server);`);
  t.equal(said, '10\n');
});

t.test('in a worker thread it loads and opens nothing, and the worker may end', { skip }, async (t) => {
  const { code, said } = await run(`
    const { Worker } = await import('node:worker_threads');
    const { server, port } = listen({ message: () => console.log('message') });
    const body = \`
      const { loadSocketsAddon } = await import(${JSON.stringify(BINDING)});
      try {
        loadSocketsAddon().open({});
      } catch ({ name, message }) {
        console.log(name, message);
      }\`;
    for (let turn = 0; turn < 3; turn += 1) {
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(body)));
      await once(worker, 'exit');
    }
    await talk(port);
    addon.close(server);`);
  t.equal(code, 0);
  t.same(said.trim().split('\n').sort(), [...Array(3).fill('TypeError expected the main thread'), 'message']);
});
