/**
 * Encrypted app tickets, of requestEncryptedAppTicket, decrypted here with the app's key.
 *
 * Such a ticket claims a player, an app and a time, and proves none of them: a player can forge one that names anybody, from a
 * genuine ticket of their own (docs/tickets.md). So a verdict here is not an admission: judges.ts accepts it beside a proof, or alone
 * where the operator configured that. The ticket has to contain the nonce that this connection got, so that one from elsewhere, or an
 * old one, is refused.
 */

import { timingSafeEqual } from 'node:crypto';
import { DEVELOPMENT_SECRET, developmentKeys } from '../../tickets/development.js';
import { readAppTicketClaims, type UnprovenAppTicketClaims } from '../../tickets/encrypted_app_ticket.js';
import { readProtobuf } from '../../tickets/protobuf.js';
import { HotmicError } from '../../voice/error.js';
import { isPerson } from '../../voice/steam_id.js';
import type { Denied } from '../core/credential.js';
import { sha256Of, ticketBytes, ticketRefused } from './ticket_grant.js';

/** The app, its key, and how old a ticket may be. */
export interface AppTicketOptions {
  /** The game's, 1 to 4294967295. */
  readonly appId: number;
  /**
   * The app's secret keys, 1 to 4, each 32 bytes in hexadecimal: the current one first, then replaced ones whose
   * tickets are still accepted.
   */
  readonly keys: readonly string[];
  /** How old a ticket may be, in seconds, 1 to 86400. Default 300. */
  readonly maxAgeS?: number;
  /**
   * What happens with an app ticket without a token or web ticket. `refuse`: it is refused. `trust-forgeable`: its
   * player is admitted, though never as a moderator; **any player of the game can then join as any other**. Default `refuse`.
   */
  readonly alone?: 'refuse' | 'trust-forgeable';
  /** How far Steam's clock may be ahead of the relay's, in seconds, 0 to 300. Default 60. */
  readonly clockToleranceS?: number;
}

/** The claims of an accepted ticket. They prove nothing. */
export interface AppTicketClaims {
  readonly kind: 'claims';
  /** In decimal. */
  readonly steamId: string;
  /** Identifies the ticket, which is good for one join. */
  readonly onceId: string;
}

export type AppTicketVerdict = AppTicketClaims | Denied;

/** Why an app ticket is refused. Append only. */
export type AppTicketRefusal =
  | 'malformed'
  | 'undecipherable'
  | 'other-app'
  | 'other-nonce'
  | 'not-yet-valid'
  | 'expired'
  | 'no-person'
  | 'not-proof'
  | 'other-steam-id';

/** The requirements for a ticket. */
export interface AppTicketTerms {
  /** Null for any app. */
  readonly appId: number | null;
  /** 32 bytes each. */
  readonly keys: readonly Uint8Array[];
  readonly maxAgeS: number;
  /** How far Steam's clock may be ahead of ours, in seconds. */
  readonly clockToleranceS: number;
}

/** Default greatest age of an app ticket, in seconds. */
export const APP_TICKET_MAX_AGE_S = 300;

/** Default for how far Steam's clock may be ahead of ours, in seconds. */
export const APP_TICKET_CLOCK_TOLERANCE_S = 60;
const MAX_KEYS = 4;
/** A key with fewer distinct bytes is a placeholder and not random. */
const MIN_DIFFERENT_BYTES = 8;

/** What would have been accepted, for the detail of a refusal. */
const WANTED: Readonly<Record<AppTicketRefusal, string>> = {
  malformed: 'an encrypted app ticket, in hexadecimal',
  undecipherable: "one sealed under the app's key",
  'other-app': 'one for this app',
  'other-nonce': "one whose user data begins with this connection's nonce",
  'not-yet-valid': 'one that is valid already; do the clocks agree?',
  expired: 'one that Steam has just made',
  'no-person': "one of a person's account",
  'not-proof': 'a token or a web ticket beside it: an app ticket alone does not prove who a player is',
  'other-steam-id': 'one that names the same player as the token or web ticket beside it',
};

export class AppTickets {
  readonly alone: 'refuse' | 'trust-forgeable';
  readonly #terms: AppTicketTerms;

  /**
   * @throws HotmicError ERR_HOTMIC_ADMISSION for malformed or publicly known keys; RangeError for any other option
   *   out of range. No error quotes a key.
   */
  constructor(options: AppTicketOptions) {
    const { appId, maxAgeS = APP_TICKET_MAX_AGE_S, alone = 'refuse' } = options;
    const { clockToleranceS = APP_TICKET_CLOCK_TOLERANCE_S } = options;
    checkRange('appId', appId, 0xffff_ffff);
    checkRange('maxAgeS', maxAgeS, 86_400);
    if (!(clockToleranceS >= 0 && clockToleranceS <= 300)) {
      throw new RangeError(
        `Cannot judge app tickets: clockToleranceS is ${clockToleranceS}, expected 0 to 300`,
      );
    }
    if (alone !== 'refuse' && alone !== 'trust-forgeable') {
      throw new RangeError(
        'Cannot judge app tickets: alone is invalid, expected "refuse" or "trust-forgeable"',
      );
    }
    this.alone = alone;
    this.#terms = { appId, keys: readKeys(options.keys), maxAgeS, clockToleranceS };
  }

