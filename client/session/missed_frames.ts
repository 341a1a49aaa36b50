/**
 * Counts the voice frames that the relay published to us and that never arrived. The relay numbers the frames of each speaker to each
 * target from 0, and tells us the numbers at which we begin and cease to hear them: so nothing is counted that was not meant for us, and
 * nothing that was is left out, but for what was lost after the last frame that arrived. Pure.
 */

import { sequenceAfter, sequenceDelta } from '../../voice/sequence.js';

/** Slot, target, and the relay sequence of the next frame. */
export type StreamMark = readonly [slot: number, target: number, sequence: number];

export class MissedFrames {
  /** Frames that never arrived. */
  count = 0;
  /** Frames that the relay did not send us, and said so. */
  skipped = 0;
  /** By slot and target: the sequence of the next frame, where it is not 0. Bounded by the slots that the caller lets through. */
  readonly #expected = new Map<number, Map<number, number>>();

  /** A frame arrived. */
  received(slot: number, target: number, relaySequence: number): void {
    this.count += this.#missing(slot, target, relaySequence);
    this.#expect(slot, target, sequenceAfter(relaySequence));
  }

  /** We hear this stream from this number on. */
  next([slot, target, sequence]: StreamMark): void {
    this.#expect(slot, target, sequence);
  }

  /**
   * We no longer hear this stream; the number is that after the last frame for us. If we hear it again, it begins with 0, unless the relay says
   * otherwise. Returns how many of its frames did not arrive since the last one that did.
   *
   * @param as `skipped`: the relay did not send them, and they do not count as missed.
   */
  until([slot, target, sequence]: StreamMark, as: 'missed' | 'skipped' = 'missed'): number {
    const frames = this.#missing(slot, target, sequence);
    this.#expected.get(slot)?.delete(target);
    if (as === 'missed') this.count += frames;
    else this.skipped += frames;
    return frames;
  }

  /** Another person may get the slot. */
  left(slot: number): void {
    this.#expected.delete(slot);
  }

  /** Everything begins with 0 again, as after a welcome. */
  restart(): void {
    this.#expected.clear();
  }

  /** Everything between the expected number and this one did not arrive. A number behind it comes only from a relay that breaks the protocol. */
  #missing(slot: number, target: number, sequence: number): number {
    const expected = this.#expected.get(slot)?.get(target) ?? 0;
    return Math.max(0, sequenceDelta(expected, sequence));
  }

  #expect(slot: number, target: number, sequence: number): void {
    const known = this.#expected.get(slot);
    if (known) known.set(target, sequence);
    else this.#expected.set(slot, new Map([[target, sequence]]));
  }
}
