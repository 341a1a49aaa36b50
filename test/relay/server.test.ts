/**
 * The relay on a real port, with real WebSockets on loopback. Every wait is for an event; tap bounds them
 * all.
 */

import net from 'node:net';
import t, { type Test } from 'tap';
import WebSocket from 'ws';
import type { RelayOptions } from '../../relay/options.js';
import { missingError, missingReason } from '../../relay/port/start_error.js';
import { startRelay } from '../../relay/server.js';
import {
  type ClientMessage,
  type RelayMessage,
  readRelayMessage,
  writeMessage,
} from '../../voice/control.js';
import { PacketWriter } from '../../voice/packet_writer.js';
import { personSteamId, steamIdHigh, steamIdLow } from '../../voice/steam_id.js';
import { packetOf, readVoiceHeader, stampVoiceFrame, writeVoiceFrame } from '../../voice/wire.js';
import { fields, frameOf, helloOf, packetBy, steamIdOf } from './kit.js';

type Heard = RelayMessage | Uint8Array | { readonly type: 'closed'; readonly code: number };

/** A client whose messages, text and voice in one order, are taken one by one. */
class Client {
  readonly #heard: Heard[] = [];
  #wake: (() => void) | null = null;
  readonly socket: WebSocket;

  constructor(url: string, options: WebSocket.ClientOptions = {}) {
    this.socket = new WebSocket(url, options);
    this.socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) return this.#push(new Uint8Array(data));
      const message = readRelayMessage(data.toString());
      if (!('type' in message)) throw new Error(`the relay sent something that is not a message: ${data}`);
      this.#push(message);
    });
    this.socket.on('error', () => {});
    this.socket.on('close', (code) => this.#push({ type: 'closed', code }));
  }

  #push(heard: Heard): void {
    this.#heard.push(heard);
    this.#wake?.();
  }

  async next(): Promise<Heard> {
    while (this.#heard.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#heard.shift()!;
  }

  /** The next voice frame, past the messages before it. */
  async voice(): Promise<Uint8Array> {
    for (;;) {
      const heard = await this.next();
      if (heard instanceof Uint8Array) return heard;
      if (heard.type === 'closed') throw new Error(`closed with ${heard.code}, wanted voice`);
    }
  }

  async opened(): Promise<this> {
    if (this.socket.readyState !== WebSocket.OPEN) {
      await new Promise((resolve) => this.socket.once('open', resolve));
    }
    return this;
  }

  say(message: ClientMessage | string): void {
    this.socket.send(typeof message === 'string' ? message : writeMessage(message));
  }

  async join(account: number, lobby = 'den'): Promise<Heard> {
    await this.opened();
    this.say(helloOf(account, lobby));
    return this.next();
  }
}

/** A relay that is closed behind the test. */
async function relayFor(t: Test, options: Partial<RelayOptions> = {}) {
  const relay = await startRelay({ dev: true, ...options });
  t.teardown(() => relay.close());
  return relay;
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The status of an upgrade that fails. */
function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers });
    socket.on('unexpected-response', (request, response) => {
      resolve(response.statusCode);
      request.destroy();
    });
    socket.on('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.on('error', reject);
  });
}

