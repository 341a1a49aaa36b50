/**
 * Where a speaker's decoded PCM goes in a recording: positions on an absolute 24 kHz sample clock, 0 where the recording began.
 *
 * Each voice frame comes with two clocks, and each is good where the other is bad. The media timestamp is the speaker's own: exact
 * from frame to frame, but its origin is unknown, it drifts against every other speaker's, and it stops while a laptop sleeps. The
 * relay's time is the same for all speakers, but a frame reaches the relay when the network lets it. So the relay's time says where a
 * speaker begins, and the timestamp everything after that. When the two no longer agree, the relay's time decides again.
 */

import { timestampDelta } from '../sequence.js';
import { type Milliseconds, type Samples, samplesOfMs } from '../units.js';

/** The relevant fields of a voice frame's header, and how much PCM came out of it. */
export interface TimelineFrame {
  /** Media clock of the first sample: 24 kHz, 32 bit, wraps. The speaker sets it: it may be anything. */
  readonly timestamp: number;
  /** First voice frame of a talkspurt. */
  readonly marker: boolean;
  /** The relay's clock when it passed the frame on: ms, 32 bit, wraps. */
  readonly relayTimeMs: number;
  /** PCM of this frame at 24 kHz, 0 or more. */
  readonly samples: Samples;
}

/** How far the clocks may disagree at a marker before the relay's decides: 200 ms, more than a network's usual jitter. */
export const REANCHOR_MS: Milliseconds = 200;

/**
 * How far a frame may be ahead of the relay's clock, marker or not: 2 s. Nobody speaks in the future: such a frame had its anchor
 * delayed, or lies, and a lie must not make a file as long as a day.
 */
export const MAX_AHEAD_MS: Milliseconds = 2_000;

/**
 * How long, on the relay's clock, every frame must be late before the media clock counts as slow even without a marker: 10 s. An open
 * microphone may send one marker a day. After a stalled network, frames come that are not late; with a clock that drifts they do not.
 */
export const LATE_WINDOW_MS: Milliseconds = 10_000;

/** Places the frames of one speaker, in the order in which they were spoken. Pure. */
export class SpeakerTimeline {
  /** How often the relay's clock overrode the media clock, not counting the first frame. */
  reanchored = 0;
  /** Frames placed later than their clock says, because that place was occupied. */
  pushed = 0;
  /** Frames without a place, because they would have ended too late. */
  refused = 0;

  #started = false;
  #end: Samples = 0;
  /** The relay's clock, unwrapped: ms since the recording began. */
  #relayMs: Milliseconds = 0;
  #relayTimeMs: number;
  /** The newest frame's position by the media clock, and its timestamp. */
  #position: Samples = 0;
  #timestamp = 0;
  #windowFromMs: Milliseconds = 0;
  #leastLate: Samples = Number.POSITIVE_INFINITY;

  /** @param originRelayTimeMs The relay's time when the recording began: ms, 32 bit. All speakers of a recording share it. */
  constructor(originRelayTimeMs: number) {
    this.#relayTimeMs = originRelayTimeMs;
  }

  /** Where the PCM placed so far ends. */
  get end(): Samples {
    return this.#end;
  }

  /**
   * The position of the frame's first sample: whole, 0 or more, and never before the end of what was already placed. A frame that
   * belongs there is moved behind it: slightly late sound is better than missing sound.
   *
   * The first frame ends at its relay time, minus anything before the origin. Wrap-around is handled as long as a speaker's frames
   * come within 24 days of each other and of the origin.
   *
   * @param latestEnd Where the recording may end at most as of now. A speaker who sends more sound than time passes would exceed it.
   * @returns null if the frame would end after `latestEnd`: it is counted and not placed.
   */
  place(frame: TimelineFrame, latestEnd: Samples): Samples | null;
  place(frame: TimelineFrame): Samples;
  place(frame: TimelineFrame, latestEnd: Samples = Number.POSITIVE_INFINITY): Samples | null {
    // The same arithmetic works for both clocks: each is 32 bit.
    this.#relayMs += timestampDelta(this.#relayTimeMs, frame.relayTimeMs);
    this.#relayTimeMs = frame.relayTimeMs;
    this.#position += timestampDelta(this.#timestamp, frame.timestamp);
    this.#timestamp = frame.timestamp;

    // The frame was whole when the relay had it, so its end is no later than that.
    const byRelay = samplesOfMs(this.#relayMs) - frame.samples;
    if (!this.#started) this.#anchor(byRelay);
    else this.#check(byRelay, frame.marker);
    this.#started = true;

    const position = Math.max(this.#position, this.#end);
    if (position + frame.samples > latestEnd) {
      this.refused += 1;
      return null;
    }
    if (position > this.#position) this.pushed += 1;
    this.#end = position + frame.samples;
    return position;
  }

  #check(byRelay: Samples, marker: boolean): void {
    const late = byRelay - this.#position;
    const disagrees = marker
      ? Math.abs(late) > samplesOfMs(REANCHOR_MS)
      : late < -samplesOfMs(MAX_AHEAD_MS) || this.#isLateForLong(late);
    if (!disagrees) return;
    this.reanchored += 1;
    // Late and without a marker: the least late frame is the one that the network delayed least.
    this.#anchor(!marker && late > 0 ? this.#position + this.#leastLate : byRelay);
  }

  #anchor(position: Samples): void {
    this.#position = Math.max(0, position);
    this.#leastLate = Number.POSITIVE_INFINITY;
  }

  /** The window opens with a frame, not at an instant: otherwise the silence of a stalled network would count as lateness. */
  #isLateForLong(late: Samples): boolean {
    if (this.#leastLate === Number.POSITIVE_INFINITY) this.#windowFromMs = this.#relayMs;
    this.#leastLate = Math.min(this.#leastLate, late);
    if (this.#relayMs - this.#windowFromMs < LATE_WINDOW_MS) return false;
    if (this.#leastLate > samplesOfMs(REANCHOR_MS)) return true;
    this.#leastLate = Number.POSITIVE_INFINITY;
    return false;
  }
}
