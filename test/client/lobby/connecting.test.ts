/** While a lobby connects: leaving then, and a connection that cannot even begin. What comes after leaving opens and sends nothing. */

import t, { type Test } from 'tap';
import { joinLobby } from '../../../client/lobby/join.js';
import type { LobbyOptions } from '../../../client/lobby/lobby.js';
import type { OpenTransport } from '../../../client/transport/transport.js';
import { writeMessage } from '../../../voice/control.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { playedIo } from '../played_io.js';
import { playedTransport, welcomeOf } from '../played_transport.js';

const NOW = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A lobby whose connection broke, without a place to take up again: it needs a new token for its next hello. */
async function awayWithoutToken(t: Test, options: Partial<LobbyOptions> = {}, line = playedTransport()) {
  const { io, tick } = playedIo();
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
  t.equal(asked.length, 2, 'the game is asked for another token');
  return { lobby, line, give: asked[1]!.give, fail: asked[1]!.fail, tick };
}

t.test('a token that comes after leaving opens no connection', async (t) => {
  const { lobby, line, give, tick } = await awayWithoutToken(t);
  await lobby.leave();
  t.equal(lobby.state, 'over');
  give('d.e.f');
  await NOW();
  tick(60_000);
  t.equal(line.urls.length, 1);
});

t.test('a token that is refused to us after leaving ends nothing a second time', async (t) => {
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

t.test('leaving twice, and once more when it is over, is leaving once', async (t) => {
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
  t.equal(line.sent.length, 1, 'nothing was said beside the first hello');
});

t.test('a transport that cannot even begin is a try that failed, also behind a token', async (t) => {
  const line = playedTransport();
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
  t.equal(lobby.state, 'reconnecting', 'it goes on trying');
  await lobby.leave();
});

t.test('joining over a transport that cannot even begin is refused at once, with the reason', async (t) => {
  const transport: OpenTransport = () => {
    throw new Error('insecure from a secure page');
  };
  const who = { url: 'ws://relay', lobby: 'den', steamId: personSteamId(7), name: 'Ada', transport };
  const refused = { code: 'ERR_HOTMIC_CONNECT', message: /Cannot join at ws:\/\/relay\/: insecure from/ };
  await t.rejects(joinLobby(who, playedIo().io), refused);
  await t.rejects(joinLobby({ ...who, token: async () => 'a.b.c' }, playedIo().io), refused);
});
