/** Lobbies whose connection breaks: over real sockets that are cut, and over a scripted transport. */

import t, { type Test } from 'tap';
import { joinLobby } from '../../../client/lobby/join.js';
import type { Lobby, LobbyEvents, LobbyOptions } from '../../../client/lobby/lobby.js';
import type { Participant } from '../../../client/session/lobby_state.js';
import { UpgradeRefusedError } from '../../../client/transport/upgrade_refusal.js';
import { wsTransport } from '../../../client/transport/ws.js';
import { startRelay } from '../../../relay/index.js';
import { writeMessage } from '../../../voice/control.js';
import type { HotmicError } from '../../../voice/error.js';
import { personSteamId } from '../../../voice/steam_id.js';
import type { NumberedPacket } from '../../../voice/talkspurt.js';
import { packetBy } from '../../relay/kit.js';
import { RESUME, scriptedTransport, welcomeOf } from '../scripted_transport.js';
import { simulatedIo } from '../simulated_io.js';
import { tcpProxy } from '../tcp_proxy.js';
import { toldWords } from '../told.js';

const LOST = 'reconnecting ERR_HOTMIC_CONNECTION_LOST';

/** The events of a lobby as words, in order, and a way to wait for the next one. */
function listener() {
  const { told, tell, until } = toldWords();
  let error: HotmicError | null = null;
  const events: LobbyEvents = {
    onJoined: ({ name }) => tell(`joined ${name}`),
    onLeft: ({ name }) => tell(`left ${name}`),
    onSpeaking: ({ name, speaking }) => tell(`${name} ${speaking ? 'speaks' : 'is silent'}`),
    onChanged: (participant, before) => tell(`${before.name}: ${difference(participant, before)}`),
    onYouChanged: ({ name, slot, channels }) => tell(`you: ${name} ${slot} ${channels.join()}`),
    onChannels: (channels) => tell(`channels ${channels.join()}`),
    onVoice: ({ name }, { sequence }) => tell(`voice ${sequence} of ${name}`),
    onReconnecting: ({ code }) => tell(`reconnecting ${code}`),
    onResumed: (how) => tell(how),
    onEnded: (end) => {
      error = end;
      tell(`ended ${end?.code ?? null}`);
    },
  };
  return { told, events, until, error: () => error };
}

function difference(participant: Participant, before: Participant): string {
  const parts: string[] = [];
  if (participant.away !== before.away) parts.push(participant.away ? 'away' : 'back');
  if (participant.name !== before.name) parts.push(`is ${participant.name}`);
  if (participant.channels.join() !== before.channels.join()) parts.push(`in ${participant.channels.join()}`);
  return parts.join(', ');
}

function member(account: number, name: string) {
  return { lobby: 'den', steamId: personSteamId(account), name };
}

function numbered(account: number, sequence: number): NumberedPacket {
  const packet = packetBy(personSteamId(account), sequence);
  const marker = sequence === 0;
  return { packet, capturedAt: 0, marker, terminator: false, sequence, timestamp: 480 * sequence };
}

/** A relay, and Ada, whose connection to it can be cut. Both end with the test. */
async function relayWithLine(t: Test) {
  const relay = await startRelay({ dev: true });
  t.teardown(() => relay.close());
  const line = await tcpProxy(t, new URL(relay.url));
  const join = async (options: Omit<LobbyOptions, 'url'>, url: string = relay.url): Promise<Lobby> => {
    const lobby = await joinLobby({ url, ...options });
    t.teardown(() => lobby.leave());
    return lobby;
  };
  return { relay, line, join };
}

