/**
 * A jitter buffer with a fixed delay, as textbooks have it. The first packet of a talkspurt is played this long after its arrival, and every
 * other one by its timestamp. What is missing when it is due is concealed by Opus, and dropped if it comes later.
 *
 * Without a new talkspurt the delay is set again in two cases, or a drifting clock would silence it for ever: when every packet was late for
 * half a second, and when packets come 200 ms earlier than they should.
 */

import type { PlayedSegment } from '../../client/playout/speaker_playout.js';
import { opusFrames, readPacket } from '../../voice/packet.js';
import { FRAME_SAMPLES, type Milliseconds, type Samples, samplesOfMs } from '../../voice/units.js';
import { OpusDecoder } from '../../wasm/codec.js';
import { MAX_CONCEALED_FRAMES } from '../../wasm/decompress.js';
import type { Player } from './player.js';
import type { SentPacket } from './source.js';

const LATE_FOR_MS: Milliseconds = 500;
const EARLY_MS: Milliseconds = 200;

interface Waiting {
  readonly timestamp: Samples;
  due: Samples;
  readonly opus: Uint8Array;
}

export class FixedBuffer implements Player {
  readonly #delayMs: Milliseconds;
  readonly #decoder = new OpusDecoder(24_000);
  /** In the order of their timestamps. */
  readonly #waiting: Waiting[] = [];
  readonly #pcm = new Int16Array(FRAME_SAMPLES);
  /** The rest of `#pcm`, and what it is. */
  #left: Samples = 0;
  #playing: { kind: PlayedSegment['kind']; timestamp: number | null } = { kind: 'silence', timestamp: null };
  /** When a sample with timestamp 0 would be played, on the listener's clock in samples; null before the first packet. */
  #origin: Samples | null = null;
  /** The timestamp that follows what was played; null when no talkspurt is being played. */
  #expected: Samples | null = null;
  #concealedInARow = 0;
  /** Where the talkspurt ends, once that is known. */
  #end: Samples = Number.POSITIVE_INFINITY;
  #lateSinceMs: Milliseconds | null = null;
  #newest: Samples = -1;
  /** Everything due before this was played or dropped. */
  #playedUntil: Samples = 0;

  constructor(delayMs: Milliseconds) {
    this.#delayMs = delayMs;
  }

  push({ header, packet }: SentPacket, arrivedAtMs: Milliseconds): void {
    const read = readPacket(packet);
    if (read.kind === 'malformed') return;
    const frames = opusFrames(read);
    if (frames.length === 0) {
      this.#end = Math.min(this.#end, header.timestamp);
      return;
    }
    const wanted = samplesOfMs(arrivedAtMs + this.#delayMs) - header.timestamp;
    // The first packet may be overtaken: by then its talkspurt has begun.
    if (this.#origin === null || (header.marker && header.timestamp > this.#newest)) {
      this.#origin = wanted;
      this.#lateSinceMs = null;
    }
    this.#newest = Math.max(this.#newest, header.timestamp);
    if (this.#origin - wanted > samplesOfMs(EARLY_MS)) this.#restart(wanted);
    const isLate = this.#origin + header.timestamp < this.#playedUntil;
    if (!isLate) this.#lateSinceMs = null;
    else this.#lateSinceMs ??= arrivedAtMs;
    if (this.#lateSinceMs !== null && arrivedAtMs - this.#lateSinceMs > LATE_FOR_MS) this.#restart(wanted);
    let timestamp = header.timestamp;
    for (const { start, bytes, samples } of frames) {
      const due = this.#origin + timestamp;
      if (due >= this.#playedUntil)
        this.#insert({ timestamp, due, opus: packet.slice(start, start + bytes) });
      timestamp += samples;
    }
  }

  pull(out: Int16Array, nowMs: Milliseconds): readonly PlayedSegment[] {
    const segments: PlayedSegment[] = [];
    const now = samplesOfMs(nowMs);
    for (let at = 0; at < out.length; ) {
      if (this.#left === 0) this.#next(now + at, out.length - at);
      const samples = Math.min(this.#left, out.length - at);
      const from = FRAME_SAMPLES - this.#left;
      const { kind, timestamp } = this.#playing;
      if (kind === 'silence') out.fill(0, at, at + samples);
      else out.set(this.#pcm.subarray(from, from + samples), at);
      segments.push({
        kind,
        samples,
        timestamp: timestamp === null ? null : timestamp + from,
        mediaSamples: timestamp === null ? 0 : samples,
      });
      this.#left -= samples;
      at += samples;
      this.#playedUntil = now + at + this.#left;
    }
    return segments;
  }

  close(): void {
    this.#decoder.free();
  }

  /** Decides what is played at `now`: a frame, its concealment, or silence for up to `most` samples. */
  #next(now: Samples, most: Samples): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.due < now - FRAME_SAMPLES) this.#waiting.shift();
    const first = this.#waiting[0];
    const isMissing =
      this.#expected !== null && this.#expected < this.#end && this.#concealedInARow < MAX_CONCEALED_FRAMES;
    // Within a talkspurt one frame follows the other; the sound card's clock only decides where it begins.
    const isDue = first !== undefined && (first.due <= now || first.timestamp === this.#expected);
    if (isDue) {
      this.#waiting.shift();
      if (this.#expected === null || first.timestamp >= this.#end) {
        this.#decoder.reset();
        this.#end = Number.POSITIVE_INFINITY;
      }
      this.#decoder.decode(first.opus, 0, first.opus.length, this.#pcm, 0);
      this.#play('speech', first.timestamp);
      this.#concealedInARow = 0;
    } else if (isMissing) {
      this.#decoder.conceal(FRAME_SAMPLES, this.#pcm, 0);
      this.#concealedInARow += 1;
      this.#play('concealed', this.#expected!);
    } else {
      if (this.#expected !== null && this.#expected >= this.#end) this.#end = Number.POSITIVE_INFINITY;
      this.#expected = null;
      this.#concealedInARow = 0;
      this.#playing = { kind: 'silence', timestamp: null };
      this.#left = Math.min(FRAME_SAMPLES, most, first ? Math.max(1, first.due - now) : most);
    }
  }

  #play(kind: 'speech' | 'concealed', timestamp: Samples): void {
    this.#playing = { kind, timestamp };
    this.#left = FRAME_SAMPLES;
    this.#expected = timestamp + FRAME_SAMPLES;
  }

  /** Sets the delay again: what waits is due at other times, and what was to come next no longer is. */
  #restart(origin: Samples): void {
    this.#origin = origin;
    this.#lateSinceMs = null;
    this.#expected = null;
    for (const frame of this.#waiting) frame.due = origin + frame.timestamp;
  }

  #insert(frame: Waiting): void {
    let at = this.#waiting.length;
    while (at > 0 && this.#waiting[at - 1]!.timestamp > frame.timestamp) at -= 1;
    if (this.#waiting[at - 1]?.timestamp !== frame.timestamp) this.#waiting.splice(at, 0, frame);
  }
}
