/**
 * The answer of the admin API to a request that it did not carry out: problem details of RFC 9457, with a `code` that programs match
 * on. Append only.
 */

import type { AdminFailure } from '../../core/administration.js';

/** Each code's status. */
export const PROBLEM_STATUS = {
  'path-malformed': 400,
  'query-malformed': 400,
  'body-malformed': 400,
  'token-refused': 401,
  'browser-refused': 403,
  'path-unknown': 404,
  'method-not-allowed': 405,
  'body-too-long': 413,
  'body-not-json': 415,
  'request-invalid': 422,
  'guesses-limited': 429,
  'streams-full': 429,
  'internal-error': 500,
  'lobby-unknown': 404,
  'lobby-exists': 409,
  'relay-full': 409,
  'not-moderator': 403,
  'participant-unknown': 404,
  'channel-not-allowed': 409,
  'channels-full': 409,
  'sanctions-full': 409,
  'hearing-full': 409,
  'too-many-changes': 429,
  'recorders-full': 409,
} as const satisfies Record<string, number> & Record<AdminFailure, number>;

/** The code of a problem that the admin API answers with. */
export type ProblemCode = keyof typeof PROBLEM_STATUS;

/** Why a request was not carried out. */
export interface Problem {
  readonly code: ProblemCode;
  /** For a person. It contains nothing secret, and at most a name from the request. */
  readonly detail: string;
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
};

/** The body of the answer. */
export function problemDetails({ code, detail }: Problem) {
  const status = PROBLEM_STATUS[code];
  return { type: 'about:blank', title: TITLES[status] ?? 'Error', status, code, detail } as const;
}
