/**
 * PCM to Steam Voice packets like Steam's: 24 kHz, 20 ms, groups of up to four numbered frames, DTX as frames of one byte, and at the
 * end of a recording the marker and a silence packet.
 */

import {
  FRAME_OVERHEAD_BYTES,
  OP_BYTES,
  PACKET_OVERHEAD_BYTES,
  PacketWriter,
} from '../voice/packet_writer.js';
import { sequenceAfter } from '../voice/sequence.js';
import { steamIdHigh, steamIdLow } from '../voice/steam_id.js';
import {
  FRAME_MS,
  FRAME_SAMPLES,
  MAX_PACKET_BYTES,
  type Milliseconds,
  VOICE_RATE_HZ,
} from '../voice/units.js';
import { OPUS_MAX_PACKET_BYTES, OPUS_OPTIONS, OpusEncoder, type OpusEncoderOptions } from './codec.js';
import { checkArray, freed } from './module.js';
import { Resampler } from './resampler.js';

/** Frames of one group, as seen in captured packets. */
const MAX_GROUP_FRAMES = 4;

/** Samples of the silence op that closes a recording: the count seen in a captured one. */
const CLOSING_SILENCE_SAMPLES = 750;

/** Rate op and head of a 0x06 op. */
const GROUP_OVERHEAD_BYTES = 2 * OP_BYTES;

const END_MARKER_BYTES = 2;

/** The most frames that wait for `read`: 10 s. Beyond it the oldest are dropped and counted. */
const MAX_QUEUED = 500;

/** libopus' detector reports "no voice" this long after the last voice. */
const DETECTOR_MS = 200;

/**
 * A reader accepts at most 3 s of sound in one packet, including up to 10 frames of concealment before it. DTX frames for 10 s would
 * fit into a packet.
 */
const MAX_PACKET_FRAMES = 140;

/** Sound from before the voice that begins a new recording: the detector needs a frame or two of it. */
const PREROLL_FRAMES = 2;

/** How `VoiceEncoder` encodes. */
export interface VoiceEncoderOptions extends OpusEncoderOptions {
  /** Rate of the PCM for `write`, in Hz: a whole number from 8000 to 48000. Default 24000, which is not resampled. */
  readonly sampleRateHz?: number;
  /**
   * Frames of 20 ms in each packet except the last of a recording, 1 to 50, as far as they fit into 8,192 bytes. Default: all that wait
   * when `read` is called, like Steam.
   */
  readonly framesPerPacket?: number;
  /**
   * Ends the recording after this much time without voice, 200 to 10000; the next voice starts a new one. Requires `dtx`. Default: only
   * `end` ends it.
   */
  readonly endAfterSilenceMs?: Milliseconds;
}

interface EncodedFrame {
  readonly sequence: number;
  readonly opus: Uint8Array;
}

/** What waits for `read`: frames, and at the end of a recording its marker and silence. */
type Queued = EncodedFrame | 'marker' | 'silence';

/**
 * Encodes one speaker's recordings. Holds an Opus encoder (and a resampler, for rates other than 24 kHz) in the codec's memory until
 * `free()`.
 *
 * Feed it with `write`, take packets with `read`. `end` closes the recording; the next `write` starts a new one.
 */
export class VoiceEncoder {
  readonly #steamId: { readonly low: number; readonly high: number };
  readonly #opus: OpusEncoder;
  readonly #resampler: Resampler | null;
  readonly #framesPerPacket: number | null;
  readonly #endAfterSilenceMs: Milliseconds;
  readonly #writer = new PacketWriter();
  readonly #scratch = new Uint8Array(OPUS_MAX_PACKET_BYTES);
  /** The incomplete frame. */
  readonly #pending = new Int16Array(FRAME_SAMPLES);
  #pendingSamples = 0;
  #resampled = new Int16Array(0);
  /** The newest frames of PCM while nobody speaks. */
  #preroll: Int16Array[] = [];
  #queue: Queued[] = [];
  #nextSequence = 0;
  #isRecording = true;
  #isFreed = false;
  #quietFrames = 0;
  #dtxRun = 0;
  #droppedFrames = 0;

