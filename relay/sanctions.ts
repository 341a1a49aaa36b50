/**
 * Who is muted, deafened or banned, by SteamID: it holds whoever the person is connected as, and whether they are there at all.
 * So nobody is rid of a mute by leaving, and nothing has to be carried along when they come back.
 *
 * Bounded: `limits.sanctions` people in lobbies, and of these a share in each lobby, so that no moderator fills the place of all. Every change comes out as a record to keep; records put back in make the same
 * state.
 */

/** What holds for one person in one lobby, or in all of them. Until when: seconds of unix time, `null` without an end. */
export interface Sanction {
  /** Null for every lobby. */
  readonly lobby: string | null;
  /** In decimal. */
  readonly steamId: string;
  readonly muted: Until;
  readonly deafened: Until;
  readonly banned: Until;
}

/** Not at all, until an instant in seconds of unix time, or for good. */
export type Until = 'not' | 'always' | number;

export type SanctionKind = 'muted' | 'deafened' | 'banned';

export const SANCTION_KINDS = ['muted', 'deafened', 'banned'] as const satisfies readonly SanctionKind[];

/** What holds for somebody in a lobby now. */
export type Sanctioned = Readonly<Record<SanctionKind, boolean>>;

/** What one lobby may take of all places. What is for all lobbies is the administrators', and may take all. */
const LOBBY_SHARE = 0.01;
const LOBBY_LEAST = 100;

export class Sanctions {
  readonly #most: number;
  readonly #mostInLobby: number;
  readonly #byKey = new Map<string, Sanction>();
  /** How many are in each lobby. */
  readonly #inLobby = new Map<string, number>();
  /** No sanction ends before this: when nothing can have ended, nobody has to look. */
  #endsNext = Number.POSITIVE_INFINITY;

  /** @param kept What was kept from before; beyond `most` the first are forgotten. */
  constructor(most: number, kept: Iterable<Sanction> = []) {
    this.#most = most;
    this.#mostInLobby = Math.max(LOBBY_LEAST, Math.floor(most * LOBBY_SHARE));
    for (const sanction of kept) {
      if (!isAnything(sanction)) continue;
      this.#put(sanction);
    }
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** All of them, as they are kept. */
  list(): readonly Sanction[] {
    return [...this.#byKey.values()];
  }

  /** What holds in this lobby at `unixSeconds`. */
  of(lobby: string, steamId: string, unixSeconds: number): Sanctioned {
    const here = this.#byKey.get(keyOf(lobby, steamId));
    const everywhere = this.#byKey.get(keyOf(null, steamId));
    const holds = (kind: SanctionKind) =>
      isOn(here?.[kind] ?? 'not', unixSeconds) || isOn(everywhere?.[kind] ?? 'not', unixSeconds);
    return { muted: holds('muted'), deafened: holds('deafened'), banned: holds('banned') };
  }

  /** Sets one kind. The record to keep, or `full` when there is room for no other person. */
  set(lobby: string | null, steamId: string, kind: SanctionKind, until: Until): Sanction | 'full' {
    const key = keyOf(lobby, steamId);
    const before = this.#byKey.get(key);
    const after: Sanction = { ...(before ?? none(lobby, steamId)), [kind]: until };
    if (!isAnything(after)) {
      this.#delete(key);
      return after;
    }
    if (!before && !this.#hasRoom(lobby)) return 'full';
    this.#put(after);
    return after;
  }

  /** Takes out what has ended by `unixSeconds`: the records as they are to be kept now. Mostly there is nothing to do. */
  expire(unixSeconds: number): readonly Sanction[] {
    if (unixSeconds < this.#endsNext) return [];
    this.#endsNext = Number.POSITIVE_INFINITY;
    const changed: Sanction[] = [];
    const hasEnded = (until: Until) => typeof until === 'number' && unixSeconds >= until;
    for (const [key, sanction] of this.#byKey) {
      // Voice waits meanwhile: nothing is made for those, nearly all, that hold on.
      if (!hasEnded(sanction.muted) && !hasEnded(sanction.deafened) && !hasEnded(sanction.banned)) {
        this.#noteEnds(sanction);
        continue;
      }
      const after = { ...sanction };
      for (const kind of SANCTION_KINDS) if (hasEnded(after[kind])) after[kind] = 'not';
      changed.push(after);
      if (isAnything(after)) this.#put(after);
      else this.#delete(key);
    }
    return changed;
  }

  #put(sanction: Sanction): void {
    const key = keyOf(sanction.lobby, sanction.steamId);
    if (!this.#byKey.has(key)) {
      if (this.#byKey.size >= this.#most) this.#delete(this.#byKey.keys().next().value!);
      const { lobby } = sanction;
      if (lobby !== null) this.#inLobby.set(lobby, (this.#inLobby.get(lobby) ?? 0) + 1);
    }
    this.#byKey.set(key, sanction);
    this.#noteEnds(sanction);
  }

  #hasRoom(lobby: string | null): boolean {
    if (this.#byKey.size >= this.#most) return false;
    return lobby === null || (this.#inLobby.get(lobby) ?? 0) < this.#mostInLobby;
  }

  #delete(key: string): void {
    const lobby = this.#byKey.get(key)?.lobby ?? null;
    if (!this.#byKey.delete(key) || lobby === null) return;
    const left = (this.#inLobby.get(lobby) ?? 1) - 1;
    if (left > 0) this.#inLobby.set(lobby, left);
    else this.#inLobby.delete(lobby);
  }

  #noteEnds(sanction: Sanction): void {
    for (const kind of SANCTION_KINDS) {
      const until = sanction[kind];
      if (typeof until === 'number') this.#endsNext = Math.min(this.#endsNext, until);
    }
  }
}

/** Whether any of it is set: a record without is one to forget. */
export function isAnything(sanction: Sanction): boolean {
  return SANCTION_KINDS.some((kind) => sanction[kind] !== 'not');
}

function isOn(until: Until, unixSeconds: number): boolean {
  return until === 'always' || (until !== 'not' && unixSeconds < until);
}

function none(lobby: string | null, steamId: string): Sanction {
  return { lobby, steamId, muted: 'not', deafened: 'not', banned: 'not' };
}

/** SteamIDs are digits alone, so that no lobby's name makes the key of another. */
function keyOf(lobby: string | null, steamId: string): string {
  return lobby === null ? steamId : `${steamId} ${lobby}`;
}
