/** Webhooks: what is sent, in which order, what becomes of it when the receiver fails, and the bounds of it all. */

import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import t from 'tap';
import { verifyWebhook } from '../../../relay/webhooks/signature.js';
import { WEBHOOK_KINDS, Webhooks } from '../../../relay/webhooks/webhooks.js';
import { hooksIn, joined, OTHER_SECRET, SECRET, secretOf, settle, UNIX_MS, World } from './kit.js';

const sequences = (world: World) => world.seen.map(({ body }) => body.sequence);

t.test('an event is posted as JSON, signed, with its own id, time and number', async (t) => {
  const world = new World();
  const { webhooks } = hooksIn(world);
  webhooks.publish(joined(3));
  t.equal(world.seen.length, 0, 'nothing is sent before publish returns');
  await world.pass(250);
  webhooks.publish({ kind: 'left', lobby: 'den', slot: 3, steamId: '1', name: 'höhle ☃\ud800', why: 'left' });
  await world.pass(0);
  t.equal(world.seen.length, 2);
  const [first, second] = world.seen;
  t.equal(first!.url, 'https://game.example/secret-path?key=hush');
  t.same(first!.body, {
    ...joined(3),
    id: `msg_${first!.body.stream}_1`,
    at: new Date(UNIX_MS + 5000).toISOString(),
    stream: first!.body.stream,
    sequence: 1,
  });
  t.match(second!.body, {
    sequence: 2,
    stream: first!.body.stream,
    at: new Date(UNIX_MS + 5250).toISOString(),
  });
  for (const { headers, text, body, at } of world.seen) {
    const seconds = Math.floor((UNIX_MS + at) / 1000);
    t.same(verifyWebhook(headers, text, SECRET, seconds), { kind: 'valid', id: body.id });
    t.equal(headers['webhook-timestamp'], String(seconds));
    t.equal(headers['content-type'], 'application/json');
    t.notMatch(body.id, /\./);
  }
  t.match(webhooks.counts(), { waiting: 0, failedAttempts: 0, fates: { delivered: 2 } });
});

t.test('a receiver gets the events that it names, and refusals only by name', async (t) => {
  const refused = { kind: 'refused', code: 'lobby-full', detail: 'd' } as const;
  for (const [events, expected] of [
    [[], ['joined', 'lobby-opened']],
    [['refused'], ['refused']],
    [
      ['joined', 'refused'],
      ['joined', 'refused'],
    ],
  ] as const) {
    const world = new World();
    const { webhooks } = hooksIn(world, { events });
    webhooks.publish(joined(1));
    webhooks.publish({ kind: 'lobby-opened', lobby: 'den' });
    webhooks.publish(refused);
    await world.pass(0);
    t.same(
      world.seen.map(({ body }) => (body as unknown as { kind: string }).kind),
      expected,
    );
    t.same(
      sequences(world),
      expected.map((_, n) => n + 1),
      'what it does not get has no number',
    );
  }
  t.throws(() => hooksIn(new World(), { events: ['joind'] }), {
    name: 'TypeError',
    message: /the unknown event "joind", expected joined/,
  });
  t.throws(() => hooksIn(new World(), { events: ['__proto__'] }), TypeError);
  t.ok(WEBHOOK_KINDS.length >= 8);
});

