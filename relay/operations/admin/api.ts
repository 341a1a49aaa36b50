/**
 * The admin API on a separate port: what an operator's tools and the game's backend may ask of the relay over HTTP, with a token.
 * docs/admin.md documents it, docs/admin-api.openapi.json describes it.
 *
 * Not for browsers: a request with an Origin is refused, and there are no cookies and no CORS. One request per connection, and everything is
 * bounded. One operation is a long request: a stream of updates.
 */

import type http from 'node:http';
import type { SecretText } from '../../admission/secret_text.js';
import { monotonicMs } from '../../system/clock.js';
import {
  type OperatorPort,
  type OperatorPortBounds,
  openOperatorPort,
  type PortConnection,
} from '../operator_port.js';
import { AdminAccess, type GuessLimits, type HeldToken } from './access.js';
import { type Answer, problemAnswer, writeAnswer } from './answer.js';
import type { Problem, ProblemCode } from './problem.js';
import { type Found, faulty, findRoute, hasBody, parseBody, readBody } from './request.js';
import type { AdminTarget } from './routes.js';
import { STREAM_BOUNDS, type StreamBounds, type StreamEnd, UPDATES_MEDIA_TYPE } from './update_stream.js';
import { UpdateStreams } from './update_streams.js';

/** Where the admin API is, and who may use it. */
export interface AdminApiOptions {
  /** An address, or `localhost`, which means 127.0.0.1. Default 127.0.0.1. It is plain HTTP: the token is in the clear. */
  readonly host?: string;
  /** 0 to 65535; 0 takes a free one. */
  readonly port: number;
  /** One token per line, in the form that `AdminTokens.read` expects. */
  readonly tokens: SecretText;
  /** Called for each request, for a log. Must not throw. */
  readonly onEvent?: (event: AdminEvent) => void;
}

/** A request to the admin API, for the log. */
export type AdminEvent =
  /** A request with a token. */
  | {
      readonly kind: 'admin-asked';
      /** Such as `closeLobby`. */
      readonly operation: string;
      /** Empty for an operation without one. */
      readonly lobby: string;
      readonly steamId: string;
      readonly status: number;
      readonly peer: string;
    }
  /** A stream of updates is over. `gone`: its connection broke. */
  | {
      readonly kind: 'admin-stream-ended';
      readonly why: StreamEnd | 'gone';
      /** Its updates that were carried out, and those answered with a problem. */
      readonly done: number;
      readonly failed: number;
      readonly peer: string;
    }
  /** A request without a token, or by a browser. Beyond the rate of guesses they are counted and not reported. */
  | { readonly kind: 'admin-refused'; readonly code: ProblemCode; readonly peer: string };

/** Requests by outcome; each update of a stream counts as one. */
export interface AdminCounts {
  readonly done: number;
  /** With a token, and answered with a problem. */
  readonly failed: number;
  /** Without a token, or by a browser. */
  readonly refused: number;
  /** Requests without a token beyond the rate of guesses. */
  readonly limited: number;
}

export interface AdminApi extends OperatorPort {
  counts(): AdminCounts;
  /**
   * Reads the tokens again. Tokens that were removed are no longer accepted.
   *
   * @throws HotmicError ERR_HOTMIC_FILE; the previous tokens stay valid.
   */
  reload(): void;
  /** The relay will end: ends the streams of updates. Other requests are served until `close`. */
  drain(): void;
}

export interface AdminBounds extends OperatorPortBounds, GuessLimits {
  readonly stream: StreamBounds;
}

export const ADMIN_BOUNDS: AdminBounds = {
  connections: 64,
  headerBytes: 8192,
  withinMs: 5000,
  guessesPerSecond: 1,
  guessBurst: 10,
  stream: STREAM_BOUNDS,
};

/**
 * Opens the port.
 *
 * @throws RangeError for an invalid port; HotmicError `ERR_HOTMIC_FILE` without proper tokens,
 *   `ERR_HOTMIC_PORT_IN_USE` or `ERR_HOTMIC_LISTEN`.
 */
export async function startAdminApi(
  { host = '127.0.0.1', port, tokens, onEvent = () => undefined }: AdminApiOptions,
  target: AdminTarget,
  bounds: AdminBounds = ADMIN_BOUNDS,
): Promise<AdminApi> {
  const access = new AdminAccess(tokens, bounds, monotonicMs());
  const streams = new UpdateStreams(target, bounds.stream);
  const requests = new AdminRequests(target, streams, bounds, onEvent);
  const opened = await openOperatorPort({
    name: 'admin port',
    host,
    port,
    bounds,
    serve: async (request, response, connection) => {
      const refusal = access.refusalOf(request.headers, monotonicMs());
      if (!refusal) connection.trust();
      const peer = request.socket.remoteAddress ?? '';
      if (refusal) writeAnswer(response, requests.refuse(refusal, peer));
      else
        await requests.serve(request, response, { ...connection, token: access.hold(request.headers) }, peer);
    },
  });
  return {
    ...opened,
    counts: () => requests.counts(),
    reload: () => {
      access.reload();
      streams.endRevoked();
    },
    drain: () => streams.drain(),
    close: () => {
      streams.close();
      return opened.close();
    },
  };
}

