/**
 * Who is muted, deafened or banned, by SteamID: independent of connections, and of whether the person is there at all. So nobody escapes
 * a mute by leaving, and nothing has to be carried over when they return.
 *
 * A sanction that has ended no longer applies. It is forgotten after another day of running: by then a wrong clock has been set right,
 * and a sanction that it ended too early applies again.
 *
 * Bounded: `limits.sanctions` records, one per person and lobby. Records that have ended are dropped first. Moderators may use nine tenths
 * of them, with a small share per moderator and per lobby; the rest is for administrators. Every change is output as a record to keep, and
 * the same state can be restored from those records.
 */

import type { Milliseconds } from '../../voice/units.js';
import { Tally } from './tally.js';

/** The sanctions of one person in one lobby, or in all of them. */
export interface Sanction {
  /** Null for every lobby. */
  readonly lobby: string | null;
  /** In decimal. */
  readonly steamId: string;
  readonly muted: Until;
  readonly deafened: Until;
  readonly banned: Until;
  /** Whose share it counts for: a moderator's SteamID in decimal, or `admin`. Null in records of older relays. */
  readonly by: string | null;
}

/** Not at all, until an instant in seconds of unix time, or for good. */
export type Until = 'not' | 'always' | number;

/** What a moderator can do to a SteamID for a time. */
export type SanctionKind = 'muted' | 'deafened' | 'banned';

export const SANCTION_KINDS = ['muted', 'deafened', 'banned'] as const satisfies readonly SanctionKind[];

/** Which sanctions apply to somebody in a lobby now. */
export type Sanctioned = Readonly<Record<SanctionKind, boolean>>;

/** Set by an administrator. */
export const BY_ADMIN = 'admin';

/** The share of the records that all moderators together may use. */
const MODERATORS_SHARE = 0.9;
/** The share per moderator, and per lobby: `ONE_SHARE` but at least `ONE_LEAST` records, and never more than `ONE_MOST_SHARE`. */
const ONE_SHARE = 0.01;
const ONE_LEAST = 100;
const ONE_MOST_SHARE = 0.1;

/** How often to look whether the machine's clock was set back, so that ended sanctions apply again. */
const CLOCK_LOOK_MS: Milliseconds = 10_000;
/** Unix time is in whole seconds: within the last one of a sanction, how often to look whether it is over. */
const LAST_SECOND_LOOK_MS: Milliseconds = 100;
/** How long a sanction is remembered after it has ended. */
const FORGOTTEN_AFTER_MS: Milliseconds = 86_400_000;
/** How many are forgotten per call at most: voice waits during the call. */
const FORGOTTEN_AT_ONCE = 1000;

export interface SanctionCounts {
  /** People who are muted, deafened or banned somewhere. */
  readonly sanctions: number;
  /** How many of those were sanctioned by moderators. */
  readonly sanctionsByModerators: number;
  /** The maximum of both. */
  readonly sanctionsMost: number;
  readonly sanctionsByModeratorsMost: number;
}

/** The result of `set`: records to keep, or why no further person can be sanctioned. */
export type SetSanction =
  | { readonly kind: 'set'; readonly keep: readonly Sanction[] }
  | { readonly kind: 'full'; readonly detail: string };

/** What has changed with time. */
export interface Expired {
  /** The SteamIDs for whom a sanction has ended; `everybody` when the clock went back, so that ended sanctions may apply again. */
  readonly changed: ReadonlySet<string> | 'everybody';
  /** Records to keep: those of the sanctions forgotten now. */
  readonly keep: readonly Sanction[];
}

export class Sanctions {
  readonly #most: number;
  readonly #mostByModerators: number;
  readonly #mostOfOne: number;
  readonly #byKey = new Map<string, Sanction>();
  /** The ones among those that have ended, and since when; the longest ended first. */
  readonly #ended = new Map<string, Milliseconds>();
  /** How many sanctions of moderators apply, by lobby and by moderator. */
  readonly #inLobby = new Tally<string>();
  readonly #byModerator = new Tally<string>();
  #byModerators = 0;
  /** When `expire` was last called, by both clocks. */
  #lookedAt = Number.NEGATIVE_INFINITY;
  #lookedAtMs: Milliseconds = 0;
  /** No sanction ends before this: until then there is nothing to search for. */
  #endsNext = Number.POSITIVE_INFINITY;