t.test('with one at a time they come in order, despite failures, and each keeps its id', async (t) => {
  const world = new World();
  const { webhooks, events } = hooksIn(world);
  for (let n = 1; n <= 4; n++) webhooks.publish(joined(n));
  world.answers.push(
    204,
    503,
    Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } }),
    301,
    200,
  );
  await world.pass(60_000);
  t.same(sequences(world), [1, 2, 2, 2, 2, 3, 4]);
  t.equal(world.mostUnderWay, 1);
  t.equal(new Set(world.seen.map(({ body }) => body.id)).size, 4);
  t.equal(new Set(world.seen.slice(1, 5).map(({ text }) => text)).size, 1, 'the same body');
  t.equal(
    new Set(world.seen.slice(1, 5).map(({ headers }) => headers['webhook-signature'])).size,
    4,
    'signed again',
  );
  t.same(
    world.seen.slice(1, 6).map(({ at }) => at - 5000),
    [0, 1000, 3000, 7000, 7000],
    'with longer and longer pauses, and none behind a success',
  );
  t.match(events, [
    { kind: 'webhook-failing', hook: 1, to: 'https://game.example', detail: 'status 503' },
    { kind: 'webhook-working' },
  ]);
  t.equal(events.length, 2);
  t.match(webhooks.counts(), { failedAttempts: 3, fates: { delivered: 4 } });
  t.notMatch(JSON.stringify(events), /hush|secret-path|whsec/);
});

t.test('pauses are shortened at random by up to half, and never longer than a minute', async (t) => {
  for (const [drawn, pauses] of [
    [1, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]],
    [0, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]],
  ] as const) {
    const world = new World();
    world.drawn = drawn;
    world.always = () => 500;
    const { webhooks } = hooksIn(world);
    webhooks.publish(joined(1));
    await world.pass(300_000);
    const at = world.seen.map((seen) => seen.at);
    t.same(
      at.slice(1, 9).map((time, n) => time - at[n]!),
      pauses,
    );
  }
});

t.test('Retry-After is followed, up to five minutes', async (t) => {
  const world = new World();
  const { webhooks } = hooksIn(world);
  const busy = (retryAfter: string) =>
    new Response('', { status: 429, headers: { 'retry-after': retryAfter } });
  world.answers.push(busy('90'), busy('9999'), busy('Wed, 21 Oct 2026 07:28:00 GMT'));
  webhooks.publish(joined(1));
  await world.pass(500_000);
  t.same(
    world.seen.map(({ at }) => at - 5000),
    [0, 90_000, 390_000, 394_000],
  );
  t.match(webhooks.counts(), { fates: { delivered: 1 } });
});

t.test(
  'a webhook that fails for ten minutes is given up, and so are those that waited behind it',
  async (t) => {
    const world = new World();
    world.always = () => 500;
    const { webhooks, events } = hooksIn(world);
    for (let n = 1; n <= 50; n++) webhooks.publish(joined(n));
    await world.pass(700_000);
    t.match(webhooks.counts(), { waiting: 0, fates: { delivered: 0, 'given-up': 50 } });
    t.ok(world.seen.length < 25, `${world.seen.length} attempts: whatever waits, the receiver is left alone`);
    t.same(
      events.map(({ kind }) => kind),
      ['webhook-failing', 'webhook-lost'],
      'told once',
    );
    world.always = () => 204;
    webhooks.publish(joined(51));
    await world.pass(60_000);
    t.match(webhooks.counts(), { fates: { delivered: 1 } });
    t.equal(world.seen.at(-1)?.body.sequence, 51, 'the numbers show what was lost');
    t.equal(events.at(-1)?.kind, 'webhook-working');
  },
);

t.test('a rejected webhook is not sent again, and the ones behind it are sent', async (t) => {
  const world = new World();
  const { webhooks, events } = hooksIn(world);
  for (let n = 1; n <= 6; n++) webhooks.publish(joined(n));
  world.answers.push(400, 413, 415, 422);
  await world.pass(0);
  t.same(sequences(world), [1, 2, 3, 4, 5, 6]);
  t.match(webhooks.counts(), { fates: { rejected: 4, delivered: 2 } });
  t.match(events, [{ kind: 'webhook-lost', fate: 'rejected' }]);
  t.equal(events.length, 1, 'once a spell');
});