  /**
   * @param steamId The speaker; all 64 bits go into each packet.
   * @throws TypeError or RangeError for an unknown or wrong option; HotmicError ERR_HOTMIC_CODEC when the codec is not started.
   */
  constructor(steamId: bigint, options: VoiceEncoderOptions = {}) {
    const { sampleRateHz = VOICE_RATE_HZ, framesPerPacket, endAfterSilenceMs, ...opus } = options;
    checkNames(opus);
    if (typeof steamId !== 'bigint') {
      throw new TypeError(`Cannot make VoiceEncoder: steamId is a ${typeof steamId}, expected a bigint`);
    }
    if (BigInt.asUintN(64, steamId) !== steamId)
      throw new RangeError(`Cannot make VoiceEncoder: steamId is ${steamId}, expected 64 bits`);
    checkOption('sampleRateHz', sampleRateHz, 8000, 48_000);
    if (framesPerPacket !== undefined) checkOption('framesPerPacket', framesPerPacket, 1, 50);
    if (endAfterSilenceMs !== undefined) {
      checkOption('endAfterSilenceMs', endAfterSilenceMs, DETECTOR_MS, 10_000);
      if (opus.dtx === false)
        throw new TypeError('Cannot make VoiceEncoder: endAfterSilenceMs requires dtx: true');
    }
    this.#steamId = { low: steamIdLow(steamId), high: steamIdHigh(steamId) };
    this.#framesPerPacket = framesPerPacket ?? null;
    this.#endAfterSilenceMs = endAfterSilenceMs ?? Number.POSITIVE_INFINITY;
    this.#resampler = sampleRateHz === VOICE_RATE_HZ ? null : new Resampler(sampleRateHz, VOICE_RATE_HZ);
    try {
      this.#opus = new OpusEncoder(opus);
    } catch (thrown) {
      this.#resampler?.free();
      throw thrown;
    }
  }

  /** How many frames in a row, up to the newest, were DTX. */
  get dtxRun(): number {
    return this.#dtxRun;
  }

  /** False after `endAfterSilenceMs` has ended the recording, until voice begins a new one; otherwise true. */
  get isRecording(): boolean {
    return this.#isRecording;
  }

  /** Frames dropped because nobody read for 10 s. */
  get droppedFrames(): number {
    return this.#droppedFrames;
  }

  /**
   * Adds PCM at `sampleRateHz`; every whole frame is encoded at once. `pcm` is only read during the call. Call `read` at least once per
   * 10 s of sound: beyond that the oldest frames are dropped and counted.
   *
   * @throws TypeError for anything but an Int16Array; HotmicError ERR_HOTMIC_CODEC after `free()`.
   */
  write(pcm: Int16Array): void {
    this.#checkLive();
    checkArray('write: pcm', pcm, Int16Array);
    this.#frames(this.#resampler === null ? pcm : this.#at24k(this.#resampler, pcm));
  }

