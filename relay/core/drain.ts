/** The announcement that the relay will end: when, and where participants can go. New participants hear it too. */

import type { Milliseconds } from '../../voice/units.js';
import type { ConnectionId } from './io.js';
import type { Turn } from './turn.js';

export class Drain {
  /** Null until it begins. */
  #plan: {
    readonly endsAt: Milliseconds;
    readonly withinMs: Milliseconds;
    readonly goTo: string | null;
  } | null = null;

  begin(withinMs: Milliseconds, goTo: string | null, connections: readonly ConnectionId[], turn: Turn): void {
    this.#plan = { endsAt: turn.now + withinMs, withinMs, goTo };
    this.tell(connections, turn);
  }

  /** Tells these connections; nothing when the relay is not draining. */
  tell(connections: readonly ConnectionId[], turn: Turn): void {
    if (!this.#plan) return;
    const { endsAt, withinMs, goTo } = this.#plan;
    // The sum of two instants is not exact: the difference may be a little more than what was asked for.
    const leftMs = Math.min(withinMs, Math.max(0, Math.ceil(endsAt - turn.now)));
    turn.tell(connections, { type: 'draining', withinMs: leftMs, ...(goTo !== null && { goTo }) });
  }
}
