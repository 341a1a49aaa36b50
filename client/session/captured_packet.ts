/** A packet of our own, ready for the wire. */

import type { NumberedPacket } from '../../voice/talkspurt.js';
import type { Milliseconds } from '../../voice/units.js';

/** When the sound of a packet was meant: when it was made or, in the tail after key-up, when the key came up. */
export interface MeantSpan {
  /** Earliest and latest instant on the lobby's clock: CLOCK_MONOTONIC in ms. */
  readonly fromAt: Milliseconds;
  readonly toAt: Milliseconds;
}

/** A packet ready for the wire, and when its sound was meant. */
export interface CapturedPacket extends NumberedPacket {
  /** Callers that number packets themselves leave it out: then the packet is meant at the moment of the call. */
  readonly meant?: MeantSpan;
}
