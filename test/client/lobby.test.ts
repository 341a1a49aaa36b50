/** Joining a lobby: over a real relay on loopback, and over transports and relays that misbehave. */

import { once } from 'node:events';
import net from 'node:net';
import { mock } from 'node:test';
import t, { type Test } from 'tap';
import { WebSocketServer } from 'ws';
import { joinLobby, type Lobby, type LobbyEvents, parseRelayUrl } from '../../client/lobby.js';
import type { OpenTransport, Transport, TransportEvents } from '../../client/transport.js';
import { startRelay } from '../../relay/index.js';
import type { HotmicError } from '../../voice/error.js';
import { personSteamId } from '../../voice/steam_id.js';
import type { NumberedPacket } from '../../voice/talkspurt.js';
import { stampVoiceFrame, writeVoiceFrame } from '../../voice/wire.js';
import { SILENCE_PACKET } from '../kit/golden_packets.js';
import { packetBy } from '../relay/kit.js';

async function relayFor(t: Test) {
  const relay = await startRelay({ dev: true });
  t.teardown(() => relay.close());
  return relay;
}

function member(account: number) {
  return { lobby: 'den', steamId: personSteamId(account), name: `player ${account}` };
}

function numbered(account: number, sequence = 0): NumberedPacket {
  const packet = packetBy(personSteamId(account), sequence);
  return { packet, capturedAt: 0, marker: sequence === 0, terminator: false, sequence, timestamp: 480 };
}

/** Events in the order in which they are told, and a wait for the next of a kind. */
function listener() {
  const told: string[] = [];
  const waiting = new Map<string, () => void>();
  let error: HotmicError | null | undefined;
  const tell = (what: string) => {
    told.push(what);
    waiting.get(what)?.();
  };
  const events: LobbyEvents = {
    onWelcome: (lobby) => tell(`welcome ${lobby.participants.map(({ name }) => name).join()}`),
    onJoined: ({ name }) => tell(`joined ${name}`),
    onLeft: ({ name }) => tell(`left ${name}`),
    onSpeaking: ({ name, speaking }) => tell(`${name} ${speaking ? 'speaks' : 'is silent'}`),
    onVoice: ({ name }, { sequence }) => tell(`voice ${sequence} of ${name}`),
    onEnded: (end) => {
      error = end;
      tell('ended');
    },
  };
  const until = async (what: string) => {
    if (!told.includes(what)) await new Promise<void>((resolve) => waiting.set(what, resolve));
  };
  return { told, events, until, end: () => error };
}

t.test('two join, one speaks, the other hears; the welcome comes before anything else', async (t) => {
  const relay = await relayFor(t);
  const ear = listener();
  let welcomed: Lobby | null = null;
  const events: LobbyEvents = {
    ...ear.events,
    onWelcome: (lobby) => {
      welcomed = lobby;
      ear.events.onWelcome?.(lobby);
    },
  };
  const heard: Uint8Array[] = [];
  events.onVoice = (participant, header, packet) => {
    heard.push(packet);
    ear.events.onVoice?.(participant, header, packet);
  };
  const speaker = await joinLobby({ url: relay.url, ...member(1) });
  const lobby = await joinLobby({ url: relay.url, ...member(2), events });
  t.equal(welcomed, lobby, 'the lobby that is told of is the one that is resolved to');
  t.same(ear.told, ['welcome player 1']);
  t.not(speaker.slot, lobby.slot);
  t.match(lobby.participants, [{ slot: speaker.slot, steamId: personSteamId(1), speaking: false }]);

  const packet = numbered(1);
  t.equal(speaker.publish(packet), true);
  const wanted = Buffer.from(packet.packet);
  packet.packet.fill(0);
  await ear.until('player 1 speaks');
  t.same(ear.told.slice(1), ['voice 0 of player 1', 'player 1 speaks'], 'the frame comes before the light');
  t.ok(wanted.equals(heard[0]!), 'the packet was copied when it was published, and comes unchanged');
  t.equal(speaker.counts().framesSent, 1);
  t.match(lobby.counts(), {
    framesReceived: 1,
    dropped: { 'not-joined': 0, malformed: 0, 'slot-unknown': 0 },
  });

  await speaker.leave();
  t.equal(speaker.publish(numbered(1, 1)), false, 'who left does not speak');
  await ear.until('left player 1');
  t.same(lobby.participants, []);
  await lobby.leave();
  t.equal(ear.end(), null, 'leaving is no error');
  await lobby.leave();
  t.equal(ear.told.filter((what) => what === 'ended').length, 1, 'the end is told once');
});

