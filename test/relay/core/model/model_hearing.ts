/** The hearing sets of a lobby, as plainly as possible: who may be heard by whom, and what waits for its turn. */

import type { RelayLimits } from '../../../../relay/core/limits.js';

/** SteamIDs; null: everyone. */
export type ModelPeople = ReadonlySet<string> | null;

interface ModelSet {
  people: ModelPeople;
  /** Undefined when nothing waits. */
  waiting: ModelPeople | undefined;
  /** The budget at `at` for changes, in ms: it fills with time, and each change costs a second divided by the rate. */
  budget: number;
  at: number;
  /** Since the how many-th time that a listener left, or was named before they came; null while they are there. */
  absentSince: number | null;
}

export class ModelHearing {
  readonly sets = new Map<string, ModelSet>();
  readonly #limits: RelayLimits;
  /** In this lobby. */
  readonly #isIn: (steamId: string) => boolean;
  #absences = 0;

  constructor(limits: RelayLimits, isIn: (steamId: string) => boolean) {
    this.#limits = limits;
    this.#isIn = isIn;
  }

  of(listener: string): ModelPeople {
    return this.sets.get(listener)?.people ?? null;
  }

  /** Whether a change waits for its turn. */
  get waits(): boolean {
    return [...this.sets.values()].some(({ waiting }) => waiting !== undefined);
  }

  get entries(): number {
    return [...this.sets.values()].reduce((sum, set) => sum + entriesOf(set), 0);
  }

  /** @param elsewhere What the sets of all other lobbies take. */
  update(wanted: ReadonlyMap<string, ModelPeople>, now: number, elsewhere: number): 'hearing-full' | null {
    const { hearing, hearingPerLobby } = this.#limits;
    let more = 0;
    for (const [listener, people] of wanted) {
      const set = this.sets.get(listener);
      const kept = set && !this.#mayChange(set, now) ? sizeOf(set.people) : 0;
      more += Math.max(0, 1 + sizeOf(people) + kept - (set ? entriesOf(set) : 0));
    }
    const absent = [...this.sets]
      .filter(([listener, { absentSince }]) => absentSince !== null && !wanted.has(listener))
      .sort(([, one], [, other]) => one.absentSince! - other.absentSince!);
    const room = Math.min(hearingPerLobby, hearing - elsewhere);
    const free = absent.reduce((sum, [, set]) => sum + entriesOf(set), 0);
    if (this.entries + more - free > room) return 'hearing-full';
    for (const [listener] of absent) if (this.entries + more > room) this.sets.delete(listener);
    for (const [listener, people] of wanted) this.#set(listener, people, now);
    return null;
  }

  joined(steamId: string): void {
    const set = this.sets.get(steamId);
    if (set) set.absentSince = null;
  }

  left(steamId: string, kind: 'player' | 'guest'): void {
    const set = this.sets.get(steamId);
    if (!set) return;
    set.absentSince = this.#absences++;
    if (kind === 'guest' || (set.people === null && set.waiting === undefined)) this.sets.delete(steamId);
  }

  pass(now: number): void {
    for (const [listener, set] of [...this.sets]) {
      if (set.waiting !== undefined && this.#mayChange(set, now)) this.#apply(listener, set, set.waiting);
    }
  }

  #set(listener: string, people: ModelPeople, now: number): void {
    let set = this.sets.get(listener);
    if (!set) {
      if (people === null) return;
      const absentSince = this.#isIn(listener) ? null : this.#absences++;
      const budget = this.#limits.hearingBurst * this.#costMs;
      set = { people: null, waiting: undefined, budget, at: now, absentSince };
      this.sets.set(listener, set);
    }
    if (this.#mayChange(set, now)) this.#apply(listener, set, people);
    else set.waiting = people;
  }

  #apply(listener: string, set: ModelSet, people: ModelPeople): void {
    set.budget -= this.#costMs;
    set.people = people;
    set.waiting = undefined;
    if (people === null && set.absentSince !== null) this.sets.delete(listener);
  }

  #mayChange(set: ModelSet, now: number): boolean {
    const { hearingBurst } = this.#limits;
    set.budget = Math.min(hearingBurst * this.#costMs, set.budget + now - set.at);
    set.at = now;
    return set.budget >= this.#costMs;
  }

  get #costMs(): number {
    return 1000 / this.#limits.hearingPerSecond;
  }
}

function entriesOf({ people, waiting }: ModelSet): number {
  return 1 + sizeOf(people) + sizeOf(waiting);
}

function sizeOf(people: ModelPeople | undefined): number {
  return people?.size ?? 0;
}
