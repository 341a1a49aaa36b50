/**
 * The used ones among credentials that may be used once, by the id that their judge gave them.
 *
 * Bounded in total and per person, so that nobody can keep others out by joining again and again. When it is full, no more are accepted
 * until the oldest are old enough to be forgotten.
 */

import type { Milliseconds } from '../../../voice/units.js';

const MAX_IDS = 1_000_000;
/** Per person. */
const MAX_OWN_IDS = 1000;
/** Longer than a web ticket is valid at Steam, and than any app ticket is accepted. */
const REMEMBERED_MS = 86_400_000;

export class OnceIds {
  /** When each was used and by whom, the first used first. */
  readonly #used = new Map<string, { readonly at: Milliseconds; readonly steamId: string }>();
  /** How many of those each person has used. */
  readonly #own = new Map<string, number>();
  readonly #most: number;

  constructor(most = MAX_IDS) {
    this.#most = most;
  }

  /** Whether a person may join with all of these. */
  judge(ids: readonly string[], steamId: string, now: Milliseconds): 'new' | 'used' | 'full' {
    for (const [oldest, used] of this.#used) {
      if (now - used.at < REMEMBERED_MS) break;
      this.#used.delete(oldest);
      const left = (this.#own.get(used.steamId) ?? 1) - 1;
      if (left > 0) this.#own.set(used.steamId, left);
      else this.#own.delete(used.steamId);
    }
    if (ids.some((id) => this.#used.has(id))) return 'used';
    const isFull =
      this.#used.size + ids.length > this.#most || (this.#own.get(steamId) ?? 0) + ids.length > MAX_OWN_IDS;
    return isFull && ids.length > 0 ? 'full' : 'new';
  }

  /** Marks these, which were new, as used. */
  use(ids: readonly string[], steamId: string, now: Milliseconds): void {
    for (const id of ids) this.#used.set(id, { at: now, steamId });
    if (ids.length > 0) this.#own.set(steamId, (this.#own.get(steamId) ?? 0) + ids.length);
  }
}
