/**
 * Reads a request to the admin API: into an operation of the table and its input, or into a problem.
 *
 * Paths are compared and split as they came, and each name in them is decoded once, after the split. So an encoded slash cannot add a
 * segment, and no dots are folded.
 */

import type http from 'node:http';
import type { Problem, ProblemCode } from './problem.js';
import { ADMIN_ROUTES, type AdminRoute, type PathNames, type Schema } from './routes.js';
import { label, steamId } from './schemas.js';

/** The longest body, in bytes. */
export const MAX_BODY_BYTES = 16_384;

/** A body that is too long is read up to here; beyond, the connection is cut. */
const MAX_READ_BYTES = 1024 * 1024;

export interface Found {
  readonly kind: 'found';
  readonly route: AdminRoute;
  readonly names: PathNames;
  readonly query: unknown;
}

export interface Faulty {
  readonly kind: 'faulty';
  readonly problem: Problem;
  /** With `method-not-allowed`: the methods of this path. */
  readonly allow?: string;
}

/** What a segment of a path may be made of (RFC 3986, 3.3). */
const SEGMENT = /^(?:[\w\-.~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})+$/;
const NAME = { '{lobby}': label, '{steamId}': steamId } as const;

/** Each route's path in its segments, without the first, empty one. */
const TABLE = ADMIN_ROUTES.map((route) => ({ route, parts: route.path.split('/').slice(1) }));

/** The operation that a request asks for. */
export function findRoute(method: string, target: string): Found | Faulty {
  const [path = '', search = ''] = cutOnce(target, '?');
  if (!path.startsWith('/')) return faulty('path-malformed', 'expected a path such as /v1/lobbies');
  const segments = path.split('/').slice(1);
  const there = TABLE.filter(({ parts }) => fits(parts, segments));
  const [first] = there;
  if (!first) return faulty('path-unknown', 'there is no such path; docs/admin.md lists the operations');
  const chosen = there.find(({ route }) => route.method === method);
  if (!chosen) {
    const allow = there.map(({ route }) => route.method).join(', ');
    return { ...faulty('method-not-allowed', `expected ${allow}`), allow };
  }
  const names: Record<string, string> = { lobby: '', steamId: '' };
  for (const [index, part] of chosen.parts.entries()) {
    if (!isName(part)) continue;
    const name = nameOf(segments[index]!, part);
    if (typeof name !== 'string') return name;
    names[part.slice(1, -1)] = name;
  }
  const query = queryOf(search, chosen.route.query);
  if (query.kind === 'faulty') return query;
  return { kind: 'found', route: chosen.route, names: names as unknown as PathNames, query: query.value };
}

/** An operation's body. A missing body counts as an empty object, where the schema accepts one. */
export function parseBody(bytes: Buffer, schema: Schema): { kind: 'parsed'; value: unknown } | Faulty {
  const json = bytes.length > 0 ? jsonOf(bytes, 'the body') : { kind: 'parsed' as const, value: {} };
  if (json.kind === 'faulty') return json;
  const parsed = schema.safeParse(json.value);
  if (parsed.success) return { kind: 'parsed', value: parsed.data };
  return faulty('request-invalid', issueOf(parsed.error.issues[0], 'the body'));
}

/** JSON in UTF-8. `what` it is, for a message. */
export function jsonOf(bytes: Buffer, what: string): { kind: 'parsed'; value: unknown } | Faulty {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { kind: 'parsed', value: JSON.parse(text) };
  } catch {
    return faulty('body-malformed', `${what} is not JSON in UTF-8`);
  }
}

/**
 * Reads a body of at most 16 KiB. A longer one, up to 1 MiB, is read to its end and discarded: a client that is cut while it
 * sends does not see the answer.
 *
 * @param goOn Called before the body is awaited: it sends 100 Continue to a client that expects it.
 * @throws when the connection ends before the body does.
 */
export async function readBody(request: http.IncomingMessage, goOn: () => void): Promise<Buffer | Faulty> {
  if (!hasBody(request)) return Buffer.alloc(0);
  const {
    'content-type': type,
    'content-encoding': coding,
    'content-length': length = '0',
  } = request.headers;
  if (!/^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i.test(type ?? '') || coding !== undefined) {
    return faulty('body-not-json', 'expected application/json, not compressed');
  }
  const tooLong = faulty('body-too-long', `expected at most ${MAX_BODY_BYTES} bytes`);
  if (Number(length) > MAX_READ_BYTES) return tooLong;
  goOn();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_READ_BYTES) break;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return bytes > MAX_BODY_BYTES ? tooLong : Buffer.concat(chunks);
}

/** Whether its headers announce a body. */
export function hasBody({ headers }: http.IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

export function faulty(code: ProblemCode, detail: string): Faulty {
  return { kind: 'faulty', problem: { code, detail } };
}

function isName(part: string): part is keyof typeof NAME {
  return Object.hasOwn(NAME, part);
}

function fits(parts: readonly string[], segments: readonly string[]): boolean {
  if (parts.length !== segments.length) return false;
  return parts.every((part, index) => (isName(part) ? segments[index] !== '' : part === segments[index]));
}

function nameOf(segment: string, part: keyof typeof NAME): string | Faulty {
  const called = part.slice(1, -1);
  let name: string;
  try {
    if (!SEGMENT.test(segment)) throw new URIError();
    name = decodeURIComponent(segment);
  } catch {
    return faulty('path-malformed', `${called} is not percent-encoded UTF-8`);
  }
  const parsed = NAME[part].safeParse(name);
  if (parsed.success) return name;
  return faulty('request-invalid', `${called}: ${parsed.error.issues[0]?.message ?? 'not valid'}`);
}

function queryOf(search: string, schema: Schema | null): { kind: 'parsed'; value: unknown } | Faulty {
  if (!schema) {
    return search === '' ? { kind: 'parsed', value: null } : faulty('query-malformed', 'expected no query');
  }
  const query: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const part of search === '' ? [] : search.split('&')) {
    const [name = '', text = ''] = cutOnce(part, '=');
    try {
      const key = decodeURIComponent(name.replaceAll('+', ' '));
      if (key in query) return faulty('query-malformed', 'expected each name once');
      query[key] = decodeURIComponent(text.replaceAll('+', ' '));
    } catch {
      return faulty('query-malformed', 'the query is not percent-encoded UTF-8');
    }
  }
  const parsed = schema.safeParse({ ...query });
  if (parsed.success) return { kind: 'parsed', value: parsed.data };
  return faulty('request-invalid', issueOf(parsed.error.issues[0], 'the query'));
}

/** Where input is not valid, and what was expected there. It never repeats what was sent. */
export function issueOf(
  issue: { path: PropertyKey[]; message: string; code?: string } | undefined,
  what: string,
): string {
  // Its own message would repeat the name that was sent.
  if (issue?.code === 'unrecognized_keys') return `${what} has an unknown field`;
  const at = issue && issue.path.length > 0 ? issue.path.map(String).join('.') : what;
  return `${at}: ${issue?.message ?? 'not valid'}`;
}

/** Splits at the first `at`; the rest may contain more of them. */
function cutOnce(text: string, at: string): readonly [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}
