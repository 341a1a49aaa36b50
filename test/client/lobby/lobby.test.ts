/** Joining a lobby: over a real relay on loopback, and over transports and relays that misbehave. */

import { once } from 'node:events';
import net from 'node:net';
import t, { type Test } from 'tap';
import { WebSocketServer } from 'ws';
import { decodeLobby } from '../../../client/decode_lobby.js';
import { joinLobby } from '../../../client/lobby/join.js';
import type { Lobby, LobbyEvents } from '../../../client/lobby/lobby.js';
import { parseRelayUrl } from '../../../client/transport/url.js';
import { EmbeddedSteam } from '../../../native/embedded/steam.js';
import { startRelay } from '../../../relay/index.js';
import type { HotmicError } from '../../../voice/error.js';
import { personSteamId } from '../../../voice/steam_id.js';
import type { NumberedPacket } from '../../../voice/talkspurt.js';
import { stampVoiceFrame, writeVoiceFrame } from '../../../voice/wire.js';
import { SILENCE_PACKET } from '../../kit/golden_packets.js';
import { packetBy } from '../../relay/kit.js';
import { scriptedTransport, WELCOME } from '../scripted_transport.js';
import { simulatedIo } from '../simulated_io.js';
import { toldWords } from '../told.js';

async function relayFor(t: Test) {
  const relay = await startRelay({ dev: true });
  t.teardown(() => relay.close());
  return relay;
}

function member(account: number) {
  return { lobby: 'den', steamId: personSteamId(account), name: `player ${account}` };
}

/** Options of a client that does not reconnect. */
function alone(account: number) {
  return { ...member(account), reconnect: 'never' as const };
}

function numbered(account: number, sequence = 0): NumberedPacket {
  const packet = packetBy(personSteamId(account), sequence);
  return { packet, capturedAt: 0, marker: sequence === 0, terminator: false, sequence, timestamp: 480 };
}

/** Events in order, and a way to wait for the next one of a kind. */
function listener() {
  const { told, tell, until } = toldWords();
  let error: HotmicError | null | undefined;
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
  events.onVoice = (participant, header, packet, target) => {
    heard.push(packet);
    ear.events.onVoice?.(participant, header, packet, target);
  };
  const speaker = await joinLobby({ url: relay.url, ...member(1) });
  const lobby = await joinLobby({ url: relay.url, ...member(2), events });
  t.equal(welcomed, lobby, 'onWelcome gets the lobby that joinLobby resolves to');
  t.same(ear.told, ['welcome player 1']);
  t.not(speaker.slot, lobby.slot);
  t.match(lobby.participants, [{ slot: speaker.slot, steamId: personSteamId(1), speaking: false }]);

  const packet = numbered(1);
  t.equal(speaker.publish(packet), true);
  const wanted = Buffer.from(packet.packet);
  packet.packet.fill(0);
  await ear.until('player 1 speaks');
  t.same(
    ear.told.slice(1),
    ['voice 0 of player 1', 'player 1 speaks'],
    'the frame comes before the speaking event',
  );
  t.ok(wanted.equals(heard[0]!), 'the packet was copied when it was published, and comes unchanged');
  t.equal(speaker.counts().framesSent, 1);
  t.match(lobby.counts(), {
    framesReceived: 1,
    dropped: { 'not-joined': 0, malformed: 0, 'slot-unknown': 0 },
  });

  await speaker.leave();
  t.equal(speaker.publish(numbered(1, 1)), false, 'a participant who left does not speak');
  await ear.until('left player 1');
  t.same(lobby.participants, []);
  await lobby.leave();
  t.equal(ear.end(), null, 'leaving is not an error');
  await lobby.leave();
  t.equal(ear.told.filter((what) => what === 'ended').length, 1, 'the end is reported once');
});

t.test('an invalid URL is refused', async (t) => {
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
      message: `Cannot connect to "${url}": expected a URL such as ws://127.0.0.1:7800`,
    });
  }
  t.equal(parseRelayUrl('wss://relay.example/voice?a=1').href, 'wss://relay.example/voice?a=1');
});

t.test('when nothing listens, the error says where and why', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  await t.rejects(joinLobby({ url: `ws://127.0.0.1:${port}`, ...member(1) }), {
    code: 'ERR_HOTMIC_CONNECT',
    message: `Cannot connect to ws://127.0.0.1:${port}/: nothing listens at this address. Is the relay running? (ECONNREFUSED)`,
  });
});

t.test('an answer from something other than a relay is reported as such', async (t) => {
  const server = net.createServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  await t.rejects(joinLobby({ url: `ws://127.0.0.1:${port}`, ...member(1) }), {
    code: 'ERR_HOTMIC_CONNECT',
    message: /HTTP 200, expected a WebSocket \(HTTP 101\)\. Is this a relay\?/,
  });
});