  /**
   * Ends the recording: an incomplete frame is padded with zeros; `read` then returns the rest, the marker and the silence packet. An
   * empty recording also ends like this.
   */
  end(): void {
    this.#checkLive();
    if (this.#resampler !== null) {
      // The rest of the sound in the filter.
      this.#frames(this.#at24k(this.#resampler, new Int16Array(this.#resampler.delaySamples)));
      this.#resampler.reset();
    }
    if (this.#pendingSamples > 0) {
      this.#pending.fill(0, this.#pendingSamples);
      this.#frame();
    }
    if (this.#isRecording) this.#close();
    this.#opus.reset();
    this.#preroll = [];
    this.#isRecording = true;
    this.#quietFrames = 0;
    this.#dtxRun = 0;
  }

  /** Bytes of the packet that `read` would write; 0 if no packet is ready. */
  available(): number {
    this.#checkLive();
    if (this.#queue[0] === 'silence') return PACKET_OVERHEAD_BYTES + GROUP_OVERHEAD_BYTES;
    const { frames, bytes, endsRecording } = this.#plan();
    if (endsRecording) return bytes;
    const wanted = this.#framesPerPacket ?? 1;
    // If frames wait behind this packet, it will not get longer.
    return frames >= wanted || frames < this.#queue.length ? bytes : 0;
  }

  /**
   * Writes the next packet to the front of `target` and returns its length, 0 if no packet is ready. Frames that do not fit into
   * 8,192 bytes stay for the next one. `target` needs room for `available()` bytes; otherwise RangeError, and nothing is lost.
   */
  read(target: Uint8Array): number {
    const bytes = this.available();
    if (bytes === 0) return 0;
    if (target.length < bytes) {
      throw new RangeError(`Cannot write a packet: target has ${target.length} bytes, expected ${bytes}`);
    }
    const writer = this.#writer;
    writer.begin(target, this.#steamId.low, this.#steamId.high);
    if (this.#queue[0] === 'silence') {
      writer.sampleRate(VOICE_RATE_HZ);
      writer.silence(CLOSING_SILENCE_SAMPLES);
      this.#queue.shift();
      return writer.finish().length;
    }
    const plan = this.#plan();
    for (let first = 0; first === 0 || first < plan.frames; first += MAX_GROUP_FRAMES) {
      writer.sampleRate(VOICE_RATE_HZ);
      writer.beginFrames();
      const last = Math.min(first + MAX_GROUP_FRAMES, plan.frames);
      for (const { sequence, opus } of this.#queue.slice(first, last) as EncodedFrame[])
        writer.frame(sequence, opus, 0, opus.length);
      if (plan.endsRecording && last === plan.frames) writer.endMarker();
      writer.endFrames();
    }
    this.#queue.splice(0, plan.frames + Number(plan.endsRecording));
    return writer.finish().length;
  }

  /** Frees the memory. A second call does nothing; any other use throws. */
  free(): void {
    this.#opus.free();
    this.#resampler?.free();
    this.#isFreed = true;
  }

  #checkLive(): void {
    if (this.#isFreed) throw freed('VoiceEncoder');
  }

  /** The next packet of frames: how many it holds, and whether the marker closes it. */
  #plan(): { frames: number; bytes: number; endsRecording: boolean } {
    let bytes = PACKET_OVERHEAD_BYTES;
    let frames = 0;
    for (const queued of this.#queue) {
      if (typeof queued === 'string' || frames === (this.#framesPerPacket ?? MAX_PACKET_FRAMES)) break;
      const grown =
        bytes +
        FRAME_OVERHEAD_BYTES +
        queued.opus.length +
        (frames % MAX_GROUP_FRAMES === 0 ? GROUP_OVERHEAD_BYTES : 0);
      // The marker needs room, too.
      if (grown + END_MARKER_BYTES > MAX_PACKET_BYTES) break;
      bytes = grown;
      frames += 1;
    }
    if (frames === 0) bytes += GROUP_OVERHEAD_BYTES;
    const endsRecording = this.#queue[frames] === 'marker';
    return { frames, bytes: endsRecording ? bytes + END_MARKER_BYTES : bytes, endsRecording };
  }

  #at24k(resampler: Resampler, pcm: Int16Array): Int16Array {
    const most = Math.ceil((pcm.length * VOICE_RATE_HZ) / resampler.fromHz);
    if (this.#resampled.length < most) this.#resampled = new Int16Array(most);
    return this.#resampled.subarray(0, resampler.streamPcm(pcm, this.#resampled));
  }

  #frames(pcm: Int16Array): void {
    let at = 0;
    while (at < pcm.length) {
      const samples = Math.min(FRAME_SAMPLES - this.#pendingSamples, pcm.length - at);
      this.#pending.set(pcm.subarray(at, at + samples), this.#pendingSamples);
      this.#pendingSamples += samples;
      at += samples;
      if (this.#pendingSamples === FRAME_SAMPLES) this.#frame();
    }
  }

  /** Encodes the pending frame, and tracks whether somebody speaks. */
  #frame(): void {
    this.#pendingSamples = 0;
    const opus = this.#encode(this.#pending);
    const isQuiet = Number.isFinite(this.#endAfterSilenceMs) && this.#opus.inDtx;
    if (this.#isRecording) {
      this.#push(opus);
      this.#quietFrames = isQuiet ? this.#quietFrames + 1 : 0;
      // The detector's delay has already passed at the first quiet frame.
      const quietMs = DETECTOR_MS + (this.#quietFrames - 1) * FRAME_MS;
      if (isQuiet && quietMs >= this.#endAfterSilenceMs) this.#close();
    } else if (isQuiet) {
      this.#preroll.push(this.#pending.slice());
      if (this.#preroll.length > PREROLL_FRAMES) this.#preroll.shift();
    } else {
      this.#begin();
    }
  }

  /** Voice again: starts a new recording, from a little before the voice. */
  #begin(): void {
    this.#isRecording = true;
    this.#quietFrames = 0;
    this.#opus.reset();
    for (const pcm of [...this.#preroll, this.#pending]) this.#push(this.#encode(pcm));
    this.#preroll = [];
  }

  /** Closes a recording. The encoder goes on: it listens for the next voice. */
  #close(): void {
    this.#queue.push('marker', 'silence');
    // Space for these two is not taken from the frames.
    this.#age(MAX_QUEUED + 2);
    this.#nextSequence = 0;
    this.#isRecording = false;
  }

  #encode(pcm: Int16Array): Uint8Array {
    const bytes = this.#opus.encode(pcm, 0, this.#scratch, 0);
    this.#dtxRun = bytes === 1 ? this.#dtxRun + 1 : 0;
    return this.#scratch.slice(0, bytes);
  }

  #push(opus: Uint8Array): void {
    this.#queue.push({ sequence: this.#nextSequence, opus });
    this.#nextSequence = sequenceAfter(this.#nextSequence);
    this.#age(MAX_QUEUED);
  }

  #age(most: number): void {
    while (this.#queue.length > most) {
      if (typeof this.#queue.shift() !== 'string') this.#droppedFrames += 1;
    }
  }
}

/** @throws TypeError for an option that neither this encoder nor OpusEncoder has. */
function checkNames(opus: object): void {
  const unknown = Object.keys(opus).find((name) => !OPUS_OPTIONS.includes(name));
  if (unknown === undefined) return;
  const known = ['sampleRateHz', 'framesPerPacket', 'endAfterSilenceMs', ...OPUS_OPTIONS].join(', ');
  throw new TypeError(`Cannot make VoiceEncoder: unknown option "${unknown}", expected one of ${known}`);
}

function checkOption(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(
    `Cannot make VoiceEncoder: ${name} is ${value}, expected a whole number from ${min} to ${max}`,
  );
}