t.test('two join, one speaks, the other hears the packet unchanged under fields of the relay', async (t) => {
  const stages: [number, number, number][] = [];
  // On a busy machine a second may pass between two frames, which must not end the talkspurt.
  const limits = { speakingHangoverMs: 10_000 };
  const relay = await relayFor(t, { limits, onStage: (...stage) => stages.push(stage) });
  const speaker = new Client(relay.url);
  const listener = new Client(relay.url);
  t.match(await speaker.join(1), { type: 'welcome', slot: 0, lobby: 'den', participants: [] });
  t.match(await listener.join(2), {
    type: 'welcome',
    slot: 1,
    participants: [{ slot: 0, steamId: steamIdOf(1), name: 'player 1', speaking: false }],
  });
  t.match(await speaker.next(), { type: 'joined', participant: { slot: 1, steamId: steamIdOf(2) } });

  const frame = frameOf(1, { marker: true, sequence: 513, timestamp: 0xfedcba98 });
  const wrong = { slot: 77, relaySequence: 4242, relayTimeMs: 0xffff_ffff, acknowledge: true };
  stampVoiceFrame(frame, wrong);
  speaker.socket.send(frame);
  const heard = (await listener.next()) as Uint8Array;
  t.match(readVoiceHeader(heard), {
    marker: true,
    terminator: false,
    target: 0,
    sequence: 513,
    timestamp: 0xfedcba98,
    slot: 0,
    relaySequence: 0,
    acknowledge: false,
  });
  const { relayTimeMs } = readVoiceHeader(heard) as { relayTimeMs: number };
  t.not(relayTimeMs, 0xffff_ffff);
  t.same(packetOf(heard), packetBy(personSteamId(1), 513));
  t.same(await listener.next(), { type: 'speaking', slot: 0, speaking: true });

  speaker.socket.send(frameOf(1, { terminator: true, sequence: 514 }));
  t.match(readVoiceHeader((await listener.next()) as Uint8Array), { relaySequence: 1, terminator: true });
  t.same(await listener.next(), { type: 'speaking', slot: 0, speaking: false });
  t.match(stages, [
    [0, 513, Number],
    [0, 514, Number],
  ]);
  t.ok(stages[0]![2] <= Number(process.hrtime.bigint()) / 1e6);
  t.match(relay.counts(), { publishedFrames: 2, connections: 2, participants: 2, lobbies: 1 });
});

t.test('a speaker does not hear themselves, nor another lobby', async (t) => {
  const relay = await relayFor(t);
  const [one, two, other] = [new Client(relay.url), new Client(relay.url), new Client(relay.url)];
  await one.join(1);
  await two.join(2);
  await other.join(3, 'attic');
  one.socket.send(frameOf(1, { sequence: 1 }));
  await two.voice();
  two.socket.send(frameOf(2, { sequence: 2 }));
  t.match(readVoiceHeader(await one.voice()), { sequence: 2 }, 'the first voice heard is the other one');
  other.say({ type: 'leave' });
  t.same(await other.next(), { type: 'closed', code: 1000 }, 'nothing came before');
});

t.test('a talkspurt without a terminator ends by itself', async (t) => {
  const relay = await relayFor(t, { limits: { speakingHangoverMs: 50 } });
  const [one, two] = [new Client(relay.url), new Client(relay.url)];
  await one.join(1);
  await two.join(2);
  one.socket.send(frameOf(1));
  await two.voice();
  t.match(await two.next(), { type: 'speaking', speaking: true });
  t.match(await two.next(), { type: 'speaking', speaking: false });
});

t.test('a player whose socket breaks is away, or has left where resuming is off', async (t) => {
  const events: string[] = [];
  const relay = await relayFor(t, {
    onEvent: (event) => events.push(event.kind),
    limits: { resumeWithinMs: 0 },
  });
  const [one, two] = [new Client(relay.url), new Client(relay.url)];
  await one.join(1);
  await two.join(2);
  two.socket.terminate();
  await one.next();
  t.same(await one.next(), { type: 'left', slot: 1 });
  t.same(events, ['lobby-opened', 'joined', 'joined', 'left']);
  const keeping = await relayFor(t);
  const [three, four] = [new Client(keeping.url), new Client(keeping.url)];
  await three.join(3);
  await four.join(4);
  four.socket.terminate();
  await three.next();
  t.match(await three.next(), { type: 'changed', participant: { slot: 1, away: true } });
});

t.test('a malformed frame is never forwarded, and the next good one is', async (t) => {
  const relay = await relayFor(t);
  const [one, two] = [new Client(relay.url), new Client(relay.url)];
  await one.join(1);
  await two.join(2);
  const good = frameOf(1, { sequence: 7 });
  const cases = [
    new Uint8Array(0),
    good.subarray(0, 20),
    good.with(0, 0xf0),
    good.with(20, good[20]! ^ 0xff),
    good.subarray(0, good.length - 1),
    frameOf(2),
    frameOf(1, { target: 9 }),
  ];
  for (const bytes of cases) one.socket.send(bytes);
  one.socket.send(good);
  t.match(readVoiceHeader((await two.next()) as Uint8Array), { sequence: 7, relaySequence: 0 });
  const { drops } = relay.counts();
  t.match(drops, {
    'frame-too-short': 2,
    'frame-version-unknown': 1,
    'packet-bad-crc': 2,
    'steam-id-mismatch': 1,
    'target-unknown': 1,
  });
});

