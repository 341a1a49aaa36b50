/** The admin API over real HTTP, with the relay's core behind it; hostile requests included. */

import { once } from 'node:events';
import net from 'node:net';
import t, { type Test } from 'tap';
import { ADMIN_BOUNDS, startAdminApi } from '../../../../relay/operations/admin/api.js';
import { steamIdOf } from '../../kit.js';
import { type AdminKit, adminFor, ask, OTHER_TOKEN, problemIn, rawAsk, rawRequest, TOKEN } from './kit.js';

const ANNA = steamIdOf(1);

function isProblem(t: Test, heard: Awaited<ReturnType<typeof ask>>, status: number, code: string): void {
  t.match(heard, { status, body: { type: 'about:blank', status, code } }, `${status} ${code}`);
  t.equal(heard.headers.get('content-type'), 'application/problem+json');
}

t.test('lobbies are opened, shown, listed and closed', async (t) => {
  const kit = await adminFor(t);
  const opened = await ask(kit, 'PUT', '/v1/lobbies/team%20talk', { capacity: 4, channels: ['red', 'blue'] });
  t.match(opened, {
    status: 201,
    body: { name: 'team talk', capacity: 4, kept: true, participants: 0, members: [] },
  });
  t.same((await ask(kit, 'GET', '/v1/lobbies/team%20talk')).body, opened.body);
  kit.bench.join(1);
  t.same((await ask(kit, 'GET', '/v1/lobbies')).body, {
    lobbies: [
      { name: 'den', participants: 1, unlisted: 0, capacity: 64, kept: false },
      { name: 'team talk', participants: 0, unlisted: 0, capacity: 4, kept: true },
    ],
    next: null,
  });
  t.match((await ask(kit, 'GET', '/v1/lobbies/den')).body, {
    members: [{ steamId: ANNA, name: 'player 1' }],
  });
  const closed = await ask(kit, 'DELETE', '/v1/lobbies/den');
  t.match(closed, { status: 204, text: '' });
  t.match(kit.outputs, [
    { kind: 'event', event: { kind: 'lobby-opened' } },
    { kind: 'tell', message: { type: 'refused', code: 'lobby-ended' } },
  ]);
  isProblem(t, await ask(kit, 'GET', '/v1/lobbies/den'), 404, 'lobby-unknown');
  isProblem(t, await ask(kit, 'DELETE', '/v1/lobbies/den'), 404, 'lobby-unknown');
  isProblem(t, await ask(kit, 'PUT', '/v1/lobbies/team%20talk'), 409, 'lobby-exists');
  t.match(await ask(kit, 'PUT', '/v1/lobbies/plain'), { status: 201, body: { capacity: 64 } });
});

t.test('listeners who are not listed are counted, and listed by SteamID in pages', async (t) => {
  const kit = await adminFor(t, { limits: { listenerPlacesPercent: 0 } });
  kit.bench.admit(1);
  for (const account of [5, 3, 4]) kit.bench.admit(account, { maySpeak: false });
  t.match((await ask(kit, 'GET', '/v1/lobbies/den')).body, { participants: 4, unlisted: 3 });
  t.match((await ask(kit, 'GET', '/v1/counts')).body, { participants: 4, unlisted: 3 });
  const first = await ask(kit, 'GET', '/v1/lobbies/den/unlisted?limit=2');
  t.match(first.body, {
    members: [{ steamId: steamIdOf(3), unlisted: true }, { steamId: steamIdOf(4) }],
    next: steamIdOf(4),
  });
  const second = await ask(kit, 'GET', `/v1/lobbies/den/unlisted?after=${steamIdOf(4)}`);
  t.match(second.body, { members: [{ steamId: steamIdOf(5) }], next: null });
  isProblem(t, await ask(kit, 'GET', '/v1/lobbies/attic/unlisted'), 404, 'lobby-unknown');
  isProblem(t, await ask(kit, 'GET', '/v1/lobbies/den/unlisted?after=x'), 422, 'request-invalid');
  t.match(await ask(kit, 'POST', `/v1/lobbies/den/participants/${steamIdOf(4)}/kick`), { status: 204 });
  t.match((await ask(kit, 'GET', '/v1/lobbies/den')).body, { participants: 3, unlisted: 2 });
});

