/** What the tests of the admin API share: a relay's core behind it, and requests to the byte. */

import net from 'node:net';
import type { Test } from 'tap';
import type { RelayOutput } from '../../../../relay/core/io.js';
import type { RelayLimits } from '../../../../relay/core/limits.js';
import {
  ADMIN_BOUNDS,
  type AdminApiOptions,
  type AdminBounds,
  type AdminEvent,
  startAdminApi,
} from '../../../../relay/operations/admin/api.js';
import type { AdminTarget } from '../../../../relay/operations/admin/routes.js';
import { Bench } from '../../kit.js';

export const TOKEN = 'correct-horse-battery-staple-0123456789';
export const OTHER_TOKEN = 'another.token+of/the~same-kind_987654321==';

export interface AdminKit {
  readonly bench: Bench;
  /** All that administrators made the relay do. */
  readonly outputs: RelayOutput[];
  readonly drains: (readonly [withinMs: number, goTo: string | null])[];
  readonly events: AdminEvent[];
  /** What the file of tokens says. */
  readonly file: { text: string };
  readonly api: Awaited<ReturnType<typeof startAdminApi>>;
  readonly port: number;
}

export async function adminFor(
  t: Test,
  {
    bounds = {},
    limits = {},
    target: changed = {},
    ...options
  }: {
    bounds?: Partial<AdminBounds>;
    limits?: Partial<RelayLimits>;
    target?: Partial<AdminTarget>;
  } & Partial<AdminApiOptions> = {},
): Promise<AdminKit> {
  const bench = new Bench(limits);
  const outputs: RelayOutput[] = [];
  const drains: [number, string | null][] = [];
  const events: AdminEvent[] = [];
  const file = { text: `${TOKEN}\n` };
  const target: AdminTarget = {
    administer: (command) => {
      const done = bench.relay.administer(command, bench.now, bench.unixSeconds);
      outputs.push(...done.outputs);
      return done.result;
    },
    lobbies: () => bench.relay.lobbies(),
    lobby: (name) => bench.relay.lobby(name),
    unlisted: (name) => bench.relay.unlisted(name),
    sanctions: () => bench.relay.sanctions(),
    counts: () => bench.relay.counts(),
    drain: (withinMs, goTo) => drains.push([withinMs, goTo]),
    ...changed,
  };
  const api = await startAdminApi(
    {
      port: 0,
      tokens: { from: 'admin.token', read: () => file.text },
      onEvent: (event) => events.push(event),
      ...options,
    },
    target,
    { ...ADMIN_BOUNDS, ...bounds },
  );
  t.teardown(() => api.close());
  return { bench, outputs, drains, events, file, api, port: Number(new URL(api.url).port) };
}

export interface Heard {
  readonly status: number;
  readonly headers: Headers;
  /** Null without a body. */
  readonly body: unknown;
  readonly text: string;
}

/** One request with the token, unless `headers` say otherwise. */
export async function ask(
  { api }: Pick<AdminKit, 'api'>,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Heard> {
  const response = await fetch(new URL(path, api.url), {
    method,
    headers: {
      authorization: `Bearer ${TOKEN}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? null : JSON.parse(text),
    text,
  };
}

/** Sends these bytes as they are; what came back, until the connection is closed. */
export async function rawAsk(port: number, text: string | Uint8Array): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  let heard = '';
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  socket.on('data', (bytes) => {
    heard += bytes.toString('utf8');
  });
  socket.write(text);
  await closed;
  return heard;
}

/** The status and the problem's code in what came back. */
export function problemIn(heard: string): readonly [status: number, code: string] {
  const [, status = '0'] = /^HTTP\/1\.1 (\d+) /.exec(heard) ?? [];
  const [, code = ''] = /"code":"([\w-]+)"/.exec(heard) ?? [];
  return [Number(status), code];
}

/** A request's bytes, with the token. */
export function rawRequest(method: string, target: string, headers = '', body = ''): string {
  return `${method} ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n${headers}\r\n${body}`;
}
