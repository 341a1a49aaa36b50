/**
 * Tickets in a relay for development: the embedded Steam's web tickets, sealed under the well-known key.
 *
 * Everyone can forge one, so they prove nothing. They let a game's way of a ticket be tried before a real Steam is there.
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

/** What would have been taken. */
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
 * Judges a web ticket of the embedded Steam, for any app. That it is good once is for the core to see to, by its `onceIds`. Never
 * throws on what the ticket holds.
 *
 * @param ticket In hexadecimal, two digits a byte.
 * @param claimedSteamId Whose it has to be, in decimal; null for anybody's.
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
