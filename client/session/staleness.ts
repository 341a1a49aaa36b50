/**
 * What the relay asks of us about how far we have read, and what it skipped because we were behind. Pure. docs/protocol.md, "Staleness".
 */

import { timestampDelta } from '../../voice/sequence.js';
import type { Milliseconds } from '../../voice/units.js';

/** One acknowledgement also counts for the frames that the relay had within this time. */
const ANSWER_EVERY_MS: Milliseconds = 10;

export class Staleness {
  /** The relay time that was acknowledged last on this connection. */
  #answeredMs: number | null = null;
  #state: 'live' | 'parked' = 'live';
  #skippedFrames = 0;
  /** Slots whose next frame does not go on from the last one that we passed on. */
  readonly #interrupted = new Set<number>();
  /** How often we were parked. */
  parks = 0;

  /** Between `parked` and `live`: what did not come was not lost. */
  get isParked(): boolean {
    return this.#state === 'parked';
  }

  /** Another connection begins: nothing is asked of us yet. Nobody's voice goes on from what it was. */
  restart(slots: Iterable<number>): void {
    this.#answeredMs = null;
    this.#state = 'live';
    this.#interrupted.clear();
    for (const slot of slots) this.#interrupted.add(slot);
  }

  /** A frame asks for an acknowledgement. Returns whether it gets one: the last one may count for it. */
  asked(relayTimeMs: number): boolean {
    const isAnswered =
      this.#answeredMs !== null && timestampDelta(this.#answeredMs, relayTimeMs) < ANSWER_EVERY_MS;
    if (!isAnswered) this.#answeredMs = relayTimeMs;
    return !isAnswered;
  }

  /** The relay parks us, and always gets an acknowledgement. Returns whether we were live. */
  park(relayTimeMs: number): boolean {
    this.#answeredMs = relayTimeMs;
    if (this.isParked) return false;
    this.#state = 'parked';
    this.#skippedFrames = 0;
    this.parks += 1;
    return true;
  }

  /** While we are parked, the relay says how many frames of this slot it left out. */
  skipped(slot: number, frames: number): void {
    this.#skippedFrames += frames;
    if (frames > 0) this.#interrupted.add(slot);
  }

  /** We get voice again. Returns how many frames were skipped, or null if we were not parked. */
  unpark(): number | null {
    if (!this.isParked) return null;
    this.#state = 'live';
    return this.#skippedFrames;
  }

  /** A frame of this slot was too old. */
  dropped(slot: number): void {
    this.#interrupted.add(slot);
  }

  /** A frame of this slot is passed on. Returns whether it does not go on from the last one. */
  resumes(slot: number): boolean {
    return this.#interrupted.delete(slot);
  }

  /** Another person may get the slot. */
  left(slot: number): void {
    this.#interrupted.delete(slot);
  }
}
