/** An answer of the admin API, before it is written to its connection. */

import type http from 'node:http';
import { PROBLEM_MEDIA_TYPE, PROBLEM_STATUS, problemDetails } from './problem.js';
import type { Faulty } from './request.js';

export interface Answer {
  readonly status: number;
  /** Sent as JSON; null for an answer without a body. */
  readonly body: unknown;
  readonly headers: http.OutgoingHttpHeaders;
}

/** The answer to a request that was not carried out. */
export function problemAnswer(
  { problem, allow }: Omit<Faulty, 'kind'>,
  headers: http.OutgoingHttpHeaders = {},
): Answer {
  return {
    status: PROBLEM_STATUS[problem.code],
    body: problemDetails(problem),
    headers: { 'content-type': PROBLEM_MEDIA_TYPE, ...(allow !== undefined && { allow }), ...headers },
  };
}

/** Writes it, and ends the connection after it. */
export function writeAnswer(response: http.ServerResponse, { status, body, headers }: Answer): void {
  const text = body === null ? '' : `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(text) }),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    connection: 'close',
    ...headers,
  });
  response.end(text);
}
