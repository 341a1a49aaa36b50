/** A stream of updates: each line is an operation of the table, and its answer is a line, in order, while the request goes on. */

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import t, { type Test } from 'tap';
import { ADMIN_BOUNDS } from '../../../../relay/operations/admin/api.js';
import { ADMIN_ROUTES } from '../../../../relay/operations/admin/routes.js';
import type { StreamBounds } from '../../../../relay/operations/admin/update_stream.js';
import { UPDATE_ROUTES } from '../../../../relay/operations/admin/updates.js';
import { steamIdOf } from '../../kit.js';
import { type AdminKit, adminFor, ask, OTHER_TOKEN, problemIn, rawAsk, rawRequest, TOKEN } from './kit.js';

const ANNA = steamIdOf(1);
const NDJSON = 'application/x-ndjson';

type Answer = Readonly<Record<string, unknown>>;

/** One stream, and the lines that came back so far. */
class Stream {
  readonly request: http.ClientRequest;
  readonly lines: Answer[] = [];
  status = 0;
  isOver = false;
  readonly #wake = new Set<() => void>();

  constructor(port: number, headers: http.OutgoingHttpHeaders = {}) {
    const authorization = `Bearer ${TOKEN}`;
    this.request = http.request({
      ...{ port, method: 'POST', path: '/v1/updates', agent: false },
      headers: { authorization, 'content-type': NDJSON, ...headers },
    });
    this.request.on('error', () => this.#end());
    this.request.on('close', () => this.#end());
    this.request.on('response', (response) => {
      this.status = response.statusCode ?? 0;
      let rest = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        const parts = (rest + text).split('\n');
        rest = parts.pop()!;
        for (const line of parts) this.lines.push(JSON.parse(line));
        for (const wake of [...this.#wake]) wake();
      });
      response.on('error', () => undefined);
      response.on('close', () => this.#end());
    });
    this.request.flushHeaders();
  }

  send(...lines: readonly (object | string)[]): void {
    for (const line of lines) {
      this.request.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
    }
  }

  /** Waits for this many lines. */
  async answers(count: number): Promise<readonly Answer[]> {
    while (this.lines.length < count && !this.isOver) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#wake.delete(wake);
          resolve();
        };
        this.#wake.add(wake);
      });
    }
    return this.lines;
  }

  /** Waits for the end: all lines. */
  ended(): Promise<readonly Answer[]> {
    return this.answers(Number.POSITIVE_INFINITY);
  }

  #end(): void {
    this.isOver = true;
    for (const wake of [...this.#wake]) wake();
  }
}

async function streamFor(
  t: Test,
  bounds: Partial<StreamBounds> = {},
): Promise<{ kit: AdminKit; open: (headers?: http.OutgoingHttpHeaders) => Stream }> {
  const kit = await adminFor(t, { bounds: { stream: { ...ADMIN_BOUNDS.stream, ...bounds } } });
  const open = (headers = {}) => {
    const stream = new Stream(kit.port, headers);
    t.teardown(() => stream.request.destroy());
    return stream;
  };
  return { kit, open };
}

const muted = (lobby = 'den', steamId = ANNA) => ({ operation: 'mute', lobby, steamId });

t.test('each line is carried out when it comes, and answered in order with its number', async (t) => {
  const { kit, open } = await streamFor(t);
  kit.bench.join(1);
  const stream = open();
  stream.send({ ...muted(), body: { seconds: 60 } });
  t.same(await stream.answers(1), [{ number: 1, status: 204 }]);
  t.match(kit.bench.relay.lobby('den'), { members: [{ muted: true }] }, 'while the request goes on');
  stream.send(
    { operation: 'openLobby', lobby: 'attic', body: { capacity: 3, channels: ['red'] } },
    { operation: 'openLobby', lobby: 'attic' },
    { operation: 'move', lobby: 'den', steamId: ANNA, body: { channels: ['blue'] } },
    { operation: 'banEverywhere', steamId: steamIdOf(9) },
    { operation: 'closeLobby', lobby: 'attic' },
  );
  const answers = await stream.answers(6);
  t.match(answers.slice(1), [
    { number: 2, status: 201 },
    { number: 3, status: 409, code: 'lobby-exists', detail: /./ },
    { number: 4, status: 204 },
    { number: 5, status: 204 },
    { number: 6, status: 204 },
  ]);
  stream.request.end();
  t.same((await stream.ended()).at(-1), { end: 'complete', lines: 6 });
  t.match(kit.bench.relay.lobby('den'), { members: [{ muted: true, channels: [1] }] });
  t.equal(kit.bench.relay.lobby('attic'), null);
  t.match(kit.api.counts(), { done: 5, failed: 1 });
  t.match(kit.events, [
    { kind: 'admin-asked', operation: 'streamUpdates', status: 200, peer: '127.0.0.1' },
    { kind: 'admin-stream-ended', why: 'complete', done: 5, failed: 1, peer: '127.0.0.1' },
  ]);
});

