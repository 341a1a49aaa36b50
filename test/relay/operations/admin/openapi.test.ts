/**
 * docs/admin-api.openapi.json is what is served: it is made again and compared, and each of its operations is called, by the document
 * alone, with the answers held to its schemas. To write it:
 * `HOTMIC_WRITE_DOCS=1 node dist/test/run.js dist/test/relay/operations/admin/openapi.test.js`.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { adminOpenApi } from '../../../../relay/operations/admin/openapi.js';
import { PROBLEM_STATUS } from '../../../../relay/operations/admin/problem.js';
import { ADMIN_ROUTES } from '../../../../relay/operations/admin/routes.js';
import { UPDATE_ROUTES } from '../../../../relay/operations/admin/updates.js';
import { steamIdOf } from '../../kit.js';
import { type AdminKit, adminFor, ask, type Heard, OTHER_TOKEN, TOKEN } from './kit.js';

const FILE = 'docs/admin-api.openapi.json';
if (process.env.HOTMIC_WRITE_DOCS) writeFileSync(FILE, `${JSON.stringify(adminOpenApi(), null, 2)}\n`);

interface Content {
  readonly schema: object;
}
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { name: string; in: 'path' | 'query'; schema: object }[];
  readonly requestBody?: { required: boolean; content: Record<string, Content> };
  readonly responses: Record<string, { content?: Record<string, Content> }>;
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
}

const document = JSON.parse(readFileSync(FILE, 'utf8')) as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
);

/** The errors of a value under a schema within the document; null for none. */
const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema({ $id: 'hotmic:document', ...document });
function errorsOf(pointer: readonly string[], value: unknown): string | null {
  const path = pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')));
  const validate = ajv.getSchema(`hotmic:document#/${path.join('/')}`);
  if (!validate) throw new Error(`there is no ${pointer.join(' ')}`);
  return validate(value) ? null : JSON.stringify(validate.errors);
}

/** What an answer breaks of what its operation says of it; null for nothing. */
function faultOf(path: string, method: string, heard: Heard): string | null {
  const { responses } = document.paths[path]![method.toLowerCase()]!;
  const response = responses[heard.status];
  if (!response) return `${heard.status} is not described`;
  if (!response.content) return heard.text === '' ? null : 'there is a body';
  const [type = ''] = Object.keys(response.content);
  if (heard.headers.get('content-type') !== type) return `its type is ${heard.headers.get('content-type')}`;
  const pointer = [
    'paths',
    path,
    method.toLowerCase(),
    'responses',
    String(heard.status),
    'content',
    type,
    'schema',
  ];
  return errorsOf(pointer, heard.body);
}

/** Names for a path's places. */
const NAMES: Readonly<Record<string, string>> = { lobby: 'den', steamId: steamIdOf(1) };

function filled(path: string): string {
  return path.replace(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(NAMES[name]!));
}

function numbered(length: number): readonly string[] {
  return Array.from({ length }, (_, n) => String(n));
}

/** A body that matches its schema. */
function bodyFor({ operationId, requestBody }: Operation): unknown {
  if (!requestBody?.required) return undefined;
  return {
    drain: { withinMs: 1000 },
    move: { channels: ['red'] },
    setHearing: { sets: [{ listener: 0, hears: [] }] },
  }[operationId];
}

/** A relay where everything in the document can be done: two in the den, one of them muted. */
async function busy(t: Parameters<typeof adminFor>[0]): Promise<AdminKit> {
  const kit = await adminFor(t, { bounds: { guessBurst: 1000 } });
  kit.bench.join(1);
  kit.bench.admit(2, { moderator: true, maySpeak: false });
  kit.bench.text(1, { type: 'channels', channels: ['red'] });
  for (const action of ['mute', 'deafen', 'prioritize'] as const) {
    const moderation = { action, steamId: steamIdOf(1) };
    kit.bench.relay.administer(
      { kind: 'moderate', lobby: 'den', moderation },
      kit.bench.now,
      kit.bench.unixSeconds,
    );
  }
  return kit;
}