t.test('a lobby that the relay has no room for is a problem and not a crash', async (t) => {
  const kit = await adminFor(t, { limits: { lobbies: 1, channelsPerLobby: 2, sanctions: 1 } });
  isProblem(t, await ask(kit, 'PUT', '/v1/lobbies/a', { channels: ['1', '2', '3'] }), 422, 'request-invalid');
  await ask(kit, 'PUT', '/v1/lobbies/a');
  isProblem(t, await ask(kit, 'PUT', '/v1/lobbies/b'), 409, 'relay-full');
  await ask(kit, 'POST', `/v1/lobbies/a/participants/${ANNA}/mute`);
  const other = `/v1/lobbies/a/participants/${steamIdOf(2)}`;
  isProblem(t, await ask(kit, 'POST', `${other}/mute`), 409, 'sanctions-full');
  isProblem(t, await ask(kit, 'POST', `${other}/kick`), 404, 'participant-unknown');
});

t.test('a player is moderated in one lobby or in all', async (t) => {
  const kit = await adminFor(t);
  kit.bench.join(1);
  kit.bench.join(2, 'pub');
  const inDen = (action: string, body?: unknown) =>
    ask(kit, 'POST', `/v1/lobbies/den/participants/${ANNA}/${action}`, body);
  const member = async () =>
    ((await ask(kit, 'GET', '/v1/lobbies/den')).body as { members: Record<string, unknown>[] }).members[0];
  for (const [action, shown] of [
    ['mute', { muted: true }],
    ['deafen', { muted: true, deafened: true }],
    ['unmute', { muted: undefined, deafened: true }],
    ['undeafen', { deafened: undefined }],
    ['prioritize', { priority: true }],
    ['unprioritize', { priority: undefined }],
  ] as const) {
    t.equal((await inDen(action)).status, 204, action);
    t.match(await member(), shown, action);
  }
  t.equal((await inDen('move', { channels: ['red'] })).status, 204);
  t.match(await member(), { channels: [1] });
  t.equal((await inDen('kick')).status, 204);
  isProblem(t, await inDen('kick'), 404, 'participant-unknown');

  const everywhere = (action: string, body?: unknown) =>
    ask(kit, 'POST', `/v1/all-lobbies/participants/${steamIdOf(2)}/${action}`, body);
  t.equal((await everywhere('mute', { seconds: 60 })).status, 204);
  t.equal((await everywhere('ban')).status, 204);
  t.same((await ask(kit, 'GET', '/v1/sanctions')).body, {
    sanctions: [
      {
        lobby: null,
        steamId: steamIdOf(2),
        muted: kit.bench.unixSeconds + 61,
        deafened: 'not',
        banned: 'always',
        by: 'admin',
      },
    ],
    next: null,
  });
  t.equal(kit.bench.relay.lobby('pub'), null, 'the banned one is gone, and the lobby with them');
  for (const action of ['unban', 'unmute']) t.equal((await everywhere(action)).status, 204);
  t.same((await ask(kit, 'GET', '/v1/sanctions')).body, { sanctions: [], next: null });
  isProblem(t, await everywhere('prioritize'), 404, 'path-unknown');
});

t.test('counts and a drain', async (t) => {
  const kit = await adminFor(t);
  kit.bench.join(1);
  t.match((await ask(kit, 'GET', '/v1/counts')).body, { participants: 1, drops: { 'not-joined': 0 } });
  t.match(await ask(kit, 'POST', '/v1/drain', { withinMs: 5000, goTo: 'wss://b.example/' }), {
    status: 202,
    body: null,
  });
  t.equal((await ask(kit, 'POST', '/v1/drain', { withinMs: 0 })).status, 202);
  t.same(kit.drains, [
    [5000, 'wss://b.example/'],
    [0, null],
  ]);
  for (const goTo of ['http://b.example', 'wss://', 'wss://a b', `wss://${'x'.repeat(2100)}`, 7]) {
    isProblem(t, await ask(kit, 'POST', '/v1/drain', { withinMs: 1, goTo }), 422, 'request-invalid');
  }
  isProblem(t, await ask(kit, 'POST', '/v1/drain'), 422, 'request-invalid');
});

t.test('a client that drains the relay gets its answer, even when the relay closes at once', async (t) => {
  const holder: { kit?: AdminKit } = {};
  const closed: Promise<void>[] = [];
  const kit = await adminFor(t, {
    target: { drain: () => void closed.push(holder.kit!.api.close()) },
  });
  holder.kit = kit;
  t.equal((await ask(kit, 'POST', '/v1/drain', { withinMs: 0 })).status, 202);
  await closed[0];
});