  /** @param kept Records from before; of more than `most`, the first are forgotten. */
  constructor(most: number, kept: Iterable<Sanction> = []) {
    this.#most = most;
    this.#mostByModerators = Math.floor(most * MODERATORS_SHARE);
    const one = Math.max(ONE_LEAST, Math.floor(most * ONE_SHARE));
    this.#mostOfOne = Math.max(1, Math.min(one, Math.floor(most * ONE_MOST_SHARE)));
    for (const sanction of kept) {
      if (!isAnything(sanction)) continue;
      const key = keyOf(sanction.lobby, sanction.steamId);
      if (!this.#byKey.has(key) && this.#byKey.size >= most) this.#delete(this.#byKey.keys().next().value!);
      this.#put(key, sanction);
    }
  }

  /** How many records apply. */
  get size(): number {
    return this.#byKey.size - this.#ended.size;
  }

  counts(): SanctionCounts {
    return {
      sanctions: this.size,
      sanctionsByModerators: this.#byModerators,
      sanctionsMost: this.#most,
      sanctionsByModeratorsMost: this.#mostByModerators,
    };
  }

  /** All that applied at the last `expire`. */
  list(): readonly Sanction[] {
    return [...this.#byKey.values()].map((it) => lasting(it, this.#lookedAt)).filter(isAnything);
  }

  /** Which sanctions apply to this SteamID in this lobby at `unixSeconds`. */
  of(lobby: string, steamId: string, unixSeconds: number): Sanctioned {
    const here = this.#byKey.get(keyOf(lobby, steamId));
    const everywhere = this.#byKey.get(keyOf(null, steamId));
    const holds = (kind: SanctionKind) =>
      isOn(here?.[kind] ?? 'not', unixSeconds) || isOn(everywhere?.[kind] ?? 'not', unixSeconds);
    return { muted: holds('muted'), deafened: holds('deafened'), banned: holds('banned') };
  }

  /** The same for a player, including the sanctions of the account that owns their game. */
  ofPlayer(
    lobby: string,
    { steamId, ownerSteamId }: { readonly steamId: string; readonly ownerSteamId: string | null },
    unixSeconds: number,
  ): Sanctioned {
    const own = this.of(lobby, steamId, unixSeconds);
    if (ownerSteamId === null) return own;
    const owners = this.of(lobby, ownerSteamId, unixSeconds);
    return {
      muted: own.muted || owners.muted,
      deafened: own.deafened || owners.deafened,
      banned: own.banned || owners.banned,
    };
  }

  /**
   * Sets one kind.
   *
   * @param by A moderator's SteamID in decimal, or `BY_ADMIN`. A record that an administrator changes counts for administrators from then on.
   */
  set(lobby: string | null, steamId: string, kind: SanctionKind, until: Until, by: string): SetSanction {
    const key = keyOf(lobby, steamId);
    const before = this.#byKey.get(key);
    const counted = before && !this.#ended.has(key) ? before : null;
    const owner = counted && by !== BY_ADMIN ? counted.by : by;
    const after: Sanction = { ...(before ?? none(lobby, steamId)), by: owner, [kind]: until };
    if (!isAnything(after)) {
      this.#delete(key);
      return { kind: 'set', keep: [after] };
    }
    if (until === 'not') {
      if (counted) {
        this.#put(key, after);
        // The remaining kinds may have ended long ago.
        this.#judge(key, after, this.#lookedAt, this.#lookedAtMs);
      } else {
        this.#byKey.set(key, after);
      }
      return { kind: 'set', keep: [after] };
    }
    const detail = counted ? null : this.#whyFull(lobby, by);
    if (detail !== null) return { kind: 'full', detail };
    const keep = [after];
    if (!before && this.#byKey.size >= this.#most) keep.unshift(this.#forgetOldest());
    this.#put(key, after);
    return { kind: 'set', keep };
  }

  /** When `expire` next may have something to do, as long as both clocks go alike; infinite when never. */
  get deadline(): Milliseconds {
    if (this.#byKey.size === 0) return Number.POSITIVE_INFINITY;
    if (this.#lookedAt === Number.NEGATIVE_INFINITY) return Number.NEGATIVE_INFINITY;
    let inMs = Math.min(CLOCK_LOOK_MS, (this.#endsNext - this.#lookedAt - 1) * 1000);
    for (const [, since] of this.#ended) {
      inMs = Math.min(inMs, since + FORGOTTEN_AFTER_MS - this.#lookedAtMs);
      break;
    }
    return this.#lookedAtMs + Math.max(inMs, LAST_SECOND_LOOK_MS);
  }

  /** Time has passed, or the clock went back. Usually there is nothing to do. */
  expire(unixSeconds: number, now: Milliseconds): Expired {
    const keep = this.#forget(now);
    this.#lookedAtMs = now;
    if (unixSeconds < this.#lookedAt) {
      this.#lookedAt = unixSeconds;
      this.#lookAgain(unixSeconds, now);
      return { changed: 'everybody', keep };
    }
    const lookedAt = this.#lookedAt;
    this.#lookedAt = unixSeconds;
    if (unixSeconds < this.#endsNext) return { changed: NOBODY, keep };
    const changed = new Set<string>();
    this.#endsNext = Number.POSITIVE_INFINITY;
    for (const [key, sanction] of this.#byKey) {
      if (this.#ended.has(key)) continue;
      // Most have not ended: nothing is allocated for those.
      if (hasEnded(sanction, lookedAt, unixSeconds)) changed.add(sanction.steamId);
      this.#judge(key, sanction, unixSeconds, now);
    }
    return { changed, keep };
  }

  /** Decides again for all records whether they apply at this time. */
  #lookAgain(unixSeconds: number, now: Milliseconds): void {
    this.#endsNext = Number.POSITIVE_INFINITY;
    for (const [key, sanction] of this.#byKey) {
      if (this.#ended.has(key)) {
        if (!holdsAny(sanction, unixSeconds)) continue;
        this.#ended.delete(key);
        this.#count(sanction);
      }
      this.#judge(key, sanction, unixSeconds, now);
    }
  }

  /** A record that was counted: still applies, or has ended. */
  #judge(key: string, sanction: Sanction, unixSeconds: number, now: Milliseconds): void {
    if (holdsAny(sanction, unixSeconds)) {
      this.#noteEnds(sanction, unixSeconds);
      return;
    }
    this.#uncount(sanction);
    this.#ended.set(key, now);
  }

  #forget(now: Milliseconds): readonly Sanction[] {
    const keep: Sanction[] = [];
    for (const [, since] of this.#ended) {
      if (now - since < FORGOTTEN_AFTER_MS || keep.length >= FORGOTTEN_AT_ONCE) break;
      keep.push(this.#forgetOldest());
    }
    return keep;
  }

  /** Forgets the one that ended first. There must be one. */
  #forgetOldest(): Sanction {
    const [key] = this.#ended.keys();
    const sanction = this.#byKey.get(key!)!;
    this.#delete(key!);
    return none(sanction.lobby, sanction.steamId);
  }

  #put(key: string, sanction: Sanction): void {
    const before = this.#byKey.get(key);
    if (before && !this.#ended.delete(key)) this.#uncount(before);
    this.#byKey.set(key, sanction);
    this.#count(sanction);
    this.#noteEnds(sanction, this.#lookedAt);
  }

  #delete(key: string): void {
    const sanction = this.#byKey.get(key);
    if (!sanction) return;
    if (!this.#ended.delete(key)) this.#uncount(sanction);
    this.#byKey.delete(key);
  }

  #whyFull(lobby: string | null, by: string): string | null {
    const full = (count: number, most: number, whose: string) =>
      count < most ? null : `${whose} ${count} people under sanctions, expected at most ${most}`;
    const all = full(this.size, this.#most, 'the relay has');
    if (all !== null || by === BY_ADMIN) return all;
    return (
      full(this.#byModerator.of(by), this.#mostOfOne, 'you have') ??
      (lobby === null ? null : full(this.#inLobby.of(lobby), this.#mostOfOne, 'the lobby has')) ??
      full(this.#byModerators, this.#mostByModerators, 'moderators have')
    );
  }

  #count({ lobby, by }: Sanction): void {
    if (!isModerators(lobby, by)) return;
    this.#byModerators += 1;
    if (lobby !== null) this.#inLobby.add(lobby);
    if (by !== null) this.#byModerator.add(by);
  }

  #uncount({ lobby, by }: Sanction): void {
    if (!isModerators(lobby, by)) return;
    this.#byModerators -= 1;
    if (lobby !== null) this.#inLobby.remove(lobby);
    if (by !== null) this.#byModerator.remove(by);
  }

  /** Notes when it ends next; what had ended by `unixSeconds` was reported before. */
  #noteEnds(sanction: Sanction, unixSeconds: number): void {
    for (const kind of SANCTION_KINDS) {
      const until = sanction[kind];
      if (typeof until === 'number' && until > unixSeconds) this.#endsNext = Math.min(this.#endsNext, until);
    }
  }
}

const NOBODY: ReadonlySet<string> = new Set();

/** Whether any kind is set: a record without any is to be deleted. */
export function isAnything(sanction: Sanction): boolean {
  return SANCTION_KINDS.some((kind) => sanction[kind] !== 'not');
}

/** Whether any kind applies at `unixSeconds`. */
export function holdsAny(sanction: Sanction, unixSeconds: number): boolean {
  return SANCTION_KINDS.some((kind) => isOn(sanction[kind], unixSeconds));
}

/** Whether any kind applied at the first instant and no longer does at the second. */
function hasEnded(sanction: Sanction, from: number, to: number): boolean {
  return SANCTION_KINDS.some((kind) => isOn(sanction[kind], from) && !isOn(sanction[kind], to));
}

function isOn(until: Until, unixSeconds: number): boolean {
  return until === 'always' || (until !== 'not' && unixSeconds < until);
}

/** The same without the kinds that have ended. */
function lasting(sanction: Sanction, unixSeconds: number): Sanction {
  const left = (until: Until) => (isOn(until, unixSeconds) ? until : 'not');
  const { muted, deafened, banned } = sanction;
  return { ...sanction, muted: left(muted), deafened: left(deafened), banned: left(banned) };
}

/** Records of older relays count for moderators when they are for one lobby. */
function isModerators(lobby: string | null, by: string | null): boolean {
  return by === null ? lobby !== null : by !== BY_ADMIN;
}

function none(lobby: string | null, steamId: string): Sanction {
  return { lobby, steamId, muted: 'not', deafened: 'not', banned: 'not', by: null };
}

/** A SteamID has only digits, so a lobby's name cannot make two keys equal. */
function keyOf(lobby: string | null, steamId: string): string {
  return lobby === null ? steamId : `${steamId} ${lobby}`;
}