t.test('the document is made from what is served', async (t) => {
  t.same(document, JSON.parse(JSON.stringify(adminOpenApi())), 'HOTMIC_WRITE_DOCS=1 writes it');
  t.equal(operations.length, ADMIN_ROUTES.length);
  const ids = operations.map(({ operation }) => operation.operationId);
  t.equal(new Set(ids).size, ids.length);
});

t.test('each operation does what it says, and answers as it says', async (t) => {
  const shown: Record<string, unknown> = {};
  for (const { path, method, operation } of operations) {
    if (operation.operationId === 'streamUpdates') continue;
    const kit = await busy(t);
    const before = kit.outputs.length;
    if (operation.operationId === 'openLobby') {
      kit.bench.relay.administer({ kind: 'close-lobby', lobby: 'den' }, kit.bench.now, 1);
    }
    const heard = await ask(kit, method, filled(path), bodyFor(operation));
    t.ok(heard.status >= 200 && heard.status < 300, `${method} ${path}: ${heard.status} ${heard.text}`);
    t.equal(faultOf(path, method, heard), null, `${method} ${path}`);
    const { body } = heard;
    if (method === 'GET') shown[operation.operationId] = body;
    else
      t.ok(
        kit.outputs.length > before || kit.drains.length === 1 || /^un/.test(operation.operationId),
        'it did something',
      );
  }
  t.match(shown.getLobby, {
    members: [
      { muted: true, deafened: true, priority: true, channels: [1] },
      { moderator: true, spectator: true },
    ],
  });
  t.match(shown.listSanctions, { sanctions: [{ steamId: steamIdOf(1), muted: Number }] });
});

t.test(
  'a stream of updates takes the lines that the document describes, and answers as it says',
  async (t) => {
    const pointer = ['paths', '/v1/updates', 'post'];
    const type = 'application/x-ndjson';
    const forms = document.paths['/v1/updates']!.post!.requestBody!.content[type]!.schema as {
      oneOf: readonly { properties: Record<string, { const?: string }> }[];
    };
    const lines = forms.oneOf.map(({ properties }) => {
      const operation = properties.operation!.const!;
      const body = { move: { channels: ['red'] }, mute: { seconds: 5 } }[operation];
      const names = Object.entries(NAMES).filter(([name]) => name in properties);
      return { operation, ...Object.fromEntries(names), ...(body && { body }) };
    });
    t.equal(lines.length, UPDATE_ROUTES.length);
    const odd = [
      { operation: 'mute', lobby: 'den' },
      { operation: 'muteEverywhere', lobby: 'den', steamId: NAMES.steamId },
      { operation: 'kick', lobby: 'den', steamId: NAMES.steamId, body: { x: 1 } },
      { operation: 'move', lobby: 'den', steamId: NAMES.steamId },
      { operation: 'getCounts' },
      [],
    ];
    const kit = await busy(t);
    const response = await fetch(new URL('/v1/updates', kit.api.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': type },
      body: [...lines, ...odd].map((line) => JSON.stringify(line)).join('\n'),
    });
    t.match(response, { status: 200 });
    t.equal(response.headers.get('content-type'), type);
    const answers = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { status?: number });
    t.equal(answers.length, lines.length + odd.length + 1);
    for (const [at, line] of [...lines, ...odd].entries()) {
      const errors = errorsOf([...pointer, 'requestBody', 'content', type, 'schema'], line);
      t.equal(answers[at]!.status === 422, errors !== null, JSON.stringify(line));
    }
    for (const answer of answers) {
      t.equal(errorsOf([...pointer, 'responses', '200', 'content', type, 'schema'], answer), null);
    }
  },
);

