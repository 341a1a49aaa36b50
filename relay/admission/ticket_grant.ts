/**
 * Shared by the judges of tickets: reading a hello's hexadecimal, the hash that identifies a ticket so that it is good for one
 * join, and the rights of a player whose SteamID is proven. A ticket says who a player is; the operator decides what they may do.
 */

import { createHash } from 'node:crypto';
import { MAX_TICKET_BYTES } from '../../voice/control.js';
import { isPerson, parseSteamId } from '../../voice/steam_id.js';
import { type Admitted, type Denied, FULL_RIGHTS } from '../core/credential.js';

/** The most SteamIDs that are moderators everywhere. */
export const MAX_MODERATORS = 10_000;

const HEXADECIMAL = /^(?:[0-9a-fA-F]{2})+$/;

/** The bytes of a ticket in hexadecimal, 1 to 2560; null for anything else. */
export function ticketBytes(digits: string): Uint8Array | null {
  if (typeof digits !== 'string' || digits.length > 2 * MAX_TICKET_BYTES) return null;
  return HEXADECIMAL.test(digits) ? new Uint8Array(Buffer.from(digits, 'hex')) : null;
}

/** The SHA-256 of bytes, in hexadecimal. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * The SteamIDs, in decimal, that moderate in every lobby.
 *
 * @throws RangeError for anything but a list of people's SteamIDs.
 */
export function readModerators(moderators: readonly string[]): ReadonlySet<string> {
  if (!Array.isArray(moderators) || moderators.length > MAX_MODERATORS) {
    throw new RangeError(`Cannot judge tickets: expected a list of at most ${MAX_MODERATORS} moderators`);
  }
  for (const [index, text] of moderators.entries()) {
    const steamId = typeof text === 'string' ? parseSteamId(text) : null;
    if (steamId === null || !isPerson(steamId)) {
      throw new RangeError(
        `Cannot judge tickets: moderator ${index + 1} is malformed, expected a person's SteamID64 in decimal`,
      );
    }
  }
  return new Set(moderators);
}

/** The grant for a valid ticket: everything in every lobby, once. */
export function grantTo(
  steamId: string,
  { onceIds, ownerSteamId }: Pick<Admitted, 'onceIds' | 'ownerSteamId'>,
  moderators: ReadonlySet<string>,
): Admitted {
  const moderator = moderators.has(steamId);
  return {
    kind: 'admitted',
    ...FULL_RIGHTS,
    moderator,
    steamId,
    lobby: null,
    expiresAt: null,
    onceIds,
    ownerSteamId,
  };
}

export function ticketRefused(reason: string, wanted: string): Denied {
  return { kind: 'denied', code: 'ticket-refused', reason, wanted };
}

export function notJudged(reason: string, wanted: string): Denied {
  return { kind: 'denied', code: 'admission-unavailable', reason, wanted };
}