t.test('a stream takes every operation that changes lobbies and people, and no other', async (t) => {
  const changing = ADMIN_ROUTES.filter(({ method }) => method !== 'GET').map(({ operation }) => operation);
  t.same(
    UPDATE_ROUTES.map(({ operation }) => operation),
    changing.filter((operation) => operation !== 'drain' && operation !== 'streamUpdates'),
  );
  const { kit, open } = await streamFor(t);
  const stream = open();
  for (const operation of ['drain', 'streamUpdates', 'getCounts', 'constructor', '', 7])
    stream.send({ operation });
  for (const answer of await stream.answers(6)) t.match(answer, { status: 422, code: 'request-invalid' });
  t.same(kit.drains, []);
});

t.test('what is wrong with a line has the code of the single request', async (t) => {
  const { kit, open } = await streamFor(t);
  const cases: readonly (readonly [line: object | string, method: string, path: string, body?: unknown])[] = [
    [{ operation: 'kick', lobby: 'den', steamId: ANNA }, 'POST', `/v1/lobbies/den/participants/${ANNA}/kick`],
    [{ operation: 'closeLobby', lobby: 'den' }, 'DELETE', '/v1/lobbies/den'],
    [
      { ...muted(), body: { seconds: 0 } },
      'POST',
      `/v1/lobbies/den/participants/${ANNA}/mute`,
      { seconds: 0 },
    ],
    [{ ...muted(), body: { x: 1 } }, 'POST', `/v1/lobbies/den/participants/${ANNA}/mute`, { x: 1 }],
    [{ ...muted(), body: [] }, 'POST', `/v1/lobbies/den/participants/${ANNA}/mute`, []],
    ['{', 'POST', `/v1/lobbies/den/participants/${ANNA}/mute`, '{'],
    [muted('x'.repeat(65)), 'POST', `/v1/lobbies/${'x'.repeat(65)}/participants/${ANNA}/mute`],
    [muted('den', '0'), 'POST', '/v1/lobbies/den/participants/0/mute'],
    [{ operation: 'openLobby', lobby: 'a', body: { capacity: 0 } }, 'PUT', '/v1/lobbies/a', { capacity: 0 }],
  ];
  const stream = open();
  for (const [line] of cases) stream.send(line);
  const answers = await stream.answers(cases.length);
  for (const [at, [line, method, path, body]] of cases.entries()) {
    const single = await ask(kit, method, path, body);
    const { status, code } = single.body as Answer;
    t.match(answers[at], { number: at + 1, status, code }, JSON.stringify(line));
  }
  stream.send(
    'null',
    '[]',
    '"mute"',
    '7',
    { operation: 'mute' },
    { ...muted(), extra: 1 },
    { ...muted(), lobby: 7 },
  );
  for (const answer of (await stream.answers(cases.length + 7)).slice(cases.length)) {
    t.match(answer, { status: 422, code: 'request-invalid' });
  }
  stream.send('['.repeat(60_000), `${'['.repeat(30_000)}${']'.repeat(30_000)}`, '\u0000');
  const codes = (await stream.answers(cases.length + 10)).slice(-3).map(({ code }) => code);
  t.same(codes, ['body-malformed', 'request-invalid', 'body-malformed'], 'nesting is no way in');
  const secret = 'a-secret-name';
  stream.send({ ...muted(), [secret]: 1 }, { operation: secret }, `{"${secret}`);
  const last = (await stream.answers(cases.length + 13)).slice(-3);
  t.notMatch(JSON.stringify(last), new RegExp(secret), 'and no answer repeats what was sent');
});

