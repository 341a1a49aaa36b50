/** What a relay checks of each Steam Voice packet, without making anything of it: `readPacket`, `relayFault` and `packetSamples` in one pass. */

import {
  firstRelayFault,
  type PacketFault,
  type PacketVisitor,
  type RelayFault,
  silenceSamples,
  walkPacket,
} from './packet.js';

/** Checks one packet after the other. Real-time: allocates for packets with a fault only. */
export class RelayCheck implements PacketVisitor {
  #samples = 0;
  #foreignOps = 0;
  #emptyFrames = 0;

  /** Samples at 24 kHz that the last packet plays, as `packetSamples` counts them. */
  get samples(): number {
    return this.#samples;
  }

  /** Why the packet in `bytes[start, end)` may not pass; null when it may. `maxBytes` is its greatest length. */
  faultIn(bytes: Uint8Array, start: number, end: number, maxBytes: number): PacketFault | RelayFault | null {
    this.#samples = 0;
    this.#foreignOps = 0;
    this.#emptyFrames = 0;
    const fault = walkPacket(bytes, start, end, this);
    if (fault) return fault.reason;
    return firstRelayFault(end - start, maxBytes, this.#foreignOps, this.#emptyFrames);
  }

  rate(): void {}

  silence(_offset: number, samples: number, sampleRateHz: number): void {
    this.#samples += silenceSamples(samples, sampleRateHz);
  }

  opus(): void {}

  frame(_offset: number, _sequence: number, _start: number, bytes: number, samples: number): void {
    this.#samples += samples;
    if (bytes === 0) this.#emptyFrames += 1;
  }

  end(): void {}

  foreign(): void {
    this.#foreignOps += 1;
  }
}
