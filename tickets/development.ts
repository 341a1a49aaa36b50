/**
 * Tickets in development: the keys that the embedded Steam seals with, and the verdict on what it issued.
 *
 * The default secret is public: it is in this file, and everyone can forge tickets with it. Such a ticket shows that its path works,
 * and proves nothing, so only a relay in development accepts it. With a secret of your own, a ticket proves that somebody who has the
 * secret made it.
 */

import { hkdfSync } from 'node:crypto';
import { asciiBytes } from './fields.js';
import { identityId, type NetworkIdentity } from './network_identity.js';
import { OWNERSHIP_VERSION } from './ownership.js';
import { embeddedSignature, readSessionTicket, type SessionTicket } from './session_ticket.js';
import { readWebTicket, type WebTicket } from './web_ticket.js';

/** The well-known secret. Public on purpose. */
export const DEVELOPMENT_SECRET: Uint8Array = asciiBytes(
  'hotmic development: public, anyone can forge under it',
);

/** The shortest secret, in bytes. */
export const MIN_SECRET_BYTES = 16;

/** One key per purpose, 32 bytes each, so that a ticket for one purpose is not valid for another. */
export interface DevelopmentKeys {
  readonly sessionTicket: Uint8Array;
  readonly webTicket: Uint8Array;
  /** AES-256, for encrypted app tickets. */
  readonly encryptedAppTicket: Uint8Array;
  /** For the blob of initiateGameConnection. */
  readonly gameConnection: Uint8Array;
}

/**
 * Derives the keys from a secret: HKDF-SHA256 without salt, with the info `hotmic development key: ` and the purpose.
 *
 * @param secret Default: the well-known one.
 * @throws RangeError for a secret of less than 16 bytes.
 */
export function developmentKeys(secret: Uint8Array = DEVELOPMENT_SECRET): DevelopmentKeys {
  if (secret.length < MIN_SECRET_BYTES) {
    throw new RangeError(
      `Cannot derive keys: the secret has ${secret.length} bytes, expected at least ${MIN_SECRET_BYTES}`,
    );
  }
  const key = (purpose: string) =>
    new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), `hotmic development key: ${purpose}`, 32));
  return {
    sessionTicket: key('session ticket'),
    webTicket: key('web ticket'),
    encryptedAppTicket: key('encrypted app ticket'),
    gameConnection: key('game connection'),
  };
}

/** Why a ticket is refused: the first reason that applies. Append only. */
export type TicketRefusal =
  /** Not a ticket, truncated, or too long. */
  | 'malformed'
  /** Not marked as the embedded Steam's: perhaps a real one. */
  | 'not-embedded'
  /** Not sealed with this key: forged, changed, or from an embedded Steam with another secret. */
  | 'forged'
  /** Issued more than a minute in the future. */
  | 'not-yet-valid'
  | 'expired'
  | 'other-app'
  /** For another service, or a session ticket for another SteamID, address or text. */
  | 'other-identity'
  /** It names another player. */
  | 'other-steam-id';

/** A ticket that is not accepted, and why. */
export interface RefusedTicket {
  readonly kind: 'refused';
  readonly reason: TicketRefusal;
}

/** A valid ticket. The caller has to check, by its id, that it was not used before. */
export interface ValidTicket<Ticket> {
  readonly kind: 'valid';
  /** 32 hexadecimal digits, never the same for two tickets. */
  readonly id: string;
  readonly steamId: bigint;
  readonly appId: number;
  /** Unix seconds. After this it is refused, so its id need not be remembered any longer. */
  readonly expiresAt: number;
  readonly ticket: Ticket;
}

/** What a ticket must say; null accepts anything. */
export interface TicketExpectation {
  readonly appId: number | null;
  readonly steamId: bigint | null;
}

export interface WebTicketExpectation extends TicketExpectation {
  /** The service that it must be for. */
  readonly identity: string | null;
}

export interface SessionTicketExpectation extends TicketExpectation {
  /** Who uses it: a ticket for a single SteamID must name this one. */
  readonly remoteSteamId: bigint | null;
  /** Its other identities: a ticket for an address or text must name one of these. Default none. */
  readonly identities?: readonly NetworkIdentity[];
}

/** How far the issuer's clock may be ahead of ours, in seconds. */
const MAX_AHEAD_SECONDS = 60;

/** Judges a web ticket of the embedded Steam. `now` is unix time in seconds. Never throws, whatever is in `bytes`. */
export function verifyDevelopmentWebTicket(
  bytes: Uint8Array,
  expected: WebTicketExpectation,
  now: number,
  keys: DevelopmentKeys = developmentKeys(),
): ValidTicket<WebTicket> | RefusedTicket {
  const ticket = readWebTicket(bytes);
  if (ticket.kind === 'malformed') return refused(ticket.reason === 'mark' ? 'not-embedded' : 'malformed');
  if (!ticket.sealedUnder(keys.webTicket)) return refused('forged');
  const fault = timeFault(ticket.issuedAt, ticket.expiresAt, now);
  if (fault) return refused(fault);
  if (expected.appId !== null && ticket.appId !== expected.appId) return refused('other-app');
  if (expected.identity !== null && ticket.identity !== expected.identity) return refused('other-identity');
  if (expected.steamId !== null && ticket.steamId !== expected.steamId) return refused('other-steam-id');
  const { id, steamId, appId, expiresAt } = ticket;
  return { kind: 'valid', id, steamId, appId, expiresAt, ticket };
}

/** Judges a session ticket of the embedded Steam. `now` is unix time in seconds. Never throws, whatever is in `bytes`. */
export function verifyDevelopmentSessionTicket(
  bytes: Uint8Array,
  expected: SessionTicketExpectation,
  now: number,
  keys: DevelopmentKeys = developmentKeys(),
): ValidTicket<SessionTicket> | RefusedTicket {
  const ticket = readSessionTicket(bytes);
  if (ticket.kind === 'malformed') return refused('malformed');
  const signature = embeddedSignature(bytes, ticket);
  if (!signature) return refused('not-embedded');
  if (ticket.ownership.version !== OWNERSHIP_VERSION) return refused('malformed');
  if (!signature.sealedUnder(keys.sessionTicket)) return refused('forged');
  const { appId, expiresAt } = ticket.ownership;
  const fault = timeFault(ticket.issuedAt, expiresAt, now);
  if (fault) return refused(fault);
  if (expected.appId !== null && appId !== expected.appId) return refused('other-app');
  const { remoteSteamId } = signature;
  if (expected.remoteSteamId !== null && remoteSteamId !== 0n && remoteSteamId !== expected.remoteSteamId) {
    const isKnown = expected.identities?.some((identity) => identityId(identity) === remoteSteamId) ?? false;
    if (!isKnown) return refused('other-identity');
  }
  if (expected.steamId !== null && ticket.steamId !== expected.steamId) return refused('other-steam-id');
  return { kind: 'valid', id: signature.id, steamId: ticket.steamId, appId, expiresAt, ticket };
}

function timeFault(issuedAt: number, expiresAt: number, now: number): TicketRefusal | null {
  if (issuedAt > now + MAX_AHEAD_SECONDS) return 'not-yet-valid';
  return now < expiresAt ? null : 'expired';
}

function refused(reason: TicketRefusal): RefusedTicket {
  return { kind: 'refused', reason };
}
