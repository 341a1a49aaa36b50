/**
 * Counts the voice frames that the relay published to us and that did not come, by its own sequence: one count for the lobby, one for
 * each channel. Pure.
 *
 * Our own frames are numbered with the others' and do not come back, so each that we sent moves what is expected by one. Which of
 * them the relay dropped, and which are still on their way, nobody tells: what is counted is the least that it can be. Whispers are left
 * out: a whisperer's sequence counts what went to others as well.
 */

import { sequenceAfter, sequenceDelta } from '../../voice/sequence.js';
import { Target } from '../../voice/wire.js';

export class MissedFrames {
  /** Frames that did not come: at least so many. */
  count = 0;
  /** By target, where the relay's sequence stood behind the newest frame, moved on by what we sent since. Bounded by 128 targets. */
  readonly #expected = new Map<number, number>();

  /** We sent a frame to this target. */
  sent(target: number): void {
    const expected = this.#expected.get(target);
    if (expected !== undefined) this.#expected.set(target, sequenceAfter(expected));
  }

  /** A frame to this target came. */
  received(target: number, relaySequence: number): void {
    if (target === Target.whisper) return;
    const expected = this.#expected.get(target);
    const ahead = expected === undefined ? 0 : sequenceDelta(expected, relaySequence);
    if (ahead > 0) this.count += ahead;
    // Behind what is expected: so many of ours are still to be numbered, or never were.
    this.#expected.set(target, sequenceAfter(ahead < 0 ? expected! : relaySequence));
  }

  /** What comes next to these targets is the first: we were not meant to hear what came before. */
  restart(targets: Iterable<number> = [...this.#expected.keys()]): void {
    for (const target of targets) this.#expected.delete(target);
  }
}