t.test('each operation refuses as described: no token, a browser, a malformed body or query', async (t) => {
  const kit = await busy(t);
  for (const { path, method, operation } of operations) {
    const url = filled(path);
    const attempts: [headers: Record<string, string>, url: string, body: unknown][] = [
      [{ authorization: `Bearer ${OTHER_TOKEN}` }, url, undefined],
      [{ origin: 'https://game.example' }, url, undefined],
    ];
    if (operation.requestBody) {
      for (const body of ['{', '{"unknown":1}', `"${'x'.repeat(20_000)}"`]) attempts.push([{}, url, body]);
      attempts.push([{ 'content-type': 'text/plain' }, url, '{}']);
    }
    if (operation.parameters?.some((parameter) => parameter.in === 'query')) {
      attempts.push([{}, `${url}?limit=0`, undefined], [{}, `${url}?limit=%`, undefined]);
    }
    if (path.includes('{lobby}'))
      attempts.push(
        [{}, url.replace('/den', '/%00'), undefined],
        [{}, url.replace('/den', '/%ff'), undefined],
      );
    if (path.includes('{steamId}')) attempts.push([{}, url.replace(NAMES.steamId!, '0'), undefined]);
    for (const [headers, target, body] of attempts) {
      const heard = await ask(kit, method, target, body, headers);
      t.ok(heard.status >= 400, `${method} ${target}: ${heard.status}`);
      t.equal(faultOf(path, method, heard), null, `${method} ${target}`);
    }
  }
  t.equal(kit.bench.relay.lobby('den')?.participants, 2);
});

t.test('failures of the core are described, too', async (t) => {
  const kit = await adminFor(t);
  for (const { path, method, operation } of operations) {
    const heard = await ask(kit, method, filled(path), bodyFor(operation));
    t.equal(faultOf(path, method, heard), null, `${method} ${path}: ${heard.status} ${heard.text}`);
  }
});

t.test('the server accepts a name or a body exactly when the document does', async (t) => {
  const kit = await busy(t);
  const path = '/v1/lobbies/{lobby}/participants/{steamId}/move';
  const pointer = ['paths', path, 'post'];
  const channels = [
    [],
    ['a'],
    ['a', 'b'],
    [''],
    ['x'.repeat(64)],
    ['x'.repeat(65)],
    ['\u0007'],
    [7],
    'a',
    null,
  ];
  for (const list of [...channels, ['a', 'a'], numbered(16), numbered(17)]) {
    const body = { channels: list };
    const errors = errorsOf([...pointer, 'requestBody', 'content', 'application/json', 'schema'], body);
    const { status } = await ask(kit, 'POST', filled(path), body);
    t.equal(status === 422, errors !== null, JSON.stringify(body));
  }
  for (const lobby of [
    'den',
    '☃',
    'a b',
    '..x',
    'a/b',
    'x'.repeat(64),
    'x'.repeat(65),
    '\u0007',
    '😀'.repeat(64),
  ]) {
    const errors = errorsOf([...pointer, 'parameters', '0', 'schema'], lobby);
    const { status } = await ask(kit, 'GET', `/v1/lobbies/${encodeURIComponent(lobby)}`);
    t.equal(status === 422, errors !== null, lobby);
  }
});

t.test('docs/admin.md lists each problem with its status', async (t) => {
  const page = readFileSync('docs/admin.md', 'utf8');
  for (const [code, status] of Object.entries(PROBLEM_STATUS)) {
    t.match(page, new RegExp(`^\\| ${status} \\|.*\`${code}\``, 'm'));
  }
  for (const { path, method } of operations) {
    const [, place = '', action = ''] = /^\/v1\/(.*)\/participants\/\{steamId\}\/(\w+)$/.exec(path) ?? [];
    if (action === '') t.ok(page.includes(`\`${method} ${path}\``), `${method} ${path}`);
    else t.match(page, new RegExp(`^\\| .*\`${action}\`.* \\|`, 'm'), `${place} ${action}`);
  }
});