t.test('a refused client gets the reason, then is closed with its code', async (t) => {
  const relay = await relayFor(t, { limits: { helloWithinMs: 100, connections: 3 } });
  const voice = await new Client(relay.url).opened();
  voice.socket.send(frameOf(1));
  t.match(await voice.next(), { type: 'refused', code: 'hello-expected' });
  t.same(await voice.next(), { type: 'closed', code: 4000 });

  const late = new Client(relay.url);
  t.match(await late.next(), { type: 'refused', code: 'hello-late' });
  t.same(await late.next(), { type: 'closed', code: 4001 });

  const rude = await new Client(relay.url).opened();
  rude.say('hello?');
  t.match(await rude.next(), { type: 'refused', code: 'message-malformed' });
  t.same(await rude.next(), { type: 'closed', code: 4002 });

  const joined = [1, 2, 3].map(() => new Client(relay.url));
  for (const [i, client] of joined.entries()) await client.join(i + 1);
  const one = new Client(relay.url);
  t.match(await one.next(), { type: 'refused', code: 'relay-full' });
  t.same(await one.next(), { type: 'closed', code: 4007 });
});

t.test('a message longer than any voice frame closes its connection and reaches nobody', async (t) => {
  const relay = await relayFor(t);
  const [one, two] = [new Client(relay.url), new Client(relay.url)];
  await one.join(1);
  await two.join(2);
  one.socket.send(new Uint8Array(8209));
  t.match(await two.next(), { type: 'changed', participant: { slot: 0, away: true } });
});

t.test('a proxy, a page from elsewhere and another path get no WebSocket', async (t) => {
  const reasons: string[] = [];
  const relay = await relayFor(t, {
    onEvent: (event) => {
      if (event.kind !== 'refusals') reasons.push(event.kind === 'not-admitted' ? event.reason : event.kind);
    },
  });
  t.equal(await statusOf(relay.url, { 'X-Forwarded-For': '127.0.0.1' }), 403);
  t.equal(await statusOf(relay.url, { Forwarded: 'for=127.0.0.1' }), 403);
  t.equal(await statusOf(relay.url, { Via: '1.1 proxy' }), 403);
  t.equal(await statusOf(relay.url, { Origin: 'https://example.com' }), 403);
  t.equal(await statusOf(relay.url, { Origin: 'http://localhost:8080' }), 101);
  t.equal(await statusOf(`${relay.url}elsewhere`, {}), 404);
  t.same(reasons, ['peer-forwarded', 'origin-remote'], 'the first for each reason is reported at once');
  t.equal(relay.counts().notAdmitted, 4);
});

/** The status of an upgrade behind a PROXY preamble of version 2. */
async function statusBehind(t: Test, port: number, preamble: readonly number[]): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  const signature = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
  socket.write(Uint8Array.from([...signature, ...preamble]));
  socket.write(
    'GET / HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
  return answer.toString('latin1', 9, 12);
}

const IPV4_ADDRESSES = [9, 9, 9, 9, 127, 0, 0, 1, 1, 2, 3, 4];

t.test('a PROXY protocol preamble is a proxy too where it names an address', async (t) => {
  const { port } = await relayFor(t);
  t.equal(await statusBehind(t, port, [0x21, 0x11, 0, 12, ...IPV4_ADDRESSES]), '403');
  t.equal(await statusBehind(t, port, [0x20, 0x11, 0, 12, ...IPV4_ADDRESSES]), '403', 'LOCAL with one');
  t.equal(await statusBehind(t, port, [0x21, 0x21, 0, 36, ...Array(36).fill(1)]), '403', 'IPv6');
});

