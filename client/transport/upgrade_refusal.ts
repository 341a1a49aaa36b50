/**
 * Why a relay, or a proxy before it, refused to open the WebSocket: status, text and Retry-After of its HTTP answer.
 *
 * In a browser nobody is told: a WebSocket there fails with 1006 and no reason.
 */

import { HotmicError, systemReason } from '../../voice/error.js';
import { printable } from '../../voice/printable.js';
import type { Milliseconds } from '../../voice/units.js';
import { shownUrl } from './url.js';

/** The most that is read of a refusal's body, in bytes. */
export const MAX_REFUSAL_BYTES = 1024;

/** The most that is kept of it, in characters. */
const MAX_REASON_CHARS = 500;

/** The longest Retry-After that is believed, in seconds: a day. */
const MAX_RETRY_AFTER_S = 86_400;

/** The parts of an HTTP answer that say why. */
export interface UpgradeAnswer {
  /** 400 to 599. */
  readonly status: number;
  /** The body, or where that is not plain text the words beside the status. */
  readonly text: string;
  readonly retryAfter: string | undefined;
  /** The answer's own Date, against which a Retry-After in the form of a date counts. */
  readonly date: string | undefined;
}

/** `code` is ERR_HOTMIC_REFUSED. */
export class UpgradeRefusedError extends HotmicError {
  /** The HTTP status: of Hotmic's relay 403 (not admitted), 404, 429 (too many) or 503 (full, or it drains). */
  readonly status: number;
  /** When another try may do better, in seconds from now, 0 to 86400; null where nothing was said. */
  readonly retryAfterS: number | null;
  /** The relay's own words, at most 500 characters, without control characters. Empty where there were none. */
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

/** Why there is no connection to `url`: the relay's refusal as it is, or the system's error in words. */
export function connectError(url: URL, cause: Error): HotmicError {
  if (cause instanceof UpgradeRefusedError) return cause;
  const message = `Cannot connect to ${shownUrl(url)}: ${systemReason(cause)}`;
  return new HotmicError('ERR_HOTMIC_CONNECT', message, { cause });
}

/** How long the relay asks to wait before another try; 0 where it does not. */
export function retryAfterMs(error: Error): Milliseconds {
  return error instanceof UpgradeRefusedError ? (error.retryAfterS ?? 0) * 1000 : 0;
}

function secondsOf({ retryAfter = '', date = '' }: UpgradeAnswer): number | null {
  const seconds = /^\d+$/.test(retryAfter)
    ? Number(retryAfter)
    : Math.ceil((Date.parse(retryAfter) - Date.parse(date)) / 1000);
  return Number.isNaN(seconds) ? null : Math.min(MAX_RETRY_AFTER_S, Math.max(0, seconds));
}