t.test('a receiver that answered 410 gets nothing more until the secrets are reloaded', async (t) => {
  const world = new World();
  const { webhooks, events } = hooksIn(world);
  for (let n = 1; n <= 3; n++) webhooks.publish(joined(n));
  world.answers.push(410);
  await world.pass(1000);
  webhooks.publish(joined(4));
  await world.pass(100_000);
  t.same(sequences(world), [1]);
  t.match(webhooks.counts(), { waiting: 0, fates: { unsent: 4 } });
  t.match(events, [{ kind: 'webhook-gone' }, { kind: 'webhook-lost', fate: 'unsent', webhooks: 3 }]);
  webhooks.reload();
  webhooks.publish(joined(5));
  await world.pass(0);
  t.same(sequences(world), [1, 5]);
});

t.test('reload reads the secrets again, and malformed ones change nothing', async (t) => {
  const world = new World();
  let text = SECRET;
  const { webhooks } = hooksIn(world, { secret: { from: 'f', read: () => text } });
  const signedBy = async () => {
    webhooks.publish(joined(1));
    await world.pass(0);
    const { headers, text: body, at } = world.seen.at(-1)!;
    const now = Math.floor((UNIX_MS + at) / 1000);
    return [SECRET, OTHER_SECRET].map((secret) => verifyWebhook(headers, body, secret, now).kind);
  };
  t.same(await signedBy(), ['valid', 'invalid']);
  text = `${OTHER_SECRET}\n${SECRET}`;
  webhooks.reload();
  t.same(await signedBy(), ['valid', 'valid']);
  text = OTHER_SECRET;
  webhooks.reload();
  t.same(await signedBy(), ['invalid', 'valid']);
  text = 'nothing';
  t.throws(() => webhooks.reload(), { code: 'ERR_HOTMIC_FILE' });
  t.same(await signedBy(), ['invalid', 'valid']);
});