t.test('pages of any size list each lobby and each sanction once, in order', async (t) => {
  const kit = await adminFor(t);
  const names = Array.from({ length: 57 }, (_, n) => `lobby ${(n * 31) % 57} ☃/%&+`);
  for (const name of names) {
    kit.bench.relay.administer({ kind: 'open-lobby', lobby: name }, kit.bench.now, 1);
    const moderation = { action: 'mute', steamId: steamIdOf((names.indexOf(name) % 9) + 1) } as const;
    kit.bench.relay.administer({ kind: 'moderate', lobby: name, moderation }, kit.bench.now, 1);
  }
  for (const [path, list] of [
    ['/v1/lobbies', 'lobbies'],
    ['/v1/sanctions', 'sanctions'],
  ] as const) {
    for (const limit of [1, 7, 57, 1000]) {
      const listed: unknown[] = [];
      let next: string | null = null;
      let pages = 0;
      do {
        const after: string = next === null ? '' : `&after=${encodeURIComponent(next)}`;
        const { body } = await ask(kit, 'GET', `${path}?limit=${limit}${after}`);
        const page = body as { next: string | null } & Record<string, unknown[]>;
        t.ok((page[list]?.length ?? 0) <= limit);
        listed.push(...(page[list] ?? []));
        next = page.next;
        pages += 1;
      } while (next !== null && pages < 100);
      t.equal(pages, Math.ceil(57 / limit), `${path} by ${limit}`);
      const keys = listed.map((item) => JSON.stringify(item));
      t.equal(new Set(keys).size, 57);
      if (list === 'lobbies')
        t.same(
          listed.map((item) => (item as { name: string }).name),
          [...names].sort(),
        );
    }
  }
});

t.test('without a token of this relay nothing is done and nothing disclosed', async (t) => {
  const kit = await adminFor(t, { bounds: { guessBurst: 1000 } });
  kit.bench.join(1);
  for (const [method, path] of [
    ['GET', '/v1/lobbies'],
    ['GET', '/nowhere'],
    ['DELETE', '/v1/lobbies/den'],
    ['POST', `/v1/lobbies/den/participants/${ANNA}/kick`],
  ] as const) {
    for (const authorization of ['', 'Bearer', `Bearer ${OTHER_TOKEN}`, `Basic ${TOKEN}`, TOKEN]) {
      const heard = await ask(kit, method, path, undefined, { authorization });
      isProblem(t, heard, 401, 'token-refused');
      t.equal(heard.headers.get('www-authenticate'), 'Bearer realm="hotmic"');
      t.notMatch(heard.text, /correct|another/);
    }
  }
  t.match(
    problemIn(await rawAsk(kit.port, `GET /v1/lobbies?token=${TOKEN} HTTP/1.1\r\nHost: x\r\n\r\n`)),
    [401],
  );
  t.match(
    problemIn(
      await rawAsk(kit.port, `GET /v1/lobbies HTTP/1.1\r\nHost: x\r\nCookie: token=${TOKEN}\r\n\r\n`),
    ),
    [401],
  );
  t.equal(kit.outputs.length, 0);
  t.equal(kit.api.counts().refused, 22);
  t.match(kit.events.at(-1), { kind: 'admin-refused', code: 'token-refused', peer: '127.0.0.1' });
});

t.test('a removed token is refused as soon as the tokens are read again', async (t) => {
  const kit = await adminFor(t);
  const statusWith = async (token: string) =>
    (await ask(kit, 'GET', '/v1/counts', undefined, { authorization: `Bearer ${token}` })).status;
  kit.file.text = `${OTHER_TOKEN}\n`;
  t.equal(await statusWith(TOKEN), 200, 'not read again yet');
  kit.file.text = `${TOKEN}\n${OTHER_TOKEN}\n`;
  kit.api.reload();
  t.same([await statusWith(TOKEN), await statusWith(OTHER_TOKEN)], [200, 200]);
  kit.file.text = `${OTHER_TOKEN}\n`;
  kit.api.reload();
  t.same([await statusWith(TOKEN), await statusWith(OTHER_TOKEN)], [401, 200]);
  kit.file.text = 'short\n';
  t.throws(() => kit.api.reload(), { code: 'ERR_HOTMIC_FILE' });
  t.equal(await statusWith(OTHER_TOKEN), 200, 'those from before hold on');
});

