/**
 * Encrypted app tickets, of requestEncryptedAppTicket: read with the app's key, here and without asking anybody.
 *
 * Such a ticket claims a player, an app and a time, and proves none of them: a player can forge one that names anybody, with nothing but a
 * genuine ticket of their own (docs/tickets.md). So a judgement here is no admission: judges.ts lets it stand beside a proof, or alone
 * where the operator said so. The game gives the nonce that this very connection got, so that a ticket from elsewhere, or an
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

export interface AppTicketOptions {
  /** The game's, 1 to 4294967295. */
  readonly appId: number;
  /**
   * The app's secret keys, 1 to 4, each 32 bytes in hexadecimal: the one in force first, then those that it replaced and whose
   * tickets are still to be taken.
   */
  readonly keys: readonly string[];
  /** How old a ticket may be, in seconds, 1 to 86400. Default 300. */
  readonly maxAgeS?: number;
  /**
   * What becomes of an app ticket without a token or web ticket beside it. `refuse`: nobody is admitted by it. `trust-forgeable`: its
   * player is admitted, though never as a moderator; **any player of the game can then join as any other**. Default `refuse`.
   */
  readonly alone?: 'refuse' | 'trust-forgeable';
  /** How far Steam's clock may be ahead of the relay's, in seconds, 0 to 300. Default 60. */
  readonly clockToleranceS?: number;
}

/** What a ticket that passes says. It proves nothing. */
export interface AppTicketClaims {
  readonly kind: 'claims';
  /** In decimal. */
  readonly steamId: string;
  /** Names the ticket, which is good for one joining. */
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

/** What a ticket is held to. */
export interface AppTicketTerms {
  /** Null for any app. */
  readonly appId: number | null;
  /** 32 bytes each. */
  readonly keys: readonly Uint8Array[];
  readonly maxAgeS: number;
  /** How far Steam's clock may be ahead of ours, in seconds. */
  readonly clockToleranceS: number;
}

/** How old an app ticket may be unless said otherwise, in seconds. */
export const APP_TICKET_MAX_AGE_S = 300;

/** How far Steam's clock may be ahead of ours unless said otherwise, in seconds. */
export const APP_TICKET_CLOCK_TOLERANCE_S = 60;
const MAX_KEYS = 4;
/** Fewer different bytes than this in a key are no randomness, but a placeholder. */
const MIN_DIFFERENT_BYTES = 8;

/** What would have been taken. */
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
   * @throws HotmicError ERR_HOTMIC_ADMISSION for keys that are none, or that everybody knows; RangeError for any other option
   *   out of range. No error quotes a key.
   */
  constructor(options: AppTicketOptions) {
    const { appId, maxAgeS = APP_TICKET_MAX_AGE_S, alone = 'refuse' } = options;
    const { clockToleranceS = APP_TICKET_CLOCK_TOLERANCE_S } = options;
    wantRange('appId', appId, 0xffff_ffff);
    wantRange('maxAgeS', maxAgeS, 86_400);
    if (!(clockToleranceS >= 0 && clockToleranceS <= 300)) {
      throw new RangeError(
        `Cannot judge app tickets: clockToleranceS is ${clockToleranceS}, expected 0 to 300`,
      );
    }
    if (alone !== 'refuse' && alone !== 'trust-forgeable') {
      throw new RangeError(
        'Cannot judge app tickets: alone is neither, expected "refuse" or "trust-forgeable"',
      );
    }
    this.alone = alone;
    this.#terms = { appId, keys: readKeys(options.keys), maxAgeS, clockToleranceS };
  }

  /**
   * Judges a ticket. Never throws on what it holds; the time that it takes is bounded by its length, 2560 bytes at most.
   *
   * @param ticket In hexadecimal, two digits a byte.
   * @param nonce What this connection was given: 16 bytes in hexadecimal.
   * @throws RangeError for a nonce or a time that is none: those are the relay's own.
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
    throw new RangeError('Cannot judge an app ticket: the nonce is none, wants 16 bytes in hexadecimal');
  }
  // With NaN every comparison would be false, and nothing would ever expire.
  if (!Number.isFinite(unixSeconds)) {
    throw new RangeError(`Cannot judge an app ticket: the time is ${unixSeconds}, wants unix seconds`);
  }
  const bytes = ticketBytes(ticket);
  if (!bytes) return appTicketRefused('malformed');
  const opened = openUnder(bytes, terms.keys);
  if (typeof opened === 'string') return appTicketRefused(opened);
  const { ownership, userData } = opened;
  if (terms.appId !== null && ownership.appId !== terms.appId) return appTicketRefused('other-app');
  if (!holdsNonce(userData, nonce.toLowerCase())) return appTicketRefused('other-nonce');
  if (ownership.generatedAt > unixSeconds + terms.clockToleranceS) return appTicketRefused('not-yet-valid');
  const isOld = unixSeconds - ownership.generatedAt > terms.maxAgeS;
  if (isOld || unixSeconds >= ownership.expiresAt) return appTicketRefused('expired');
  if (!isPerson(ownership.steamId)) return appTicketRefused('no-person');
  const onceId = `a:${sha256Of(ciphertextOf(bytes))}`;
  return { kind: 'claims', steamId: String(ownership.steamId), onceId };
}

/** Of a ticket that was read. The frame around it can be written in many ways. */
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
    // What is wrong before the key comes in is wrong under each.
    if (opened.reason !== 'undecipherable') return 'malformed';
  }
  return 'undecipherable';
}

/** As bytes, or as the digits in lower case: a game whose engine passes text alone cannot give those bytes. */
function holdsNonce(userData: Uint8Array, digits: string): boolean {
  return (
    beginsWith(userData, Buffer.from(digits, 'hex')) || beginsWith(userData, Buffer.from(digits, 'ascii'))
  );
}

/** How long it takes does not depend on where they differ. */
function beginsWith(bytes: Uint8Array, front: Uint8Array): boolean {
  return bytes.length >= front.length && timingSafeEqual(bytes.subarray(0, front.length), front);
}

function readKeys(keys: readonly string[]): readonly Uint8Array[] {
  if (!Array.isArray(keys) || keys.length < 1 || keys.length > MAX_KEYS) {
    throw keyError(`wants 1 to ${MAX_KEYS} of them`);
  }
  const known = Buffer.from(developmentKeys(DEVELOPMENT_SECRET).encryptedAppTicket).toString('hex');
  return keys.map((text, index) => {
    const name = `key ${index + 1}`;
    const digits = typeof text === 'string' ? text.trim().toLowerCase() : '';
    if (!/^[0-9a-f]{64}$/.test(digits)) throw keyError(`${name} is none, wants 32 bytes in hexadecimal`);
    const bytes = new Uint8Array(Buffer.from(digits, 'hex'));
    if (new Set(bytes).size < MIN_DIFFERENT_BYTES) {
      throw keyError(`${name} is weak: hardly a byte differs, wants the one that Steam shows for the app`);
    }
    if (digits === known) throw keyError(`${name} is the embedded Steam's, which everybody knows`);
    return bytes;
  });
}

function keyError(what: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_ADMISSION', `Cannot take the keys of app tickets: ${what}`);
}

function wantRange(option: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new RangeError(
    `Cannot judge app tickets: ${option} is ${typeof value === 'number' ? value : typeof value}, wants 1 to ${max}`,
  );
}

export function appTicketRefused(reason: AppTicketRefusal): Denied {
  return ticketRefused(reason, WANTED[reason]);
}
