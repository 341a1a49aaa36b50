/** Web tickets: what Steam says of them becomes one verdict, whatever it says, and neither key nor ticket is in any. */

import { createHash } from 'node:crypto';
import t from 'tap';
import { SteamWebTickets } from '../../../../relay/admission/steam_web/tickets.js';
import type { CredentialVerdict } from '../../../../relay/core/credential.js';
import {
  errorAnswer,
  FakeWeb,
  jsonAnswer,
  KEY,
  OWNER,
  PLAYER,
  playerAnswer,
  statusAnswer,
  ticketOf,
} from './fake_web.js';

const TICKET = 'abcdef0123456789';

async function judged(web: FakeWeb, ...args: Parameters<FakeWeb['tickets']>): Promise<CredentialVerdict> {
  return web.verdictOf(web.tickets(...args).judge(TICKET, PLAYER));
}

t.test(
  'a valid ticket admits its player to any lobby, once, with every right but a moderator’s',
  async (t) => {
    const web = new FakeWeb();
    const verdict = await web.tickets().judge(TICKET, PLAYER);
    const hash = createHash('sha256').update(Buffer.from(TICKET, 'hex')).digest('hex');
    t.same(verdict, {
      kind: 'admitted',
      steamId: PLAYER,
      maySpeak: true,
      mayListen: true,
      moderator: false,
      priority: false,
      channels: 'any',
      lobby: null,
      expiresAt: null,
      onceIds: [`w:${hash}`],
      ownerSteamId: null,
    });
  },
);

t.test('Steam is asked with key, app, ticket and identity, and follows no redirect', async (t) => {
  const web = new FakeWeb();
  await web
    .tickets({ appId: 77, identity: 'voice & chat', baseUrl: 'https://steam.example/proxy' })
    .judge(TICKET, null);
  const [{ url } = { url: new URL('none:') }] = web.sent;
  t.equal(
    `${url.origin}${url.pathname}`,
    'https://steam.example/proxy/ISteamUserAuth/AuthenticateUserTicket/v1/',
  );
  t.same(Object.fromEntries(url.searchParams), {
    key: KEY,
    appid: '77',
    ticket: TICKET,
    identity: 'voice & chat',
  });
});

t.test('by default it asks the partner host, for the identity hotmic', async (t) => {
  const web = new FakeWeb();
  await web.tickets({ key: `  ${KEY}\n` }).judge(TICKET, null);
  t.equal(web.sent[0]?.url.host, 'partner.steam-api.com');
  t.equal(web.sent[0]?.url.protocol, 'https:');
  t.equal(web.sent[0]?.url.searchParams.get('identity'), 'hotmic');
  t.equal(web.sent[0]?.url.searchParams.get('key'), KEY, 'the end of a file’s line is no part of a key');
});

t.test('a ticket is the same in lower and upper case', async (t) => {
  const web = new FakeWeb();
  const tickets = web.tickets();
  const lower = await tickets.judge(TICKET, null);
  const upper = await tickets.judge(TICKET.toUpperCase(), null);
  t.same(lower, upper);
  t.equal(web.sent.length, 1);
});

t.test('a used ticket is the same one with zeros behind it, and Steam is asked with what came', async (t) => {
  const web = new FakeWeb();
  const tickets = web.tickets();
  const bare = await tickets.judge(TICKET, null);
  t.same(await tickets.judge(`${TICKET}${'00'.repeat(99)}`, null), bare);
  t.equal(web.sent[1]?.url.searchParams.get('ticket'), `${TICKET}${'00'.repeat(99)}`);
  const other = await tickets.judge(`${TICKET}01`, null);
  t.match(other, { kind: 'admitted' });
  t.notSame(other, bare);
});

t.test('the owner is named only when the game is borrowed', async (t) => {
  const web = new FakeWeb();
  for (const [ownersteamid, ownerSteamId] of [
    [OWNER, OWNER],
    [PLAYER, null],
    ['0', null],
    ['', null],
  ]) {
    web.answer = () => playerAnswer({ ownersteamid });
    t.match(await judged(web), { kind: 'admitted', steamId: PLAYER, ownerSteamId }, String(ownersteamid));
  }
});