t.test('a PROXY protocol preamble without an address has no effect: it is not visible', async (t) => {
  const { port } = await relayFor(t);
  for (const [name, preamble] of [
    ['LOCAL, UNSPEC', [0x20, 0x00, 0, 0]],
    ['PROXY, UNSPEC', [0x21, 0x00, 0, 0]],
    ['PROXY, UNSPEC, with bytes behind it', [0x21, 0x00, 0, 12, ...IPV4_ADDRESSES]],
  ] as const)
    t.equal(await statusBehind(t, port, preamble), '101', name);
});

t.test('plain HTTP finds the health check and nothing else', async (t) => {
  const relay = await relayFor(t);
  const http = relay.url.replace('ws:', 'http:');
  const health = await fetch(`${http}healthz`);
  t.same([health.status, await health.text()], [200, 'ok\n']);
  t.equal((await fetch(http)).status, 404);
  t.equal((await fetch(`${http}counts`)).status, 404);
  t.equal((await fetch(http, { method: 'POST', body: 'x' })).status, 404);
});

t.test('without dev, or on a host that others reach, the relay refuses to start', async (t) => {
  await t.rejects(startRelay({ dev: false }), {
    code: 'ERR_HOTMIC_ADMISSION',
    message: /Cannot start the relay: .*or use --dev/,
  });
  await t.rejects(startRelay({} as RelayOptions), { code: 'ERR_HOTMIC_ADMISSION' });
  await t.rejects(startRelay({ dev: true, host: '0.0.0.0' }), {
    code: 'ERR_HOTMIC_ADMISSION',
    message: /host is 0\.0\.0\.0, expected a loopback address/,
  });
  await t.rejects(startRelay({ dev: true, port: 65536 }), RangeError);
  await t.rejects(startRelay({ dev: true, limits: { lobbies: 0 } }), RangeError);
});

t.test(
  'with only app tickets a relay refuses to start, unless forgeable ones are trusted; then it warns',
  async (t) => {
    const key = '00112233445566778899aabbccddeeff'.repeat(2);
    const appTickets = { appId: 480, keys: [key] };
    await t.rejects(startRelay({ appTickets }), {
      code: 'ERR_HOTMIC_ADMISSION',
      message: /does not prove who a player is.*trust-forgeable/,
    });
    const events: object[] = [];
    const onEvent = (event: object) => events.push(event);
    await (await startRelay({ appTickets, guests: 'listen', onEvent })).close();
    t.same(events, []);
    await (await startRelay({ appTickets: { ...appTickets, alone: 'trust-forgeable' }, onEvent })).close();
    t.match(events, [
      { kind: 'at-risk', code: 'app-tickets-forgeable', detail: /any player .* can join as any other/ },
    ]);
  },
);

t.test('a port in use is reported, whether by another relay or another program', async (t) => {
  const relay = await relayFor(t);
  await t.rejects(startRelay({ dev: true, port: relay.port }), {
    code: 'ERR_HOTMIC_PORT_IN_USE',
    message: new RegExp(`port ${relay.port} of 127\\.0\\.0\\.1 is in use`),
  });
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await t.rejects(startRelay({ dev: true, port }), { code: 'ERR_HOTMIC_PORT_IN_USE' });
  await new Promise((resolve) => server.close(resolve));
});

t.test('localhost and its port work, and ::1 where the machine has it', async (t) => {
  const relay = await relayFor(t, { host: 'localhost' });
  t.equal(relay.url, `ws://127.0.0.1:${relay.port}/`);
  t.match(await new Client(relay.url).join(1), { type: 'welcome' });
  try {
    const six = await relayFor(t, { host: '::1' });
    t.equal(six.url, `ws://[::1]:${six.port}/`);
    t.match(await new Client(six.url).join(1), { type: 'welcome' });
  } catch (thrown) {
    t.match(thrown, { code: 'ERR_HOTMIC_LISTEN', message: /cannot listen on port 0 of ::1: ./ });
  }
});

