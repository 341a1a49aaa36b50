/**
 * One speaker, from voice frames as they arrive to sound when it is due: jitter buffer, decoder, concealment and time-scale modification.
 *
 * Push what arrives, pull what the sound output needs. Time is an argument: the same code plays live, in a worker or in a simulation.
 *
 * A frame is decoded when it is due, and a missing one is made then: from the in-band FEC of the next, or by Opus' own concealment, which is
 * faded out from 60 to 100 ms. docs/playout.md describes the whole.
 */

import { type Packet, readPacket } from '../../voice/packet.js';
import { FADED, JitterBuffer } from '../../voice/playout/jitter_buffer.js';
import { timestampOf } from '../../voice/playout/media_order.js';
import { Pace } from '../../voice/playout/pace.js';
import type { DelayBounds } from '../../voice/playout/playout_delay.js';
import type { Popped } from '../../voice/playout/popped.js';
import { continueInto, FADE, HISTORY, LONGEST_PERIOD } from '../../voice/playout/time_scale.js';
import { FRAME_SAMPLES, type Milliseconds, type Samples, samplesOfMs } from '../../voice/units.js';
import type { VoiceHeader } from '../../voice/wire.js';
import { CONCEALED_SAMPLES, FrameDecoder, type FrameDecoding } from '../../wasm/frame_decoder.js';
import { type Mutable, type PlayedSegment, SegmentList } from './played_segment.js';

export type { PlayedSegment } from './played_segment.js';

/** Counters and gauges of one speaker. */
export interface PlayoutCounts {
  /** Packets pushed. */
  readonly packets: number;
  /** Of these: seen before, come after their time, or not readable, not playable or longer than 3 s. */
  readonly duplicatePackets: number;
  readonly latePackets: number;
  readonly refusedPackets: number;
  /** Of these: given to `pass`, and the sound in them. */
  readonly passedPackets: number;
  readonly passedSamples: Samples;
  /** Frames dropped because the buffer was full. */
  readonly overflowedFrames: number;
  readonly decodedFrames: number;
  /** Sound that never came in time; a gap between talkspurts does not count. */
  readonly lostSamples: Samples;
  /** Played as `concealed`. */
  readonly concealedSamples: Samples;
  /** Sound that came and was left out, to catch up. */
  readonly skippedSamples: Samples;
  /** Added and removed by time-scale modification. */
  readonly stretchedSamples: Samples;
  readonly shortenedSamples: Samples;
  /** How often sound was due in a talkspurt and nothing was there. */
  readonly underruns: number;
  /** How often the speaker's media clock jumped, for example after they joined again. */
  readonly restarts: number;
  /** How much the delay differs from packet to packet within talkspurts, smoothed: the interarrival jitter of RFC 3550. */
  readonly jitterMs: Milliseconds;
  /** Wanted delay against the fastest recent packets. */
  readonly targetDelayMs: Milliseconds;
  /** The delay at the latest pull against the fastest recent packets; the target outside a talkspurt. */
  readonly delayMs: Milliseconds;
}

/** Concealed sound is faded from here on, until it has gone on for `FADED`. */
const FADE_FROM: Samples = samplesOfMs(60);

/** The longest Opus packet: 120 ms. */
const LONGEST_FRAME: Samples = 6 * FRAME_SAMPLES;

/**
 * Plays one speaker. About 18 kB of the codec's memory until `close()`, and a queue of at most 256 frames.
 *
 * The sound that was popped from the jitter buffer and not pulled yet is called the block: usually one frame.
 */
export class SpeakerPlayout {
  readonly #buffer: JitterBuffer;
  readonly #decoder: FrameDecoding;
  readonly #pace = new Pace();
  /** Sound that was played, `HISTORY` samples of it, and then the block. */
  readonly #pcm = new Int16Array(HISTORY + LONGEST_FRAME + LONGEST_PERIOD);
  readonly #block: Mutable<PlayedSegment> = { kind: 'silence', samples: 0, timestamp: null, mediaSamples: 0 };
  /** Samples of the block that were pulled. */
  #pulled: Samples = 0;
  /** Whether the block goes on from the codec's sound before it: not after only a part of what it made was played. */
  #continuity: 'whole' | 'cut' = 'whole';
  /** Whether the latest sound was silence long enough to have nothing to fade. */
  #tail: 'sound' | 'zeros' = 'zeros';
  readonly #segments = new SegmentList();
  #packets = 0;
  #refusedPackets = 0;
  #passedPackets = 0;
  #decodedFrames = 0;
  #concealedSamples: Samples = 0;
  #delayMs: Milliseconds;

