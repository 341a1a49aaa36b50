/** The person about to join, by the way they identified themselves: with a judged credential, with an unproven SteamID, or as a guest. */

import type { AddressKey } from '../address_key.js';
import { type Admitted, FULL_RIGHTS, rightsOf } from '../credential.js';
import type { ConnectionId } from '../io.js';
import type { Joiner } from '../lobby/member.js';
import type { Turn } from '../turn.js';
import type { Hello, RelayPolicy } from './hello.js';

export interface Entrant extends Joiner {
  readonly lobby: string;
  /** Whether a credential proves that the SteamID is theirs. */
  readonly proof: 'proven' | 'unproven';
}

/** The connection that they join by. */
interface Origin {
  readonly id: ConnectionId;
  readonly address: AddressKey | null;
}

export function unprovenEntrant(origin: Origin, hello: Hello, steamId: string): Entrant {
  return {
    ...comingBy(origin, hello),
    kind: 'player',
    steamId,
    rights: FULL_RIGHTS,
    expiresAt: Number.POSITIVE_INFINITY,
    proof: 'unproven',
    ownerSteamId: null,
  };
}

export function guestEntrant(
  origin: Origin,
  hello: Hello,
  steamId: string,
  { guests }: Pick<RelayPolicy, 'guests'>,
): Entrant {
  const rights = { ...FULL_RIGHTS, maySpeak: guests === 'speak', channels: [] };
  return { ...unprovenEntrant(origin, hello, steamId), kind: 'guest', rights };
}

export function provenEntrant(
  origin: Origin,
  hello: Hello,
  admitted: Admitted,
  { atExpiry, clockToleranceS }: Pick<RelayPolicy, 'atExpiry' | 'clockToleranceS'>,
  turn: Turn,
): Entrant {
  const { steamId, ownerSteamId, expiresAt } = admitted;
  return {
    ...comingBy(origin, hello),
    kind: 'player',
    steamId,
    rights: rightsOf(admitted),
    // As long as a judge would accept it.
    expiresAt:
      expiresAt !== null && atExpiry === 'close'
        ? turn.now + 1000 * (expiresAt + clockToleranceS - turn.unixSeconds)
        : Number.POSITIVE_INFINITY,
    proof: 'proven',
    ownerSteamId,
  };
}

function comingBy({ id, address }: Origin, { name, lobby }: Hello) {
  return { connection: id, address, name, lobby };
}
