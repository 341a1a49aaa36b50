/** Web tickets over real sockets: a stand-in for Steam's web API on loopback, well behaved and not. */

import { inspect } from 'node:util';
import t from 'tap';
import {
  type SteamWebTicketOptions,
  SteamWebTickets,
} from '../../../../relay/admission/steam_web/tickets.js';
import { type FakeTrouble, FakeWebApi } from './fake_web_api.js';

const TICKET = '14000000f00dfeed';
const PLAYER = '76561197960287930';
const OWNER = '76561197960287931';

function ticketsOf(api: FakeWebApi, changed: Partial<SteamWebTicketOptions> = {}): SteamWebTickets {
  return new SteamWebTickets({ appId: 480, key: api.key, baseUrl: api.baseUrl, ...changed });
}

t.test('a ticket that Steam knows admits its player', async (t) => {
  const api = await FakeWebApi.start(t);
  api.admit(TICKET, { steamId: PLAYER, ownerSteamId: OWNER });
  const verdict = await ticketsOf(api).judge(TICKET.toUpperCase(), PLAYER);
  t.match(verdict, { kind: 'admitted', steamId: PLAYER, ownerSteamId: OWNER });
  t.equal(api.queries.length, 1);
});

t.test('an unknown ticket, or one for another service, app or player, admits nobody', async (t) => {
  const api = await FakeWebApi.start(t);
  api.admit(TICKET, { steamId: PLAYER });
  api.admit('aa', { steamId: PLAYER, identity: 'a shop' });
  api.admit('bb', { steamId: PLAYER, vacBanned: true });
  api.admit('cc', { steamId: PLAYER, publisherBanned: true });
  api.admit('dd', { steamId: PLAYER, appId: 730 });
  const cases: [ticket: string, reason: string, changed?: Partial<SteamWebTicketOptions>][] = [
    ['ee', 'invalid-ticket'],
    ['aa', 'invalid-ticket'],
    [TICKET, 'invalid-ticket', { identity: 'a shop' }],
    ['bb', 'vac-banned'],
    ['cc', 'publisher-banned'],
    ['dd', 'other-app'],
    [TICKET, 'other-app', { appId: 730 }],
  ];
  for (const [ticket, reason, changed] of cases) {
    const verdict = await ticketsOf(api, changed).judge(ticket, PLAYER);
    t.match(
      verdict,
      { kind: 'denied', code: 'ticket-refused', reason },
      `${ticket} ${JSON.stringify(changed)}`,
    );
  }
  t.match(await ticketsOf(api).judge(TICKET, OWNER), { reason: 'other-steam-id' });
  const wrong = ticketsOf(api, { key: 'FEDCBA9876543210FEDCBA9876543210' });
  t.match(await wrong.judge(TICKET, PLAYER), { code: 'admission-unavailable', reason: 'key-refused' });
});

t.test('whatever the server does, there is a verdict in time without anything secret', async (t) => {
  const cases: [trouble: FakeTrouble, reason: string][] = [
    ['hang', 'steam-slow'],
    ['stall', 'steam-slow'],
    ['cut', 'steam-down'],
    ['cut-body', 'steam-down'],
    ['page', 'answer-strange'],
    ['endless', 'answer-strange'],
    ['bomb', 'answer-strange'],
    ['redirect', 'answer-strange'],
    [{ status: 500, body: 'x'.repeat(1_000_000) }, 'steam-down'],
    [{ status: 503 }, 'steam-down'],
    [{ status: 429, headers: { 'retry-after': '60' } }, 'rate-limited'],
    [{ status: 403, body: 'no' }, 'key-refused'],
    [{ status: 404 }, 'answer-strange'],
    [{ status: 204 }, 'answer-strange'],
  ];
  for (const [trouble, reason] of cases) {
    const api = await FakeWebApi.start(t);
    api.trouble = trouble;
    const isSlow = reason === 'steam-slow';
    const limits = isSlow ? { deadlineMs: 600, attemptMs: 150 } : { deadlineMs: 60_000, attemptMs: 30_000 };
    const tickets = ticketsOf(api, limits);
    const verdict = await tickets.judge(TICKET, PLAYER);
    const name = JSON.stringify(trouble).slice(0, 60);
    t.match(verdict, { kind: 'denied', code: 'admission-unavailable', reason }, name);
    t.ok(api.queries.length >= 1 && api.queries.length <= 3, `${api.queries.length} requests`);
    t.same(api.strays, [], 'nobody was followed elsewhere');
    const shown = inspect([verdict, tickets, tickets.counts()], { depth: 10, showHidden: true });
    t.notMatch(shown, new RegExp(`${api.key}|${TICKET}`, 'i'));
    tickets.close();
  }
});

t.test('a server that is unreachable, or speaks another protocol, counts as down', async (t) => {
  const gone = await FakeWebApi.start(t);
  await gone.close();
  t.match(await ticketsOf(gone).judge(TICKET, PLAYER), { reason: 'steam-down' });
  const api = await FakeWebApi.start(t);
  const secure = ticketsOf(api, { baseUrl: api.baseUrl.replace('http:', 'https:') });
  t.match(await secure.judge(TICKET, PLAYER), { reason: 'steam-down' }, 'TLS with a plain server');
  t.equal(api.queries.length, 0);
});

t.test('closing abandons a server that hangs', async (t) => {
  const api = await FakeWebApi.start(t);
  api.trouble = 'hang';
  const tickets = ticketsOf(api);
  const judged = tickets.judge(TICKET, PLAYER);
  while (api.queries.length === 0) await new Promise((resolve) => setImmediate(resolve));
  tickets.close();
  t.match(await judged, { reason: 'closing' });
});

t.test('hundreds of tickets at once come through 32 at a time', async (t) => {
  const api = await FakeWebApi.start(t);
  const all = Array.from({ length: 300 }, (_, at) => (at + 1).toString(16).padStart(8, '0'));
  for (const ticket of all) api.admit(ticket, { steamId: PLAYER });
  const tickets = ticketsOf(api, { deadlineMs: 60_000, attemptMs: 30_000 });
  const verdicts = await Promise.all(all.map((ticket) => tickets.judge(ticket, PLAYER)));
  t.equal(verdicts.filter(({ kind }) => kind === 'admitted').length, 300);
  t.equal(api.queries.length, 300);
});

t.test('no warning and no rejection is left behind', async (t) => {
  const late: unknown[] = [];
  const note = (what: unknown) => late.push(what);
  for (const event of ['warning', 'unhandledRejection', 'uncaughtExceptionMonitor'] as const) {
    process.on(event, note);
    t.teardown(() => process.off(event, note));
  }
  const api = await FakeWebApi.start(t);
  for (const trouble of ['stall', 'cut-body', 'endless', 'bomb'] as const) {
    api.trouble = trouble;
    await ticketsOf(api, { deadlineMs: 400, attemptMs: 100 }).judge(TICKET, PLAYER);
  }
  await api.close();
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  t.same(late, []);
});