t.test('the operator lists the moderators', async (t) => {
  const web = new FakeWeb();
  t.match(await judged(web, { moderators: [OWNER, PLAYER] }), { kind: 'admitted', moderator: true });
  t.match(await judged(web, { moderators: [OWNER] }), { kind: 'admitted', moderator: false });
  web.answer = () => playerAnswer({ ownersteamid: OWNER });
  t.match(await judged(web, { moderators: [OWNER] }), { moderator: false }, 'not who lends them the game');
});

t.test('the SteamID must be the hello’s, where that names one', async (t) => {
  const web = new FakeWeb();
  t.match(await web.tickets().judge(TICKET, null), { kind: 'admitted', steamId: PLAYER });
  t.match(await web.tickets().judge(TICKET, OWNER), {
    kind: 'denied',
    code: 'ticket-refused',
    reason: 'other-steam-id',
  });
});

t.test('VAC bans count if the operator says so, publisher bans always', async (t) => {
  const web = new FakeWeb();
  const cases = [
    [{ vacbanned: true }, {}, 'vac-banned'],
    [{ vacbanned: true }, { vacBanned: 'refuse' }, 'vac-banned'],
    [{ vacbanned: true }, { vacBanned: 'admit' }, null],
    [{ publisherbanned: true }, { vacBanned: 'admit' }, 'publisher-banned'],
    [{ publisherbanned: true, vacbanned: true }, {}, 'publisher-banned'],
  ] as const;
  for (const [changed, options, reason] of cases) {
    web.answer = () => playerAnswer(changed);
    const verdict = await judged(web, options);
    const wanted = reason ? { kind: 'denied', code: 'ticket-refused', reason } : { kind: 'admitted' };
    t.match(verdict, wanted, JSON.stringify([changed, options]));
  }
});

t.test(
  'Steam’s errors become reasons of a closed set, wherever they stand and whatever status they have',
  async (t) => {
    const web = new FakeWeb();
    const cases: [code: number, reason: string][] = [
      [3, 'invalid-parameter'],
      [100, 'invalid-ticket'],
      [101, 'invalid-ticket'],
      [102, 'other-app'],
      [0, 'steam-refused'],
      [-1, 'steam-refused'],
      [2_000_000_000, 'steam-refused'],
    ];
    for (const [code, reason] of cases) {
      const wanted = { kind: 'denied', code: 'ticket-refused', reason };
      web.answer = () => errorAnswer(code);
      t.match(await judged(web), wanted, String(code));
      const inside = { response: { params: { error: { errorcode: code, errordesc: 'x' } } } };
      web.answer = () => jsonAnswer(inside);
      t.match(await judged(web), wanted, `${code}, inside params`);
      for (const status of [400, 403, 404]) {
        web.answer = () => jsonAnswer({ response: { error: { errorcode: code } } }, status);
        t.match(await judged(web), wanted, `${code}, with status ${status}`);
      }
    }
    web.answer = () => jsonAnswer({ response: { params: { result: 'Failure' } } });
    t.match(await judged(web), { kind: 'denied', reason: 'steam-refused' });
    web.answer = () => statusAnswer(400);
    t.match(await judged(web), { kind: 'denied', reason: 'invalid-parameter' });
  },
);

t.test('a ticket that is not of a person admits nobody', async (t) => {
  const web = new FakeWeb();
  for (const steamid of [
    '0',
    '76561197960265728',
    '90071992547409921',
    '103582791429521409',
    '18446744073709551615',
    '18446744073709551616',
    `0${PLAYER}`,
    ` ${PLAYER}`,
    '',
  ]) {
    web.answer = () => playerAnswer({ steamid });
    t.match(await judged(web), { kind: 'denied', code: 'ticket-refused', reason: 'no-person' }, steamid);
  }
});

