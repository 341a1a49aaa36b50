/**
 * Credentials that are good for one joining, and were used: by the id that their judge gave them.
 *
 * Bounded: when it is full, no other is taken until the oldest are old enough to be forgotten.
 */

import type { Milliseconds } from '../voice/units.js';

const MAX_IDS = 100_000;
/** Longer than Steam lets a web ticket be good for, and than any app ticket is taken. */
const REMEMBERED_MS = 86_400_000;

export class OnceIds {
  /** When each was used, the first used first. */
  readonly #usedAt = new Map<string, Milliseconds>();

  /** Whether somebody may join with it. */
  judge(id: string, now: Milliseconds): 'new' | 'used' | 'full' {
    for (const [oldest, usedAt] of this.#usedAt) {
      if (now - usedAt < REMEMBERED_MS) break;
      this.#usedAt.delete(oldest);
    }
    if (this.#usedAt.has(id)) return 'used';
    return this.#usedAt.size >= MAX_IDS ? 'full' : 'new';
  }

  /** Somebody joined with it: nobody else will. */
  use(id: string, now: Milliseconds): void {
    this.#usedAt.set(id, now);
  }
}
