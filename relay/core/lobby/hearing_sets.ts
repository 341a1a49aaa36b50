/**
 * The hearing sets of a lobby, by the listener's SteamID: they exist before their listener comes and after they have left, and end with the
 * lobby.
 *
 * Each listener's set changes ten times per second by default. What comes faster waits, the latest only, and is applied with a tick: a game
 * that updates a little too often loses nothing but what it replaced itself.
 *
 * Bounded: `MAX_HEARD` people per set; `hearingPerLobby` and `hearing` people in all sets, each set counting as one more. When there is
 * no room, the sets of listeners who are not in the lobby are forgotten, the longest absent first.
 */

import type { HearingUpdate } from '../../../voice/control.js';
import { TokenBucket } from '../../../voice/token_bucket.js';
import type { Milliseconds } from '../../../voice/units.js';
import type { RelayLimits } from '../limits.js';
import type { Failure } from '../refusal.js';
import type { Turn } from '../turn.js';
import { changeHeard, linkListener, linkSpeaker, type People, unlink } from './hearing.js';
import type { Member } from './member.js';
import type { Roster } from './roster.js';

/** What all lobbies together use. */
export interface HearingUse {
  sets: number;
  /** People in sets, and one for each set. */
  entries: number;
  /** Lobbies in which a set waits for its rate. */
  readonly waiting: Set<HearingSets>;
  /** No waiting set may be applied before this. */
  appliesNext: Milliseconds;
}

export function noHearing(): HearingUse {
  return { sets: 0, entries: 0, waiting: new Set(), appliesNext: Number.POSITIVE_INFINITY };
}

/** Applies what waits in all lobbies, as far as the rates allow. */
export function applyWaiting(use: HearingUse, turn: Turn): void {
  if (turn.now < use.appliesNext) return;
  use.appliesNext = Number.POSITIVE_INFINITY;
  for (const sets of use.waiting) sets.tick(turn);
}

type HearingLimits = Pick<RelayLimits, 'hearing' | 'hearingPerLobby' | 'hearingPerSecond' | 'hearingBurst'>;

interface HearingSet {
  readonly listener: string;
  people: People;
  /** To be applied with a tick; undefined when nothing waits. */
  waiting: People | undefined;
  readonly changes: TokenBucket;
}

export class HearingSets {
  readonly #roster: Roster;
  readonly #limits: HearingLimits;
  /** Of all lobbies. */
  readonly #use: HearingUse;
  readonly #sets = new Map<string, HearingSet>();
  /** The ones among those whose listener is not in the lobby; the longest absent first. */
  readonly #absent = new Set<HearingSet>();
  readonly #waiting = new Set<HearingSet>();
  #entries = 0;
  #absentEntries = 0;

  constructor(roster: Roster, limits: HearingLimits, use: HearingUse) {
    this.#roster = roster;
    this.#limits = limits;
    this.#use = use;
  }

  /** Changes these sets, all of them or, when there is no room, none. Slots that nobody has are left out. */
  update(updates: readonly HearingUpdate[], turn: Turn): Failure | null {
    const wanted = new Map<string, People>();
    for (const { listener, hears } of updates) {
      const steamId = this.#steamIdOf(listener);
      if (steamId !== undefined) wanted.set(steamId, hears && this.#peopleOf(hears));
    }
    const failure = this.#makeRoom(wanted, turn.now);
    if (failure) return failure;
    for (const [listener, people] of wanted) this.#set(listener, people, turn);
    return null;
  }

  /** Applies what waits, as far as the rate allows. */
  tick(turn: Turn): void {
    for (const set of this.#waiting) {
      if (set.waiting === undefined) continue;
      if (set.changes.readyAt(1, turn.now) > turn.now) this.#wait(set, turn);
      else this.#apply(set, set.waiting, turn);
    }
  }

  #wait(set: HearingSet, { now }: Turn): void {
    this.#waiting.add(set);
    this.#use.waiting.add(this);
    this.#use.appliesNext = Math.min(this.#use.appliesNext, set.changes.readyAt(1, now));
  }

  #waitNoMore(set: HearingSet): void {
    this.#waiting.delete(set);
    if (this.#waiting.size === 0) this.#use.waiting.delete(this);
  }

