/**
 * Tickets in a relay for development: the embedded Steam's web tickets, sealed under the well-known key.
 *
 * Anybody can forge one, so they prove nothing. With them a game can try its ticket code before it uses a real Steam.
 */

import {
  type DevelopmentKeys,
  developmentKeys,
  type TicketRefusal,
  verifyDevelopmentWebTicket,
} from '../../tickets/development.js';
import { TICKET_IDENTITY } from '../../voice/control.js';
import type { CredentialVerdict } from '../core/credential.js';
import {
  APP_TICKET_CLOCK_TOLERANCE_S,
  APP_TICKET_MAX_AGE_S,
  type AppTicketTerms,
  type AppTicketVerdict,
  judgeAppTicket,
} from './app_tickets.js';
import { grantTo, ticketBytes, ticketRefused } from './ticket_grant.js';

/** What would have been accepted, for the detail of a refusal. */
const WANTED: Readonly<Record<TicketRefusal, string>> = {
  malformed: "a web ticket of Hotmic's embedded Steam",
  'not-embedded': "one of Hotmic's embedded Steam: this relay runs for development",
  forged: 'one sealed under the well-known development key',
  'not-yet-valid': 'one that is valid already; do the clocks agree?',
  expired: 'one that has not expired',
  'other-app': 'one for this app',
  'other-identity': `one for the identity "${TICKET_IDENTITY}"`,
  'other-steam-id': 'one of the SteamID in the hello',
};

const KEYS: DevelopmentKeys = developmentKeys();
const NO_MODERATORS: ReadonlySet<string> = new Set();
const APP_TICKET_TERMS: AppTicketTerms = {
  appId: null,
  keys: [KEYS.encryptedAppTicket],
  maxAgeS: APP_TICKET_MAX_AGE_S,
  clockToleranceS: APP_TICKET_CLOCK_TOLERANCE_S,
};

/**
 * Judges a web ticket of the embedded Steam, for any app. The core enforces that it is good once, by its `onceIds`. Never
 * throws for the ticket's content.
 *
 * @param ticket In hexadecimal, two digits a byte.
 * @param claimedSteamId The SteamID that it has to prove, in decimal; null for any.
 */
export function judgeDevelopmentTicket(
  ticket: string,
  claimedSteamId: string | null,
  unixSeconds: number,
): CredentialVerdict {
  const bytes = ticketBytes(ticket);
  if (!bytes) return ticketRefused('malformed', WANTED.malformed);
  const steamId = claimedSteamId === null ? null : BigInt(claimedSteamId);
  const expected = { appId: null, identity: TICKET_IDENTITY, steamId };
  const verdict = verifyDevelopmentWebTicket(bytes, expected, unixSeconds, KEYS);
  if (verdict.kind === 'refused') return ticketRefused(verdict.reason, WANTED[verdict.reason]);
  const once = { onceIds: [`d:${verdict.id}`], ownerSteamId: null };
  return grantTo(String(verdict.steamId), once, NO_MODERATORS);
}

/** Judges an encrypted app ticket of the embedded Steam, for any app. As `AppTickets.judge`, under the well-known key. */
export function judgeDevelopmentAppTicket(
  ticket: string,
  nonce: string,
  unixSeconds: number,
): AppTicketVerdict {
  return judgeAppTicket(ticket, nonce, unixSeconds, APP_TICKET_TERMS);
}
