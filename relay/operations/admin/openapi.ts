/** The admin API as an OpenAPI 3.1 document, made from the table that is served. A test compares docs/admin-api.openapi.json with it. */

import * as z from 'zod/mini';
import { PROBLEM_MEDIA_TYPE, PROBLEM_STATUS, type ProblemCode } from './problem.js';
import { ADMIN_ROUTES, type AdminRoute, type Schema } from './routes.js';
import { label, problem, steamId, updateAnswer } from './schemas.js';
import { UPDATES_MEDIA_TYPE } from './update_stream.js';
import { lineSchema, UPDATE_ROUTES } from './updates.js';

/** Problems that any request may meet, by whether it has names in its path, a query, a body. */
const COMMON: readonly ProblemCode[] = [
  'token-refused',
  'browser-refused',
  'guesses-limited',
  'internal-error',
];
const OF_NAMES: readonly ProblemCode[] = ['path-malformed', 'request-invalid'];
const OF_QUERY: readonly ProblemCode[] = ['query-malformed', 'request-invalid'];
const OF_BODY: readonly ProblemCode[] = [
  'body-malformed',
  'body-too-long',
  'body-not-json',
  'request-invalid',
];

const NAMES = {
  lobby: {
    schema: label,
    description:
      'The name of a lobby, percent-encoded. It need not exist, except where lobby-unknown is listed.',
  },
  steamId: { schema: steamId, description: 'A SteamID64 in decimal.' },
} as const;

const SAYS = { 200: 'The result.', 201: 'Created; its state.', 202: 'Started.', 204: 'Done.' } as const;

/** The whole document, as plain data. */
export function adminOpenApi(): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of ADMIN_ROUTES) {
    const path = paths[route.path] ?? {};
    path[route.method.toLowerCase()] = operationOf(route);
    paths[route.path] = path;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hotmic relay: admin API',
      version: '1',
      description: 'Lobbies, moderation and shutdown of one relay, on a separate port. See docs/admin.md.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://127.0.0.1:9465' }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: "One of the relay's admin tokens." },
      },
      schemas: { Problem: schemaOf(problem, 'output') },
    },
  };
}

function operationOf(route: AdminRoute) {
  const { operation, summary, path, query, body, status, answer, problems, stream } = route;
  const names = Object.entries(NAMES).filter(([name]) => path.includes(`{${name}}`));
  const parameters = [
    ...names.map(([name, { schema, description }]) => ({
      name,
      in: 'path',
      required: true,
      description,
      schema: schemaOf(schema, 'input'),
    })),
    ...(query ? queryParameters(query) : []),
  ];
  const codes = [
    ...problems,
    ...(names.length > 0 ? OF_NAMES : []),
    ...(query ? OF_QUERY : []),
    ...(body ? OF_BODY : []),
    ...COMMON,
  ];
  return {
    operationId: operation,
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(stream === 'itself' && {
      requestBody: {
        required: true,
        description: 'Lines of JSON, each of this form. An empty line is ignored.',
        content: { [UPDATES_MEDIA_TYPE]: { schema: { oneOf: UPDATE_ROUTES.map(lineOf) } } },
      },
    }),
    ...(body && {
      requestBody: {
        required: !body.safeParse({}).success,
        content: { 'application/json': { schema: schemaOf(body, 'input') } },
      },
    }),
    responses: {
      [status]: {
        description: SAYS[status],
        ...(answer && { content: { 'application/json': { schema: schemaOf(answer, 'output') } } }),
        ...(stream === 'itself' && {
          content: { [UPDATES_MEDIA_TYPE]: { schema: schemaOf(updateAnswer, 'output') } },
        }),
      },
      ...problemResponses(codes),
    },
  };
}

/** The form of a line, and what its operation does. */
function lineOf(route: AdminRoute) {
  return { description: route.summary, ...schemaOf(lineSchema(route), 'input') };
}

function queryParameters(query: Schema) {
  const { properties = {} } = schemaOf(query, 'input') as { properties?: Record<string, unknown> };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: false, schema }));
}

function problemResponses(codes: readonly ProblemCode[]) {
  const byStatus = new Map<number, Set<ProblemCode>>();
  for (const code of codes) {
    const status = PROBLEM_STATUS[code];
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  }
  const responses: Record<string, unknown> = {};
  for (const [status, ofStatus] of [...byStatus].sort(([one], [other]) => one - other)) {
    responses[status] = {
      description: `Not done. The code is ${[...ofStatus].join(' or ')}.`,
      content: {
        [PROBLEM_MEDIA_TYPE]: {
          schema: {
            allOf: [
              { $ref: '#/components/schemas/Problem' },
              { properties: { status: { const: status }, code: { enum: [...ofStatus] } } },
            ],
          },
        },
      },
    };
  }
  return responses;
}

/** Later versions may add properties to answers: clients should ignore those that they do not know. */
function schemaOf(schema: Schema, io: 'input' | 'output'): Record<string, unknown> {
  const override = ({ jsonSchema }: { jsonSchema: { additionalProperties?: unknown } }) => {
    if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  };
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, override }) as Record<string, unknown>;
  return rest;
}
