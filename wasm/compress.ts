/**
 * PCM to Steam Voice packets, shaped as Steam's: 24 kHz, 20 ms, groups of up to four numbered frames, DTX as frames of one
 * byte, and at the end of a recording the marker and a silence packet.
 */

import {
  FRAME_OVERHEAD_BYTES,
  OP_BYTES,
  PACKET_OVERHEAD_BYTES,
  PacketWriter,
} from '../voice/packet_writer.js';
import { sequenceAfter } from '../voice/sequence.js';
import { steamIdHigh, steamIdLow } from '../voice/steam_id.js';
import { FRAME_SAMPLES, MAX_PACKET_BYTES, VOICE_RATE_HZ } from '../voice/units.js';
import { OPUS_MAX_PACKET_BYTES, OpusEncoder, type OpusEncoderOptions } from './codec.js';

/** Frames of one group, as seen in captured packets. */
const MAX_GROUP_FRAMES = 4;

/** Samples of the silence op that closes a recording: the count seen in a captured one. */
const CLOSING_SILENCE_SAMPLES = 750;

/** Rate op and head of a 0x06 op. */
const GROUP_OVERHEAD_BYTES = 2 * OP_BYTES;

const END_MARKER_BYTES = 2;

/** Frames that wait for `read` at most: 10 s. What comes on top pushes the oldest out, counted. */
const MAX_QUEUED_FRAMES = 500;

interface EncodedFrame {
  readonly sequence: number;
  readonly opus: Uint8Array;
}

/**
 * Encodes one speaker's recordings. Holds an Opus encoder in the codec's memory until `free()`.
 *
 * Feed it with `write`, take packets with `read`. `end` closes the recording; once it is read to its end, `write` starts a new one.
 */
export class VoiceEncoder {
  readonly #steamId: { readonly low: number; readonly high: number };
  readonly #opus: OpusEncoder;
  readonly #writer = new PacketWriter();
  readonly #scratch = new Uint8Array(OPUS_MAX_PACKET_BYTES);
  /** The part-frame that waits for its rest. */
  readonly #pending = new Int16Array(FRAME_SAMPLES);
  #pendingSamples = 0;
  #queue: EncodedFrame[] = [];
  #nextSequence = 0;
  #closing: 'no' | 'marker' | 'silence' = 'no';
  #dtxRun = 0;
  #agedFrames = 0;

  /** @param steamId The speaker; all 64 bits go into each packet. */
  constructor(steamId: bigint, options: OpusEncoderOptions = {}) {
    this.#steamId = { low: steamIdLow(steamId), high: steamIdHigh(steamId) };
    this.#opus = new OpusEncoder(options);
  }

  /** How many of the newest frames, without a break, were DTX. */
  get dtxRun(): number {
    return this.#dtxRun;
  }

  /** Frames pushed out because nobody read for 10 s. */
  get agedFrames(): number {
    return this.#agedFrames;
  }

  /**
   * Takes PCM at 24 kHz, any length; every whole frame is encoded at once. `pcm` is only read during the call.
   *
   * @throws RangeError while an ended recording has not been read to its end.
   */
  write(pcm: Int16Array): void {
    if (this.#closing !== 'no')
      throw new RangeError('Cannot write PCM: the ended recording wants to be read first');
    let at = 0;
    while (at < pcm.length) {
      const samples = Math.min(FRAME_SAMPLES - this.#pendingSamples, pcm.length - at);
      this.#pending.set(pcm.subarray(at, at + samples), this.#pendingSamples);
      this.#pendingSamples += samples;
      at += samples;
      if (this.#pendingSamples === FRAME_SAMPLES) this.#encode();
    }
  }

  /** Ends the recording: the part-frame is padded with zeros; `read` then gives the rest, the marker and the silence packet. */
  end(): void {
    if (this.#pendingSamples > 0) {
      this.#pending.fill(0, this.#pendingSamples);
      this.#encode();
    }
    this.#opus.reset();
    this.#closing = 'marker';
    this.#nextSequence = 0;
    this.#dtxRun = 0;
  }

  /** Bytes of the packet that `read` would write; 0 when there is none. */
  available(): number {
    if (this.#queue.length > 0 || this.#closing === 'marker') return this.#plan().bytes;
    return this.#closing === 'silence' ? PACKET_OVERHEAD_BYTES + GROUP_OVERHEAD_BYTES : 0;
  }

  /**
   * Writes the next packet to the front of `target` and returns its length; 0 when there is none. What does not fit into one
   * packet of 8,192 bytes stays for the next. `target` wants room for `available()` bytes, else RangeError and nothing lost.
   */
  read(target: Uint8Array): number {
    const bytes = this.available();
    if (bytes === 0) return 0;
    if (target.length < bytes) {
      throw new RangeError(`Cannot write a packet: target has ${target.length} bytes, wants ${bytes}`);
    }
    const writer = this.#writer;
    writer.begin(target, this.#steamId.low, this.#steamId.high);
    if (this.#queue.length === 0 && this.#closing === 'silence') {
      writer.sampleRate(VOICE_RATE_HZ);
      writer.silence(CLOSING_SILENCE_SAMPLES);
      this.#closing = 'no';
      return writer.finish().length;
    }
    const plan = this.#plan();
    for (let first = 0; first === 0 || first < plan.frames; first += MAX_GROUP_FRAMES) {
      writer.sampleRate(VOICE_RATE_HZ);
      writer.beginFrames();
      const last = Math.min(first + MAX_GROUP_FRAMES, plan.frames);
      for (const frame of this.#queue.slice(first, last))
        writer.frame(frame.sequence, frame.opus, 0, frame.opus.length);
      if (plan.endsRecording && last === plan.frames) writer.endMarker();
      writer.endFrames();
    }
    this.#queue.splice(0, plan.frames);
    if (plan.endsRecording) this.#closing = 'silence';
    return writer.finish().length;
  }

  /** Gives the encoder's memory back. */
  free(): void {
    this.#opus.free();
  }

  /** The next packet: how many queued frames it takes, and whether the marker closes it. */
  #plan(): { frames: number; bytes: number; endsRecording: boolean } {
    let bytes = PACKET_OVERHEAD_BYTES + END_MARKER_BYTES;
    let frames = 0;
    for (const frame of this.#queue) {
      const grown =
        bytes +
        FRAME_OVERHEAD_BYTES +
        frame.opus.length +
        (frames % MAX_GROUP_FRAMES === 0 ? GROUP_OVERHEAD_BYTES : 0);
      if (grown > MAX_PACKET_BYTES) break;
      bytes = grown;
      frames += 1;
    }
    if (frames === 0) bytes += GROUP_OVERHEAD_BYTES;
    const endsRecording = this.#closing === 'marker' && frames === this.#queue.length;
    return { frames, bytes: endsRecording ? bytes : bytes - END_MARKER_BYTES, endsRecording };
  }

  #encode(): void {
    const bytes = this.#opus.encode(this.#pending, 0, this.#scratch, 0);
    this.#pendingSamples = 0;
    this.#dtxRun = bytes === 1 ? this.#dtxRun + 1 : 0;
    if (this.#queue.length === MAX_QUEUED_FRAMES) {
      this.#queue.shift();
      this.#agedFrames += 1;
    }
    this.#queue.push({ sequence: this.#nextSequence, opus: this.#scratch.slice(0, bytes) });
    this.#nextSequence = sequenceAfter(this.#nextSequence);
  }
}
