/** How a connection ended, as errors for the application, and which endings another attempt may survive. Pure. */

import { HotmicError, messageOf } from '../../voice/error.js';
import { printable } from '../../voice/printable.js';
import { UpgradeRefusedError } from '../transport/upgrade_refusal.js';

/** The close code of a connection that ended without a close frame, or that we gave up on. */
export const NO_CLOSE_FRAME = 1006;

/** Close codes from here on are refusals. */
export const FIRST_REFUSAL_CODE = 4000;

/** The most of a text from the relay that is kept, in characters: it appears in errors and logs. */
const MAX_TEXT_CHARS = 500;

/** Refusals that may have passed by the next attempt. */
const TEMPORARY_REFUSALS: readonly string[] = [
  'hello-late',
  'steam-id-in-use',
  'lobby-full',
  'relay-full',
  'rate-exceeded',
  'admission-unavailable',
  'address-full',
  'guests-full',
];

/** Whether another attempt may succeed after this refusal; null: the attempt was not refused. */
export function mayPass(refusal: string | null): boolean {
  return refusal === null || TEMPORARY_REFUSALS.includes(refusal);
}

/** What the relay said before it closed the connection. */
export interface Refusal {
  readonly code: string;
  readonly error: HotmicError;
}

export function refusalOf(message: { readonly code: string; readonly message: string }): Refusal {
  const code = relayText(message.code);
  const text = `Relay refused (${code}): ${relayText(message.message)}`;
  return { code, error: new HotmicError('ERR_HOTMIC_REFUSED', text) };
}

/** Whether a relay answered an attempt that ended so, rather than nobody. */
export function isAnswer(code: number, failure: Error | null): boolean {
  return failure instanceof UpgradeRefusedError || (code !== NO_CLOSE_FRAME && !failure);
}

/** The error of a join that the application gave up. */
export function closedError(message: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_CLOSED', message);
}

/** The error of a connection that was closed without a refusal by the relay itself. */
export function lostError(code: number, reason: string, failure: Error | null): HotmicError {
  if (failure instanceof UpgradeRefusedError) return failure;
  if (code === NO_CLOSE_FRAME || failure) {
    const how = failure ? `${code}, ${messageOf(failure)}` : String(code);
    const message = `Connection to the relay broke (${how})`;
    return new HotmicError('ERR_HOTMIC_CONNECTION_LOST', message, { cause: failure });
  }
  const why = reason ? `${code}, ${relayText(reason)}` : String(code);
  return new HotmicError('ERR_HOTMIC_CONNECTION_LOST', `Relay closed the connection (${why})`);
}

/** The error for a lost connection that could not be replaced: with the reason, if the relay refused the last attempt in HTTP. */
export function lostForGoodError(lostBy: HotmicError, last: HotmicError | null): HotmicError {
  if (!(last instanceof UpgradeRefusedError)) return lostBy;
  return new HotmicError(lostBy.code, `${lostBy.message}; ${last.message}`, { cause: last });
}

/** Makes a text from the relay, which may be hostile, safe to print. */
export function relayText(text: string): string {
  return printable(text, MAX_TEXT_CHARS);
}
