/**
 * All lobbies of a relay, by name: made when somebody joins or by an administrator, gone with the last participant. Also decides
 * whether there is a place for one more.
 */

import type { Entrant } from '../joining/entrants.js';
import type { RelayPolicy } from '../joining/hello.js';
import type { RelayLimits } from '../limits.js';
import type { Refusal } from '../refusal.js';
import type { Sanctions } from '../sanctions.js';
import type { Turn } from '../turn.js';
import { Lobby, type LobbyPlan, type Participant } from './lobby.js';
import { type AddressShares, Shares } from './shares.js';

export class Lobbies {
  readonly #limits: RelayLimits;
  readonly #policy: RelayPolicy;
  readonly #sanctions: Sanctions;
  readonly #shares: Shares;
  readonly #byName = new Map<string, Lobby>();
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

  /** Why somebody may not join; null when they may. */
  whyNot(entrant: Entrant, unixSeconds: number): Refusal | null {
    const { steamId, lobby: name, proof } = entrant;
    if (this.#sanctions.ofPlayer(name, entrant, unixSeconds).banned) {
      return { code: 'banned', detail: 'you are banned from this lobby' };
    }
    const lobby = this.#byName.get(name);
    const before = lobby?.withSteamId(steamId);
    if (before) {
      const mayReplace = this.#policy.secondJoin === 'replace' && proof === 'proven';
      if (before.presence.kind === 'away' || mayReplace) return this.#whyNotInPlaceOf(before, entrant);
      const detail = `SteamID ${steamId} is already in the lobby, expected each once`;
      return { code: 'steam-id-in-use', detail };
    }
    if (!lobby && this.#policy.lobbies === 'by-admin') {
      return { code: 'lobby-unknown', detail: 'there is no such lobby, expected one that the operator made' };
    }
    if (!lobby && this.isFull) return { code: 'relay-full', detail: this.fullDetail };
    if (lobby && !lobby.hasRoomFor(entrant.rights)) {
      const detail = `${lobby.size} participants, expected at most ${lobby.capacity}`;
      return { code: 'lobby-full', detail };
    }
    if (this.#participants >= this.#limits.participants) {
      const detail = `${this.#participants} participants, expected at most ${this.#limits.participants}`;
      return { code: 'relay-full', detail };
    }
    return this.#shares.whyNot(entrant, lobby);
  }

  /** The same for somebody who takes over their own place: for their address it may be one more. */
  #whyNotInPlaceOf({ address, lobby }: Participant, entrant: Entrant): Refusal | null {
    if (address === entrant.address) return null;
    // A lobby ends with its last participant, and is made again.
    const isMadeAgain = lobby.size === 1 && lobby.plan === null;
    return this.#shares.whyNot(entrant, isMadeAgain ? undefined : lobby);
  }

  /** Adds somebody for whom `whyNot` is null and who is not in the lobby; makes the lobby if it is missing. */
  join(entrant: Entrant, turn: Turn): Participant {
    const { lobby: name } = entrant;
    let lobby = this.#byName.get(name);
    if (!lobby) {
      lobby = this.open(name, null, turn);
      this.#shares.made(lobby, entrant);
    }
    const sanctioned = this.#sanctions.ofPlayer(name, entrant, turn.steadySeconds);
    const participant = lobby.join(entrant, sanctioned, turn.now);
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
    const lobby = new Lobby(name, `lobby/${this.#made}`, this.#limits, plan);
    this.#byName.set(name, lobby);
    this.#made += 1;
    turn.push({ kind: 'event', event: { kind: 'lobby-opened', lobby: name } });
    return lobby;
  }

  /** Ends a lobby that is empty. One that an administrator made ends only `by-admin`. */
  endEmpty(lobby: Lobby, who: 'by-itself' | 'by-admin', turn: Turn): void {
    if (lobby.size > 0 || this.#byName.get(lobby.name) !== lobby) return;
    if (lobby.plan && who === 'by-itself') return;
    this.#byName.delete(lobby.name);
    this.#shares.ended(lobby);
    turn.push({ kind: 'event', event: { kind: 'lobby-closed', lobby: lobby.name } });
  }
}
