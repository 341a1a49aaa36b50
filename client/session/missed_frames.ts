/**
 * Counts the voice frames that the relay published to us and that never arrived, by the relay's sequence numbers. The lobby and each
 * channel have a sequence of their own. Pure.
 *
 * Our own frames are numbered in the same sequences but are not sent back to us, so each frame that we send moves the expected number by
 * one. We do not know which of them the relay dropped or has not received yet, so the count is a lower bound. Whispers are left out,
 * because a whisperer's sequence also counts what went to others.
 */

import { sequenceAfter, sequenceDelta } from '../../voice/sequence.js';
import { Target } from '../../voice/wire.js';

export class MissedFrames {
  /** Frames that never arrived: a lower bound. */
  count = 0;
  /** By target: the sequence after the newest frame, plus what we have sent since. Bounded by 128 targets. */
  readonly #expected = new Map<number, number>();

  /** We sent a frame to this target. */
  sent(target: number): void {
    const expected = this.#expected.get(target);
    if (expected !== undefined) this.#expected.set(target, sequenceAfter(expected));
  }

  /** A frame to this target arrived. */
  received(target: number, relaySequence: number): void {
    if (target === Target.whisper) return;
    const expected = this.#expected.get(target);
    const ahead = expected === undefined ? 0 : sequenceDelta(expected, relaySequence);
    if (ahead > 0) this.count += ahead;
    // If it is behind the expected number, the difference is frames of ours that were not numbered yet, or never will be.
    this.#expected.set(target, sequenceAfter(ahead < 0 ? expected! : relaySequence));
  }

  /** The next frame to each of these targets counts as the first: we were not meant to hear what came before. */
  restart(targets: Iterable<number> = [...this.#expected.keys()]): void {
    for (const target of targets) this.#expected.delete(target);
  }
}