t.test('a URL that is none is refused', async (t) => {
  for (const url of [
    '',
    'den',
    'http://127.0.0.1:7800',
    '127.0.0.1:7800',
    'ws://',
    'ws://127.0.0.1:1/#den',
  ]) {
    await t.rejects(joinLobby({ url, ...member(1) }), {
      code: 'ERR_HOTMIC_URL',
      message: `Cannot connect to "${url}": wants a URL such as ws://127.0.0.1:7800`,
    });
  }
  t.equal(parseRelayUrl('wss://relay.example/voice?a=1').href, 'wss://relay.example/voice?a=1');
});

t.test('where nobody listens the error says where and why', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  await t.rejects(joinLobby({ url: `ws://127.0.0.1:${port}`, ...member(1) }), {
    code: 'ERR_HOTMIC_CONNECT',
    message: `Cannot connect to ws://127.0.0.1:${port}/: ECONNREFUSED`,
  });
});

t.test('something that is no relay is told as such', async (t) => {
  const server = net.createServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  await t.rejects(joinLobby({ url: `ws://127.0.0.1:${port}`, ...member(1) }), {
    code: 'ERR_HOTMIC_CONNECT',
    message: /Unexpected server response: 200/,
  });
});

t.test('who is refused learns the code of the relay', async (t) => {
  const relay = await relayFor(t);
  const first = await joinLobby({ url: relay.url, ...member(1) });
  const ear = listener();
  await t.rejects(joinLobby({ url: relay.url, ...member(1), events: ear.events }), {
    code: 'ERR_HOTMIC_REFUSED',
    message: /^Relay refused \(steam-id-in-use\): /,
  });
  t.same(ear.told, [], 'who was never in is told by the rejection alone');
  await t.rejects(joinLobby({ url: relay.url, ...member(2), lobby: 'x'.repeat(65) }), {
    code: 'ERR_HOTMIC_REFUSED',
    message: /\(message-malformed\)/,
  });
  await first.leave();
});

