/**
 * Where a speaker's decoded PCM goes in a recording: positions on an absolute 24 kHz sample clock, 0 where the recording began.
 *
 * Two clocks come with each voice frame, and each is good for what the other is bad at. The media timestamp is the
 * speaker's own: exact from frame to frame, but its origin is unknown, it drifts against every other speaker's, and it stands
 * still while a laptop sleeps. The relay's time is one for all speakers, but a frame reaches the relay when the network lets
 * it. So the relay's time says where a speaker begins, the timestamp says everything after that, and the relay's time says it
 * anew when the two no longer agree.
 */

import { timestampDelta } from './sequence.js';
import { type Milliseconds, type Samples, samplesOfMs } from './units.js';

/** What a voice frame's header says, and how much PCM came out of it. */
export interface TimelineFrame {
  /** Media clock of the first sample: 24 kHz, 32 bit, wraps. The speaker's word: may be anything. */
  readonly timestamp: number;
  /** First voice frame of a talkspurt. */
  readonly marker: boolean;
  /** The relay's clock when it passed the frame on: ms, 32 bit, wraps. */
  readonly relayTimeMs: number;
  /** PCM of this frame at 24 kHz, 0 or more. */
  readonly samples: Samples;
}

/** At a marker, how far the clocks may disagree before the relay's counts: 200 ms, which is more than a network's usual jitter. */
export const REANCHOR_MS: Milliseconds = 200;

/**
 * How far a frame may lie beyond the relay's clock, marker or not: 2 s. Nobody speaks in the future; a frame that says so had
 * its anchor delayed, or lies, and a lie must not make a file of a day's length.
 */
export const MAX_AHEAD_MS: Milliseconds = 2_000;

/**
 * How long, on the relay's clock, every frame has to be late before the media clock is taken to be slow without a marker
 * that tells: 10 s. An open microphone sends one marker a day. A stalled network ends in frames that are not late; a clock
 * that drifts does not.
 */
export const LATE_WINDOW_MS: Milliseconds = 10_000;

/** Places the frames of one speaker, in the order in which they were spoken. Pure. */
export class SpeakerTimeline {
  /** Times that the relay's clock was taken over the media clock, the first frame not counted. */
  reanchored = 0;
  /** Frames laid later than their clock says because that place was taken. */
  pushed = 0;
  /** Frames that got no place, because they would have ended too late. */
  refused = 0;

  #started = false;
  #end: Samples = 0;
  /** The relay's clock, unwrapped: ms since the recording began. */
  #relayMs: Milliseconds = 0;
  #relayTimeMs: number;
  /** Where the media clock puts the newest frame, and that frame's timestamp. */
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
   * The position of the frame's first sample: whole, 0 or more, and never before the end of what was placed already. A frame
   * that belongs there is moved behind it: sound that is late by a little beats sound that is gone.
   *
   * The first frame's end lies at its relay time, less anything before the origin. Wrapping is followed as long as a speaker's
   * frames come within 24 days of each other, and of the origin.
   *
   * @param latestEnd Where the recording may end at most as of now. Who sends more sound than time goes by would go beyond.
   * @returns null where the frame would end behind `latestEnd`: it is counted and has no place.
   */
  place(frame: TimelineFrame, latestEnd: Samples): Samples | null;
  place(frame: TimelineFrame): Samples;
  place(frame: TimelineFrame, latestEnd: Samples = Number.POSITIVE_INFINITY): Samples | null {
    // The same arithmetic serves both clocks: each is 32 bit.
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
    // Without a marker and late, the least late frame is the one that the network delayed least.
    this.#anchor(!marker && late > 0 ? this.#position + this.#leastLate : byRelay);
  }

  #anchor(position: Samples): void {
    this.#position = Math.max(0, position);
    this.#leastLate = Number.POSITIVE_INFINITY;
  }

  /** The window opens with a frame, not with an instant: else the silence of a stalled network would count as lateness. */
  #isLateForLong(late: Samples): boolean {
    if (this.#leastLate === Number.POSITIVE_INFINITY) this.#windowFromMs = this.#relayMs;
    this.#leastLate = Math.min(this.#leastLate, late);
    if (this.#relayMs - this.#windowFromMs < LATE_WINDOW_MS) return false;
    if (this.#leastLate > samplesOfMs(REANCHOR_MS)) return true;
    this.#leastLate = Number.POSITIVE_INFINITY;
    return false;
  }
}
