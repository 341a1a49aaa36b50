/**
 * The operator's own port: probes and metrics over plain HTTP, apart from the port of voice, so that the
 * players' network need not reach it. It tells counts and states, never a lobby, a name or a SteamID, and
 * takes no orders.
 *
 * One request a connection: whoever holds one open holds it for seconds, not for ever.
 */

import { readFileSync } from 'node:fs';
import http from 'node:http';
import type net from 'node:net';
import type { Milliseconds } from '../voice/units.js';
import { RelayMetrics } from './metrics.js';
import { ProcessWatch } from './process_figures.js';
import type { OperationsOptions, RelayCounts, RelayState } from './running_relay.js';
import type { ServiceCounts } from './services.js';
import { listenError } from './start_error.js';

/** What the answers are made of, as it is when it is asked for. */
export interface OperationsSource {
  state(): RelayState;
  counts(): RelayCounts;
  /** Left out where none of them runs. */
  services?(): ServiceCounts;
}

/** The operator's port, while it is open. */
export interface Operations {
  /** Such as `http://127.0.0.1:9464/`. */
  readonly url: string;
  /** Cuts whoever is connected. */
  close(): Promise<void>;
}

export interface OperationsBounds {
  /** Connections at once; those beyond are closed unanswered. */
  readonly connections: number;
  /** Of a request's line and headers together. */
  readonly headerBytes: number;
  /** How long a request may take to come, and a connection may be still. */
  readonly withinMs: Milliseconds;
}

export const OPERATIONS_BOUNDS: OperationsBounds = { connections: 64, headerBytes: 8192, withinMs: 5000 };

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers?: http.OutgoingHttpHeaders;
}

/**
 * Opens the port.
 *
 * @throws RangeError for a port that is none; HotmicError `ERR_HOTMIC_PORT_IN_USE` or `ERR_HOTMIC_LISTEN`.
 */
export async function startOperations(
  { host: wantedHost = '127.0.0.1', port: wantedPort }: OperationsOptions,
  source: OperationsSource,
  bounds: OperationsBounds = OPERATIONS_BOUNDS,
): Promise<Operations> {
  if (!Number.isInteger(wantedPort) || wantedPort < 0 || wantedPort > 0xffff) {
    throw new RangeError(`Cannot start the relay: operations port is ${wantedPort}, wants 0 to 65535`);
  }
  const host = wantedHost.toLowerCase() === 'localhost' ? '127.0.0.1' : wantedHost.replace(/^\[|\]$/g, '');
  const metrics = new RelayMetrics({ version: packageVersion(), node: process.versions.node });
  const watch = new ProcessWatch();

  const answer = async (method: string, target: string): Promise<Answer> => {
    // Compared as it came: no decoding and no folding of dots, so nothing else can mean these.
    const [path = ''] = target.split('?', 1);
    if (path !== '/metrics' && path !== '/healthz' && path !== '/readyz') {
      return { status: 404, text: 'Nothing here. There are /metrics, /healthz and /readyz.\n' };
    }
    if (method !== 'GET') return { status: 405, text: 'Wants GET.\n', headers: { allow: 'GET' } };
    switch (path) {
      case '/healthz':
        return { status: 200, text: 'ok\n' };
      case '/readyz': {
        const state = source.state();
        return state === 'listening' ? { status: 200, text: 'ok\n' } : { status: 503, text: `${state}\n` };
      }
      case '/metrics': {
        const figures = {
          counts: source.counts(),
          state: source.state(),
          process: watch.read(),
          ...(source.services && { services: source.services() }),
        };
        const headers = { 'content-type': metrics.contentType };
        return { status: 200, text: await metrics.text(figures), headers };
      }
    }
  };

  const respond = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers;
    // None of our requests has a body; it is not read, and the connection ends behind the answer.
    const { status, text, headers } =
      length === '0' && coding === undefined
        ? await answer(request.method ?? '', request.url ?? '')
        : { status: 413, text: 'Wants no body.\n', headers: {} };
    response.writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      connection: 'close',
      ...headers,
    });
    response.end(text);
  };

  const server = http.createServer({
    maxHeaderSize: bounds.headerBytes,
    headersTimeout: bounds.withinMs,
    requestTimeout: bounds.withinMs,
    connectionsCheckingInterval: Math.ceil(bounds.withinMs / 5),
  });
  server.maxConnections = bounds.connections;
  server.timeout = bounds.withinMs;
  const onRequest = (request: http.IncomingMessage, response: http.ServerResponse) => {
    respond(request, response).catch(() => response.destroy());
  };
  server.on('request', onRequest);
  // Otherwise Node asks for the body that is not wanted, or answers by itself and keeps the connection.
  server.on('checkContinue', onRequest);
  server.on('checkExpectation', onRequest);

  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port: wantedPort, exclusive: true }, resolve);
    });
  } catch (thrown) {
    watch.close();
    throw listenError(thrown, host, wantedPort, 'operations port');
  }
  // What goes wrong later, such as an accept that fails, must not end the relay.
  server.on('error', () => undefined);
  const { port } = server.address() as net.AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}/`,
    close: () =>
      new Promise((resolve) => {
        watch.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function packageVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
