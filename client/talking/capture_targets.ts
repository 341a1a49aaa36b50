/**
 * Whom captured sound was meant for, by the instant at which it was captured. Pure.
 *
 * A packet says when it was taken from Steam, not when its sound was made, so that is known only within a span. If the target changed
 * within the span, nobody may hear what was not meant for them: the packet goes only to those who were meant both before and after the
 * change. That is the narrower target if one contains the other (the lobby contains channels and whispers), otherwise nobody.
 */

import type { Milliseconds } from '../../voice/units.js';
import type { CapturedPacket } from '../session/captured_packet.js';
import { isSameTarget, type VoiceTarget } from '../session/voice_target.js';

/** Takes a packet ready for the wire. Returns false if it was not sent. */
export type Publish = (packet: CapturedPacket, target: VoiceTarget) => unknown;

/** The lobby to publish to, and the target there. */
export interface Destination {
  readonly publish: Publish;
  readonly target: VoiceTarget;
}

/** A destination (null: nobody) from an instant until that of the next period. */
interface Period {
  readonly from: Milliseconds;
  readonly destination: Destination | null;
}

/** The most periods that are kept. Beyond them, the two oldest are merged into one for the destination that both have in common. */
const MAX_PERIODS = 64;

/** Two changes within this time count as one: a game that presses the key and then sets the target means only the second. */
const SAME_MOMENT_MS: Milliseconds = 1;

/** The destinations of one microphone. */
export class CaptureTargets {
  readonly #periods: Period[];
  #keyDownAt: Milliseconds = Number.NEGATIVE_INFINITY;

  constructor(first: Destination) {
    this.#periods = [{ from: Number.NEGATIVE_INFINITY, destination: first }];
  }

  /** The key goes down for `destination`. A change at the same moment replaces that destination. */
  keyDown(destination: Destination, at: Milliseconds): void {
    this.change(destination, at);
    this.#keyDownAt = at;
  }

  /** Sound captured from `at` on is for `destination`. `at` never goes back. */
  change(destination: Destination, at: Milliseconds): void {
    const periods = this.#periods;
    const last = periods.at(-1)!;
    if (isSameDestination(last.destination, destination)) return;
    if (at - last.from < SAME_MOMENT_MS) periods[periods.length - 1] = { from: last.from, destination };
    else periods.push({ from: at - this.#keyDownAt < SAME_MOMENT_MS ? this.#keyDownAt : at, destination });
    if (periods.length <= MAX_PERIODS) return;
    const [oldest, second] = periods as [Period, Period];
    periods.splice(0, 2, { from: oldest.from, destination: common(oldest.destination, second.destination) });
  }

  /** Who may hear all sound captured between these instants, both included. Null: nobody. */
  during(from: Milliseconds, to: Milliseconds): Destination | null {
    const periods = this.#periods;
    let at = periods.length - 1;
    while (at > 0 && periods[at]!.from > to) at -= 1;
    let destination = periods[at]!.destination;
    for (; at > 0 && periods[at]!.from > from; at -= 1) {
      destination = common(destination, periods[at - 1]!.destination);
    }
    return destination;
  }
}

/** Whether both are the same lobby and target. */
export function isSameDestination(one: Destination | null, other: Destination | null): boolean {
  if (one === null || other === null) return one === other;
  return one.publish === other.publish && isSameTarget(one.target, other.target);
}

/** The people that both destinations include. */
function common(one: Destination | null, other: Destination | null): Destination | null {
  if (one === null || other === null || one.publish !== other.publish) return null;
  if (one.target === 'lobby') return other;
  if (other.target === 'lobby' || isSameTarget(one.target, other.target)) return one;
  return null;
}
