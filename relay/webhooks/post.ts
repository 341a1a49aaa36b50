/**
 * One attempt to deliver a webhook: a POST that is aborted when it takes too long, follows no redirect, and reads a bounded answer.
 * The outcome does not contain the URL, which may contain a secret.
 */

import { codeOf } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';
import { monotonicMs } from '../system/clock.js';

/** The network, clocks, randomness and timers; tests have their own. */
export interface WebhookIo {
  /** As the global `fetch`: rejects when `signal` is aborted. */
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** In ms; never goes backwards. */
  now(): Milliseconds;
  /** The time of day, in ms of unix time. */
  unixMs(): number;
  /** 0 up to, not including, 1. */
  random(): number;
  /** Calls back once after `ms`. Returns a function that cancels it. */
  after(ms: Milliseconds, callback: () => void): () => void;
}

/** The system's own. */
export const WEBHOOK_IO: WebhookIo = {
  fetch: (url, init) => fetch(url, init),
  now: monotonicMs,
  unixMs: () => Date.now(),
  random: () => Math.random(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

export type PostOutcome =
  | { readonly kind: 'delivered' }
  /** To be tried again. `detail` is a status or a system error code. */
  | { readonly kind: 'failed'; readonly detail: string; readonly retryAfterMs: Milliseconds }
  /** The receiver refuses this webhook for good. */
  | { readonly kind: 'rejected'; readonly detail: string }
  /** The receiver answered 410: it accepts no more webhooks. */
  | { readonly kind: 'gone' };

/** Most time for one attempt. */
export const ATTEMPT_MS: Milliseconds = 15_000;
/** Longest answer that is read; it is read only so that the connection can be reused. */
const MAX_ANSWER_BYTES = 16_384;
/** The longest pause that a receiver may ask for. */
const MAX_RETRY_AFTER_MS: Milliseconds = 300_000;
/** Statuses that mean that the receiver does not accept this webhook. */
const REJECTED: readonly number[] = [400, 413, 415, 422];

/** Never rejects. `over` aborts it. */
export async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  over: AbortSignal,
  io: WebhookIo,
): Promise<PostOutcome> {
  const attempt = new AbortController();
  const cut = () => attempt.abort();
  over.addEventListener('abort', cut, { once: true });
  const cancel = io.after(ATTEMPT_MS, cut);
  try {
    const exchange = exchangeOf(url, headers, body, attempt.signal, io);
    return await Promise.race([exchange, cutOff(attempt.signal)]);
  } finally {
    cancel();
    over.removeEventListener('abort', cut);
  }
}

/** Never rejects, since nobody may be waiting for it any more. */
async function exchangeOf(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
  io: WebhookIo,
): Promise<PostOutcome> {
  try {
    const response = await io.fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    const outcome = outcomeOf(response);
    await discard(response);
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

async function discard({ body }: Response): Promise<void> {
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
