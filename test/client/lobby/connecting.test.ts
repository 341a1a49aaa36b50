/** While a lobby connects: leaving, and a transport that throws. Nothing is opened or sent after leaving. */

import t, { type Test } from 'tap';
import { joinLobby } from '../../../client/lobby/join.js';
import type { LobbyOptions } from '../../../client/lobby/lobby.js';
import type { OpenTransport } from '../../../client/transport/transport.js';
import { writeMessage } from '../../../voice/control.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { scriptedTransport, welcomeOf } from '../scripted_transport.js';
import { simulatedIo } from '../simulated_io.js';

const NOW = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A lobby whose connection broke and whose place cannot be resumed: it needs a new token for its next hello. */
async function awayWithoutToken(t: Test, options: Partial<LobbyOptions> = {}, line = scriptedTransport()) {
  const { io, tick } = simulatedIo();
  const asked: { give: (token: string) => void; fail: (error: Error) => void }[] = [];
  const token = () => new Promise<string>((give, fail) => asked.push({ give, fail }));
  const who = { url: 'ws://relay', lobby: 'den', steamId: personSteamId(7), name: 'Ada' };
  const joining = joinLobby({ ...who, token, transport: line.open, ...options }, io);
  asked[0]?.give('a.b.c');
  await NOW();
  line.say().onOpen();
  line.say().onText(writeMessage(welcomeOf()));
  const lobby = await joining;
  line.say().onClose(1006, '', null);
  t.equal(lobby.state, 'reconnecting');
  tick(1000);
  t.equal(asked.length, 2, 'the application is asked for another token');
  return { lobby, line, give: asked[1]!.give, fail: asked[1]!.fail, tick };
}

t.test('a token that arrives after leaving opens no connection', async (t) => {
  const { lobby, line, give, tick } = await awayWithoutToken(t);
  await lobby.leave();
  t.equal(lobby.state, 'over');
  give('d.e.f');
  await NOW();
  tick(60_000);
  t.equal(line.urls.length, 1);
});

t.test('a token request that fails after leaving does not end the lobby a second time', async (t) => {
  const ends: unknown[] = [];
  const { lobby, line, fail, tick } = await awayWithoutToken(t, {
    events: { onEnded: (error) => ends.push(error) },
  });
  await lobby.leave();
  fail(new Error('the backend is away'));
  await NOW();
  tick(60_000);
  t.same(ends, [null]);
  t.equal(line.urls.length, 1);
});

t.test('leaving several times is the same as leaving once', async (t) => {
  const ends: unknown[] = [];
  const { lobby } = await awayWithoutToken(t, { events: { onEnded: (error) => ends.push(error) } });
  await Promise.all([lobby.leave(), lobby.leave()]);
  await lobby.leave();
  t.same(ends, [null]);
});

t.test('leaving while a connection opens closes it', async (t) => {
  const { lobby, line, give } = await awayWithoutToken(t);
  give('d.e.f');
  await NOW();
  t.equal(line.urls.length, 2);
  const leaving = lobby.leave();
  t.equal(line.closes(), 1);
  line.say().onOpen();
  line.say().onClose(1006, '', null);
  await leaving;
  t.equal(line.sent.length, 1, 'nothing was sent besides the first hello');
});

t.test('a transport that throws is a failed attempt, also after waiting for a token', async (t) => {
  const line = scriptedTransport();
  const state = { broken: false };
  const transport: OpenTransport = (url, events) => {
    if (state.broken) throw new Error('insecure from a secure page');
    return line.open(url, events);
  };
  const { lobby, give, tick } = await awayWithoutToken(t, { transport }, line);
  state.broken = true;
  give('d.e.f');
  await NOW();
  t.equal(lobby.state, 'reconnecting');
  t.equal(line.urls.length, 1);
  state.broken = false;
  tick(1000);
  await NOW();
  t.equal(lobby.state, 'reconnecting', 'it keeps trying');
  await lobby.leave();
});

t.test('joining over a transport that throws is refused at once, with the reason', async (t) => {
  const transport: OpenTransport = () => {
    throw new Error('insecure from a secure page');
  };
  const who = { url: 'ws://relay', lobby: 'den', steamId: personSteamId(7), name: 'Ada', transport };
  const refused = { code: 'ERR_HOTMIC_CONNECT', message: /Cannot connect to ws:\/\/relay\/: insecure from/ };
  await t.rejects(joinLobby(who, simulatedIo().io), refused);
  await t.rejects(joinLobby({ ...who, token: async () => 'a.b.c' }, simulatedIo().io), refused);
});