t.test('a cut connection is re-established: the others see us away and back, and lose nothing', async (t) => {
  const { relay, line, join } = await relayWithLine(t);
  const ada = listener();
  const ben = listener();
  await join({ ...member(2, 'Ben'), events: ben.events });
  const cleo = await join(member(3, 'Cleo'));
  const lobby = await join({ ...member(1, 'Ada'), events: ada.events }, line.url.href);
  const slot = lobby.slot;
  await ben.until('joined Ada');

  let said = 0;
  const cleoSays = () => cleo.publish(numbered(3, said++));
  for (let sequence = 0; sequence < 5; sequence += 1) {
    t.equal(lobby.publish(numbered(1, sequence)), true);
    cleoSays();
  }
  await ben.until('voice 4 of Ada');
  await ada.until('voice 4 of Cleo');

  line.block();
  line.cut();
  await ada.until(LOST);
  t.equal(lobby.state, 'reconnecting');
  t.equal(lobby.publish(numbered(1, 5)), false, 'voice during the break is not kept: it would be stale');
  t.equal(lobby.rename('Ada II'), false);
  await ben.until('Ada: away');
  for (let n = 0; n < 5; n += 1) cleoSays();
  await ben.until('voice 9 of Cleo');
  line.unblock();
  await ada.until('resumed');
  await ben.until('Ada: back');
  t.equal(lobby.state, 'joined');
  t.equal(lobby.slot, slot);

  t.equal(lobby.publish(numbered(1, 6)), true);
  await ben.until('voice 6 of Ada');
  cleoSays();
  await ada.until('voice 10 of Cleo');
  t.same(
    ben.told.filter((what) => what.includes('left') || what.startsWith('joined')),
    ['joined Cleo', 'joined Ada'],
  );
  await ben.until('voice 10 of Cleo');
  t.same(
    ben.told.filter((what) => what.endsWith('of Cleo')),
    Array.from({ length: 11 }, (_, sequence) => `voice ${sequence} of Cleo`),
    'whoever stayed heard all of it, once and in order',
  );
  t.match(lobby.counts(), { resumes: 1, framesSent: 6, framesRefused: 1, framesMissed: 0 });
  t.equal(relay.counts().resumes, 1);
  t.notOk(ada.told.some((what) => what.startsWith('ended')));
});

t.test(
  'what happened while the connection was cut is reported as changes after the reconnection',
  async (t) => {
    const { line, join } = await relayWithLine(t);
    const ada = listener();
    const ben = await join(member(2, 'Ben'));
    const cleo = await join(member(3, 'Cleo'));
    const watch = listener();
    await join({ ...member(4, 'Dan'), events: watch.events });
    await join({ ...member(1, 'Ada'), events: ada.events }, line.url.href);
    line.block();
    line.cut();
    await ada.until(LOST);
    await watch.until('Ada: away');
    await ben.leave();
    cleo.rename('Cleopatra');
    cleo.enter(['red']);
    await watch.until('Cleo: is Cleopatra');
    await join(member(5, 'Eve'));
    await watch.until('joined Eve');
    line.unblock();
    await ada.until('resumed');
    await ada.until('joined Eve');
    t.same(ada.told.slice(ada.told.indexOf('resumed')), [
      'resumed',
      'channels red',
      'left Ben',
      'Cleo: is Cleopatra, in red',
      'joined Eve',
    ]);
  },
);

t.test('a connection that died silently is detected, and the others do not notice', async (t) => {
  const { line, join } = await relayWithLine(t);
  const ada = listener();
  const ben = listener();
  await join({ ...member(2, 'Ben'), events: ben.events });
  const options = { ...member(1, 'Ada'), events: ada.events, transport: wsTransport(20, 60) };
  const lobby = await join(options, line.url.href);
  await ben.until('joined Ada');
  line.freeze();
  await ada.until('resumed');
  t.equal(line.made(), 2);
  lobby.publish(numbered(1, 0));
  await ben.until('voice 0 of Ada');
  t.same(ben.told.slice(0, 2), ['joined Ada', 'voice 0 of Ada'], 'the relay had not seen it break either');
});

t.test('after a second of silence a new connection takes the place of the silent one', async (t) => {
  const { relay, line, join } = await relayWithLine(t);
  const ada = listener();
  const ben = listener();
  const why: string[] = [];
  await join({ ...member(2, 'Ben'), events: ben.events });
  const events = { ...ada.events, onReconnecting: ({ message }: HotmicError) => why.push(message) };
  const lobby = await join({ ...member(1, 'Ada'), events }, line.url.href);
  await ben.until('joined Ada');
  line.freeze();
  await ada.until('resumed');
  t.match(why, [/the relay was silent for \d+ ms/]);
  t.equal(relay.counts().resumes, 1);
  lobby.publish(numbered(1, 0));
  await ben.until('voice 0 of Ada');
  t.same(ben.told.slice(0, 2), ['joined Ada', 'voice 0 of Ada'], 'nobody else noticed');
});

