/**
 * What arrives of one speaker, before it is queued: its length, its place on the media clock, duplicates, and when it came.
 */

import type { Packet } from '../packet.js';
import type { Milliseconds, Samples } from '../units.js';
import type { SpeakerFields } from '../wire.js';
import { MediaOrder } from './media_order.js';
import type { PlayoutDelay } from './playout_delay.js';
import { MAX_PACKET_SAMPLES, measurePacket, type PacketSpan } from './queue_packet.js';

/** Real-time: no allocation. */
export class PacketIntake {
  readonly #order = new MediaOrder();
  readonly #delay: PlayoutDelay;
  readonly #span: PacketSpan = { samples: 0, frames: 0, lastFrameAt: 0 };
  /** Of the latest packet that was not the first of a talkspurt. */
  #usualLastFrameAt: Samples | null = null;
  #arrivedAt: Milliseconds = 0;
  duplicatePackets = 0;
  /** Longer than 3 s. */
  refusedPackets = 0;

  /** @param delay Learns from the arrivals. */
  constructor(delay: PlayoutDelay) {
    this.#delay = delay;
  }

  /** Of the packet that was placed last: where it begins, unwrapped. */
  get position(): Samples {
    return this.#order.position;
  }

  /** Of the packet that was placed last: the media time that it takes. */
  get samples(): Samples {
    return this.#span.samples;
  }

  /** How often the speaker's media clock jumped. */
  get jumps(): number {
    return this.#order.jumps;
  }

  /**
   * Measures and places a packet.
   *
   * @param over Everything before is played or given up.
   * @param jumped Called when positions start again, before anything is learned from this packet.
   * @returns Whether it can be used; otherwise it is counted.
   */
  place(
    header: SpeakerFields,
    packet: Packet,
    arrivedAt: Milliseconds,
    over: Samples,
    jumped: () => void,
  ): 'placed' | 'dropped' {
    const span = this.#span;
    measurePacket(packet, span);
    if (span.samples > MAX_PACKET_SAMPLES) {
      this.refusedPackets += 1;
      return 'dropped';
    }
    this.#arrivedAt = arrivedAt;
    const placed = this.#order.place(header, this.#relativeMs, over);
    if (placed === 'duplicate') {
      this.duplicatePackets += 1;
      return 'dropped';
    }
    if (placed === 'jumped') {
      this.#delay.arrivals.restart();
      jumped();
    }
    if (span.frames > 0) this.#observe(header);
    return 'placed';
  }

  /** A recording's first packet may hold more than the others, what was said before it was sent: only its end is as new as theirs. */
  #observe(header: SpeakerFields): void {
    const { lastFrameAt } = this.#span;
    const older = header.marker && this.#usualLastFrameAt !== null ? lastFrameAt - this.#usualLastFrameAt : 0;
    const starts = header.marker ? 'talkspurt' : 'nothing';
    this.#delay.arrivals.observe(this.position + Math.max(0, older), this.#arrivedAt, starts);
    if (!header.marker) this.#usualLastFrameAt = lastFrameAt;
  }

  readonly #relativeMs = (position: Samples): Milliseconds | null =>
    this.#delay.arrivals.isFresh(this.#arrivedAt) ? this.#delay.of(position, this.#arrivedAt, 0) : null;
}
