/** Hotmic's own playout as a player of the benchmark. */

import { type PlayedSegment, SpeakerPlayout } from '../../client/playout/speaker_playout.js';
import type { Milliseconds } from '../../voice/units.js';
import type { Player } from './player.js';
import type { SentPacket } from './source.js';

export class HotmicPlayer implements Player {
  readonly #playout = new SpeakerPlayout();

  push({ header, packet }: SentPacket, arrivedAtMs: Milliseconds): void {
    this.#playout.push(header, packet, arrivedAtMs);
  }

  pull(out: Int16Array, nowMs: Milliseconds): readonly PlayedSegment[] {
    return this.#playout.pull(out, nowMs);
  }

  close(): void {
    this.#playout.close();
  }
}
