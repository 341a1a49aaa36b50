/** The participants of all lobbies who speak. One whose frames stop without a terminator falls silent after the hangover. */

import type { Milliseconds } from '../../../voice/units.js';
import type { Turn } from '../turn.js';
import type { Participant } from './lobby.js';

export class Speakers {
  readonly #hangoverMs: Milliseconds;
  readonly #speaking = new Set<Participant>();

  constructor(hangoverMs: Milliseconds) {
    this.#hangoverMs = hangoverMs;
  }

  /** They speak to this target now, or to nobody. */
  set(participant: Participant, target: number | null, turn: Turn): void {
    participant.lobby.setSpeaking(participant, target, turn);
    if (target !== null) this.#speaking.add(participant);
    else this.#speaking.delete(participant);
  }

  forget(participant: Participant): void {
    this.#speaking.delete(participant);
  }

  tick(turn: Turn): void {
    for (const participant of this.#speaking) {
      if (turn.now - participant.speech.heardAt >= this.#hangoverMs) this.set(participant, null, turn);
    }
  }
}
