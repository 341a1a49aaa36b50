/**
 * Tickets in development: the keys that the embedded Steam seals under, and the verdict on what it issued.
 *
 * The default secret is public: it stands below, and everyone can forge under it. It shows that the path of a ticket works,
 * and proves nothing. So only a relay in development takes such tickets. With a secret of one's own, a ticket proves that
 * somebody who has that secret made it.
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

/** The shortest secret of one's own, in bytes. */
export const MIN_SECRET_BYTES = 16;

/** One key a purpose, 32 bytes each, so that nothing sealed for one passes for another. */
export interface DevelopmentKeys {
  readonly sessionTicket: Uint8Array;
  readonly webTicket: Uint8Array;
  /** AES-256, for encrypted app tickets. */
  readonly encryptedAppTicket: Uint8Array;
  /** For the blob of initiateGameConnection. */
  readonly gameConnection: Uint8Array;
}

/**
 * The keys that follow from a secret: HKDF-SHA256 without salt, its info `hotmic development key: ` and the purpose.
 *
 * @param secret Default the well-known one.
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

/** Why a ticket is refused, the first that holds. Append only. */
export type TicketRefusal =
  /** No ticket, or cut, or too long. */
  | 'malformed'
  /** It does not name the embedded Steam: perhaps a real Steam's. */
  | 'not-embedded'
  /** Not sealed under this key: forged, changed, or from an embedded Steam with another secret. */
  | 'forged'
  /** Issued more than a minute in the future. */
  | 'not-yet-valid'
  | 'expired'
  | 'other-app'
  /** For another service or, of a session ticket, for another SteamID, address or text to use. */
  | 'other-identity'
  /** It names another player. */
  | 'other-steam-id';

export interface RefusedTicket {
  readonly kind: 'refused';
  readonly reason: TicketRefusal;
}

/** That it was never used before is for the caller to see to, by its id. */
export interface ValidTicket<Ticket> {
  readonly kind: 'valid';
  /** 32 hexadecimal digits, never the same for two tickets. */
  readonly id: string;
  readonly steamId: bigint;
  readonly appId: number;
  /** Unix seconds. From then on it is refused, so its id need not be remembered any longer. */
  readonly expiresAt: number;
  readonly ticket: Ticket;
}

/** What a ticket must say; null where anything will do. */
export interface TicketExpectation {
  readonly appId: number | null;
  readonly steamId: bigint | null;
}

export interface WebTicketExpectation extends TicketExpectation {
  /** The service that it must be for. */
  readonly identity: string | null;
}

export interface SessionTicketExpectation extends TicketExpectation {
  /** Who uses it: a ticket for one SteamID alone must name this one. */
  readonly remoteSteamId: bigint | null;
  /** What else it is known by: a ticket for an address or text alone must name one of these. Default none. */
  readonly identities?: readonly NetworkIdentity[];
}

/** How far the issuer's clock may be ahead of ours, in seconds. */
const MAX_AHEAD_SECONDS = 60;

/** Judges a web ticket of the embedded Steam. `now` is unix time in seconds. Never throws on what `bytes` hold. */
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

/** Judges a session ticket of the embedded Steam. `now` is unix time in seconds. Never throws on what `bytes` hold. */
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