t.test('closing tells everyone with 1001, frees the port and may be done twice', async (t) => {
  const relay = await relayFor(t, { port: await freePort() });
  const [one, two, waiting] = [new Client(relay.url), new Client(relay.url), new Client(relay.url)];
  await one.join(1);
  await two.join(2);
  await one.next();
  await waiting.opened();
  const closing = relay.close();
  for (const client of [one, two, waiting]) t.same(await client.next(), { type: 'closed', code: 1001 });
  await closing;
  const again = await relayFor(t, { port: relay.port });
  t.equal(again.port, relay.port, 'the port is free again at once');
  await relay.close();
  t.match(relay.counts(), { connections: 0 });
});

t.test('a listener that does not read is skipped, counted, and delays nobody', async (t) => {
  const relay = await relayFor(t, {
    limits: {
      framesPerSecond: 10_000,
      frameBurst: 100_000,
      bytesPerSecond: 16_777_216,
      byteBurst: 67_108_864,
      soundMsPerSecond: 100_000,
      soundBurstMs: 3_600_000,
    },
  });
  const [one, two, stalled] = [new Client(relay.url), new Client(relay.url), new Client(relay.url)];
  await one.join(1);
  await two.join(2);
  await stalled.join(3);
  // 8 KiB a frame fill the kernel's buffers soon.
  const long = longFrame();
  stalled.socket.pause();
  let sent = 0;
  while (relay.counts().backpressureDrops === 0 && sent < 20_000) {
    one.socket.send(long);
    sent += 1;
    t.equal((await two.voice()).length, long.length);
  }
  t.ok(relay.counts().backpressureDrops > 0, `after ${sent} frames`);
  two.say({ type: 'leave' });
  while (relay.counts().listenersCut === 0) await new Promise((resolve) => setImmediate(resolve));
  t.match(relay.counts(), { participants: 2, away: 1 }, 'who could not be told who left was cut off');
  stalled.socket.terminate();
});

/** The longest voice frame but a few bytes: frames as long as Opus has them. */
function longFrame(): Uint8Array {
  const steamId = personSteamId(1);
  const writer = new PacketWriter();
  writer.begin(new Uint8Array(8192), steamIdLow(steamId), steamIdHigh(steamId));
  writer.beginFrames();
  for (let sequence = 0; sequence < 6; sequence++) {
    writer.frame(sequence, new Uint8Array(1275).fill(0x48), 0, 1275);
  }
  writer.endFrames();
  return writeVoiceFrame(fields(), writer.finish());
}

t.test('the error for a missing uWebSockets says why and what to do', async (t) => {
  const absent = Object.assign(new Error("Cannot find package 'uWebSockets.js' imported from x"), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
  t.match(missingError(missingReason(absent, '20.1.0').reason, absent), {
    code: 'ERR_HOTMIC_RELAY_MISSING',
    message: /is not installed.*npm install/,
    cause: absent,
  });
  const old = new Error("uWS...\n\nError: /lib/libc.so.6: version `GLIBC_2.38' not found (required by x)");
  t.match(
    missingError(missingReason(old, '22.1.0').reason, old).message,
    /Node 22\.1\.0 needs GLIBC_2\.38.*use Debian 13, Ubuntu 24\.04 or later; or start it with sockets ws$/,
  );
  const odd = new Error("Cannot find module './uws_linux_x64_83.node'");
  t.match(
    missingError(missingReason(odd, '14.0.0').reason, odd).message,
    /no binary for Node 14\.0\.0 on this system \(uws_linux_x64_83\)/,
  );
});

t.test('guests alone may fill every place, and leave a share where credentials are judged', async (t) => {
  const guest: ClientMessage = { type: 'hello', versions: [1], lobby: 'den', name: 'guest' };
  const limits = { participantsPerLobby: 4 };
  for (const [others, expected] of [
    [{}, 'welcome'],
    [{ webTickets: { appId: 480, key: 'KEY' } }, 'refused'],
  ] as const) {
    const relay = await startRelay({ guests: 'speak', limits, ...others });
    t.teardown(() => relay.close());
    let last: Heard | null = null;
    for (let count = 0; count < 4; count += 1) {
      const client = await new Client(relay.url).opened();
      client.say(guest);
      last = await client.next();
    }
    t.match(last, { type: expected });
  }
});