t.test('after a relay restart the lobby and its channels are joined again', async (t) => {
  const { relay, line, join } = await relayWithLine(t);
  const ada = listener();
  // Ben joins first, so he gets the first slot.
  await join({ ...member(2, 'Ben'), reconnect: 'never' });
  const lobby = await join({ ...member(1, 'Ada'), events: ada.events }, line.url.href);
  lobby.enter(['red']);
  await ada.until('you: Ada 1 red');
  const again = await startRelay({ dev: true });
  t.teardown(() => again.close());
  line.lead(new URL(again.url));
  await relay.close();
  await ada.until('you: Ada 0 red');
  t.same(ada.told.slice(ada.told.indexOf('joined-anew')), [
    'joined-anew',
    'channels ',
    'left Ben',
    'you: Ada 0 ',
    'channels red',
    'you: Ada 0 red',
  ]);
  t.match(lobby, { state: 'joined', slot: 0 });
});

t.test('a draining relay sends its participants to the next one', async (t) => {
  const { relay, join } = await relayWithLine(t);
  const next = await startRelay({ dev: true });
  t.teardown(() => next.close());
  const ada = listener();
  const lobby = await join({ ...member(1, 'Ada'), events: ada.events });
  const drained = relay.drain(50, next.url);
  await ada.until('joined-anew');
  await drained;
  t.equal(next.counts().participants, 1);
  t.equal(lobby.publish(numbered(1, 0)), true);
});

t.test('leaving while the connection is cut ends the attempts to reconnect', async (t) => {
  const { line, join } = await relayWithLine(t);
  const ada = listener();
  const lobby = await join({ ...member(1, 'Ada'), events: ada.events }, line.url.href);
  line.block();
  line.cut();
  await ada.until(LOST);
  await lobby.leave();
  t.equal(ada.told.at(-1), 'ended null');
  t.equal(lobby.state, 'over');
  t.equal(lobby.publish(numbered(1, 0)), false);
});

/** Ada in a lobby over a scripted transport. */
async function adaOverScript(options: Partial<LobbyOptions> = {}) {
  const transport = scriptedTransport();
  const { io, tick } = simulatedIo();
  const ada = listener();
  const joining = joinLobby(
    { url: 'ws://relay', ...member(7, 'Ada'), events: ada.events, transport: transport.open, ...options },
    io,
  );
  transport.say().onOpen();
  transport.say().onText(writeMessage(welcomeOf({ resume: RESUME, relayTimeMs: 5000 })));
  return { lobby: await joining, ada, tick, ...transport };
}

t.test('when the time to reconnect is over, the lobby ends with the error of the loss', async (t) => {
  const { ada, urls, tick, say } = await adaOverScript();
  say().onClose(1006, '', null);
  tick(0);
  t.equal(urls.length, 2, 'the first attempt is made at once');
  let tries = 0;
  while (!ada.error() && tries < 100) {
    say().onClose(1006, '', new Error('nothing listens'));
    tick(4000);
    tries += 1;
  }
  t.match(ada.error(), {
    code: 'ERR_HOTMIC_CONNECTION_LOST',
    message: 'Connection to the relay broke (1006)',
  });
  t.same(ada.told, [LOST, 'ended ERR_HOTMIC_CONNECTION_LOST'], 'both are reported once');
  t.ok(tries > 7 && tries < 20, `${tries} tries`);
});

t.test('an attempt that hangs is given up after 5 s, and its later messages are ignored', async (t) => {
  const { ada, urls, tick, say, closes, sent } = await adaOverScript();
  say().onClose(1006, '', null);
  tick(0);
  const hanging = say();
  hanging.onOpen();
  tick(4999);
  t.equal(urls.length, 2);
  tick(1 + 125);
  t.equal(closes(), 1);
  t.equal(urls.length, 3);
  hanging.onText(writeMessage(welcomeOf()));
  hanging.onClose(1000, '', null);
  t.same(ada.told, [LOST]);
  say().onOpen();
  t.equal(
    sent.at(-1),
    `{"type":"resume","versions":[1],"capabilities":["stale","heartbeat"],"secret":"${RESUME.secret}"}`,
  );
  say().onText(writeMessage(welcomeOf({ resume: RESUME })));
  t.same(ada.told, [LOST, 'resumed']);
  say().onClose(1000, '', null);
});