  /**
   * Judges a ticket. Never throws for its content. The time is bounded by its length, 2560 bytes at most.
   *
   * @param ticket In hexadecimal, two digits a byte.
   * @param nonce The nonce of this connection: 16 bytes in hexadecimal.
   * @throws RangeError for a malformed nonce or time: those are the relay's own.
   */
  judge(ticket: string, nonce: string, unixSeconds: number): AppTicketVerdict {
    return judgeAppTicket(ticket, nonce, unixSeconds, this.#terms);
  }
}

/** The same under any terms. */
export function judgeAppTicket(
  ticket: string,
  nonce: string,
  unixSeconds: number,
  terms: AppTicketTerms,
): AppTicketVerdict {
  if (!/^[0-9a-fA-F]{32}$/.test(nonce)) {
    throw new RangeError(
      'Cannot judge an app ticket: the nonce is malformed, expected 16 bytes in hexadecimal',
    );
  }
  // With NaN every comparison would be false, and nothing would ever expire.
  if (!Number.isFinite(unixSeconds)) {
    throw new RangeError(`Cannot judge an app ticket: the time is ${unixSeconds}, expected unix seconds`);
  }
  const bytes = ticketBytes(ticket);
  if (!bytes) return appTicketRefused('malformed');
  const opened = openUnder(bytes, terms.keys);
  if (typeof opened === 'string') return appTicketRefused(opened);
  const { ownership, userData } = opened;
  if (terms.appId !== null && ownership.appId !== terms.appId) return appTicketRefused('other-app');
  if (!beginsWithNonce(userData, nonce.toLowerCase())) return appTicketRefused('other-nonce');
  if (ownership.generatedAt > unixSeconds + terms.clockToleranceS) return appTicketRefused('not-yet-valid');
  const isOld = unixSeconds - ownership.generatedAt > terms.maxAgeS;
  if (isOld || unixSeconds >= ownership.expiresAt) return appTicketRefused('expired');
  if (!isPerson(ownership.steamId)) return appTicketRefused('no-person');
  const onceId = `a:${sha256Of(ciphertextOf(bytes))}`;
  return { kind: 'claims', steamId: String(ownership.steamId), onceId };
}

/** The ciphertext of a ticket that was read. The protobuf around it can be encoded in many ways. */
function ciphertextOf(bytes: Uint8Array): Uint8Array {
  const field = readProtobuf(bytes)?.get(5);
  if (field?.kind !== 'bytes') throw new Error('a ticket that was read has a ciphertext');
  return field.value;
}

function openUnder(
  bytes: Uint8Array,
  keys: readonly Uint8Array[],
): UnprovenAppTicketClaims | 'malformed' | 'undecipherable' {
  for (const key of keys) {
    const opened = readAppTicketClaims(bytes, key);
    if (opened.kind === 'unproven-claims') return opened;
    // A fault that shows before decryption is the same with every key.
    if (opened.reason !== 'undecipherable') return 'malformed';
  }
  return 'undecipherable';
}

/** As bytes, or as lower-case digits: some engines can pass only text. */
function beginsWithNonce(userData: Uint8Array, digits: string): boolean {
  return (
    beginsWith(userData, Buffer.from(digits, 'hex')) || beginsWith(userData, Buffer.from(digits, 'ascii'))
  );
}

/** In a time that does not depend on where they differ. */
function beginsWith(bytes: Uint8Array, front: Uint8Array): boolean {
  return bytes.length >= front.length && timingSafeEqual(bytes.subarray(0, front.length), front);
}

function readKeys(keys: readonly string[]): readonly Uint8Array[] {
  if (!Array.isArray(keys) || keys.length < 1 || keys.length > MAX_KEYS) {
    throw keyError(`expected 1 to ${MAX_KEYS} keys`);
  }
  const known = Buffer.from(developmentKeys(DEVELOPMENT_SECRET).encryptedAppTicket).toString('hex');
  return keys.map((text, index) => {
    const name = `key ${index + 1}`;
    const digits = typeof text === 'string' ? text.trim().toLowerCase() : '';
    if (!/^[0-9a-f]{64}$/.test(digits))
      throw keyError(`${name} is malformed, expected 32 bytes in hexadecimal`);
    const bytes = new Uint8Array(Buffer.from(digits, 'hex'));
    if (new Set(bytes).size < MIN_DIFFERENT_BYTES) {
      throw keyError(
        `${name} is weak: it has too few distinct bytes, expected the one that Steam shows for the app`,
      );
    }
    if (digits === known) throw keyError(`${name} is the embedded Steam's, which is public`);
    return bytes;
  });
}

function keyError(what: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_ADMISSION', `Cannot use the keys of app tickets: ${what}`);
}

function checkRange(option: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new RangeError(
    `Cannot judge app tickets: ${option} is ${typeof value === 'number' ? value : typeof value}, expected 1 to ${max}`,
  );
}

export function appTicketRefused(reason: AppTicketRefusal): Denied {
  return ticketRefused(reason, WANTED[reason]);
}