t.test('a response that is not Steam’s admits nobody, and is not the player’s fault', async (t) => {
  const web = new FakeWeb();
  const answers: Record<string, () => Response> = {
    nothing: () => new Response(null),
    'a page': () => statusAnswer(200),
    'an empty object': () => jsonAnswer({}),
    'no params': () => jsonAnswer({ response: {} }),
    null: () => jsonAnswer(null),
    'a number for an id': () => playerAnswer({ steamid: Number(PLAYER) }),
    'no word of bans': () => playerAnswer({ vacbanned: undefined }),
    'a ban in words': () => playerAnswer({ publisherbanned: 'false' }),
    'a bare OK': () => jsonAnswer({ response: { params: { result: 'OK' } } }),
    'an id of 100 kB': () => playerAnswer({ steamid: '7'.repeat(100_000) }),
    'brackets alone': () => new Response('['.repeat(60_000)),
    'a BOM before it': () => new Response('\ufeff\ufeff{}'),
    'good news with a bad status': () => {
      const params = {
        result: 'OK',
        steamid: PLAYER,
        ownersteamid: PLAYER,
        vacbanned: false,
        publisherbanned: false,
      };
      return jsonAnswer({ response: { params } }, 404);
    },
    'a redirect': () => statusAnswer(302, { location: 'https://elsewhere.example/' }),
    'a redirect that says more': () => jsonAnswer({ response: { error: { errorcode: 101 } } }, 307),
    'another success': () => statusAnswer(202),
    'not found': () => statusAnswer(404),
  };
  for (const [name, answer] of Object.entries(answers)) {
    web.answer = answer;
    const before = web.sent.length;
    t.match(await judged(web), { code: 'admission-unavailable', reason: 'answer-strange' }, name);
    t.equal(web.sent.length - before, 1, `${name}: asking again would not help`);
  }
});

t.test('a wrong publisher key is reported as the operator’s to fix', async (t) => {
  const web = new FakeWeb();
  for (const status of [401, 403]) {
    web.answer = () => statusAnswer(status);
    t.match(await judged(web), { code: 'admission-unavailable', reason: 'key-refused', wanted: /operator/ });
  }
});

t.test('a ticket that is not hexadecimal, or too long, is refused without asking Steam', async (t) => {
  const web = new FakeWeb();
  const tickets = web.tickets();
  for (const ticket of ['', 'abc', 'zz', `${TICKET} `, 'ab'.repeat(2561), null, 5, ['ab']]) {
    t.match(await tickets.judge(ticket as string, null), { code: 'ticket-refused', reason: 'malformed' });
  }
  t.match(await tickets.judge('ab'.repeat(2560), null), { kind: 'admitted' });
  t.equal(web.sent.length, 1);
});

t.test(
  'one ticket presented by many at once causes one request, and each is checked against their own SteamID',
  async (t) => {
    const web = new FakeWeb();
    const tickets = web.tickets({ rememberMs: 0 });
    const verdicts = await Promise.all(
      Array.from({ length: 1000 }, (_, at) => tickets.judge(TICKET, at === 7 ? OWNER : PLAYER)),
    );
    t.equal(web.sent.length, 1);
    t.equal(verdicts.filter(({ kind }) => kind === 'admitted').length, 999);
    t.match(verdicts[7], { reason: 'other-steam-id' });
    t.equal(tickets.counts().shared, 999);
  },
);

t.test('answers are remembered for ten seconds, failures are not', async (t) => {
  const web = new FakeWeb();
  const tickets = web.tickets();
  await tickets.judge(TICKET, null);
  web.answer = () => errorAnswer(101);
  t.match(await tickets.judge('bad1', null), { reason: 'invalid-ticket' });
  await web.pass(9999);
  t.match(await tickets.judge(TICKET, null), { kind: 'admitted' });
  t.match(await tickets.judge('bad1', null), { reason: 'invalid-ticket' });
  t.equal(web.sent.length, 2);
  await web.pass(1);
  t.match(await tickets.judge(TICKET, null), { reason: 'invalid-ticket' }, 'cancelled meanwhile');
  t.equal(web.sent.length, 3);
  web.answer = () => statusAnswer(404);
  t.match(await tickets.judge('bad2', null), { reason: 'answer-strange' });
  web.answer = () => playerAnswer();
  t.match(await tickets.judge('bad2', null), { kind: 'admitted' });
});

