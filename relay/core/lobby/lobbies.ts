/**
 * All lobbies of a relay, by name: made when somebody joins or by an administrator, gone with the last participant. Also decides
 * whether there is a place for one more.
 */

import type { Milliseconds } from '../../../voice/units.js';
import type { Entrant } from '../joining/entrants.js';
import type { RelayPolicy } from '../joining/hello.js';
import type { RelayLimits } from '../limits.js';
import type { Refusal } from '../refusal.js';
import type { Sanctions } from '../sanctions.js';
import type { Turn } from '../turn.js';
import { Headcounts } from './headcounts.js';
import { applyWaiting, noHearing } from './hearing_sets.js';
import { EMPTY, type LobbyPlaces, listingFor } from './listing.js';
import { Lobby, type LobbyPlan, type Participant } from './lobby.js';
import type { Listing } from './member.js';
import { type AddressShares, Shares } from './shares.js';

export class Lobbies {
  readonly #limits: RelayLimits;
  readonly #policy: RelayPolicy;
  readonly #sanctions: Sanctions;
  readonly #shares: Shares;
  readonly #byName = new Map<string, Lobby>();
  readonly #headcounts = new Headcounts();
  /** What the hearing sets of all lobbies use. */
  readonly hearing = noHearing();
  #made = 0;
  #participants = 0;

  constructor(limits: RelayLimits, policy: RelayPolicy, sanctions: Sanctions, perAddress: AddressShares) {
    this.#limits = limits;
    this.#policy = policy;
    this.#sanctions = sanctions;
    this.#shares = new Shares(limits, perAddress, policy.guestsTake);
  }

  /** Participants of all lobbies, including those who are away. */
  get participants(): number {
    return this.#participants;
  }

