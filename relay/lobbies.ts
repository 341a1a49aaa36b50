/**
 * All lobbies of a relay: by name, made when somebody joins or an administrator wants one, gone with the last who is in. And
 * whether there is room for one more.
 */

import type { RefusalCode } from '../voice/control_codes.js';
import type { Rights } from './credential.js';
import type { RelayPolicy } from './hello.js';
import type { RelayLimits } from './limits.js';
import { Lobby, type LobbyPlan } from './lobby.js';
import type { Participant } from './participant.js';
import type { Sanctions } from './sanctions.js';
import type { Turn } from './turn.js';

/** Who is about to join. */
export interface Entrant {
  readonly steamId: string;
  readonly kind: Participant['kind'];
  readonly name: string;
  readonly lobby: string;
  readonly rights: Rights;
  /** Infinite without an end. */
  readonly expiresAt: number;
  /** Whether the SteamID is shown to be theirs. */
  readonly proof: 'proven' | 'unproven';
  readonly ownerSteamId: string | null;
}

export interface Refusal {
  readonly code: RefusalCode;
  readonly detail: string;
}

export class Lobbies {
  readonly #limits: RelayLimits;
  readonly #policy: RelayPolicy;
  readonly #sanctions: Sanctions;
  readonly #byName = new Map<string, Lobby>();
  #made = 0;

  constructor(limits: RelayLimits, policy: RelayPolicy, sanctions: Sanctions) {
    this.#limits = limits;
    this.#policy = policy;
    this.#sanctions = sanctions;
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

  /** Who is there with this SteamID, in one lobby or, with null, in all of them. */
  found(name: string | null, steamId: string): readonly Participant[] {
    const lobbies = name === null ? this.#byName.values() : [this.#byName.get(name)];
    const found: Participant[] = [];
    for (const lobby of lobbies) {
      const participant = lobby?.withSteamId(steamId);
      if (participant) found.push(participant);
    }
    return found;
  }

  /**
   * Why somebody may not join; null when they may.
   *
   * @param participants In all lobbies.
   */
  whyNot(
    { steamId, lobby: name, proof, ownerSteamId }: Entrant,
    participants: number,
    unixSeconds: number,
  ): Refusal | null {
    for (const id of ownerSteamId === null ? [steamId] : [steamId, ownerSteamId]) {
      if (this.#sanctions.of(name, id, unixSeconds).banned) {
        return { code: 'banned', detail: 'you are banned from this lobby' };
      }
    }
    const lobby = this.#byName.get(name);
    const before = lobby?.withSteamId(steamId);
    if (before) {
      const mayReplace = this.#policy.secondJoin === 'replace' && proof === 'proven';
      if (before.connection === null || mayReplace) return null;
      const detail = `SteamID ${steamId} is in the lobby already, wants each once`;
      return { code: 'steam-id-in-use', detail };
    }
    if (!lobby && this.#policy.lobbies === 'by-admin') {
      return { code: 'lobby-unknown', detail: 'there is no such lobby, wants one that the operator made' };
    }
    if (!lobby && this.isFull) return { code: 'relay-full', detail: this.fullDetail };
    if (lobby && lobby.size >= lobby.capacity) {
      return { code: 'lobby-full', detail: `${lobby.size} participants, wants at most ${lobby.capacity}` };
    }
    if (participants >= this.#limits.participants) {
      const detail = `${participants} participants, wants at most ${this.#limits.participants}`;
      return { code: 'relay-full', detail };
    }
    return null;
  }

  get isFull(): boolean {
    return this.#byName.size >= this.#limits.lobbies;
  }

  get fullDetail(): string {
    return `${this.#byName.size} lobbies, wants at most ${this.#limits.lobbies}`;
  }

  /** The lobby of this name, which is made where it is missing. */
  obtain(name: string, turn: Turn): Lobby {
    return this.#byName.get(name) ?? this.open(name, null, turn);
  }

  /** Makes a lobby of a name that is free. */
  open(name: string, plan: LobbyPlan | null, turn: Turn): Lobby {
    const lobby = new Lobby(name, `lobby/${this.#made}`, this.#limits, plan);
    this.#byName.set(name, lobby);
    this.#made += 1;
    turn.push({ kind: 'event', event: { kind: 'lobby-opened', lobby: name } });
    return lobby;
  }

  /** A lobby that nobody is in ends, unless an administrator made it and does not end it now. */
  endEmpty(lobby: Lobby, who: 'by-itself' | 'by-admin', turn: Turn): void {
    if (lobby.size > 0 || this.#byName.get(lobby.name) !== lobby) return;
    if (lobby.plan && who === 'by-itself') return;
    this.#byName.delete(lobby.name);
    turn.push({ kind: 'event', event: { kind: 'lobby-closed', lobby: lobby.name } });
  }
}