  /**
   * @param makeDecoder Makes what decodes this speaker; it is freed by `close`. Default: a `FrameDecoder`.
   * @throws RangeError for an option out of its range; HotmicError ERR_HOTMIC_CODEC before `initCodec`.
   */
  constructor(options: DelayBounds = {}, makeDecoder: () => FrameDecoding = () => new FrameDecoder()) {
    this.#buffer = new JitterBuffer(options);
    // Last: an option that is refused must not cost the codec's memory.
    this.#decoder = makeDecoder();
    this.#delayMs = this.#buffer.targetMs;
  }

  /** Takes a voice frame that arrived. `packet` may be any bytes; it is copied. */
  push(header: VoiceHeader, packet: Uint8Array, arrivedAtMs: Milliseconds): void {
    const read = this.#read(packet);
    if (read) this.#buffer.push(header, read, packet, arrivedAtMs);
  }

  /**
   * Takes a voice frame of a speaker who is not to be heard now: muted here, or out of earshot. It is not decoded, and what waits to be
   * played is dropped; neither counts as lost. Do not pull meanwhile. The next `push` begins where the speaker then is.
   */
  pass(header: VoiceHeader, packet: Uint8Array, arrivedAtMs: Milliseconds): void {
    const read = this.#read(packet);
    if (!read) return;
    this.#passedPackets += 1;
    this.#buffer.pass(header, read, arrivedAtMs);
    this.#dropBlock();
  }

  /** Whether the last sample that was pulled belongs to sound: a cut there would click. */
  get isSounding(): boolean {
    return this.#tail === 'sound';
  }

  /** Drops what waits to be played, uncounted, at once: fade the sound out before. */
  abandon(): void {
    this.#buffer.abandon();
    this.#dropBlock();
  }

  #dropBlock(): void {
    this.#pulled = this.#block.samples = 0;
    // What was played long ago must not be faded out when the speaker is heard again.
    if (this.#tail === 'sound') this.#pcm.fill(0, 0, HISTORY);
    this.#tail = 'zeros';
  }

  /**
   * Writes the next samples to all of `out`: mono, 24 kHz, of any length; 240 to 960 are usual. Instants never go back.
   *
   * Real-time: no allocation after warm-up, except for numbers that the engine boxes; some 0.05 ms per frame.
   *
   * @param nowMs On the clock of `push`.
   * @returns What it is made of, in order: valid until the next call.
   */
  pull(out: Int16Array, nowMs: Milliseconds): readonly PlayedSegment[] {
    this.#segments.clear();
    let at = 0;
    while (at < out.length) {
      if (this.#pulled === this.#block.samples)
        this.#nextBlock(nowMs, at, Math.min(LONGEST_FRAME, out.length - at));
      const samples = Math.min(out.length - at, this.#block.samples - this.#pulled);
      const from = HISTORY + this.#pulled;
      for (let i = 0; i < samples; i++) out[at + i] = this.#pcm[from + i]!;
      this.#segments.add(this.#block, this.#pulled, samples);
      this.#pulled += samples;
      at += samples;
    }
    this.#delayMs = this.#buffer.delayMs(nowMs);
    return this.#segments.list();
  }

  /** Counters since the first packet, and the delay as of the latest pull. A copy. */
  counts(): PlayoutCounts {
    const buffer = this.#buffer;
    return {
      packets: this.#packets,
      duplicatePackets: buffer.duplicatePackets,
      latePackets: buffer.latePackets,
      refusedPackets: this.#refusedPackets + buffer.refusedPackets,
      passedPackets: this.#passedPackets,
      passedSamples: buffer.passedSamples,
      overflowedFrames: buffer.overflowedFrames,
      decodedFrames: this.#decodedFrames,
      lostSamples: buffer.lostSamples,
      concealedSamples: this.#concealedSamples,
      skippedSamples: buffer.skippedSamples,
      stretchedSamples: this.#pace.stretchedSamples,
      shortenedSamples: this.#pace.shortenedSamples,
      underruns: buffer.underruns,
      restarts: buffer.restarts,
      jitterMs: buffer.jitterMs,
      targetDelayMs: buffer.targetMs,
      delayMs: this.#delayMs,
    };
  }

  /** Frees the decoder. A second call does nothing. Do not pull afterwards. */
  close(): void {
    this.#decoder.free();
  }

  /** A packet that can be played, otherwise null. */
  #read(packet: Uint8Array): Packet | null {
    this.#packets += 1;
    const read = readPacket(packet);
    if (read.kind !== 'malformed' && !read.ops.some((op) => op.kind === 'foreign')) return read;
    this.#refusedPackets += 1;
    return null;
  }

  /** Replaces the block, which was pulled to its end, by the next one. */
  #nextBlock(now: Milliseconds, at: Samples, room: Samples): void {
    this.#pcm.copyWithin(0, this.#block.samples, this.#block.samples + HISTORY);
    this.#pulled = 0;
    let popped = this.#buffer.pop(now, at, room);
    while (popped.kind === 'feed') {
      this.#decode(popped);
      popped = this.#buffer.pop(now, at, room);
    }
    const block = this.#block;
    block.timestamp = popped.position === null ? null : timestampOf(popped.position);
    block.mediaSamples = popped.mediaSamples;
    block.samples = popped.samples;
    switch (popped.kind) {
      case 'silence':
        this.#silence(popped, block);
        break;
      case 'conceal':
        this.#conceal(popped, block);
        break;
      default:
        this.#play(popped, block);
    }
  }