t.test('several at once are started in order, no more than configured', async (t) => {
  const world = new World();
  const { webhooks } = hooksIn(world, { atOnce: 3 });
  for (let n = 1; n <= 10; n++) webhooks.publish(joined(n));
  let answered = 0;
  world.always = () => {
    answered += 1;
    return answered === 2
      ? 500
      : new Promise((resolve) => world.after(100, () => resolve(new Response(null, { status: 204 }))));
  };
  await world.pass(5000);
  t.equal(world.mostUnderWay, 3);
  t.match(webhooks.counts(), { fates: { delivered: 10 } });
  t.same([...new Set(sequences(world))], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  t.equal(sequences(world).length, 11);
  for (const atOnce of [0, 17, 1.5]) t.throws(() => hooksIn(new World(), { atOnce }), RangeError);
});

t.test('eight are sent at once by default: 133 per second at 60 ms, and not 16', async (t) => {
  const world = new World();
  world.always = () =>
    new Promise((resolve) => world.after(60, () => resolve(new Response(null, { status: 204 }))));
  const receiver = { url: 'https://game.example/', secret: secretOf(SECRET) };
  const webhooks = new Webhooks([receiver], () => undefined, world);
  for (let n = 1; n <= 1000; n++) webhooks.publish(joined(n));
  await world.pass(1030);
  t.equal(world.mostUnderWay, 8);
  t.equal(webhooks.counts().fates.delivered, 136);
});

t.test('a webhook that hangs is overtaken by fewer than a thousand, and all continue after it', async (t) => {
  const world = new World();
  const { webhooks } = hooksIn(world, { atOnce: 4 });
  world.answers.push(new Promise(() => undefined));
  for (let n = 1; n <= 3000; n++) webhooks.publish(joined(n));
  await world.pass(14_000);
  t.equal(Math.max(...sequences(world)), 1000);
  await world.pass(4000);
  t.equal(sequences(world)[1000], 1, 'sent again before those behind it');
  t.match(webhooks.counts(), { failedAttempts: 1, fates: { delivered: 3000 } });
});

t.test('simultaneous failures count as one, and do not lengthen the pause each', async (t) => {
  const world = new World();
  world.always = () => (world.time < 10_000 ? 500 : 204);
  const { webhooks } = hooksIn(world, { atOnce: 8 });
  for (let n = 1; n <= 8; n++) webhooks.publish(joined(n));
  await world.pass(0);
  t.equal(world.seen.length, 8);
  await world.pass(1100);
  t.ok(world.seen.length > 8, 'again after the first, shortest pause');
});

t.test('an attempt without an answer is aborted and retried', async (t) => {
  const world = new World();
  const { webhooks, events } = hooksIn(world);
  world.answers.push(
    new Promise(() => undefined),
    new Response(new ReadableStream({ pull: () => new Promise(() => undefined) })),
  );
  webhooks.publish(joined(1));
  await world.pass(60_000);
  t.same(
    world.seen.map(({ at }) => at - 5000),
    [0, 16_000, 33_000],
  );
  t.match(events[0], { kind: 'webhook-failing', detail: 'no answer in time' });
  t.match(webhooks.counts(), { fates: { delivered: 1 } });
});

t.test('only the beginning of an answer is read', async (t) => {
  const world = new World();
  const { webhooks } = hooksIn(world);
  let pulled = 0;
  let cancelled = 0;
  const endless = new ReadableStream({
    pull(controller) {
      pulled += 1;
      controller.enqueue(new Uint8Array(4096));
    },
    cancel() {
      cancelled += 1;
    },
  });
  world.answers.push(new Response(endless));
  webhooks.publish(joined(1));
  await world.pass(0);
  t.ok(pulled <= 8, `${pulled} times 4 KiB`);
  t.equal(cancelled, 1);
  t.match(webhooks.counts(), { fates: { delivered: 1 } });
});

t.test(
  'the queue is bounded: the oldest are dropped and counted, and their numbers are missing',
  async (t) => {
    const world = new World();
    world.always = () => 500;
    const { webhooks, events } = hooksIn(world);
    webhooks.publish(joined(0));
    await world.pass(0);
    for (let n = 1; n <= 12_000; n++) webhooks.publish(joined(n));
    t.match(webhooks.counts(), { waiting: 10_001, fates: { dropped: 2000 } });
    t.match(events, [{ kind: 'webhook-failing' }, { kind: 'webhook-lost', fate: 'dropped' }]);
    t.equal(events.length, 2, 'told once');
    world.always = () => 204;
    await world.pass(2000);
    t.same(sequences(world).slice(1, 4), [1, 2002, 2003]);
    t.equal(sequences(world).at(-1), 12_001);
  },
);

t.test('at the end waiting webhooks are sent for a while, and then no more', async (t) => {
  const world = new World();
  const { webhooks, events } = hooksIn(world);
  world.always = () =>
    new Promise((resolve) => world.after(400, () => resolve(new Response(null, { status: 204 }))));
  for (let n = 1; n <= 5; n++) webhooks.publish(joined(n));
  let isClosed = false;
  const closed = webhooks.close(1000).then(() => {
    isClosed = true;
  });
  webhooks.publish(joined(6));
  await world.pass(999);
  t.notOk(isClosed);
  await world.pass(1);
  await closed;
  t.match(webhooks.counts(), { waiting: 0, fates: { delivered: 2, unsent: 4 } });
  t.match(events, [{ kind: 'webhook-lost', fate: 'unsent', webhooks: 3 }]);
  await world.pass(100_000);
  t.equal(world.seen.length, 3, 'nothing is sent any more');
  await webhooks.close(1000);
});

t.test('closing with nothing to send is immediate, and otherwise over as soon as all is sent', async (t) => {
  const world = new World();
  const { webhooks } = hooksIn(world);
  await webhooks.close(1000);
  const other = hooksIn(world);
  other.webhooks.publish(joined(1));
  const closed = other.webhooks.close(1_000_000);
  await world.pass(10);
  await closed;
  t.match(other.webhooks.counts(), { fates: { delivered: 1, unsent: 0 } });
});

t.test('a receiver that hangs does not delay another', async (t) => {
  const world = new World();
  const receivers = ['https://slow.example/', 'https://fast.example/'].map((url) => ({
    url,
    secret: secretOf(SECRET),
    atOnce: 1,
  }));
  const webhooks = new Webhooks(receivers, () => undefined, world);
  world.answers.push(new Promise(() => undefined));
  for (let n = 1; n <= 3; n++) webhooks.publish(joined(n));
  await world.pass(1000);
  t.same(
    world.seen.map(({ url, body }) => `${new URL(url).hostname} ${body.sequence}`),
    ['slow.example 1', 'fast.example 1', 'fast.example 2', 'fast.example 3'],
  );
  t.not(world.seen[0]?.body.stream, world.seen[1]?.body.stream);
});

t.test('a URL that is not encrypted, or has a user name, is refused and not quoted', async (t) => {
  for (const url of [
    'http://game.example/hush',
    'ftp://game.example/hush',
    'https://hush:hush@game.example/',
    'https://hush@game.example/',
    'http://127.0.0.1.game.example/hush',
    '/hush',
    'hush',
    '',
  ]) {
    t.throws(() => hooksIn(new World(), { url }), { code: 'ERR_HOTMIC_URL', message: /^((?!hush).)*$/ }, url);
  }
  for (const url of [
    'http://127.0.0.1:9/x',
    'http://localhost/x',
    'http://[::1]/x',
    'HTTPS://game.example',
  ]) {
    t.doesNotThrow(() => hooksIn(new World(), { url }));
  }
  const receiver = { url: 'https://game.example/', secret: secretOf(SECRET) };
  t.throws(() => new Webhooks(Array.from({ length: 17 }, () => receiver)), RangeError);
});

t.test('over real HTTP: signed, retried, no redirect followed, and the connection reused', async (t) => {
  const bodies: string[] = [];
  const statuses = [503, 307, 200, 200, 200];
  const peers = new Set<number | undefined>();
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      bodies.push(body);
      peers.add(request.socket.remotePort);
      const verdict = verifyWebhook(request.headers, body, SECRET, Math.floor(Date.now() / 1000));
      t.match(verdict, { kind: 'valid' });
      const status = statuses.shift() ?? 200;
      response.writeHead(status, { location: `http://127.0.0.1:${port}/elsewhere`, 'retry-after': '0' });
      response.end('x'.repeat(3000));
      if (request.url !== '/hook') t.fail('a redirect was followed');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  const hook = { url: `http://127.0.0.1:${port}/hook`, secret: secretOf(SECRET), atOnce: 1 };
  const real = new Webhooks([hook], () => undefined, {
    fetch: (url, init) => fetch(url, init),
    now: () => performance.now(),
    unixMs: () => Date.now(),
    random: () => 0,
    // The pauses are not what is shown here.
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms < 15_000 ? ms / 100 : ms);
      return () => clearTimeout(timer);
    },
  });
  for (let n = 1; n <= 3; n++) real.publish(joined(n));
  await real.close(14_000_000);
  t.match(real.counts(), { failedAttempts: 2, fates: { delivered: 3 } });
  t.same(
    bodies.map((body) => (JSON.parse(body) as { sequence: number }).sequence),
    [1, 1, 1, 2, 3],
  );
  t.ok(peers.size < bodies.length, `${peers.size} connections for ${bodies.length} requests`);
  server.closeAllConnections();
});

t.test('an unreachable receiver is a failure with its code, and harms nobody', async (t) => {
  const server = http.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const details: string[] = [];
  const hook = { url: `http://127.0.0.1:${port}/hush`, secret: secretOf(SECRET) };
  const webhooks = new Webhooks(
    [hook],
    (event) => 'detail' in event && details.push(`${event.to} ${event.detail}`),
  );
  webhooks.publish(joined(1));
  await webhooks.close(300);
  await settle();
  t.same(details, [`http://127.0.0.1:${port} ECONNREFUSED`]);
  t.match(webhooks.counts(), { waiting: 0, fates: { unsent: 1 } });
});
