/**
 * Shares of the relay: how many places and lobbies one address may take, and how many all guests together. So a few addresses cannot
 * fill the relay, and guests cannot lock out players with a credential.
 *
 * A place counts for the address that joined, from joining until the participant is gone for good, here or away. A lobby counts for
 * the person who made it until it ends, even after they left; one that an administrator made counts for nobody. A player who takes
 * over their own place from another address takes a place of that address.
 */

import type { AddressKey } from '../address_key.js';
import type { RelayPolicy } from '../joining/hello.js';
import { type LimitsOf, type LimitTable, limit, type RelayLimits } from '../limits.js';
import type { Refusal } from '../refusal.js';
import { Tally } from '../tally.js';
import type { Lobby, Participant } from './lobby.js';
import type { Listing } from './member.js';

/** What one address may take of the relay. */
export const ADDRESS_SHARES = {
  /**
   * Participants of one address at once, including those who are away, 1 to 1000000. Default 128: everybody of a full address may
   * lose the connection and join another lobby while the old place is kept.
   */
  participants: limit(
    128,
    1,
    1_000_000,
    'Participants of one address at once, including those who are away.',
  ),
  /** Lobbies at once that were opened from one address, 1 to 100000. Default 32: a full address, two by two. */
  lobbies: limit(32, 1, 100_000, 'Lobbies at once that were opened from one address.'),
} satisfies LimitTable;

export interface AddressShares extends LimitsOf<typeof ADDRESS_SHARES> {}

/** A person who takes a place. */
export type Taker = Pick<Participant, 'kind' | 'address'>;

export class Shares {
  readonly #limits: RelayLimits;
  readonly #perAddress: AddressShares;
  readonly #guestsTake: RelayPolicy['guestsTake'];
  readonly #placesOf = new Tally<AddressKey>();
  readonly #lobbiesOf = new Tally<AddressKey>();
  /** Guests with a listed place, and all others: each kind of place has a share for guests. */
  readonly #guestsIn = { listed: new Tally<Lobby>(), counted: new Tally<Lobby>() };
  readonly #makers = new Map<Lobby, Taker>();
  #guests = 0;
  #guestLobbies = 0;

  constructor(limits: RelayLimits, perAddress: AddressShares, guestsTake: RelayPolicy['guestsTake']) {
    this.#limits = limits;
    this.#perAddress = perAddress;
    this.#guestsTake = guestsTake;
  }

  /** Why somebody may not take a place in this lobby, or make a lobby when it is undefined; null when they may. */
  whyNot({ kind, address }: Taker, lobby: Lobby | undefined, listing: Listing): Refusal | null {
    const guests =
      kind === 'guest' && this.#guestsTake === 'a-share' ? this.#whyNoGuest(lobby, listing) : null;
    return guests ?? (address === null ? null : this.#whyNotAddress(address, lobby));
  }

  take({ kind, address, lobby, listing }: Participant): void {
    if (address !== null) this.#placesOf.add(address);
    if (kind !== 'guest') return;
    this.#guestsIn[kindOf(listing)].add(lobby);
    this.#guests += 1;
  }

  free({ kind, address, lobby, listing }: Participant): void {
    if (address !== null) this.#placesOf.remove(address);
    if (kind !== 'guest') return;
    this.#guestsIn[kindOf(listing)].remove(lobby);
    this.#guests -= 1;
  }

  made(lobby: Lobby, { kind, address }: Taker): void {
    this.#makers.set(lobby, { kind, address });
    if (address !== null) this.#lobbiesOf.add(address);
    if (kind === 'guest') this.#guestLobbies += 1;
  }

  ended(lobby: Lobby): void {
    const maker = this.#makers.get(lobby);
    if (!maker) return;
    this.#makers.delete(lobby);
    if (maker.address !== null) this.#lobbiesOf.remove(maker.address);
    if (maker.kind === 'guest') this.#guestLobbies -= 1;
  }

  #whyNoGuest(lobby: Lobby | undefined, listing: Listing): Refusal | null {
    const { guestLobbiesPercent, guestPlacesPercent, lobbies, participants } = this.#limits;
    const { participantsPerLobby, unlistedPerLobby } = this.#limits;
    const listed = lobby?.capacity ?? participantsPerLobby;
    const places = listing === 'listed' ? listed : (lobby?.mostUnlisted ?? unlistedPerLobby);
    const full = (count: number, most: number, what: string): Refusal | null =>
      count < most
        ? null
        : { code: 'guests-full', detail: `${count} ${what}, expected at most ${most} without a credential` };
    const inLobby = lobby ? this.#guestsIn[kindOf(listing)].of(lobby) : 0;
    return (
      (lobby ? null : full(this.#guestLobbies, shareOf(lobbies, guestLobbiesPercent), 'lobbies of guests')) ??
      full(inLobby, shareOf(places, guestPlacesPercent), 'guests here') ??
      full(this.#guests, shareOf(participants, guestPlacesPercent), 'guests in all lobbies')
    );
  }

  #whyNotAddress(address: AddressKey, lobby: Lobby | undefined): Refusal | null {
    const { lobbies, participants } = this.#perAddress;
    const full = (count: number, most: number, what: string): Refusal | null =>
      count < most
        ? null
        : { code: 'address-full', detail: `your address has ${count} ${what}, expected at most ${most}` };
    return (
      full(this.#placesOf.of(address), participants, 'participants, present or away') ??
      (lobby ? null : full(this.#lobbiesOf.of(address), lobbies, 'lobbies'))
    );
  }
}

/** A listener who is listed only because they record still counts as unlisted. */
function kindOf(listing: Listing): 'listed' | 'counted' {
  return listing === 'listed' ? 'listed' : 'counted';
}

/** Rounded down, but at least one unless the share is 0 %: a guest may take a lobby of one place. */
function shareOf(whole: number, percent: number): number {
  return percent === 0 ? 0 : Math.max(1, Math.floor((whole * percent) / 100));
}
