/** The participants of all lobbies who speak. One whose frames stop without a terminator falls silent after the hangover. */

import type { Milliseconds } from '../../../voice/units.js';
import type { Turn } from '../turn.js';
import type { Participant } from './lobby.js';

export class Speakers {
  readonly #hangoverMs: Milliseconds;
  readonly #speaking = new Set<Participant>();
  /** Nobody's hangover ends before this. Frames move the ends further; they are looked at again by the tick. */
  #endsNext: Milliseconds = Number.POSITIVE_INFINITY;

  constructor(hangoverMs: Milliseconds) {
    this.#hangoverMs = hangoverMs;
  }

  /** They speak to this target now, or to nobody. */
  set(participant: Participant, target: number | null, turn: Turn): void {
    participant.lobby.setSpeaking(participant, target, turn);
    if (target !== null) {
      this.#speaking.add(participant);
      this.#endsNext = Math.min(this.#endsNext, this.#endOf(participant));
    } else {
      this.#speaking.delete(participant);
    }
  }

  forget(participant: Participant): void {
    this.#speaking.delete(participant);
  }

  /** When a tick next has somebody to look at; infinite while nobody speaks. Real-time. */
  get deadline(): Milliseconds {
    return this.#speaking.size === 0 ? Number.POSITIVE_INFINITY : this.#endsNext;
  }

  tick(turn: Turn): void {
    if (turn.now < this.#endsNext) return;
    this.#endsNext = Number.POSITIVE_INFINITY;
    for (const participant of this.#speaking) {
      const end = this.#endOf(participant);
      if (turn.now >= end) this.set(participant, null, turn);
      else this.#endsNext = Math.min(this.#endsNext, end);
    }
  }

  #endOf({ speech }: Participant): Milliseconds {
    return speech.heardAt + this.#hangoverMs;
  }
}