t.test('4096 answers are remembered, and the oldest is forgotten', async (t) => {
  const web = new FakeWeb();
  const tickets = web.tickets();
  for (let number = 0; number < 4097; number++) await tickets.judge(ticketOf(number), null);
  t.equal(web.sent.length, 4097);
  await tickets.judge(ticketOf(1), null);
  t.equal(web.sent.length, 4097, 'the second is still known');
  await tickets.judge(ticketOf(0), null);
  t.equal(web.sent.length, 4098, 'the first is not');
});

t.test('options out of range are misuse, and no error quotes the key', async (t) => {
  const bad: Record<string, unknown>[] = [
    { appId: 0 },
    { appId: 2 ** 32 },
    { appId: '480' },
    { appId: Number.NaN },
    { identity: '' },
    { identity: 'x'.repeat(65) },
    { identity: 'a\nb' },
    { baseUrl: '' },
    { baseUrl: 'partner.steam-api.com' },
    { baseUrl: 'http://partner.steam-api.com' },
    { baseUrl: 'ftp://127.0.0.1' },
    { baseUrl: `https://x.example/?key=${KEY}` },
    { baseUrl: `https://${KEY}@x.example/` },
    { baseUrl: `https://x.example/#${KEY}` },
    { moderators: ['5'] },
    { moderators: [5] },
    { moderators: PLAYER },
    { vacBanned: 'perhaps' },
    { deadlineMs: 399 },
    { deadlineMs: 60_001 },
    { attemptMs: 99 },
    { attemptMs: 2001 },
    { atOnce: 0 },
    { waiting: -1 },
    { rememberMs: 60_001 },
    { rememberMs: 0.5 },
  ];
  const web = new FakeWeb();
  for (const changed of bad) {
    const options = { appId: 480, key: KEY, ...changed };
    try {
      new SteamWebTickets(options as ConstructorParameters<typeof SteamWebTickets>[0], web.io);
      t.fail(`${JSON.stringify(changed)} was taken`);
    } catch (thrown) {
      t.match(thrown, { name: 'RangeError', message: /^Cannot judge (web )?tickets: .*expected/ });
      t.notOk(String(thrown).includes(KEY), 'the key is not quoted');
    }
  }
  for (const key of ['', '  \n', 'two words', 'sesame\nopen', 'x'.repeat(129), null, 5]) {
    const options = { appId: 480, key: key as string };
    t.throws(() => new SteamWebTickets(options, web.io), {
      code: 'ERR_HOTMIC_ADMISSION',
      message: /^Cannot use the publisher key: expected [^']*$/,
    });
  }
  t.doesNotThrow(() => web.tickets({ baseUrl: 'http://127.0.0.1:9/', deadlineMs: 401, waiting: 0 }));
});

t.test('neither key nor ticket is in any verdict, whatever fetch says', async (t) => {
  const web = new FakeWeb();
  const ticket = 'feedfacecafe0123';
  const answers: (() => Response)[] = [
    () => playerAnswer(),
    () => playerAnswer({ steamid: ticket }),
    () => playerAnswer({ result: ticket }),
    () => errorAnswer(101),
    () => statusAnswer(403),
    () => statusAnswer(500),
    () => jsonAnswer({ response: { [KEY]: ticket } }),
    () => {
      throw new TypeError(`fetch failed: https://x.example/?key=${KEY}&ticket=${ticket}`);
    },
  ];
  for (const answer of answers) {
    web.answer = answer;
    const verdict = await web.verdictOf(web.tickets().judge(ticket, PLAYER));
    t.notMatch(JSON.stringify(verdict).toLowerCase(), new RegExp(`${KEY}|${ticket}|x\\.example`, 'i'));
  }
});