t.test(
  'when the place is gone we join again with a fresh credential, requested once per hello',
  async (t) => {
    let asked = 0;
    const token = async () => {
      asked += 1;
      return `a.b.${asked}`;
    };
    const transport = scriptedTransport();
    const { io, tick } = simulatedIo();
    const ada = listener();
    const options = {
      url: 'ws://relay',
      ...member(7, 'Ada'),
      events: ada.events,
      transport: transport.open,
      token,
    };
    const joining = joinLobby(options, io);
    await settled();
    transport.say().onOpen();
    t.match(transport.sent[0], /"token":"a\.b\.1"/);
    transport.say().onText(writeMessage(welcomeOf({ resume: RESUME, relayTimeMs: 5000 })));
    const lobby = await joining;
    tick(1000);
    transport.say().onClose(1006, '', null);
    tick(0);
    transport.say().onOpen();
    t.equal(asked, 1, 'a resume needs no credential');
    transport.say().onText('{"type":"refused","code":"resume-refused","message":"gone"}');
    transport.say().onClose(4013, 'resume-refused', null);
    tick(125);
    await settled();
    transport.say().onOpen();
    t.match(transport.sent.at(-1), /"type":"hello".*"token":"a\.b\.2"/);
    transport.say().onText(writeMessage(welcomeOf({ relayTimeMs: 70_000, resume: RESUME })));
    t.equal(ada.told.at(-1), 'joined-anew');
    t.equal(lobby.joinedRelayTimeMs, 5000);
    transport.say().onClose(4015, '', null);
  },
);

t.test(
  'a missing credential is a failed attempt; before the welcome the caller gets the reason',
  async (t) => {
    const { open, say, urls } = scriptedTransport();
    const { io, tick } = simulatedIo();
    const ada = listener();
    let ticket: () => Promise<Uint8Array> = () => Promise.reject(new Error('Steam is away'));
    const join = () =>
      joinLobby(
        {
          url: 'ws://relay',
          ...member(7, 'Ada'),
          events: ada.events,
          transport: open,
          ticket: () => ticket(),
        },
        io,
      );
    await t.rejects(join(), { message: 'Steam is away' });
    ticket = () => Promise.resolve('abcd' as never);
    await t.rejects(join(), {
      name: 'TypeError',
      message: 'Cannot join: ticket is a string, expected a Uint8Array',
    });
    t.same(urls, [], 'nothing was opened for it');

    ticket = () => Promise.resolve(Uint8Array.of(1));
    const joining = join();
    await settled();
    say().onOpen();
    say().onText(writeMessage(welcomeOf()));
    await joining;
    say().onClose(1006, '', null);
    ticket = () => Promise.reject(new Error('Steam is away'));
    tick(0);
    await settled();
    t.equal(urls.length, 1);
    ticket = () => Promise.resolve(Uint8Array.of(2));
    tick(125);
    await settled();
    say().onOpen();
    say().onText(writeMessage(welcomeOf()));
    t.same(ada.told, [LOST, 'joined-anew']);
    say().onClose(4015, '', null);
  },
);

t.test('we follow a draining relay to the one it names, with a hello', async (t) => {
  const { urls, tick, say, sent, ada, lobby } = await adaOverScript({ redirectHosts: ['other.example'] });
  say().onText('{"type":"draining","withinMs":5000,"goTo":"wss://other.example/"}');
  t.equal(urls.length, 1, 'not before it closes');
  say().onClose(1001, 'shutdown', null);
  tick(0);
  t.equal(urls[1], 'wss://other.example/');
  say().onOpen();
  t.match(sent.at(-1), /"type":"hello"/);
  say().onText(writeMessage(welcomeOf()));
  t.equal(ada.told.at(-1), 'joined-anew');
  t.equal(lobby.counts().redirects.followed, 1);
  say().onClose(4015, '', null);
});

