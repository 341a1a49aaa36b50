/**
 * One attempt to hand a webhook over: a POST that is cut when it takes too long, follows no redirect, and reads little of the answer.
 * What comes of it is said without the URL, which may hold a secret.
 */

import { codeOf } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';

/** The world outside, so that tests have their own. */
export interface WebhookRim {
  /** As the global one: rejects when `signal` is aborted. */
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** In ms; never goes backwards. */
  now(): Milliseconds;
  /** In ms of unix time. */
  unixMs(): number;
  /** 0 up to, not including, 1. */
  random(): number;
  /** Calls back once after `ms`. What it returns takes that back. */
  after(ms: Milliseconds, callback: () => void): () => void;
}

/** The real one. */
export const WEBHOOK_RIM: WebhookRim = {
  fetch: (url, init) => fetch(url, init),
  now: () => performance.now(),
  unixMs: () => Date.now(),
  random: () => Math.random(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

export type PostOutcome =
  | { readonly kind: 'delivered' }
  /** Not now. `detail` is a status or a system's code. */
  | { readonly kind: 'failed'; readonly detail: string; readonly retryAfterMs: Milliseconds }
  /** The receiver does not want this one, and would not want it later. */
  | { readonly kind: 'rejected'; readonly detail: string }
  /** The receiver wants nothing any more. */
  | { readonly kind: 'gone' };

/** How long one attempt may take. */
export const ATTEMPT_MS: Milliseconds = 15_000;
/** Of an answer's body; it is read only so that the connection can be used again. */
const MAX_ANSWER_BYTES = 16_384;
/** The longest pause that a receiver may ask for. */
const MAX_RETRY_AFTER_MS: Milliseconds = 300_000;
/** Statuses that say that the webhook itself is what they do not take. */
const REJECTED: readonly number[] = [400, 413, 415, 422];

/** Never rejects. `over` cuts it. */
export async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  over: AbortSignal,
  rim: WebhookRim,
): Promise<PostOutcome> {
  const attempt = new AbortController();
  const cut = () => attempt.abort();
  over.addEventListener('abort', cut, { once: true });
  const cancel = rim.after(ATTEMPT_MS, cut);
  try {
    const exchange = exchangeOf(url, headers, body, attempt.signal, rim);
    return await Promise.race([exchange, cutOff(attempt.signal)]);
  } finally {
    cancel();
    over.removeEventListener('abort', cut);
  }
}

/** Never rejects: nobody may be listening any more. */
async function exchangeOf(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
  rim: WebhookRim,
): Promise<PostOutcome> {
  try {
    const response = await rim.fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    const outcome = outcomeOf(response);
    await passOver(response);
    return outcome;
  } catch (thrown) {
    const cause = thrown instanceof Error ? thrown.cause : null;
    return failed(codeOf(cause) ?? codeOf(thrown) ?? 'no answer');
  }
}

function outcomeOf({ status, headers }: Response): PostOutcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  if (status === 410) return { kind: 'gone' };
  if (REJECTED.includes(status)) return { kind: 'rejected', detail: `status ${status}` };
  const detail = status === 0 || (status >= 300 && status < 400) ? 'a redirect' : `status ${status}`;
  const seconds = /^[0-9]{1,6}$/.exec(headers.get('retry-after') ?? '');
  return failed(detail, seconds ? Math.min(Number(seconds[0]) * 1000, MAX_RETRY_AFTER_MS) : 0);
}

async function passOver({ body }: Response): Promise<void> {
  if (!body) return;
  const reader = body.getReader();
  for (let bytes = 0; bytes <= MAX_ANSWER_BYTES; ) {
    const { done, value } = await reader.read();
    if (done) return;
    bytes += (value as Uint8Array).length;
  }
  await reader.cancel();
}

function cutOff(signal: AbortSignal): Promise<PostOutcome> {
  return new Promise((resolve) => {
    const late = () => resolve(failed('no answer in time'));
    if (signal.aborted) late();
    else signal.addEventListener('abort', late, { once: true });
  });
}

function failed(detail: string, retryAfterMs: Milliseconds = 0): PostOutcome {
  return { kind: 'failed', detail, retryAfterMs };
}
