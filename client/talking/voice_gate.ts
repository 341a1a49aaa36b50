/**
 * Voice activation: what of a running recording is sent, by its loudness. Pure. Packets that come while the gate is closed are kept for a
 * moment, so that the beginning of a word, which is quiet, is sent too: the pre-roll.
 */

import type { Decibels } from '../../voice/mixing/decibels.js';
import { checkRange } from '../../voice/mixing/setting_range.js';
import type { Milliseconds } from '../../voice/units.js';

/** When voice activation opens and closes. */
export interface VoiceGateOptions {
  /** It opens at this loudness (RMS of a packet) and above, in dBFS, -90 to 0. Default -45. */
  readonly thresholdDb?: Decibels;
  /** How long it stays open after the last loud packet, in ms, 0 to 5000. Default 400. */
  readonly holdMs?: Milliseconds;
  /** How much from before the first loud packet is sent too, in ms, 0 to 400. Default 100. */
  readonly prerollMs?: Milliseconds;
}

/** A packet as it was captured. `bytes` is valid during the call only. */
export interface GatedPacket {
  readonly bytes: Uint8Array;
  readonly capturedAt: Milliseconds;
  readonly tag: number;
}

/** The most packets that wait: 400 ms of packets of one frame, with room for shorter ones. */
const MAX_WAITING = 64;

const NONE: readonly GatedPacket[] = [];

export class VoiceGate {
  readonly #thresholdDb: Decibels;
  readonly #holdMs: Milliseconds;
  readonly #prerollMs: Milliseconds;
  #waiting: GatedPacket[] = [];
  #loudAt: Milliseconds = Number.NEGATIVE_INFINITY;
  #state: 'closed' | 'open' = 'closed';

  /** @throws RangeError for an option out of its range. */
  constructor({ thresholdDb = -45, holdMs = 400, prerollMs = 100 }: VoiceGateOptions = {}) {
    checkRange('activate by voice', 'thresholdDb', thresholdDb, -90, 0);
    checkRange('activate by voice', 'holdMs', holdMs, 0, 5000);
    checkRange('activate by voice', 'prerollMs', prerollMs, 0, 400);
    this.#thresholdDb = thresholdDb;
    this.#holdMs = holdMs;
    this.#prerollMs = prerollMs;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Takes the next packet. Returns what is to be sent, oldest first: nothing while it is closed. The packet itself is not copied then. */
  push(packet: GatedPacket, loudnessDb: Decibels): readonly GatedPacket[] {
    const { capturedAt } = packet;
    if (loudnessDb >= this.#thresholdDb) this.#loudAt = capturedAt;
    if (capturedAt - this.#loudAt <= this.#holdMs) {
      this.#state = 'open';
      const due = [...this.#fresh(capturedAt), packet];
      this.#waiting = [];
      return due;
    }
    this.#state = 'closed';
    this.#waiting = [...this.#fresh(capturedAt), { ...packet, bytes: packet.bytes.slice() }].slice(
      -MAX_WAITING,
    );
    return NONE;
  }

  /** Closes it, and drops what waits. */
  reset(): void {
    this.#state = 'closed';
    this.#waiting = [];
    this.#loudAt = Number.NEGATIVE_INFINITY;
  }

  #fresh(now: Milliseconds): readonly GatedPacket[] {
    return this.#waiting.filter(({ capturedAt }) => now - capturedAt <= this.#prerollMs);
  }
}
