/**
 * The admin API on a port of its own: what an operator's tools and the game's backend may ask of the relay over HTTP, with a token.
 * docs/admin.md is its page, docs/admin-api.openapi.json its description.
 *
 * Programs alone: a request with an Origin is refused, and there are no cookies and no CORS. One request a connection, all of
 * it bounded.
 */

import type http from 'node:http';
import { TokenBucket } from '../../../voice/token_bucket.js';
import type { SecretText } from '../../admission/secret_text.js';
import { type OperatorPort, type OperatorPortBounds, openOperatorPort } from '../operator_port.js';
import {
  PROBLEM_MEDIA_TYPE,
  PROBLEM_STATUS,
  type Problem,
  type ProblemCode,
  problemDetails,
} from './problem.js';
import { type Faulty, faulty, findRoute, hasBody, parseBody, readBody } from './request.js';
import type { AdminTarget } from './routes.js';
import { AdminTokens } from './tokens.js';

/** Where the admin API is, and who may use it. */
export interface AdminApiOptions {
  /** An address, or `localhost`, which means 127.0.0.1. Default 127.0.0.1. It is plain HTTP: the token is in the clear. */
  readonly host?: string;
  /** 0 to 65535; 0 takes a free one. */
  readonly port: number;
  /** A token a line, as `AdminTokens.read` has it. */
  readonly tokens: SecretText;
  /** Told of what was asked, for a log. Must not throw. */
  readonly onEvent?: (event: AdminEvent) => void;
}

export type AdminEvent =
  /** Who had a token asked for this. */
  | {
      readonly kind: 'admin-asked';
      /** Such as `closeLobby`. */
      readonly operation: string;
      /** Empty where the operation has none. */
      readonly lobby: string;
      readonly steamId: string;
      readonly status: number;
      readonly peer: string;
    }
  /** Somebody without a token, or a browser. Beyond the rate of guesses they are counted and not told of. */
  | { readonly kind: 'admin-refused'; readonly code: ProblemCode; readonly peer: string };

/** Requests by what became of them. */
export interface AdminCounts {
  readonly done: number;
  /** With a token; answered with a problem. */
  readonly failed: number;
  /** Without a token, or by a browser. */
  readonly refused: number;
  /** Of those without a token, the ones that came too fast. */
  readonly limited: number;
}

export interface AdminApi extends OperatorPort {
  counts(): AdminCounts;
  /**
   * Reads the tokens anew: those that are no longer there are not taken any more.
   *
   * @throws HotmicError ERR_HOTMIC_FILE; then the tokens from before hold on.
   */
  reload(): void;
}

export interface AdminBounds extends OperatorPortBounds {
  /** Requests without a token that are answered with 401, a second and at once; the others with 429. */
  readonly guessesPerSecond: number;
  readonly guessBurst: number;
}

export const ADMIN_BOUNDS: AdminBounds = {
  connections: 64,
  headerBytes: 8192,
  withinMs: 5000,
  guessesPerSecond: 1,
  guessBurst: 10,
};

interface Sent {
  readonly status: number;
  readonly body: unknown;
  readonly headers: http.OutgoingHttpHeaders;
}

/**
 * Opens the port.
 *
 * @throws RangeError for a port that is none; HotmicError `ERR_HOTMIC_FILE` without proper tokens,
 *   `ERR_HOTMIC_PORT_IN_USE` or `ERR_HOTMIC_LISTEN`.
 */
