/**
 * Tickets in a relay for development: the embedded Steam's web tickets, sealed under the well-known key, each good once.
 *
 * Everyone can forge one, so they prove nothing. They let a game's way of a ticket be tried before a real Steam is there.
 */

import {
  type DevelopmentKeys,
  developmentKeys,
  type TicketRefusal,
  verifyDevelopmentWebTicket,
} from '../tickets/development.js';
import { TICKET_IDENTITY } from '../voice/control.js';
import { APP_TICKET_MAX_AGE_S, type AppTicketTerms, judgeAppTicket } from './app_tickets.js';
import type { CredentialVerdict } from './credential.js';
import { grantTo, ticketBytes, ticketRefused } from './ticket_grant.js';

/** Used tickets that are remembered, until they expire. When it is full, no other is taken. */
const MAX_USED = 10_000;

/** Why a ticket is refused. Append only. `not-dev` says a relay that is not for development. */
export type RelayTicketRefusal = TicketRefusal | 'used' | 'relay-full' | 'not-dev';

/** What would have been taken. */
const WANTED: Readonly<Record<Exclude<RelayTicketRefusal, 'not-dev'>, string>> = {
  malformed: "a web ticket of Hotmic's embedded Steam",
  'not-embedded': "one of Hotmic's embedded Steam: this relay runs for development",
  forged: 'one sealed under the well-known development key',
  'not-yet-valid': 'one that is valid already; do the clocks agree?',
  expired: 'one that has not expired',
  'other-app': 'one for this app',
  'other-identity': `one for the identity "${TICKET_IDENTITY}"`,
  'other-steam-id': 'one of the SteamID in the hello',
  used: 'one that nobody has joined with',
  'relay-full': `at most ${MAX_USED} that have not expired`,
};

export type TicketVerdict =
  | { readonly kind: 'valid'; readonly id: string; readonly expiresAt: number }
  | { readonly kind: 'refused'; readonly reason: RelayTicketRefusal; readonly wanted: string };

const KEYS: DevelopmentKeys = developmentKeys();
const NO_MODERATORS: ReadonlySet<string> = new Set();
const APP_TICKET_TERMS: AppTicketTerms = {
  appId: null,
  keys: [KEYS.encryptedAppTicket],
  maxAgeS: APP_TICKET_MAX_AGE_S,
  moderators: NO_MODERATORS,
};

/**
 * Judges a web ticket of the embedded Steam, for any app. That it is good once is for the core to see to, by its `onceId`. Never
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
  const once = { onceId: `d:${verdict.id}`, ownerSteamId: null };
  return grantTo(String(verdict.steamId), once, NO_MODERATORS);
}

/** Judges an encrypted app ticket of the embedded Steam, for any app. As `AppTickets.judge`, under the well-known key. */
export function judgeDevelopmentAppTicket(
  ticket: string,
  nonce: string,
  unixSeconds: number,
): CredentialVerdict {
  return judgeAppTicket(ticket, nonce, unixSeconds, APP_TICKET_TERMS);
}

export class DevelopmentTickets {
  readonly #keys: DevelopmentKeys = developmentKeys();
  /** When each expires, by id, the first used first. */
  readonly #used = new Map<string, number>();

  /**
   * Judges the ticket of a hello; `use` makes it used.
   *
   * @param ticket In hexadecimal, two digits a byte.
   * @param steamId The hello's, in decimal.
   */
  judge(ticket: string, steamId: string, unixSeconds: number): TicketVerdict {
    const expected = { appId: null, identity: TICKET_IDENTITY, steamId: BigInt(steamId) };
    const verdict = verifyDevelopmentWebTicket(bytesOfHex(ticket), expected, unixSeconds, this.#keys);
    if (verdict.kind === 'refused') return refused(verdict.reason);
    if (this.#used.has(verdict.id)) return refused('used');
    if (this.#used.size >= MAX_USED) this.#forget(unixSeconds);
    if (this.#used.size >= MAX_USED) return refused('relay-full');
    return { kind: 'valid', id: verdict.id, expiresAt: verdict.expiresAt };
  }

  /** Somebody joined with it: nobody else will. */
  use({ id, expiresAt }: Extract<TicketVerdict, { kind: 'valid' }>): void {
    this.#used.set(id, expiresAt);
  }

  /** What has expired is refused for that. */
  #forget(unixSeconds: number): void {
    for (const [id, expiresAt] of this.#used) if (unixSeconds >= expiresAt) this.#used.delete(id);
  }
}

function bytesOfHex(digits: string): Uint8Array {
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16),
  );
}

function refused(reason: keyof typeof WANTED): TicketVerdict {
  return { kind: 'refused', reason, wanted: WANTED[reason] };
}
