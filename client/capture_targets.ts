/**
 * Whom captured sound was meant for, by the instant at which it was captured. Pure.
 *
 * A packet says when it was taken from Steam, and not when its sound was made. So it is known only within a span, and where the target
 * changed inside that span nobody may hear what was not meant for them: the packet goes to those who were meant before and after. That
 * is the narrower target where one is within the other (whisper or channel, and lobby), and nobody where neither is.
 */

import type { NumberedPacket } from '../voice/talkspurt.js';
import type { Milliseconds } from '../voice/units.js';
import { isSameTarget, type VoiceTarget } from './voice_target.js';

/** When the sound of a packet was meant for somebody: as it was made; a tail, after key-up, when the key came up. */
export interface MeantSpan {
  /** Earliest and latest instant, CLOCK_MONOTONIC in ms, as the lobby's clock. */
  readonly fromAt: Milliseconds;
  readonly toAt: Milliseconds;
}

/** A packet ready for the wire, and when its sound was meant. */
export interface CapturedPacket extends NumberedPacket {
  /** Left out by callers that number packets themselves: then it is meant as it is handed over. */
  readonly meant?: MeantSpan;
}

/** Takes a packet ready for the wire; false says that it was not sent. */
export type Publish = (packet: CapturedPacket, target: VoiceTarget) => unknown;

/** Through which lobby, and to whom there. */
export interface Destination {
  readonly publish: Publish;
  readonly target: VoiceTarget;
}

/** A destination, or nobody, from an instant until that of the next. */
interface Reign {
  readonly from: Milliseconds;
  readonly destination: Destination | null;
}

/** Changes that are remembered. Beyond them the two oldest become one, which counts as both. */
const MAX_REIGNS = 64;

/** Two changes within this time are one: a game that presses the key and then names the target means the second alone. */
const SAME_MOMENT_MS: Milliseconds = 1;

/** The destinations of one microphone. */
export class CaptureTargets {
  readonly #reigns: Reign[];
  #keyDownAt: Milliseconds = Number.NEGATIVE_INFINITY;

  constructor(first: Destination) {
    this.#reigns = [{ from: Number.NEGATIVE_INFINITY, destination: first }];
  }

  /** The key goes down, for `destination`. A change in the same moment is one of what it went down for. */
  keyDown(destination: Destination, at: Milliseconds): void {
    this.change(destination, at);
    this.#keyDownAt = at;
  }

  /** What is captured from `at` on is for `destination`. `at` never goes back. */
  change(destination: Destination, at: Milliseconds): void {
    const reigns = this.#reigns;
    const last = reigns.at(-1)!;
    if (isSameDestination(last.destination, destination)) return;
    if (at - last.from < SAME_MOMENT_MS) reigns[reigns.length - 1] = { from: last.from, destination };
    else reigns.push({ from: at - this.#keyDownAt < SAME_MOMENT_MS ? this.#keyDownAt : at, destination });
    if (reigns.length <= MAX_REIGNS) return;
    const [oldest, second] = reigns as [Reign, Reign];
    reigns.splice(0, 2, { from: oldest.from, destination: common(oldest.destination, second.destination) });
  }

  /** Whom sound from the span between these instants, both included, was meant for as a whole. Null: nobody may hear it. */
  during(from: Milliseconds, to: Milliseconds): Destination | null {
    const reigns = this.#reigns;
    let at = reigns.length - 1;
    while (at > 0 && reigns[at]!.from > to) at -= 1;
    let destination = reigns[at]!.destination;
    for (; at > 0 && reigns[at]!.from > from; at -= 1) {
      destination = common(destination, reigns[at - 1]!.destination);
    }
    return destination;
  }
}

/** Whether both are the same people's, as far as a game can say. */
export function isSameDestination(one: Destination | null, other: Destination | null): boolean {
  if (one === null || other === null) return one === other;
  return one.publish === other.publish && isSameTarget(one.target, other.target);
}

/** Those who are within both. */
function common(one: Destination | null, other: Destination | null): Destination | null {
  if (one === null || other === null || one.publish !== other.publish) return null;
  if (one.target === 'lobby') return other;
  if (other.target === 'lobby' || isSameTarget(one.target, other.target)) return one;
  return null;
}