export async function startAdminApi(
  { host = '127.0.0.1', port, tokens: secret, onEvent = () => undefined }: AdminApiOptions,
  target: AdminTarget,
  bounds: AdminBounds = ADMIN_BOUNDS,
): Promise<AdminApi> {
  let tokens = AdminTokens.read(secret);
  const guesses = new TokenBucket(bounds.guessesPerSecond, bounds.guessBurst, performance.now());
  const counts = { done: 0, failed: 0, refused: 0, limited: 0 };

  /** Null for an administrator. Whoever has a token is never held up by those who guess. */
  const whyRefused = ({ headers }: http.IncomingMessage): Problem | null => {
    if (headers.origin !== undefined) {
      return { code: 'browser-refused', detail: "a request with an Origin is a browser's, wants a program" };
    }
    if (tokens.admits(headers.authorization)) return null;
    if (guesses.has(1, performance.now())) {
      guesses.take(1);
      return { code: 'token-refused', detail: 'wants Authorization: Bearer and a token of this relay' };
    }
    return { code: 'guesses-limited', detail: 'too many requests without a token of this relay' };
  };

  const refuse = (problem: Problem, peer: string): Sent => {
    if (problem.code === 'guesses-limited') {
      counts.limited += 1;
      return sentProblem(
        { kind: 'faulty', problem },
        { 'retry-after': String(Math.ceil(1 / bounds.guessesPerSecond)) },
      );
    }
    counts.refused += 1;
    onEvent({ kind: 'admin-refused', code: problem.code, peer });
    const challenge = { 'www-authenticate': 'Bearer realm="hotmic"' };
    return sentProblem({ kind: 'faulty', problem }, problem.code === 'token-refused' ? challenge : {});
  };

  const serve = async (request: http.IncomingMessage, goOn: () => void, peer: string): Promise<Sent> => {
    const found = findRoute(request.method ?? '', request.url ?? '');
    const { operation, lobby, steamId } =
      found.kind === 'found'
        ? { operation: found.route.operation, ...found.names }
        : { operation: 'none', lobby: '', steamId: '' };
    const sent = found.kind === 'faulty' ? sentProblem(found) : await carryOut(found, request, goOn);
    counts[sent.status < 400 ? 'done' : 'failed'] += 1;
    onEvent({ kind: 'admin-asked', operation, lobby, steamId, status: sent.status, peer });
    return sent;
  };

  const carryOut = async (
    { route, names, query }: Extract<ReturnType<typeof findRoute>, { kind: 'found' }>,
    request: http.IncomingMessage,
    goOn: () => void,
  ): Promise<Sent> => {
    let body: unknown = null;
    if (route.body) {
      const bytes = await readBody(request, goOn);
      const parsed = Buffer.isBuffer(bytes) ? parseBody(bytes, route.body) : bytes;
      if (parsed.kind === 'faulty') return sentProblem(parsed);
      body = parsed.value;
    } else if (hasBody(request)) {
      return sentProblem(faulty('body-malformed', 'wants no body'));
    }
    try {
      const reply = route.run(target, names, body as never, query as never);
      if (reply.kind === 'problem') return sentProblem({ kind: 'faulty', problem: reply.problem });
      const headers = route.answer ? { 'content-type': 'application/json' } : {};
      return { status: route.status, body: route.answer ? reply.body : null, headers };
    } catch {
      return sentProblem(faulty('internal-error', 'the relay failed at this'));
    }
  };

  const respond = async (
    request: http.IncomingMessage,
    response: http.ServerResponse,
    trust: () => void,
    goOn: () => void,
  ): Promise<void> => {
    const peer = request.socket.remoteAddress ?? '';
    const refused = whyRefused(request);
    if (!refused) trust();
    const { status, body, headers } = refused ? refuse(refused, peer) : await serve(request, goOn, peer);
    const text = body === null ? '' : `${JSON.stringify(body)}\n`;
    response.writeHead(status, {
      ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(text) }),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      connection: 'close',
      ...headers,
    });
    response.end(text);
  };

  const opened = await openOperatorPort({ name: 'admin port', host, port, bounds, serve: respond });
  return {
    ...opened,
    counts: () => ({ ...counts }),
    reload: () => {
      tokens = AdminTokens.read(secret);
    },
  };
}

function sentProblem({ problem, allow }: Faulty, headers: http.OutgoingHttpHeaders = {}): Sent {
  return {
    status: PROBLEM_STATUS[problem.code],
    body: problemDetails(problem),
    headers: { 'content-type': PROBLEM_MEDIA_TYPE, ...(allow !== undefined && { allow }), ...headers },
  };
}
