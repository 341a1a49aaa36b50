/**
 * Numbers a speaker's packets and finds the first and the last of each talkspurt.
 *
 * Steam says that a recording is over only by having nothing more to give, so which packet was the last is known one poll too
 * late. While the key is down packets go out at once; after key-up the newest is held back until the next one or the end
 * shows what it is. Only the hangover waits, and no longer than a game frame.
 */

import { opusFrames, packetSamples, readPacket } from './packet.js';
import { sequenceAfter, sequenceDelta, timestampAfter, timestampDelta } from './sequence.js';
import { FRAME_SAMPLES, type Milliseconds, samplesOfMs } from './units.js';

/** A packet with its place in the stream: everything the wire header wants from the speaker but the target. */
export interface NumberedPacket {
  /** The caller's bytes, or a copy of them when they were held back. */
  readonly packet: Uint8Array;
  readonly capturedAt: Milliseconds;
  readonly marker: boolean;
  readonly terminator: boolean;
  /** Counts voice frames, 16 bit, on through all talkspurts. */
  readonly sequence: number;
  /** Of the packet's first Opus frame, in 24 kHz samples, 32 bit, on through silence and gaps. */
  readonly timestamp: number;
}

/** Whether the speaker's key is down, or up with Steam still recording the tail. */
export type TalkspurtPhase = 'talking' | 'draining';

/** Numbers the packets of one speaker. Pure: instants come in with the packets. */
export class TalkspurtNumberer {
  readonly #originAt: Milliseconds;
  #sequence = 0;
  #inTalkspurt = false;
  /** Where the media clock stands behind the newest packet. */
  #nextTimestamp = 0;
  /** Opus sequence that the next frame should carry. */
  #nextOpusSequence = 0;
  #held: NumberedPacket | null = null;
  /** Packets that were not readable, and so not numbered. */
  malformed = 0;

  /** `originAt` is the instant at which the media clock was 0. */
  constructor(originAt: Milliseconds) {
    this.#originAt = originAt;
  }

  /**
   * Takes one packet of getVoice; returns what is ready to go out, none to two. `packet` is referred to by what is returned
   * from this call and copied when it is held back.
   */
  push(packet: Uint8Array, capturedAt: Milliseconds, phase: TalkspurtPhase): NumberedPacket[] {
    const read = readPacket(packet);
    if (read.kind === 'malformed') {
      this.malformed += 1;
      return [];
    }
    const ready = this.#flush('more follows');
    const samples = packetSamples(read);
    const frames = opusFrames(read);
    const last = frames.at(-1);
    const timestamp = this.#timestampOf(frames[0]?.sequence ?? null, capturedAt, samples);
    const numbered: NumberedPacket = {
      packet,
      capturedAt,
      marker: !this.#inTalkspurt,
      terminator: false,
      sequence: this.#sequence,
      timestamp,
    };
    this.#inTalkspurt = true;
    this.#sequence = sequenceAfter(this.#sequence);
    this.#nextTimestamp = timestampAfter(timestamp, samples);
    if (last) this.#nextOpusSequence = sequenceAfter(last.sequence);
    if (phase === 'talking') ready.push(numbered);
    else this.#held = { ...numbered, packet: packet.slice() };
    return ready;
  }

  /** Ends the talkspurt: returns the packet that was held back, now as its terminator, if there was one. */
  end(): NumberedPacket[] {
    this.#inTalkspurt = false;
    return this.#flush('that was all');
  }

  #flush(reason: 'more follows' | 'that was all'): NumberedPacket[] {
    const held = this.#held;
    this.#held = null;
    return held ? [{ ...held, terminator: reason === 'that was all' }] : [];
  }

  #timestampOf(opusSequence: number | null, capturedAt: Milliseconds, samples: number): number {
    if (!this.#inTalkspurt) {
      // The packet ends when it was captured. Never back into what was already numbered.
      const byClock = timestampAfter(0, samplesOfMs(capturedAt - this.#originAt) - samples);
      return timestampDelta(this.#nextTimestamp, byClock) > 0 ? byClock : this.#nextTimestamp;
    }
    // Packets that were lost before they came here still take their time.
    const skipped = opusSequence === null ? 0 : sequenceDelta(this.#nextOpusSequence, opusSequence);
    return timestampAfter(this.#nextTimestamp, Math.max(0, skipped) * FRAME_SAMPLES);
  }
}
