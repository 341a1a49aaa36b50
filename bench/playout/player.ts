/** What the playout benchmark measures: anything that takes packets as they arrive, and gives sound when it is due. */

import type { PlayedSegment } from '../../client/playout/speaker_playout.js';
import type { Milliseconds } from '../../voice/units.js';
import type { SentPacket } from './source.js';

export interface Player {
  push(packet: SentPacket, arrivedAtMs: Milliseconds): void;
  /** Fills `out` with mono sound at 24 kHz and says what it is. What it returns is valid until the next call. */
  pull(out: Int16Array, nowMs: Milliseconds): readonly PlayedSegment[];
  close(): void;
}

/** A packet with its arrival, on the listener's clock. */
export interface Arrival {
  readonly sent: SentPacket;
  readonly arrivedAtMs: Milliseconds;
}
