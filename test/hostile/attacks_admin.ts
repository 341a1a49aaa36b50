/**
 * The administrators' port: without a token or with an old one nothing is done, and with one a tool that was fooled does no more than
 * it was let to. Who guesses is answered ten times at once and once a second; so the order of these matters.
 */

import { type Answer, type Attack, CUT, http, times } from './attack.js';
import type { Field } from './field.js';

interface Asked {
  readonly line: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

const problem = (status: number, code: string): Answer => ({ kind: 'http', status, problem: code });
const bearer = (token: string) => `Authorization: Bearer ${token}`;

async function ask(field: Field, { line, headers = [], body = '' }: Asked): Promise<Answer> {
  const lines = [
    `${line} HTTP/1.1`,
    'Host: relay.test',
    ...(body ? [`Content-Length: ${Buffer.byteLength(body)}`] : []),
    ...headers,
  ];
  const answer = await field.ask(field.adminPort, `${lines.join('\r\n')}\r\n\r\n${body}`);
  if (!answer) return CUT;
  const code = /"code":"([\w-]+)"/.exec(answer.body)?.[1];
  return code === undefined ? http(answer.status) : problem(answer.status, code);
}

/** Each request alone; then an administrator finds all as it was. */
function asks(
  name: string,
  answers: readonly Answer[],
  requests: (field: Field) => readonly Asked[],
): Attack {
  return {
    name: `admin: ${name}`,
    answers,
    run: async (field) => {
      const victim = await field.join();
      const got: Answer[] = [];
      for (const request of requests(field)) got.push(await ask(field, request));
      const listed = await ask(field, { line: 'GET /v1/lobbies', headers: [bearer(field.adminToken)] });
      if (listed.kind !== 'http' || listed.status !== 200)
        throw new Error(`an administrator got ${JSON.stringify(listed)}`);
      if (!(await victim.wire.fence())) throw new Error('somebody was disconnected');
      return got;
    },
  };
}

const JSON_TYPE = 'Content-Type: application/json';
const withToken = (requests: (field: Field) => readonly Asked[]) => (field: Field) =>
  requests(field).map((asked) => ({
    ...asked,
    headers: [bearer(field.adminToken), ...(asked.headers ?? [])],
  }));

export const ADMIN_ATTACKS: readonly Attack[] = [
  asks('calls without a token', [problem(401, 'token-refused')], () => [
    { line: 'GET /v1/lobbies' },
    { line: 'POST /v1/drain' },
    { line: 'DELETE /v1/lobbies/north' },
  ]),
  {
    name: 'admin: an old token, which was removed from the file',
    answers: [problem(401, 'token-refused')],
    run: async (field) => {
      const before = await ask(field, { line: 'GET /v1/counts', headers: [bearer(field.oldAdminToken)] });
      if (before.kind !== 'http' || before.status !== 200)
        throw new Error(`it was no good before: ${JSON.stringify(before)}`);
      await field.retireAdminToken();
      return [await ask(field, { line: 'DELETE /v1/lobbies/north', headers: [bearer(field.oldAdminToken)] })];
    },
  },
  asks(
    'a part of a token, a token in the query, as a password, in a cookie',
    [problem(401, 'token-refused')],
    ({ adminToken }) => [
      { line: 'DELETE /v1/lobbies/north', headers: [bearer(adminToken.slice(0, -1))] },
      { line: `DELETE /v1/lobbies/north?token=${adminToken}&access_token=${adminToken}` },
      {
        line: 'DELETE /v1/lobbies/north',
        headers: [`Authorization: Basic ${Buffer.from(`admin:${adminToken}`).toString('base64')}`],
      },
      { line: 'DELETE /v1/lobbies/north', headers: [`Cookie: token=${adminToken}`] },
    ],
  ),
  asks('guesses without end', [problem(401, 'token-refused'), problem(429, 'guesses-limited')], () =>
    times(200, 0).map((_, index) => ({
      line: 'POST /v1/drain',
      headers: [bearer(`guess-${index}-${'x'.repeat(30)}`)],
    })),
  ),
  asks(
    'a browser with a good token',
    [problem(403, 'browser-refused')],
    withToken(() => [
      { line: 'DELETE /v1/lobbies/north', headers: ['Origin: https://evil.example'] },
      { line: 'GET /v1/lobbies', headers: ['Origin: null'] },
    ]),
  ),
  asks(
    'path tricks with a good token',
    [problem(404, 'path-unknown')],
    withToken(() =>
      [
        '/',
        '//v1/lobbies',
        '/v1/../v1/lobbies',
        '/v1/lobbies/',
        '/v1/%6cobbies',
        '/V1/lobbies',
        '/v1/lobbies/north/..',
        '/v1/lobbies//participants',
        '/..%2f..%2fetc/passwd',
      ].map((path) => ({
        line: `DELETE ${path}`,
      })),
    ),
  ),
  asks(
    'malformed names in paths: encoded badly, control characters, too long',
    [problem(400, 'path-malformed'), problem(422, 'request-invalid')],
    withToken(() =>
      ['%zz', '%', '%00', '%0a', '%ff', 'x'.repeat(65), '%C0%AF'].map((name) => ({
        line: `GET /v1/lobbies/${name}`,
      })),
    ),
  ),
  asks(
    'other methods',
    [problem(405, 'method-not-allowed')],
    withToken(() =>
      ['PATCH', 'POST', 'OPTIONS', 'TRACE'].map((method) => ({ line: `${method} /v1/lobbies` })),
    ),
  ),
  asks(
    'bodies that are not JSON, or a JSON bomb',
    [problem(400, 'body-malformed'), problem(422, 'request-invalid')],
    withToken(() =>
      [
        '{',
        '['.repeat(16_000),
        `${'['.repeat(8000)}${']'.repeat(8000)}`,
        '\u0000',
        '"',
        '[]',
        'null',
        '{"capacity":1e999}',
        '{"capacity":-1}',
        '{"channels":["a","a"]}',
      ].map((body) => ({ line: 'PUT /v1/lobbies/bomb', headers: [JSON_TYPE], body })),
    ),
  ),
  asks(
    'a body that is too long, or of another type',
    [problem(413, 'body-too-long'), problem(415, 'body-not-json')],
    withToken(() => [
      { line: 'PUT /v1/lobbies/long', headers: [JSON_TYPE], body: `{"x":"${'x'.repeat(20_000)}"}` },
      { line: 'PUT /v1/lobbies/long', headers: ['Content-Type: text/plain'], body: '{}' },
      { line: 'PUT /v1/lobbies/long', headers: [JSON_TYPE, 'Content-Encoding: gzip'], body: '{}' },
    ]),
  ),
  asks(
    'unknown lobbies and people',
    [problem(404, 'lobby-unknown'), problem(404, 'participant-unknown')],
    withToken(() => [
      { line: 'DELETE /v1/lobbies/__proto__' },
      { line: 'GET /v1/lobbies/constructor' },
      { line: 'POST /v1/lobbies/north/participants/76561197960999999/kick' },
    ]),
  ),
  asks(
    'a header bomb',
    [http(431)],
    withToken(() => [{ line: 'GET /v1/lobbies', headers: [`X: ${'a'.repeat(20_000)}`] }]),
  ),
  asks(
    'request smuggling',
    [http(400)],
    withToken(() => [
      { line: 'POST /v1/drain', headers: ['Content-Length: 5', 'Transfer-Encoding: chunked'] },
      { line: 'POST /v1/drain', headers: ['Content-Length: 5', 'Content-Length: 6'] },
    ]),
  ),
];