/** The connection of an administrator's request, and its token. */
type Trusted = PortConnection & { readonly token: HeldToken };

/** Answers requests, counts them and reports them for the log. */
class AdminRequests {
  readonly #target: AdminTarget;
  readonly #streams: UpdateStreams;
  readonly #retryAfterS: number;
  readonly #onEvent: (event: AdminEvent) => void;
  readonly #counts = { done: 0, failed: 0, refused: 0, limited: 0 };

  constructor(
    target: AdminTarget,
    streams: UpdateStreams,
    { guessesPerSecond }: GuessLimits,
    onEvent: (event: AdminEvent) => void,
  ) {
    this.#target = target;
    this.#streams = streams;
    this.#retryAfterS = Math.ceil(1 / guessesPerSecond);
    this.#onEvent = onEvent;
  }

  counts(): AdminCounts {
    return { ...this.#counts };
  }

  /** The answer to a request that is not an administrator's. */
  refuse(problem: Problem, peer: string): Answer {
    if (problem.code === 'guesses-limited') {
      this.#counts.limited += 1;
      return problemAnswer({ problem }, { 'retry-after': String(this.#retryAfterS) });
    }
    this.#counts.refused += 1;
    this.#onEvent({ kind: 'admin-refused', code: problem.code, peer });
    const challenge = { 'www-authenticate': 'Bearer realm="hotmic"' };
    return problemAnswer({ problem }, problem.code === 'token-refused' ? challenge : {});
  }

  /** Carries out an administrator's request, and answers it. */
  async serve(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    connection: Trusted,
    peer: string,
  ): Promise<void> {
    const found = findRoute(request.method ?? '', request.url ?? '');
    const { operation, lobby, steamId } =
      found.kind === 'found'
        ? { operation: found.route.operation, ...found.names }
        : { operation: 'none', lobby: '', steamId: '' };
    const isStream = found.kind === 'found' && found.route.stream === 'itself';
    const fault = isStream ? this.#streamFault(request) : null;
    if (isStream && !fault) {
      this.#onEvent({ kind: 'admin-asked', operation, lobby, steamId, status: 200, peer });
      this.#stream(request, response, connection, peer);
      return;
    }
    const answer =
      fault ??
      (found.kind === 'faulty'
        ? problemAnswer(found)
        : await carryOut(this.#target, found, request, () => connection.goOn()));
    this.#counts[answer.status < 400 ? 'done' : 'failed'] += 1;
    this.#onEvent({ kind: 'admin-asked', operation, lobby, steamId, status: answer.status, peer });
    writeAnswer(response, answer);
  }

  /** Why a stream cannot be opened; null when it can. */
  #streamFault({ headers }: http.IncomingMessage): Answer | null {
    const { 'content-type': type = '', 'content-encoding': coding } = headers;
    if (this.#streams.isFull) {
      const retry = { 'retry-after': '1' };
      return problemAnswer(faulty('streams-full', 'as many streams are open as there may be'), retry);
    }
    const isNamed = type.split(';', 1)[0]!.trim().toLowerCase() === UPDATES_MEDIA_TYPE;
    if (isNamed && coding === undefined) return null;
    return problemAnswer(faulty('body-not-json', `expected ${UPDATES_MEDIA_TYPE}, not compressed`));
  }

  #stream(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    { goOn, takeTime, token }: Trusted,
    peer: string,
  ): void {
    takeTime();
    goOn();
    this.#streams.open(request, response, token, (why, { done, failed }) => {
      this.#counts.done += done;
      this.#counts.failed += failed;
      this.#onEvent({ kind: 'admin-stream-ended', why, done, failed, peer });
    });
  }
}

async function carryOut(
  target: AdminTarget,
  { route, names, query }: Found,
  request: http.IncomingMessage,
  goOn: () => void,
): Promise<Answer> {
  let body: unknown = null;
  if (route.body) {
    const bytes = await readBody(request, goOn);
    const parsed = Buffer.isBuffer(bytes) ? parseBody(bytes, route.body) : bytes;
    if (parsed.kind === 'faulty') return problemAnswer(parsed);
    body = parsed.value;
  } else if (hasBody(request)) {
    return problemAnswer(faulty('body-malformed', 'expected no body'));
  }
  try {
    const reply = route.run(target, names, body as never, query as never);
    if (reply.kind === 'problem') return problemAnswer({ problem: reply.problem });
    const headers = route.answer ? { 'content-type': 'application/json' } : {};
    return { status: route.status, body: route.answer ? reply.body : null, headers };
  } catch {
    return problemAnswer(faulty('internal-error', 'the relay failed to carry out the request'));
  }
}