t.test(
  'lines may come in any pieces, with CR LF, with empty lines, and the last without an end',
  async (t) => {
    const { open } = await streamFor(t);
    const stream = open();
    const line = JSON.stringify(muted('héhé'));
    const bytes = Buffer.from(`\n${line}\r\n\r\n\n${line}\n${line}`);
    for (const byte of bytes) {
      stream.request.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    stream.request.end();
    t.same(await stream.ended(), [
      { number: 1, status: 204 },
      { number: 2, status: 204 },
      { number: 3, status: 204 },
      { end: 'complete', lines: 3 },
    ]);
  },
);

t.test('a line that is too long ends the stream, with or without an end', async (t) => {
  const { kit, open } = await streamFor(t, { lineBytes: 200 });
  for (const text of [`${' '.repeat(200)}{}\n`, 'x'.repeat(100_000)]) {
    const stream = open();
    stream.send(muted());
    stream.request.write(text);
    t.same(await stream.ended(), [
      { number: 1, status: 204 },
      { end: 'line-too-long', lines: 1 },
    ]);
  }
  const stream = open();
  const longest = JSON.stringify(muted());
  stream.send(longest.padEnd(200));
  t.same(await stream.answers(1), [{ number: 1, status: 204 }], 'the longest is carried out');
  t.match(kit.events.at(-2), { kind: 'admin-stream-ended', why: 'line-too-long' });
});

t.test('a stream without whole lines ends after a while, whatever drips in', async (t) => {
  const { open } = await streamFor(t, { idleMs: 50 });
  const silent = open();
  t.same(await silent.ended(), [{ end: 'idle', lines: 0 }]);
  const dripping = open();
  const drip = setInterval(() => dripping.request.write('x'), 5);
  t.same(await dripping.ended(), [{ end: 'idle', lines: 0 }]);
  clearInterval(drip);
});

t.test('a removed token ends its streams, and no others', async (t) => {
  const { kit, open } = await streamFor(t);
  kit.file.text = `${TOKEN}\n${OTHER_TOKEN}\n`;
  kit.api.reload();
  const [removed, kept] = [open(), open({ authorization: `Bearer ${OTHER_TOKEN}` })];
  for (const stream of [removed, kept]) stream.send(muted());
  for (const stream of [removed, kept]) await stream.answers(1);
  kit.file.text = '# none';
  t.throws(() => kit.api.reload(), { code: 'ERR_HOTMIC_FILE' }, 'a file that cannot be read ends nothing');
  kit.file.text = OTHER_TOKEN;
  kit.api.reload();
  removed.send(muted());
  t.same((await removed.ended()).at(-1), { end: 'token-refused', lines: 1 });
  kept.send(muted());
  t.same((await kept.answers(2)).at(-1), { number: 2, status: 204 });
});

t.test('a drain ends streams with a last line, also those that begin later; so does the end', async (t) => {
  const { kit, open } = await streamFor(t);
  const before = open();
  before.send(muted());
  await before.answers(1);
  kit.api.drain();
  t.same((await before.ended()).at(-1), { end: 'draining', lines: 1 });
  t.same(await open().ended(), [{ end: 'draining', lines: 0 }]);
  t.match(await ask(kit, 'GET', '/v1/counts'), { status: 200 }, 'single requests are served');

  const other = await streamFor(t);
  const open_ = other.open();
  open_.send(muted());
  await open_.answers(1);
  await other.kit.api.close();
  t.match(await open_.ended(), [{ number: 1 }, { end: 'closing' }]);
});

t.test('there are only so many streams, and each needs a token and the right type', async (t) => {
  const { kit, open } = await streamFor(t, { streams: 2 });
  const streams = [open(), open()];
  for (const stream of streams) stream.send(muted());
  for (const stream of streams) await stream.answers(1);
  const type = `Content-Type: ${NDJSON}\r\nContent-Length: 0\r\n`;
  t.same(problemIn(await rawAsk(kit.port, rawRequest('POST', '/v1/updates', type))), [429, 'streams-full']);
  streams[0]!.request.end();
  await streams[0]!.ended();
  t.match(await rawAsk(kit.port, rawRequest('POST', '/v1/updates', type)), /"end":"complete","lines":0/);
  const json = 'Content-Type: application/json\r\nContent-Length: 0\r\n';
  t.same(problemIn(await rawAsk(kit.port, rawRequest('POST', '/v1/updates', json))), [415, 'body-not-json']);
  const zip = `${type}Content-Encoding: gzip\r\n`;
  t.same(problemIn(await rawAsk(kit.port, rawRequest('POST', '/v1/updates', zip))), [415, 'body-not-json']);
  t.same(problemIn(await rawAsk(kit.port, rawRequest('GET', '/v1/updates'))), [405, 'method-not-allowed']);
  const guess = `POST /v1/updates HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${'x'.repeat(40)}\r\n${type}\r\n`;
  t.same(problemIn(await rawAsk(kit.port, guess)), [401, 'token-refused']);
  const page = rawRequest('POST', '/v1/updates', `${type}Origin: https://a.example\r\n`);
  t.same(problemIn(await rawAsk(kit.port, page)), [403, 'browser-refused']);
  const polite = rawRequest('POST', '/v1/updates', `${type}Expect: 100-continue\r\n`);
  t.match(await rawAsk(kit.port, polite), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
});

t.test('a client that does not read its answers is not read either, and loses nothing', async (t) => {
  const { kit } = await streamFor(t, { linesPerSecond: 1_000_000, lineBurst: 1_000_000 });
  const count = 60_000;
  const socket = net.connect(kit.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.pause();
  const line = `${JSON.stringify({ operation: 'kick', lobby: 'den', steamId: ANNA })}\n`;
  const body = Buffer.from(line.repeat(count));
  socket.write(
    rawRequest('POST', '/v1/updates', `Content-Type: ${NDJSON}\r\nContent-Length: ${body.length}\r\n`),
  );
  const sent = new Promise<void>((resolve) => socket.write(body, () => resolve()));
  let asked = 0;
  const { relay } = kit.bench;
  const administer = relay.administer.bind(relay);
  relay.administer = (...command) => {
    asked += 1;
    return administer(...command);
  };
  // It stands still when nothing more is carried out in many turns of the loop.
  let before = -1;
  for (let still = 0; still < 200; still = asked === before ? still + 1 : 0) {
    before = asked;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  t.ok(asked > 0 && asked < count, `${asked} of ${count} were carried out`);
  const heard: Buffer[] = [];
  socket.on('data', (bytes) => heard.push(bytes));
  const closed = once(socket, 'close');
  socket.resume();
  await Promise.all([sent, closed]);
  t.equal(asked, count);
  const text = Buffer.concat(heard)
    .toString()
    .replaceAll(/\r\n[0-9a-f]+\r\n/g, '');
  t.equal(text.split('"participant-unknown"').length - 1, count, 'each is answered');
});

t.test('a stream that sends too fast is read later, and nothing is refused', async (t) => {
  const { open } = await streamFor(t, { linesPerSecond: 500, lineBurst: 1 });
  const stream = open();
  for (let line = 0; line < 50; line++) stream.send(muted());
  stream.request.end();
  const answers = await stream.ended();
  t.equal(answers.length, 51);
  t.same(
    answers.slice(0, 50).map(({ number, status }) => [number, status]),
    Array.from({ length: 50 }, (_, at) => [at + 1, 204]),
  );
});

t.test('a stream whose connection breaks is over, and its place is free', async (t) => {
  const { kit, open } = await streamFor(t, { streams: 1 });
  const stream = open();
  stream.send(muted());
  await stream.answers(1);
  stream.request.destroy();
  while (!kit.events.some(({ kind }) => kind === 'admin-stream-ended')) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.match(kit.events.at(-1), { kind: 'admin-stream-ended', why: 'gone', done: 1 });
  const next = open();
  next.request.end();
  t.same(await next.ended(), [{ end: 'complete', lines: 0 }]);
});
