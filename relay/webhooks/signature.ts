/**
 * Signs webhooks, and verifies them for receivers, by Standard Webhooks 1.0.0 (standardwebhooks.com), with
 * HMAC-SHA256 over id, time and body.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { HotmicError } from '../../voice/error.js';
import type { SecretText } from '../admission/secret_text.js';

/** Most secrets that a webhook is signed with, while one replaces another. */
export const MAX_WEBHOOK_SECRETS = 4;

/** Greatest difference between a webhook's time and the receiver's, in seconds. */
export const WEBHOOK_TOLERANCE_S = 300;

/** Length of a secret, in bytes. */
const SECRET_BYTES = { least: 24, most: 64 };
/** A secret with fewer distinct bytes is a placeholder and not random. */
const MIN_DIFFERENT = 8;
/** Longest signature header that is read, in characters. */
const MAX_SIGNATURE_CHARS = 4096;

/** Why a webhook is invalid. */
export type WebhookFault =
  /** A header is missing or malformed. */
  | 'header'
  /** Too old, which may be a replay, or too new. */
  | 'time'
  /** No signature was made with the secret. */
  | 'signature';

/** Whether a request is a webhook of ours; if not, why. */
export type WebhookVerdict =
  /** `id` stays the same when a webhook is sent again: process each id once. */
  | { readonly kind: 'valid'; readonly id: string }
  | { readonly kind: 'invalid'; readonly fault: WebhookFault };

/** Headers of Node's requests, or a plain object with names in lower case; or those of fetch. */
export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Verifies a webhook.
 *
 * ```ts
 * const verdict = verifyWebhook(request.headers, body, secret, Math.floor(Date.now() / 1000));
 * if (verdict.kind === 'invalid') response.writeHead(400).end();
 * ```
 *
 * @param body The raw body, before any parsing.
 * @param secret `whsec_` and base64.
 * @param unixSeconds Now.
 * @throws HotmicError ERR_HOTMIC_USAGE for a malformed secret.
 */
export function verifyWebhook(
  headers: WebhookHeaders,
  body: string | Uint8Array,
  secret: string,
  unixSeconds: number,
  toleranceSeconds = WEBHOOK_TOLERANCE_S,
): WebhookVerdict {
  const key = keyOf(secret);
  if (typeof key === 'string')
    throw new HotmicError('ERR_HOTMIC_USAGE', `Cannot verify a webhook: the secret ${key}`);
  const id = headerOf(headers, 'webhook-id');
  const timestamp = headerOf(headers, 'webhook-timestamp');
  const signatures = headerOf(headers, 'webhook-signature');
  if (
    // No dots in the id: dots separate id, time and body, and an id could end with what was signed as the time.
    !/^[!-\-/-~]{1,256}$/.test(id) ||
    !/^[0-9]{1,12}$/.test(timestamp) ||
    signatures.length > MAX_SIGNATURE_CHARS
  ) {
    return { kind: 'invalid', fault: 'header' };
  }
  if (signatures === '') return { kind: 'invalid', fault: 'header' };
  if (Math.abs(unixSeconds - Number(timestamp)) > toleranceSeconds) return { kind: 'invalid', fault: 'time' };
  const wanted = signatureOf(key, id, timestamp, body);
  let isSigned = false;
  for (const entry of signatures.split(' ')) {
    const [, base64] = /^v1,([A-Za-z0-9+/]{43}=)$/.exec(entry) ?? [];
    if (base64 !== undefined && timingSafeEqual(Buffer.from(base64, 'base64'), wanted)) isSigned = true;
  }
  return isSigned ? { kind: 'valid', id } : { kind: 'invalid', fault: 'signature' };
}

/** The secrets of one receiver. */
export class WebhookSecrets {
  readonly #keys: readonly Buffer[];

  private constructor(keys: readonly Buffer[]) {
    this.#keys = keys;
  }

  /**
   * Reads them: one per line, `whsec_` and base64 of 24 to 64 bytes. Empty lines and lines that begin with `#` are ignored.
   *
   * @throws HotmicError ERR_HOTMIC_FILE, naming the line; or what `read` throws.
   */
  static read(secret: SecretText): WebhookSecrets {
    const keys: Buffer[] = [];
    for (const [index, line] of secret.read().split(/\r?\n/).entries()) {
      const text = line.trim();
      if (text === '' || text.startsWith('#')) continue;
      const key = keyOf(text);
      if (typeof key === 'string') throw secretError(secret.from, `line ${index + 1}: the secret ${key}`);
      keys.push(key);
    }
    if (keys.length < 1 || keys.length > MAX_WEBHOOK_SECRETS) {
      throw secretError(
        secret.from,
        `${keys.length} secrets, expected 1 to ${MAX_WEBHOOK_SECRETS}, one per line`,
      );
    }
    return new WebhookSecrets(keys);
  }

  /** The headers of a webhook that is sent now, signed with each of the secrets. The id must not contain a full stop. */
  headers(id: string, unixSeconds: number, body: string): Record<string, string> {
    const timestamp = String(unixSeconds);
    const signatures = this.#keys.map(
      (key) => `v1,${signatureOf(key, id, timestamp, body).toString('base64')}`,
    );
    return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
  }
}

function signatureOf(key: Buffer, id: string, timestamp: string, body: string | Uint8Array): Buffer {
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
}

/** The key, or what is wrong with the secret, without quoting it. */
function keyOf(secret: string): Buffer | string {
  const [, base64] = /^whsec_([A-Za-z0-9+/]{2,1000}={0,2})$/.exec(secret) ?? [];
  if (base64 === undefined) return 'is malformed, expected whsec_ and base64';
  const key = Buffer.from(base64, 'base64');
  const { least, most } = SECRET_BYTES;
  if (key.length < least || key.length > most) return `has ${key.length} bytes, expected ${least} to ${most}`;
  if (new Set(key).size < MIN_DIFFERENT)
    return 'is weak: it has too few distinct bytes, expected random ones';
  return key;
}

function headerOf(headers: WebhookHeaders, name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : headers[name];
  return typeof value === 'string' ? value : '';
}

function secretError(from: string, why: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_FILE', `Cannot read the webhook secrets in ${from}: ${why}`);
}