  /** How many of those are counted in their lobby and not listed. */
  get unlisted(): number {
    let sum = 0;
    for (const { unlisted } of this.#byName.values()) sum += unlisted;
    return sum;
  }

  get size(): number {
    return this.#byName.size;
  }

  get all(): IterableIterator<Lobby> {
    return this.#byName.values();
  }

  get(name: string): Lobby | undefined {
    return this.#byName.get(name);
  }

  /** The participants with this SteamID, in one lobby or, with null, in all of them. */
  found(name: string | null, steamId: string): readonly Participant[] {
    const lobbies = name === null ? this.#byName.values() : [this.#byName.get(name)];
    const found: Participant[] = [];
    for (const lobby of lobbies) {
      const participant = lobby?.withSteamId(steamId);
      if (participant) found.push(participant);
    }
    return found;
  }

  /** The participants of one lobby or, with null, of all of them; away or not. A copy: they may leave while it is iterated. */
  everyone(name: string | null): readonly Participant[] {
    const lobbies = name === null ? [...this.#byName.values()] : [this.#byName.get(name)];
    return lobbies.flatMap((lobby) => (lobby ? [...lobby.participants] : []));
  }

  /** How somebody would be listed, or why they may not join. */
  placeFor(entrant: Entrant, unixSeconds: number): Listing | Refusal {
    const { steamId, lobby: name, proof } = entrant;
    if (this.#sanctions.ofPlayer(name, entrant, unixSeconds).banned) {
      return { code: 'banned', detail: 'you are banned from this lobby' };
    }
    const lobby = this.#byName.get(name);
    const before = lobby?.withSteamId(steamId);
    if (before) {
      const mayReplace = this.#policy.secondJoin === 'replace' && proof === 'proven';
      if (before.presence.kind === 'away' || mayReplace) return this.#placeInsteadOf(before, entrant);
      const detail = `SteamID ${steamId} is already in the lobby, expected each once`;
      return { code: 'steam-id-in-use', detail };
    }
    if (!lobby && this.#policy.lobbies === 'by-admin') {
      return { code: 'lobby-unknown', detail: 'there is no such lobby, expected one that the operator made' };
    }
    if (!lobby && this.isFull) return { code: 'relay-full', detail: this.fullDetail };
    const { rights } = entrant;
    const listing = lobby ? lobby.placeFor(rights) : listingFor(rights, EMPTY, this.#newPlaces);
    if (!listing) return fullOf(lobby);
    if (this.#participants >= this.#limits.participants) {
      const detail = `${this.#participants} participants, expected at most ${this.#limits.participants}`;
      return { code: 'relay-full', detail };
    }
    return this.#shares.whyNot(entrant, lobby, listing) ?? listing;
  }

  /** The same for somebody who takes over their own place: for their address it may be one more. */
  #placeInsteadOf(before: Participant, entrant: Entrant): Listing | Refusal {
    const { address, lobby } = before;
    const listing = lobby.placeInsteadOf(before, entrant.rights);
    if (!listing) return fullOf(lobby);
    if (address === entrant.address) return listing;
    // A lobby ends with its last participant, and is made again.
    const isMadeAgain = lobby.size === 1 && lobby.plan === null;
    return this.#shares.whyNot(entrant, isMadeAgain ? undefined : lobby, listing) ?? listing;
  }

  /** Adds somebody in the place that `placeFor` returned, after whom they replace has left; makes the lobby if it is missing. */
  join(entrant: Entrant, listing: Listing, turn: Turn): Participant {
    const { lobby: name } = entrant;
    let lobby = this.#byName.get(name);
    if (!lobby) {
      lobby = this.open(name, null, turn);
      this.#shares.made(lobby, entrant);
    }
    const sanctioned = this.#sanctions.ofPlayer(name, entrant, turn.steadySeconds);
    const participant = lobby.join(entrant, listing, sanctioned, turn.now);
    this.#participants += 1;
    this.#shares.take(participant);
    return participant;
  }

  /** Removes a participant for good. Their lobby stays; calling `endEmpty` is up to the caller. */
  leave(participant: Participant, turn: Turn): void {
    this.#participants -= 1;
    this.#shares.free(participant);
    participant.lobby.leave(participant, turn);
  }

  get isFull(): boolean {
    return this.#byName.size >= this.#limits.lobbies;
  }

  get fullDetail(): string {
    return `${this.#byName.size} lobbies, expected at most ${this.#limits.lobbies}`;
  }

  /** Makes a lobby under a name that is free. */
  open(name: string, plan: LobbyPlan | null, turn: Turn): Lobby {
    const identity = { name, topic: `lobby/${this.#made}` };
    const lobby = new Lobby(identity, plan, this.#limits, this.#headcounts, this.hearing);
    this.#byName.set(name, lobby);
    this.#made += 1;
    turn.push({ kind: 'event', event: { kind: 'lobby-opened', lobby: name } });
    return lobby;
  }

  /** When a tick next has something to do; infinite when never. */
  get deadline(): Milliseconds {
    const { waiting, appliesNext } = this.hearing;
    return Math.min(this.#headcounts.deadline, waiting.size > 0 ? appliesNext : Number.POSITIVE_INFINITY);
  }

  tick(turn: Turn): void {
    this.#headcounts.tick(turn);
    applyWaiting(this.hearing, turn);
  }

  /** Of a lobby that somebody makes by joining. */
  get #newPlaces(): LobbyPlaces {
    const { participantsPerLobby, unlistedPerLobby, listenerPlacesPercent } = this.#limits;
    return { capacity: participantsPerLobby, mostUnlisted: unlistedPerLobby, listenerPlacesPercent };
  }

  /** Ends a lobby that is empty. One that an administrator made ends only `by-admin`. */
  endEmpty(lobby: Lobby, who: 'by-itself' | 'by-admin', turn: Turn): void {
    if (lobby.size > 0 || this.#byName.get(lobby.name) !== lobby) return;
    if (lobby.plan && who === 'by-itself') return;
    this.#byName.delete(lobby.name);
    this.#shares.ended(lobby);
    lobby.end();
    turn.push({ kind: 'event', event: { kind: 'lobby-closed', lobby: lobby.name } });
  }
}

function fullOf(lobby: Lobby | undefined): Refusal {
  const { size, capacity } = lobby ?? { size: 0, capacity: 0 };
  return { code: 'lobby-full', detail: `${size} participants, expected at most ${capacity} who are listed` };
}