  /** They are in the lobby. Subscriptions and messages are up to the caller. */
  join(member: Member): void {
    const set = this.#sets.get(member.steamId);
    if (!set) return;
    if (this.#absent.delete(set)) this.#absentEntries -= entriesOf(set);
    linkListener(this.#roster, member, set.people);
  }

  /** Everyone knows of them: those in whose set they are hear them from now on. */
  introduce(member: Member, turn: Turn): void {
    linkSpeaker(this.#roster, member, ({ steamId }) => this.#sets.get(steamId)?.people ?? null, turn);
  }

  /** They have left the lobby. A guest does not come back. */
  leave(member: Member, turn: Turn): void {
    unlink(member, turn);
    const set = this.#sets.get(member.steamId);
    if (!set) return;
    if (member.kind === 'guest' || (set.waiting === undefined && set.people === null)) {
      this.#forget(set);
      return;
    }
    this.#absent.add(set);
    this.#absentEntries += entriesOf(set);
  }

  /** The lobby has ended. */
  end(): void {
    for (const set of [...this.#sets.values()]) this.#forget(set);
  }

  #set(listener: string, people: People, turn: Turn): void {
    let set = this.#sets.get(listener);
    if (!set) {
      if (people === null) return;
      const { hearingPerSecond, hearingBurst } = this.#limits;
      set = {
        listener,
        people: null,
        waiting: undefined,
        changes: new TokenBucket(hearingPerSecond, hearingBurst, turn.now),
      };
      this.#sets.set(listener, set);
      this.#use.sets += 1;
      this.#count(set, 1);
      if (!this.#roster.withSteamId(listener)) {
        this.#absent.add(set);
        this.#absentEntries += 1;
      }
    }
    if (set.changes.has(1, turn.now)) {
      this.#apply(set, people, turn);
      return;
    }
    this.#resize(set, () => {
      set.waiting = people;
    });
    this.#wait(set, turn);
  }

  #apply(set: HearingSet, people: People, turn: Turn): void {
    set.changes.take(1);
    const before = set.people;
    this.#resize(set, () => {
      set.people = people;
      set.waiting = undefined;
    });
    this.#waitNoMore(set);
    const listener = this.#roster.withSteamId(set.listener);
    if (listener) changeHeard(this.#roster, listener, before, people, turn);
    else if (people === null) this.#forget(set);
  }

  #makeRoom(wanted: ReadonlyMap<string, People>, now: Milliseconds): Failure | null {
    const { hearing, hearingPerLobby } = this.#limits;
    let more = 0;
    let free = this.#absentEntries;
    for (const [listener, people] of wanted) {
      const set = this.#sets.get(listener);
      const after = 1 + (people?.size ?? 0) + (set && !set.changes.has(1, now) ? sizeOf(set.people) : 0);
      more += Math.max(0, after - (set ? entriesOf(set) : 0));
      if (set && this.#absent.has(set)) free -= entriesOf(set);
    }
    const excess = () => Math.max(this.#entries + more - hearingPerLobby, this.#use.entries + more - hearing);
    if (excess() <= 0) return null;
    if (excess() > free) {
      const detail = `${this.#entries} people in hearing sets here, ${this.#use.entries} in all lobbies`;
      return {
        code: 'hearing-full',
        detail: `${detail}, expected at most ${hearingPerLobby} and ${hearing} with these sets`,
      };
    }
    for (const set of this.#absent) {
      if (excess() <= 0) break;
      if (!wanted.has(set.listener)) this.#forget(set);
    }
    return null;
  }

  #forget(set: HearingSet): void {
    if (this.#absent.delete(set)) this.#absentEntries -= entriesOf(set);
    this.#count(set, -1);
    this.#use.sets -= 1;
    this.#sets.delete(set.listener);
    this.#waitNoMore(set);
  }

  #resize(set: HearingSet, change: () => void): void {
    const before = entriesOf(set);
    change();
    const by = entriesOf(set) - before;
    this.#entries += by;
    this.#use.entries += by;
    if (this.#absent.has(set)) this.#absentEntries += by;
  }

  #count(set: HearingSet, by: 1 | -1): void {
    this.#entries += by * entriesOf(set);
    this.#use.entries += by * entriesOf(set);
  }

  #peopleOf(people: readonly (string | number)[]): ReadonlySet<string> {
    const steamIds = new Set<string>();
    for (const person of people) {
      const steamId = this.#steamIdOf(person);
      if (steamId !== undefined) steamIds.add(steamId);
    }
    return steamIds;
  }

  /** Where they are in the lobby, the lobby's own text: that of a request would be kept beside it. */
  #steamIdOf(person: string | number): string | undefined {
    if (typeof person === 'number') return this.#roster.withSlot(person)?.steamId;
    return this.#roster.withSteamId(person)?.steamId ?? person;
  }
}

function entriesOf({ people, waiting }: HearingSet): number {
  return 1 + sizeOf(people) + sizeOf(waiting);
}

function sizeOf(people: People | undefined): number {
  return people?.size ?? 0;
}