t.test('a relay that closes is told through onEnded', async (t) => {
  const relay = await relayFor(t);
  const ear = listener();
  const lobby = await joinLobby({ url: relay.url, ...member(1), events: ear.events });
  await relay.close();
  await ear.until('ended');
  t.match(ear.end(), { code: 'ERR_HOTMIC_CONNECTION_LOST', message: /^Relay closed the connection \(1001/ });
  t.equal(lobby.publish(numbered(1)), false);
  await lobby.leave();
  t.equal(ear.told.filter((what) => what === 'ended').length, 1);
});

/** A transport that the test plays, and what was sent over it. */
function playedTransport() {
  const sent: (string | Uint8Array)[] = [];
  let closes = 0;
  let events!: TransportEvents;
  const transport: Transport & { bufferedBytes: number } = {
    send: (data) => sent.push(data),
    bufferedBytes: 0,
    close: () => {
      closes += 1;
    },
  };
  const open: OpenTransport = (_url, given) => {
    events = given;
    return transport;
  };
  return { sent, open, transport, closes: () => closes, say: () => events };
}

const WELCOME = JSON.stringify({
  type: 'welcome',
  version: 1,
  slot: 5,
  lobby: 'den',
  relayTimeMs: 0,
  participants: [{ slot: 1, steamId: String(personSteamId(9)), name: 'Kim', speaking: false }],
});

t.test('nothing is sent after the end, and the transport is closed', async (t) => {
  const { sent, open, closes, say } = playedTransport();
  const ear = listener();
  const joining = joinLobby({ url: 'ws://relay', ...member(1), events: ear.events, transport: open });
  say().onOpen();
  say().onText(WELCOME);
  const lobby = await joining;
  lobby.publish(numbered(1));
  t.equal(sent.length, 2, 'a hello and a frame');
  say().onText('{"type":"riddle"}');
  t.match(ear.end(), { code: 'ERR_HOTMIC_PROTOCOL' });
  t.equal(closes(), 1);
  t.equal(lobby.publish(numbered(1, 1)), false);
  say().onText(WELCOME);
  say().onBytes(new Uint8Array(50));
  const leaving = lobby.leave();
  say().onClose(1000, '', null);
  await leaving;
  t.equal(sent.length, 2);
  t.equal(lobby.counts().framesSent, 1);
  t.same(ear.told, ['welcome Kim', 'ended']);
});

t.test('voice that the connection does not take is refused and counted, not piled up', async (t) => {
  const { sent, open, say, transport } = playedTransport();
  const joining = joinLobby({ url: 'ws://relay', ...member(1), transport: open });
  say().onOpen();
  say().onText(WELCOME);
  const lobby = await joining;
  transport.bufferedBytes = 64 * 1024 + 1;
  t.equal(lobby.publish(numbered(1)), false);
  transport.bufferedBytes = 64 * 1024;
  t.equal(lobby.publish(numbered(1, 1)), true);
  t.match(lobby.counts(), { framesSent: 1, framesRefused: 1 });
  t.equal(sent.length, 2, 'a hello and the second frame');
  say().onClose(1006, '', null);
});

t.test('frames that cannot be taken are counted under their reason', async (t) => {
  const { open, say } = playedTransport();
  const ear = listener();
  const joining = joinLobby({ url: 'ws://relay', ...member(1), events: ear.events, transport: open });
  const frame = (slot: number) => {
    const bytes = writeVoiceFrame(
      { marker: false, terminator: false, target: 0, sequence: 3, timestamp: 0 },
      SILENCE_PACKET,
    );
    stampVoiceFrame(bytes, { slot, relaySequence: 0, relayTimeMs: 0, acknowledge: false });
    return bytes;
  };
  say().onOpen();
  say().onBytes(frame(1));
  say().onText(WELCOME);
  for (const bytes of [frame(1), frame(2), frame(2), new Uint8Array(0)]) say().onBytes(bytes);
  const lobby = await joining;
  t.same(lobby.counts(), {
    framesSent: 0,
    framesRefused: 0,
    framesReceived: 1,
    dropped: { 'not-joined': 1, malformed: 1, 'slot-unknown': 2 },
  });
  say().onClose(1006, '', null);
});

t.test('a relay that never answers is given up', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const { open, closes, say } = playedTransport();
  const joining = joinLobby({ url: 'ws://relay', ...member(1), transport: open });
  say().onOpen();
  mock.timers.tick(9999);
  t.equal(closes(), 0);
  mock.timers.tick(1);
  await t.rejects(joining, {
    code: 'ERR_HOTMIC_CONNECT',
    message: 'Cannot join at ws://relay/: no welcome after 10 s',
  });
  t.equal(closes(), 1);
});

t.test('a relay that does not answer a leave is left all the same', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const { sent, open, closes, say } = playedTransport();
  const joining = joinLobby({ url: 'ws://relay', ...member(1), transport: open });
  say().onOpen();
  say().onText(WELCOME);
  const lobby = await joining;
  mock.timers.tick(20_000);
  t.equal(closes(), 0, 'who was welcome is in no hurry');
  const leaving = lobby.leave();
  t.equal(sent.at(-1), '{"type":"leave"}');
  mock.timers.tick(2000);
  t.equal(closes(), 1);
  say().onClose(1006, '', null);
  await leaving;
});

t.test('all that comes in one piece with the welcome is told in order', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  t.teardown(() => server.close());
  server.on('connection', (socket) => {
    socket.once('message', () => {
      const raw = (socket as unknown as { _socket: net.Socket })._socket;
      raw.cork();
      socket.send(WELCOME);
      socket.send('{"type":"speaking","slot":1,"speaking":true}');
      socket.send('{"type":"left","slot":1}');
      socket.send('{"type":"refused","code":"relay-full","message":"sorry"}');
      socket.close(4007);
      raw.uncork();
    });
  });
  const ear = listener();
  const { port } = server.address() as net.AddressInfo;
  const lobby = await joinLobby({ url: `ws://127.0.0.1:${port}`, ...member(1), events: ear.events });
  await ear.until('ended');
  t.same(ear.told, ['welcome Kim', 'Kim speaks', 'left Kim', 'ended']);
  t.match(ear.end(), { code: 'ERR_HOTMIC_REFUSED', message: 'Relay refused (relay-full): sorry' });
  await lobby.leave();
});