t.test('guesses beyond their rate get 429, and requests with a token are not delayed', async (t) => {
  const kit = await adminFor(t, { bounds: { guessBurst: 3, guessesPerSecond: 0.001 } });
  const guess = () => ask(kit, 'GET', '/v1/counts', undefined, { authorization: `Bearer ${OTHER_TOKEN}` });
  for (let n = 0; n < 3; n++) t.equal((await guess()).status, 401);
  const told = kit.events.length;
  for (let n = 0; n < 5; n++) {
    const heard = await guess();
    isProblem(t, heard, 429, 'guesses-limited');
    t.equal(heard.headers.get('retry-after'), '1000');
  }
  t.equal(kit.events.length, told, 'a flood of guesses is counted and no flood of events');
  t.equal((await ask(kit, 'GET', '/v1/counts')).status, 200);
  t.same(kit.api.counts(), { done: 1, failed: 0, refused: 3, limited: 5 });
});

t.test('a browser is refused, even with a token, and gets no CORS headers', async (t) => {
  const kit = await adminFor(t);
  for (const origin of ['https://game.example', 'null', 'http://127.0.0.1']) {
    const get = rawRequest('GET', '/v1/lobbies', `Origin: ${origin}\r\n`);
    const heard = await rawAsk(kit.port, get);
    t.same(problemIn(heard), [403, 'browser-refused']);
    t.notMatch(heard, /access-control/i);
    const preflight = `OPTIONS /v1/lobbies HTTP/1.1\r\nHost: x\r\nOrigin: ${origin}\r\nAccess-Control-Request-Method: PUT\r\n\r\n`;
    t.same(problemIn(await rawAsk(kit.port, preflight)), [403, 'browser-refused']);
  }
});

t.test('paths are compared letter by letter', async (t) => {
  const kit = await adminFor(t);
  kit.bench.join(1);
  const cases: readonly (readonly [method: string, target: string, status: number, code: string])[] = [
    ['GET', '/', 404, 'path-unknown'],
    ['GET', '/v1', 404, 'path-unknown'],
    ['GET', '/v1/', 404, 'path-unknown'],
    ['GET', '//v1/lobbies', 404, 'path-unknown'],
    ['GET', '/v1//lobbies', 404, 'path-unknown'],
    ['GET', '/v1/lobbies/', 404, 'path-unknown'],
    ['GET', '/v1/lobbies//', 404, 'path-unknown'],
    ['GET', '/v1/./lobbies', 404, 'path-unknown'],
    ['GET', '/x/../v1/lobbies', 404, 'path-unknown'],
    ['GET', '/V1/lobbies', 404, 'path-unknown'],
    ['GET', '/%76%31/lobbies', 404, 'path-unknown'],
    ['GET', '/v1%2Flobbies', 404, 'path-unknown'],
    ['GET', '/v1/lobbies;x=1', 404, 'path-unknown'],
    ['GET', '/v1/lobbies#top', 404, 'path-unknown'],
    ['GET', 'http://127.0.0.1/v1/lobbies', 400, 'path-malformed'],
    ['GET', '*', 400, 'path-malformed'],
    ['GET', 'v1/lobbies', 400, ''],
    ['GET', '/v1/lobbies/%', 400, 'path-malformed'],
    ['GET', '/v1/lobbies/%zz', 400, 'path-malformed'],
    ['GET', '/v1/lobbies/%ff', 400, 'path-malformed'],
    ['GET', '/v1/lobbies/%c0%ae', 400, 'path-malformed'],
    ['GET', '/v1/lobbies/%ed%a0%80', 400, 'path-malformed'],
    ['GET', '/v1/lobbies/a|b', 400, 'path-malformed'],
    ['GET', '/v1/lobbies/a\\b', 400, 'path-malformed'],
    ['GET', '/v1/lobbies/den%00', 422, 'request-invalid'],
    ['GET', '/v1/lobbies/%0d%0aSet-Cookie', 422, 'request-invalid'],
    ['GET', `/v1/lobbies/${'a'.repeat(65)}`, 422, 'request-invalid'],
    ['GET', '/v1/lobbies/..', 404, 'lobby-unknown'],
    ['GET', '/v1/lobbies/%2e%2e', 404, 'lobby-unknown'],
    ['GET', '/v1/lobbies/%252e', 404, 'lobby-unknown'],
    ['GET', '/v1/lobbies/..%2Fden', 404, 'lobby-unknown'],
    ['POST', '/v1/lobbies/den%2Fparticipants%2F1/kick', 404, 'path-unknown'],
    ['POST', '/v1/lobbies/den/participants/0/kick', 422, 'request-invalid'],
    ['POST', '/v1/lobbies/den/participants/01/kick', 422, 'request-invalid'],
    ['POST', '/v1/lobbies/den/participants/1e3/kick', 422, 'request-invalid'],
    ['POST', '/v1/lobbies/den/participants/99999999999999999999/kick', 422, 'request-invalid'],
    ['POST', `/v1/lobbies/den/participants/${ANNA}/kick/`, 404, 'path-unknown'],
    ['POST', `/v1/lobbies/den/participants/${ANNA}/KICK`, 404, 'path-unknown'],
    ['POST', `/v1/lobbies/den/participants/${ANNA}/__proto__`, 404, 'path-unknown'],
    ['POST', `/v1/participants/${ANNA}/kick`, 404, 'path-unknown'],
    ['POST', `/v1/lobbies/../participants/${ANNA}/kick`, 404, 'participant-unknown'],
    ['GET', '/v1/lobbies?limit=1&limit=2', 400, 'query-malformed'],
    ['GET', '/v1/lobbies?limit=%', 400, 'query-malformed'],
    ['GET', '/v1/lobbies?limit=0', 422, 'request-invalid'],
    ['GET', '/v1/lobbies?limit=1001', 422, 'request-invalid'],
    ['GET', '/v1/lobbies?limit=', 422, 'request-invalid'],
    ['GET', '/v1/lobbies?after=%00', 422, 'request-invalid'],
    ['GET', '/v1/lobbies?__proto__=x', 422, 'request-invalid'],
    ['GET', '/v1/sanctions?after=x', 422, 'request-invalid'],
    ['GET', '/v1/counts?x=1', 400, 'query-malformed'],
    ['GET', '/v1/counts?', 200, ''],
  ];
  for (const [method, target, status, code] of cases) {
    t.same(problemIn(await rawAsk(kit.port, rawRequest(method, target))), [status, code], target);
  }
  t.equal(kit.bench.relay.lobby('den')?.participants, 1, 'nobody was disconnected');
});