t.test("a refused client learns the relay's code", async (t) => {
  const relay = await relayFor(t);
  const first = await joinLobby({ url: relay.url, ...member(1) });
  const ear = listener();
  await t.rejects(joinLobby({ url: relay.url, ...member(1), events: ear.events }), {
    code: 'ERR_HOTMIC_REFUSED',
    message: /^Relay refused \(steam-id-in-use\): /,
  });
  t.same(ear.told, [], 'a client that never joined only gets the rejection');
  await first.leave();
});

t.test('onEnded reports that the relay closed the connection', async (t) => {
  const relay = await relayFor(t);
  const ear = listener();
  const lobby = await joinLobby({ url: relay.url, ...alone(1), events: ear.events });
  await relay.close();
  await ear.until('ended');
  t.match(ear.end(), { code: 'ERR_HOTMIC_CONNECTION_LOST', message: /^Relay closed the connection \(1001/ });
  t.equal(lobby.publish(numbered(1)), false);
  await lobby.leave();
  t.equal(ear.told.filter((what) => what === 'ended').length, 1);
});

t.test('nothing is sent after the end, and the transport is closed', async (t) => {
  const { sent, open, closes, say } = scriptedTransport();
  const ear = listener();
  const joining = joinLobby({ url: 'ws://relay', ...alone(1), events: ear.events, transport: open });
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

t.test('voice is refused and counted, not piled up, when the connection is backed up', async (t) => {
  const { sent, open, say, transport } = scriptedTransport();
  const joining = joinLobby({ url: 'ws://relay', ...alone(1), transport: open });
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

t.test('frames that are dropped are counted by reason', async (t) => {
  const { open, say } = scriptedTransport();
  const ear = listener();
  const joining = joinLobby({ url: 'ws://relay', ...alone(1), events: ear.events, transport: open });
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
    framesMissed: 0,
    framesSkipped: 0,
    parks: 0,
    resumes: 0,
    dropped: { 'not-joined': 1, malformed: 1, 'slot-unknown': 2, 'target-unknown': 0, opaque: 0, stale: 0 },
    participantsRefused: 0,
    redirects: {
      followed: 0,
      refused: {
        'not-a-relay-url': 0,
        insecure: 0,
        'credentials-in-url': 0,
        'host-not-allowed': 0,
        'too-many': 0,
        'no-credential': 0,
      },
    },
  });
  say().onClose(1006, '', null);
});

t.test('joining gives up on a relay that never answers', async (t) => {
  const { open, closes, say } = scriptedTransport();
  const { io, tick } = simulatedIo();
  const joining = joinLobby({ url: 'ws://relay', ...alone(1), transport: open }, io);
  say().onOpen();
  tick(9999);
  t.equal(closes(), 0);
  tick(1);
  await t.rejects(joining, {
    code: 'ERR_HOTMIC_CONNECT',
    message: 'Cannot join at ws://relay/: no welcome after 10 s',
  });
  t.equal(closes(), 1);
});

t.test('leaving works even if the relay does not answer, and if the connection does not close', async (t) => {
  for (const last of ['close', 'silence']) {
    const { sent, open, closes, say } = scriptedTransport();
    const { io, tick } = simulatedIo();
    const joining = joinLobby({ url: 'ws://relay', ...alone(1), transport: open }, io);
    say().onOpen();
    say().onText(WELCOME);
    const lobby = await joining;
    tick(20_000);
    t.equal(closes(), 0, 'after the welcome there is no time limit');
    const leaving = lobby.leave();
    t.equal(sent.at(-1), '{"type":"leave"}');
    tick(2000);
    t.equal(closes(), 1);
    if (last === 'close') say().onClose(1006, '', null);
    else tick(2000);
    await leaving;
  }
});

t.test('messages that arrive together with the welcome are reported in order', async (t) => {
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

t.test('an invalid name or lobby is refused before anything is opened', async (t) => {
  let opened = 0;
  const { open } = scriptedTransport();
  const transport: typeof open = (...args) => {
    opened += 1;
    return open(...args);
  };
  for (const what of ['name', 'lobby'] as const) {
    for (const text of ['', 'x'.repeat(65), 'a\nb', '\u0000', '\u0085']) {
      await t.rejects(joinLobby({ url: 'ws://relay', ...alone(1), [what]: text, transport }), {
        name: 'RangeError',
        message: `Cannot join: ${what} is ${JSON.stringify(text)}, expected 1 to 64 characters without control characters`,
      });
    }
  }
  t.equal(opened, 0);
  const relay = await relayFor(t);
  const lobby = await joinLobby({
    url: relay.url,
    ...member(1),
    name: '\u{1f3a4}'.repeat(64),
    lobby: 'x'.repeat(64),
  });
  await lobby.leave();
});

t.test('the signal aborts a join that hangs, and later events call nothing back', async (t) => {
  for (const hangs of ['before it is open', 'before the welcome']) {
    const { sent, open, closes, say } = scriptedTransport();
    const ear = listener();
    const controller = new AbortController();
    const joining = joinLobby({
      url: 'ws://relay',
      ...alone(1),
      events: ear.events,
      transport: open,
      signal: controller.signal,
    });
    if (hangs === 'before the welcome') say().onOpen();
    const sentBefore = sent.length;
    t.equal(closes(), 0, hangs);
    controller.abort();
    await t.rejects(joining, {
      name: 'HotmicError',
      code: 'ERR_HOTMIC_CLOSED',
      message: 'Gave up joining at ws://relay/',
    });
    t.equal(closes(), 1, 'the transport is closed');
    if (hangs === 'before it is open') say().onOpen();
    say().onText(WELCOME);
    say().onText('{"type":"speaking","slot":1,"speaking":true}');
    say().onClose(1000, '', null);
    t.same(ear.told, [], 'a welcome that comes too late is ignored');
    t.equal(sent.length, sentBefore, 'and nothing more is sent');
    t.equal(closes(), 1);
  }
});

t.test('a signal that was already aborted prevents joining', async (t) => {
  const { sent, urls, open } = scriptedTransport();
  const ear = listener();
  const joining = joinLobby({
    url: 'ws://relay',
    ...alone(1),
    events: ear.events,
    transport: open,
    signal: AbortSignal.abort(),
  });
  await t.rejects(joining, { code: 'ERR_HOTMIC_CLOSED' });
  t.same([urls, sent, ear.told], [[], [], []], 'nothing is opened');
});

t.test('a signal that is aborted after the welcome changes nothing', async (t) => {
  const { open, closes, say } = scriptedTransport();
  const ear = listener();
  const controller = new AbortController();
  const joining = joinLobby({
    url: 'ws://relay',
    ...alone(1),
    events: ear.events,
    transport: open,
    signal: controller.signal,
  });
  say().onOpen();
  say().onText(WELCOME);
  const lobby = await joining;
  controller.abort();
  t.equal(closes(), 0);
  t.equal(lobby.publish(numbered(1)), true);
  say().onClose(1006, '', null);
  t.match(ear.end(), { code: 'ERR_HOTMIC_CONNECTION_LOST' });
});

t.test('the reason for a lost connection is in the error, and is its cause', async (t) => {
  const { open, say } = scriptedTransport();
  const ear = listener();
  const joining = joinLobby({ url: 'ws://relay', ...alone(1), events: ear.events, transport: open });
  say().onOpen();
  say().onText(WELCOME);
  await joining;
  const failure = new Error('the relay was silent for 60 s');
  say().onClose(1006, '', failure);
  t.match(ear.end(), {
    code: 'ERR_HOTMIC_CONNECTION_LOST',
    message: 'Connection to the relay broke (1006, the relay was silent for 60 s)',
  });
  t.equal(ear.end()?.cause, failure);
});

t.test('a ticket of the embedded Steam admits a player once', async (t) => {
  const relay = await relayFor(t);
  const steam = new EmbeddedSteam({ steamId: personSteamId(4) });
  t.teardown(() => steam.close());
  steam.getAuthTicketForWebApi('hotmic');
  const [event] = steam.runCallbacks();
  if (event?.signal !== 'get_ticket_for_web_api') throw new Error('there is no ticket');
  const ticket = event.keys.ticket_buffer;
  const lobby = await joinLobby({ url: relay.url, ...member(4), ticket });
  await lobby.leave();
  await t.rejects(joinLobby({ url: relay.url, ...member(4), ticket }), {
    code: 'ERR_HOTMIC_REFUSED',
    message: /ticket-refused.*\(used\)/,
  });
  const voice = await decodeLobby({ url: relay.url, ...member(5), onDecoded() {} });
  t.equal(voice.lobby.slot, 0, 'and without one, a development relay admits everyone');
  await voice.lobby.leave();
  await t.rejects(decodeLobby({ url: relay.url, ...member(5), ticket, onDecoded() {} }), {
    message: /\(other-steam-id\)/,
  });
});

t.test('an invalid ticket throws, and its bytes are in no message', async (t) => {
  const url = 'ws://127.0.0.1:1';
  const joinWith = (ticket: unknown) => joinLobby({ url, ...member(1), ticket: ticket as Uint8Array });
  await t.rejects(joinWith('abcd'), {
    name: 'TypeError',
    message: /ticket is a string, expected a Uint8Array/,
  });
  await t.rejects(joinWith(new Uint8Array(0)), {
    name: 'RangeError',
    message: /0 bytes, expected 1 to 2560/,
  });
  await t.rejects(joinWith(new Uint8Array(2561)), { name: 'RangeError', message: /2561 bytes/ });
});
