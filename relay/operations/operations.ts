/**
 * The operations port: probes and metrics over plain HTTP, separate from the voice port, so that the
 * players' network need not reach it. It shows counts and states, never a lobby, a name or a SteamID, and
 * is read-only.
 *
 * One request per connection: nobody can keep one open for longer than seconds.
 */

import { readFileSync } from 'node:fs';
import type http from 'node:http';
import type { RelayCounts, RelayState } from '../port/counts.js';
import { RelayMetrics } from './metrics.js';
import { type OperatorPort, type OperatorPortBounds, openOperatorPort } from './operator_port.js';
import { ProcessWatch } from './process_figures.js';
import type { ServiceCounts } from './service_counts.js';

/** Where the operations port is. */
export interface OperationsOptions {
  /**
   * An address, or `localhost`, which means 127.0.0.1. Default 127.0.0.1. Clients are not authenticated: anybody who can reach the port
   * can read it.
   */
  readonly host?: string;
  /** 0 to 65535; 0 takes a free one. */
  readonly port: number;
}

/** What the answers are made of, read for each request. */
export interface OperationsSource {
  state(): RelayState;
  counts(): RelayCounts;
  /** Absent where none of them runs. */
  services?(): ServiceCounts;
}

export const OPERATIONS_BOUNDS: OperatorPortBounds = { connections: 64, headerBytes: 8192, withinMs: 5000 };

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers?: http.OutgoingHttpHeaders;
}

/**
 * Opens the port.
 *
 * @throws RangeError for an invalid port; HotmicError `ERR_HOTMIC_PORT_IN_USE` or `ERR_HOTMIC_LISTEN`.
 */
export async function startOperations(
  { host = '127.0.0.1', port }: OperationsOptions,
  source: OperationsSource,
  bounds: OperatorPortBounds = OPERATIONS_BOUNDS,
): Promise<OperatorPort> {
  const metrics = new RelayMetrics({ version: packageVersion(), node: process.versions.node });
  const watch = new ProcessWatch();

  const answer = async (method: string, target: string): Promise<Answer> => {
    // Compared as it came, without decoding or folding of dots, so that no other path means the same.
    const [path = ''] = target.split('?', 1);
    if (path !== '/metrics' && path !== '/healthz' && path !== '/readyz') {
      return { status: 404, text: 'Not found. The paths are /metrics, /healthz and /readyz.\n' };
    }
    if (method !== 'GET') return { status: 405, text: 'Expected GET.\n', headers: { allow: 'GET' } };
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

  const serve = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers;
    // No request here has a body. One that comes is not read, and the connection ends after the answer.
    const { status, text, headers } =
      length === '0' && coding === undefined
        ? await answer(request.method ?? '', request.url ?? '')
        : { status: 413, text: 'Expected no body.\n', headers: {} };
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

  try {
    const opened = await openOperatorPort({ name: 'operations port', host, port, bounds, serve });
    return {
      ...opened,
      close: () => {
        watch.close();
        return opened.close();
      },
    };
  } catch (thrown) {
    watch.close();
    throw thrown;
  }
}

function packageVersion(): string {
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