t.test('a hostile relay cannot send us and our token to a host that was not allowed', async (t) => {
  const refused: string[] = [];
  for (const [goTo, why] of [
    ['wss://evil.example/', 'host-not-allowed'],
    ['ws://ada:secret@relay/', 'credentials-in-url'],
  ] as const) {
    const { urls, tick, say, sent, lobby } = await adaOverScript({
      token: 'a.b.c',
      events: { onRedirectRefused: (to, reason) => refused.push(`${to} ${reason}`) },
    });
    const before = sent.length;
    say().onText(writeMessage({ type: 'draining', withinMs: 5000, goTo }));
    say().onClose(1001, 'shutdown', null);
    tick(1000);
    t.equal(urls[1], 'ws://relay/', 'it tries this one again');
    say().onOpen();
    t.match(sent.slice(before).join(), /"type":"resume"/);
    t.notMatch(sent.slice(before).join(), /a\.b\.c/, 'the token was not shown again');
    t.equal(lobby.counts().redirects.refused[why], 1);
    say().onClose(4015, '', null);
  }
  t.same(refused, ['wss://evil.example/ host-not-allowed', 'ws://ada:secret@relay/ credentials-in-url']);
});

t.test(
  'a relay that refuses our reconnection is quoted in the final error, and its Retry-After is honored',
  async (t) => {
    const { ada, urls, tick, say } = await adaOverScript();
    const answer = { status: 503, text: 'the relay drains', retryAfter: '10', date: undefined };
    const refusal = new UpgradeRefusedError(new URL('ws://relay'), answer);
    say().onClose(1006, '', null);
    tick(0);
    say().onClose(1006, '', refusal);
    const tries = urls.length;
    tick(9999);
    t.equal(urls.length, tries, 'not before that');
    tick(1001);
    t.equal(urls.length, tries + 1);
    while (!ada.error()) {
      say().onClose(1006, '', refusal);
      tick(20_000);
    }
    t.match(ada.error(), {
      code: 'ERR_HOTMIC_CONNECTION_LOST',
      message:
        /broke \(1006\); Relay at ws:\/\/relay\/ refused the connection \(HTTP 503\): the relay drains; try again/,
      cause: refusal,
    });
  },
);

t.test('a redirect from TLS to a plain relay, or to something other than a relay, is refused', async (t) => {
  for (const goTo of ['ws://other.example/', 'https://other.example/', 'den', '']) {
    const { urls, tick, say } = await adaOverScript({
      url: 'wss://relay.example/',
      redirectHosts: ['other.example'],
    });
    say().onText(writeMessage({ type: 'draining', withinMs: 5000, goTo }));
    say().onClose(1001, 'shutdown', null);
    tick(0);
    t.equal(urls[1], 'wss://relay.example/', goTo);
    say().onClose(4015, '', null);
  }
});

t.test('relay times stay on the first clock after joining again', async (t) => {
  const heard: number[] = [];
  const { tick, say, lobby } = await adaOverScript({
    redirectHosts: ['other.example'],
    events: { onVoice: (_, { relayTimeMs }) => heard.push(relayTimeMs) },
  });
  const { writeVoiceFrame, stampVoiceFrame } = await import('../../../voice/wire.js');
  const frame = (relayTimeMs: number) => {
    const fields = { marker: true, terminator: false, target: 0, sequence: 0, timestamp: 0 };
    const bytes = writeVoiceFrame(fields, packetBy(personSteamId(9)));
    stampVoiceFrame(bytes, { slot: 1, relaySequence: 0, relayTimeMs, acknowledge: false });
    return bytes;
  };
  const participants = [{ slot: 1, steamId: String(personSteamId(9)), name: 'Kim', speaking: false }];
  say().onText(writeMessage({ type: 'joined', participant: { slot: 1, steamId: '9', name: 'Kim' } }));
  tick(1000);
  say().onBytes(frame(6000));
  say().onText('{"type":"draining","withinMs":5000,"goTo":"ws://other.example/"}');
  say().onClose(1001, 'shutdown', null);
  tick(500);
  say().onOpen();
  say().onText(writeMessage(welcomeOf({ participants, relayTimeMs: 40 })));
  say().onBytes(frame(60));
  t.same(heard, [6000, 6520]);
  t.equal(lobby.counts().resumes, 1);
  say().onClose(4015, '', null);
});

/** Waits until due promises have settled. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
