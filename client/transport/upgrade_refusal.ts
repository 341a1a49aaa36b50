/**
 * Why a relay, or a proxy in front of it, refused to open the WebSocket: status, text and Retry-After of its HTTP response.
 *
 * A browser does not report this: its WebSocket fails with code 1006 and no reason.
 */

import { HotmicError } from '../../voice/error.js';
import { printable } from '../../voice/printable.js';
import { type ReasonWords, systemReason } from '../../voice/system_reason.js';
import type { Milliseconds } from '../../voice/units.js';
import { shownUrl } from './url.js';

/** The most of a refusal's body that is read, in bytes. */
export const MAX_REFUSAL_BYTES = 1024;

/** The most of it that is kept, in characters. */
const MAX_REASON_CHARS = 500;

/** The longest Retry-After that is accepted, in seconds: a day. */
const MAX_RETRY_AFTER_S = 86_400;

/** The parts of an HTTP response that say why. */
export interface UpgradeAnswer {
  /** 400 to 599. */
  readonly status: number;
  /** The body, or the reason phrase if the body is not plain text. */
  readonly text: string;
  readonly retryAfter: string | undefined;
  /** The response's own Date: a Retry-After that is a date is relative to it. */
  readonly date: string | undefined;
}

/** The relay refused the connection in HTTP. `code` is ERR_HOTMIC_REFUSED. */
export class UpgradeRefusedError extends HotmicError {
  /** The HTTP status. Hotmic's relay uses 403 (not admitted), 404, 429 (too many) and 503 (full or draining). */
  readonly status: number;
  /** When to try again, in seconds from now, 0 to 86400; null if the relay did not say. */
  readonly retryAfterS: number | null;
  /** The relay's own text, at most 500 characters, without control characters. Empty if the relay sent no text. */
  readonly reason: string;

  constructor(url: URL, answer: UpgradeAnswer) {
    const reason = printable(answer.text.trim().replace(/\s+/g, ' '), MAX_REASON_CHARS);
    const retryAfterS = secondsOf(answer);
    const why = reason === '' ? '' : `: ${reason}`;
    const when = retryAfterS === null ? '' : `; try again in ${retryAfterS} s`;
    super(
      'ERR_HOTMIC_REFUSED',
      `Relay at ${shownUrl(url)} refused the connection (HTTP ${answer.status})${why}${when}`,
    );
    this.status = answer.status;
    this.retryAfterS = retryAfterS;
    this.reason = reason;
  }
}

const UNTRUSTED =
  'the certificate is not signed by a trusted authority. To trust a private one, set NODE_EXTRA_CA_CERTS to its PEM file';

/** Why a connection fails, in words. */
const CONNECTION_WORDS: ReasonWords = {
  CERT_HAS_EXPIRED: 'the certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  EACCES: 'permission denied',
  ECONNREFUSED: 'nothing listens at this address. Is the relay running?',
  EHOSTUNREACH: 'there is no route to the host',
  EMFILE: 'this process has too many files open',
  ENETUNREACH: 'there is no route to the network',
  ENOTFOUND: 'no such host',
  EPROTO: 'the server does not speak TLS. Is the URL ws:// rather than wss://?',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another name',
  ETIMEDOUT: 'there is no answer',
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
};

/** The error for a failed connection to `url`: the relay's refusal as it is, or the system's error in words. */
export function connectError(url: URL, cause: Error): HotmicError {
  if (cause instanceof UpgradeRefusedError) return cause;
  const message = `Cannot connect to ${shownUrl(url)}: ${systemReason(cause, CONNECTION_WORDS)}`;
  return new HotmicError('ERR_HOTMIC_CONNECT', message, { cause });
}

/** How long the relay asks us to wait before another attempt; 0 if it did not say. */
export function retryAfterMs(error: Error): Milliseconds {
  return error instanceof UpgradeRefusedError ? (error.retryAfterS ?? 0) * 1000 : 0;
}

function secondsOf({ retryAfter = '', date = '' }: UpgradeAnswer): number | null {
  const seconds = /^\d+$/.test(retryAfter)
    ? Number(retryAfter)
    : Math.ceil((Date.parse(retryAfter) - Date.parse(date)) / 1000);
  return Number.isNaN(seconds) ? null : Math.min(MAX_RETRY_AFTER_S, Math.max(0, seconds));
}
