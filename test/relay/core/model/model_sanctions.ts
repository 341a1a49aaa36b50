/** The sanctions of the model: who is muted, deafened or banned until when, and who set it. */

import { SANCTION_KINDS, type SanctionKind, type Until } from '../../../../relay/core/sanctions.js';
import type { FailureCode } from '../../../../voice/control_codes.js';
import { keyOf, type ModelSanction } from './model_state.js';

export class ModelSanctions {
  readonly byKey = new Map<string, ModelSanction>();
  /** Who set each of them, and in which lobby. */
  readonly setBy = new Map<string, { lobby: string | null; by: string }>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  holds(kind: SanctionKind, lobby: string, steamId: string, unixSeconds: number): boolean {
    return [keyOf(lobby, steamId), keyOf(null, steamId)].some((key) => {
      const until = this.byKey.get(key)?.[kind] ?? 'not';
      return until === 'always' || (until !== 'not' && until > unixSeconds);
    });
  }

  set(
    lobby: string | null,
    steamId: string,
    kind: SanctionKind,
    until: Until,
    by: string,
  ): FailureCode | null {
    const key = keyOf(lobby, steamId);
    const before = this.byKey.get(key);
    if (!before && until !== 'not' && this.#isFull(lobby, by)) return 'sanctions-full';
    const after = { muted: 'not', deafened: 'not', banned: 'not', ...before, [kind]: until } as ModelSanction;
    this.byKey.set(key, after);
    const owner = before && by !== 'admin' ? this.setBy.get(key)!.by : by;
    this.setBy.set(key, { lobby, by: owner });
    this.#forgetEmpty(key);
    return null;
  }

  /** Ends what is over at this time. */
  pass(unixSeconds: number): void {
    for (const [key, sanction] of [...this.byKey]) {
      for (const kind of SANCTION_KINDS) {
        const until = sanction[kind];
        if (typeof until === 'number' && until <= unixSeconds) sanction[kind] = 'not';
      }
      this.#forgetEmpty(key);
    }
  }

  /** A tenth is for administrators; one moderator and one lobby may use at most a tenth, or 100, or a hundredth. */
  #isFull(lobby: string | null, by: string): boolean {
    const most = this.#most;
    if (this.byKey.size >= most) return true;
    if (by === 'admin') return false;
    const moderators = [...this.setBy.values()].filter((it) => it.by !== 'admin');
    const one = Math.max(1, Math.min(Math.floor(most / 10), Math.max(100, Math.floor(most / 100))));
    return (
      moderators.length >= Math.floor(most * 0.9) ||
      moderators.filter((it) => it.by === by).length >= one ||
      moderators.filter((it) => it.lobby === lobby).length >= one
    );
  }

  #forgetEmpty(key: string): void {
    const sanction = this.byKey.get(key)!;
    if (SANCTION_KINDS.some((kind) => sanction[kind] !== 'not')) return;
    this.byKey.delete(key);
    this.setBy.delete(key);
  }
}
