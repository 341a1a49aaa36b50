/**
 * How webhooks are signed, and how who receives them checks that: as Standard Webhooks 1.0.0 has it (standardwebhooks.com), with
 * HMAC-SHA256 over id, time and body.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { HotmicError } from '../../voice/error.js';
import type { SecretText } from '../admission/secret_text.js';

/** Secrets under which a webhook is signed at once, while one is replaced by another. */
export const MAX_WEBHOOK_SECRETS = 4;

/** How far the time of a webhook may be from the receiver's, in seconds. */
export const WEBHOOK_TOLERANCE_S = 300;

/** Of a secret, in bytes. */
const SECRET_BYTES = { least: 24, most: 64 };
/** Fewer different bytes than this are no randomness, but a placeholder. */
const MIN_DIFFERENT = 8;
/** Of a webhook that is checked, in characters of its header. */
const MAX_SIGNATURE_CHARS = 4096;

/** Why a webhook is not to be believed. */
export type WebhookFault =
  /** A header lacks, or has not its form. */
  | 'header'
  /** Too old, or too new: it may be a replay. */
  | 'time'
  /** No signature is under the secret. */
  | 'signature';

export type WebhookVerdict =
  /** `id` is the same each time that a webhook is sent: take each once. */
  | { readonly kind: 'valid'; readonly id: string }
  | { readonly kind: 'invalid'; readonly fault: WebhookFault };

/** As Node's requests and plain objects have them, names in lower case; or as fetch does. */
export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Checks a webhook that came in.
 *
 * ```ts
 * const verdict = verifyWebhook(request.headers, body, secret, Math.floor(Date.now() / 1000));
 * if (verdict.kind === 'invalid') response.writeHead(400).end();
 * ```
 *
 * @param body As it came, before anything parsed it.
 * @param secret `whsec_` and base64.
 * @param unixSeconds Now.
 * @throws HotmicError ERR_HOTMIC_USAGE for a secret that is none.
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
    throw new HotmicError('ERR_HOTMIC_USAGE', `Cannot verify a webhook: the secret is ${key}`);
  const id = headerOf(headers, 'webhook-id');
  const timestamp = headerOf(headers, 'webhook-timestamp');
  const signatures = headerOf(headers, 'webhook-signature');
  if (
    // Without a point: those stand between id, time and body, and an id could end with what was signed as the time.
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
   * Reads them: one a line, `whsec_` and base64 of 24 to 64 bytes; empty lines and such that begin with `#` are left out.
   *
   * @throws HotmicError ERR_HOTMIC_FILE, naming the line; or what `read` throws.
   */
  static read(secret: SecretText): WebhookSecrets {
    const keys: Buffer[] = [];
    for (const [index, line] of secret.read().split(/\r?\n/).entries()) {
      const text = line.trim();
      if (text === '' || text.startsWith('#')) continue;
      const key = keyOf(text);
      if (typeof key === 'string') throw secretError(secret.from, `line ${index + 1}: it is ${key}`);
      keys.push(key);
    }
    if (keys.length < 1 || keys.length > MAX_WEBHOOK_SECRETS) {
      throw secretError(secret.from, `${keys.length} secrets, wants 1 to ${MAX_WEBHOOK_SECRETS}, one a line`);
    }
    return new WebhookSecrets(keys);
  }

  /** The headers of a webhook that is sent now, signed under each of the secrets. The id has no full stop. */
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

/** The key, or what is wrong with the secret, without any of it. */
function keyOf(secret: string): Buffer | string {
  const [, base64] = /^whsec_([A-Za-z0-9+/]{2,1000}={0,2})$/.exec(secret) ?? [];
  if (base64 === undefined) return 'no secret, wants whsec_ and base64';
  const key = Buffer.from(base64, 'base64');
  const { least, most } = SECRET_BYTES;
  if (key.length < least || key.length > most) return `of ${key.length} bytes, wants ${least} to ${most}`;
  if (new Set(key).size < MIN_DIFFERENT) return 'weak: hardly a byte differs, wants random ones';
  return key;
}

function headerOf(headers: WebhookHeaders, name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : headers[name];
  return typeof value === 'string' ? value : '';
}

function secretError(from: string, why: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_FILE', `Cannot take the webhook secret of ${from}: ${why}`);
}