  #play(popped: Popped, block: Mutable<PlayedSegment>): void {
    block.kind = popped.sound === 'dtx' ? 'silence' : 'speech';
    const decoded = this.#decode(popped);
    // What is skipped of a frame is its front.
    const skipped = decoded - popped.samples;
    if (skipped > 0) this.#pcm.copyWithin(HISTORY, HISTORY + skipped, HISTORY + decoded);
    if (this.#isSeam(popped)) continueInto(this.#pcm, HISTORY, popped.samples);
    block.samples += this.#pace.adjust(this.#pcm, HISTORY, popped.samples, popped.excess);
    this.#continuity = 'whole';
    this.#tail = 'sound';
  }

  /** Decodes a frame to the front of the block. */
  #decode(popped: Popped): Samples {
    const frame = popped.frame!;
    if (popped.decoder === 'resets') this.#decoder.reset();
    this.#decoder.decode(frame.data, frame.bytes, frame.samples, this.#pcm, HISTORY);
    this.#decodedFrames += 1;
    return frame.samples;
  }

  #conceal(popped: Popped, block: Mutable<PlayedSegment>): void {
    block.kind = popped.sound === 'dtx' ? 'silence' : 'concealed';
    const { frame, samples, concealedBefore } = popped;
    if (block.kind === 'concealed') this.#concealedSamples += samples;
    if (frame) {
      this.#decoder.recover(frame.data, frame.bytes, this.#pcm, HISTORY);
      if (this.#isSeam(popped)) continueInto(this.#pcm, HISTORY, samples);
      this.#continuity = 'whole';
      this.#tail = 'sound';
      return;
    }
    if (concealedBefore >= FADED) {
      this.#pcm.fill(0, HISTORY, HISTORY + samples);
      this.#tail = 'zeros';
      return;
    }
    let made = 0;
    for (; made < samples; made += CONCEALED_SAMPLES[0])
      this.#decoder.conceal(CONCEALED_SAMPLES[0], this.#pcm, HISTORY + made);
    if (popped.seam === 'jump') continueInto(this.#pcm, HISTORY, samples);
    this.#fade(samples, concealedBefore);
    this.#continuity = made === samples ? 'whole' : 'cut';
    this.#tail = 'sound';
  }

  /** Fades concealed sound from FADE_FROM to FADED. */
  #fade(samples: Samples, concealedBefore: Samples): void {
    for (let i = Math.max(0, FADE_FROM - concealedBefore); i < samples; i++) {
      const gain = Math.max(0, (FADED - concealedBefore - i) / (FADED - FADE_FROM));
      this.#pcm[HISTORY + i] = Math.round(this.#pcm[HISTORY + i]! * gain);
    }
  }

  #silence(popped: Popped, block: Mutable<PlayedSegment>): void {
    block.kind = 'silence';
    this.#pcm.fill(0, HISTORY, HISTORY + popped.samples);
    if (this.#tail === 'sound') continueInto(this.#pcm, HISTORY, popped.samples);
    this.#tail = popped.samples >= FADE ? 'zeros' : this.#tail;
  }

  /** Whether the codec's sound does not go on from what was played. Concealed sound that was faded does not lead into the frame either. */
  #isSeam(popped: Popped): boolean {
    return popped.seam === 'jump' || popped.concealedBefore > FADE_FROM || this.#continuity === 'cut';
  }
}
