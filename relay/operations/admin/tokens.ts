/**
 * The tokens of the admin API, one per line, so that a new one can be added before the old one is removed.
 *
 * Only their hashes are kept, and a token in a request is compared with each of them in constant time. No error contains a token.
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import { HotmicError } from '../../../voice/error.js';
import type { SecretText } from '../../admission/secret_text.js';

/** Most tokens in one file. */
export const MAX_ADMIN_TOKENS = 16;

/** Shortest token, in characters. */
export const MIN_ADMIN_TOKEN_CHARS = 32;
const MAX_ADMIN_TOKEN_CHARS = 512;

/** RFC 6750, 2.1. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/** A token with fewer distinct characters is a placeholder and not random. */
const MIN_DIFFERENT = 8;

export class AdminTokens {
  readonly #hashes: readonly Buffer[];

  private constructor(hashes: readonly Buffer[]) {
    this.#hashes = hashes;
  }

  /**
   * Reads them: one token per line, each of 32 to 512 characters of RFC 6750. Empty lines and lines that begin with `#` are ignored.
   *
   * @throws HotmicError ERR_HOTMIC_FILE, naming the line; or what `read` throws.
   */
  static read(secret: SecretText): AdminTokens {
    const { from } = secret;
    const hashes: Buffer[] = [];
    for (const [index, line] of secret.read().split(/\r?\n/).entries()) {
      const token = line.trim();
      if (token === '' || token.startsWith('#')) continue;
      const fault = faultOf(token);
      if (fault) throw tokenError(from, `line ${index + 1}: ${fault}`);
      hashes.push(hashOf(token));
    }
    if (hashes.length < 1 || hashes.length > MAX_ADMIN_TOKENS) {
      throw tokenError(from, `${hashes.length} tokens, expected 1 to ${MAX_ADMIN_TOKENS}, one per line`);
    }
    return new AdminTokens(hashes);
  }

  /** The hash of the token in a request's Authorization header; null when it is not an administrator's. */
  hashIn(authorization: string | undefined): Buffer | null {
    const [, token] = /^Bearer +([^ ]+) *$/i.exec(authorization ?? '') ?? [];
    if (token === undefined) return null;
    const hash = hashOf(token);
    return this.has(hash) ? hash : null;
  }

  /** Whether a request with this Authorization header is an administrator's. */
  admits(authorization: string | undefined): boolean {
    return this.hashIn(authorization) !== null;
  }

  /** Whether this is the hash of one of them. */
  has(hash: Buffer): boolean {
    let isKnown = false;
    for (const known of this.#hashes) if (timingSafeEqual(known, hash)) isKnown = true;
    return isKnown;
  }
}

function faultOf(token: string): string | null {
  if (token.length < MIN_ADMIN_TOKEN_CHARS || token.length > MAX_ADMIN_TOKEN_CHARS) {
    return `a token of ${token.length} characters, expected ${MIN_ADMIN_TOKEN_CHARS} to ${MAX_ADMIN_TOKEN_CHARS}`;
  }
  if (!TOKEN.test(token)) return 'a token with characters other than A to Z, a to z, 0 to 9 and -._~+/=';
  if (new Set(token).size < MIN_DIFFERENT)
    return 'a token of too few distinct characters, expected a random one';
  return null;
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function tokenError(from: string, why: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_FILE', `Cannot read the admin tokens in ${from}: ${why}`);
}