t.test('a lobby called .. does not make a client that folds dots act in all lobbies', async (t) => {
  const kit = await adminFor(t);
  kit.bench.join(1, '..');
  kit.bench.join(2, 'den');
  for (const lobby of ['..', '.', '%2e%2e']) {
    // fetch folds these before it asks.
    for (const action of ['ban', 'mute', 'kick']) {
      const heard = await ask(kit, 'POST', `/v1/lobbies/${lobby}/participants/${steamIdOf(2)}/${action}`);
      isProblem(t, heard, 404, 'path-unknown');
    }
    t.ok([404, 405].includes((await ask(kit, 'DELETE', `/v1/lobbies/${lobby}`)).status));
  }
  t.same(kit.bench.relay.sanctions(), []);
  t.equal(kit.bench.relay.lobbies().length, 2);
});

t.test('a method that a path does not support is refused with the supported ones', async (t) => {
  const kit = await adminFor(t);
  for (const [path, allow] of [
    ['/v1/lobbies', 'GET'],
    ['/v1/lobbies/den', 'GET, PUT, DELETE'],
    ['/v1/drain', 'POST'],
    [`/v1/lobbies/den/participants/${ANNA}/ban`, 'POST'],
  ] as const) {
    for (const method of ['HEAD', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND', 'POST', 'DELETE', 'PUT']) {
      if (allow.includes(method)) continue;
      const heard = await rawAsk(kit.port, rawRequest(method, path));
      t.match(heard, /^HTTP\/1\.1 405 /, `${method} ${path}`);
      t.match(heard.toLowerCase(), `\r\nallow: ${allow.toLowerCase()}\r\n`);
    }
  }
  t.match(
    problemIn(await rawAsk(kit.port, rawRequest('GET', '/v1/drain', 'X-HTTP-Method-Override: POST\r\n'))),
    [405],
  );
});

t.test('a body is JSON of a bounded length without unknown fields', async (t) => {
  const kit = await adminFor(t);
  const mute = `/v1/lobbies/den/participants/${ANNA}/mute`;
  const cases: readonly (readonly [body: string, status: number, code: string])[] = [
    ['{', 400, 'body-malformed'],
    ['\ufeff{}', 400, 'body-malformed'],
    ['null', 422, 'request-invalid'],
    ['[]', 422, 'request-invalid'],
    ['"mute"', 422, 'request-invalid'],
    ['{"seconds":0}', 422, 'request-invalid'],
    ['{"seconds":1.5}', 422, 'request-invalid'],
    ['{"seconds":"60"}', 422, 'request-invalid'],
    ['{"seconds":1e400}', 422, 'request-invalid'],
    ['{"seconds":315360001}', 422, 'request-invalid'],
    ['{"second":60}', 422, 'request-invalid'],
    ['{"__proto__":{"seconds":60}}', 422, 'request-invalid'],
    ['{"constructor":{}}', 422, 'request-invalid'],
    [`${'['.repeat(8000)}${']'.repeat(8000)}`, 422, 'request-invalid'],
    [`{"seconds":60,"x":"${'x'.repeat(16_384)}"}`, 413, 'body-too-long'],
    [`{"x":"${'x'.repeat(900_000)}"}`, 413, 'body-too-long'],
  ];
  for (const [body, status, code] of cases) {
    isProblem(t, await ask(kit, 'POST', mute, body), status, code);
    // The same in chunks, without a length.
    const chunks = body.match(/[\s\S]{1,5000}/g) ?? [];
    const stream = new ReadableStream({
      pull(controller) {
        const chunk = chunks.shift();
        if (chunk === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(chunk));
      },
    });
    const chunked = await fetch(new URL(mute, kit.api.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: stream,
      duplex: 'half',
    } as RequestInit);
    t.match(await chunked.json(), { status, code }, 'in chunks');
  }
  for (const headers of [
    'Content-Type: text/plain\r\n',
    'Content-Type: application/x-www-form-urlencoded\r\n',
    'Content-Type: application/json; charset=utf-16\r\n',
    'Content-Type: application/json\r\nContent-Encoding: gzip\r\n',
    '',
  ]) {
    const heard = await rawAsk(kit.port, rawRequest('POST', mute, `${headers}Content-Length: 2\r\n`, '{}'));
    t.same(problemIn(heard), [415, 'body-not-json'], headers);
  }
  const latin = rawRequest(
    'POST',
    mute,
    'Content-Type: application/json\r\nContent-Length: 9\r\n',
    '{"x":"\xff"}',
  );
  t.same(problemIn(await rawAsk(kit.port, Buffer.from(latin, 'latin1'))), [400, 'body-malformed']);
  const huge = rawRequest(
    'POST',
    mute,
    'Content-Type: application/json\r\nContent-Length: 99999999999\r\n',
    '{',
  );
  t.same(problemIn(await rawAsk(kit.port, huge)), [413, 'body-too-long']);
  const unwanted = rawRequest(
    'GET',
    '/v1/lobbies',
    'Content-Type: application/json\r\nContent-Length: 2\r\n',
    '{}',
  );
  t.same(problemIn(await rawAsk(kit.port, unwanted)), [400, 'body-malformed']);
  const both = rawRequest('POST', mute, 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n');
  t.match(await rawAsk(kit.port, both), /^HTTP\/1\.1 400 /);
  t.same(kit.bench.relay.sanctions(), [], 'nobody was muted by any of it');
});

t.test('no problem repeats text from a body or a query', async (t) => {
  const kit = await adminFor(t);
  const secret = 'hunter2hunter2';
  const texts = [
    await ask(kit, 'POST', '/v1/drain', { withinMs: secret, [secret]: 1, goTo: secret }),
    await ask(kit, 'POST', '/v1/drain', { withinMs: 1, [secret]: 1 }),
    await ask(kit, 'GET', `/v1/lobbies?${secret}=1`),
    await ask(kit, 'GET', `/v1/lobbies?limit=${secret}`),
    await ask(kit, 'PUT', '/v1/lobbies/x', { channels: [secret, secret] }),
  ];
  for (const { status, text } of texts) {
    t.equal(status, 422, text);
    t.notMatch(text, secret);
  }
});

t.test('a client that expects 100 Continue gets it only when the body will be read', async (t) => {
  const kit = await adminFor(t);
  const mute = `/v1/lobbies/den/participants/${ANNA}/mute`;
  const head = (token: string) =>
    `POST ${mute} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n`;
  t.same(problemIn(await rawAsk(kit.port, head(OTHER_TOKEN))), [401, 'token-refused']);
  const socket = net.connect(kit.port, '127.0.0.1');
  socket.write(head(TOKEN));
  const [first] = (await once(socket, 'data')) as [Buffer];
  t.match(first.toString(), /^HTTP\/1\.1 100 Continue/);
  socket.write('{}');
  const [second] = (await once(socket, 'data')) as [Buffer];
  t.match(second.toString(), /^HTTP\/1\.1 204 /);
});

t.test('one request per connection, bounded headers, and slow clients are cut', async (t) => {
  const kit = await adminFor(t, { bounds: { withinMs: 300, connections: 2 } });
  const twice = rawRequest('GET', '/v1/counts').repeat(2);
  t.equal((await rawAsk(kit.port, twice)).match(/HTTP\/1\.1 200/g)?.length, 1);
  t.match(
    await rawAsk(kit.port, rawRequest('GET', '/v1/counts', `X: ${'x'.repeat(9000)}\r\n`)),
    /^HTTP\/1\.1 431 /,
  );
  const mute = `/v1/lobbies/den/participants/${ANNA}/mute`;
  const slow = rawRequest('POST', mute, 'Content-Type: application/json\r\nContent-Length: 20\r\n', '{"seco');
  t.notMatch(await rawAsk(kit.port, slow), /^HTTP\/1\.1 20/, 'a body that does not come ends the connection');
  t.notMatch(await rawAsk(kit.port, 'GET /v1/cou'), /^HTTP\/1\.1 20/);
  const idle = [0, 1, 2].map(() => net.connect(kit.port, '127.0.0.1').on('error', () => undefined));
  const ended = idle.map((socket) => new Promise((resolve) => socket.resume().once('close', resolve)));
  await Promise.all(idle.map((socket) => once(socket, 'connect')));
  const surplus = await rawAsk(kit.port, rawRequest('GET', '/v1/counts'));
  t.match(surplus, /^HTTP\/1\.1 200 /, 'connections that say nothing are closed for one that asks');
  t.ok(kit.api.closedConnections() >= 2);
  await Promise.all(ended);
  t.equal((await ask(kit, 'GET', '/v1/counts')).status, 200);
  t.same(kit.bench.relay.sanctions(), []);
});

t.test('requests are reported for the log, without bodies and tokens', async (t) => {
  const kit = await adminFor(t);
  await ask(kit, 'POST', `/v1/lobbies/den/participants/${ANNA}/ban`, { seconds: 77 });
  await ask(kit, 'GET', '/nowhere');
  t.same(kit.events, [
    { kind: 'admin-asked', operation: 'ban', lobby: 'den', steamId: ANNA, status: 204, peer: '127.0.0.1' },
    { kind: 'admin-asked', operation: 'none', lobby: '', steamId: '', status: 404, peer: '127.0.0.1' },
  ]);
  t.same(kit.api.counts(), { done: 1, failed: 1, refused: 0, limited: 0 });
});

t.test('an internal failure is a problem without its reason, and the API continues', async (t) => {
  const kit = await adminFor(t, {
    target: {
      counts: () => {
        throw new Error('of the inside');
      },
    },
  });
  const heard = await ask(kit, 'GET', '/v1/counts');
  isProblem(t, heard, 500, 'internal-error');
  t.notMatch(heard.text, 'of the inside');
  t.equal((await ask(kit, 'GET', '/v1/lobbies')).status, 200);
});

t.test('an unavailable port and malformed tokens are errors', async (t) => {
  const kit = await adminFor(t);
  const start = (port: number, text = TOKEN, host = '127.0.0.1') =>
    startAdminApi({ host, port, tokens: { from: 'f', read: () => text } }, {} as never, ADMIN_BOUNDS);
  await t.rejects(start(kit.port), { code: 'ERR_HOTMIC_PORT_IN_USE', message: /admin port \d+ of 127/ });
  await t.rejects(start(0, 'short'), { code: 'ERR_HOTMIC_FILE' });
  await t.rejects(start(0, TOKEN, '192.0.2.1'), { code: 'ERR_HOTMIC_LISTEN' });
  for (const port of [-1, 65_536, 1.5]) await t.rejects(start(port), RangeError);
});
