/**
 * Steam Voice packets to PCM: one speaker at one rate, with state that is kept across packets.
 *
 * The rules of docs/steam-voice-packet.md: a whole packet is checked and sized before the decoder is touched, so one that is refused, or
 * does not fit, makes no sound and changes nothing. Loss is concealed, a step backward resets.
 */

import { HotmicError } from '../voice/error.js';
import {
  type MalformedPacket,
  type OpusFrame,
  type Packet,
  readPacket,
  silenceSamples,
} from '../voice/packet.js';
import { sequenceAfter, sequenceDistance } from '../voice/sequence.js';
import { FRAME_SAMPLES, VOICE_RATE_HZ } from '../voice/units.js';
import { VoiceResult } from '../voice/voice_result.js';
import { MAX_BATCH, OPUS_RATES_HZ, OpusDecoder, Step } from './codec.js';
import { checkArray, checkSpan, freed, isCodecReady, notReady } from './module.js';
import { Resampler } from './resampler.js';

/** The rates that decompressVoice makes: every whole number of Hz from `min` to `max`, as the class reference has it. */
export const DECOMPRESS_RATES_HZ = { min: 11_025, max: 48_000 } as const;

/** The most that one packet may decode to: 3 s, in samples at 24 kHz, including silence and concealment. */
export const MAX_DECODED_SAMPLES = 3 * VOICE_RATE_HZ;

/** The most frames to conceal in one gap: 200 ms. */
export const MAX_CONCEALED_FRAMES = 10;

/** The result for one packet. */
export interface Decompressed {
  /** VOICE_RESULT_OK, DATA_CORRUPTED, UNSUPPORTED_CODEC or BUFFER_TOO_SMALL. */
  readonly result: VoiceResult;
  /** Samples written; with VOICE_RESULT_BUFFER_TOO_SMALL the samples that need room. */
  readonly samples: number;
  /** The frames among the samples written that conceal lost ones. */
  readonly concealedFrames: number;
  /** Those of them before the packet's first sample. */
  readonly leadingConcealedFrames: number;
  /** Opus frames decoded, including DTX frames but not empty ones. */
  readonly decodedFrames: number;
}

/** The same with the sound, which the caller owns: exactly as long as what was decoded. Empty unless `result` is OK. */
export interface DecompressedPcm extends Decompressed {
  readonly pcm: Int16Array;
}

/** Shared: used for one packet at a time, so that decoders need no memory for it. */
const steps = new Uint8Array(MAX_BATCH.bytes);
const pcm24k = new Int16Array(MAX_DECODED_SAMPLES);

/**
 * Decodes one speaker's packets. From the first packet that it decodes until `free()` it holds an Opus decoder in the codec's memory,
 * and a resampler for rates that Opus does not decode to natively.
 *
 * A packet of n samples at 24 kHz becomes floor(n * rate / 24000) samples, without carrying a remainder. At 12, 16, 24 and 48 kHz they
 * are what Opus decodes. At other rates they are resampled from 24 kHz, evenly over the packet: the sound is continuous across packets,
 * and `delaySamples` late. If the exact count is not a whole number (11025 Hz: 220.5 per frame), the packet plays a little faster: 0.23 %
 * for packets of one frame.
 */
export class VoiceDecoder {
  readonly sampleRateHz: number;
  /** Made when there is something to decode: a refused packet costs neither memory nor a filter. */
  #parts: Parts | null = null;
  #isFreed = false;
  /** The sequence that the next frame should have; null before the first frame, which may have any. */
  #expected: number | null = null;

  /**
   * @param sampleRateHz Rate of the PCM: a whole number from 11025 to 48000.
   * @throws HotmicError ERR_HOTMIC_SAMPLE_RATE for any other rate; ERR_HOTMIC_CODEC when the codec is not started.
   */
  constructor(sampleRateHz: number) {
    checkDecompressRate(sampleRateHz);
    if (!isCodecReady()) throw notReady();
    this.sampleRateHz = sampleRateHz;
  }

  /**
   * By how many samples at 24 kHz the PCM lags behind what Opus decodes: 0 at 12, 16, 24 and 48 kHz, otherwise as `Resampler`'s. It
   * allocates the decoder: read it before the sound starts, and the first packet is as fast as the others.
   */
  get delaySamples(): number {
    return this.#live().resampler?.delaySamples ?? 0;
  }

  /**
   * Decodes `packet`, which may be any bytes, into `out` from `outOffset`. Unless the result is OK, nothing was written and the decoder
   * is unchanged. A packet without audio is OK with 0 samples. Both arrays are only used during the call.
   *
   * Real-time except for a few small objects per packet, and for the first packet: it makes the decoder and, at a resampled rate, the
   * filter, in up to 10 ms, unless `delaySamples` was read before.
   *
   * @throws TypeError for arrays of another kind; RangeError for an offset outside `out`; HotmicError ERR_HOTMIC_CODEC after
   *   `free()`, or when 64 other rates are being resampled to.
   */
  decompress(packet: Uint8Array, out: Int16Array, outOffset = 0): Decompressed {
    checkSpan('decompress: out', out, Int16Array, outOffset, 0);
    const sized = this.#size(packet);
    if (sized.read === null) return sized.refusal;
    if (sized.samples > out.length - outOffset) return tooSmall(sized.samples);
    return this.#decode(packet, sized.read, sized.samples, out, outOffset);
  }

  /**
   * Decodes `packet` into new memory of exactly the right size: nothing has to grow, and nothing is decoded twice.
   *
   * @param maxSamples More than this is BUFFER_TOO_SMALL. Default: only the limit of 3 s per packet.
   * @throws As `decompress`.
   */
  decompressPcm(packet: Uint8Array, maxSamples = Number.POSITIVE_INFINITY): DecompressedPcm {
    const sized = this.#size(packet);
    if (sized.read === null) return { ...sized.refusal, pcm: new Int16Array(0) };
    if (!(sized.samples <= maxSamples)) return { ...tooSmall(sized.samples), pcm: new Int16Array(0) };
    const pcm = new Int16Array(sized.samples);
    return { ...this.#decode(packet, sized.read, sized.samples, pcm, 0), pcm };
  }

  /** Forgets the stream: the next frame counts as the first. */
  reset(): void {
    if (this.#isFreed) throw freed('VoiceDecoder');
    this.#parts?.opus.reset();
    this.#parts?.resampler?.reset();
    this.#expected = null;
  }

  /** Frees the memory. A second call does nothing; any other use throws. */
  free(): void {
    this.#parts?.opus.free();
    this.#parts?.resampler?.free();
    this.#parts = null;
    this.#isFreed = true;
  }

  #live(): Parts {
    if (this.#isFreed) throw freed('VoiceDecoder');
    this.#parts ??= makeParts(this.sampleRateHz);
    return this.#parts;
  }

  /** Checks the packet, and computes what it will decode to at the output rate, given what came before it. */
  #size(packet: Uint8Array): Sized {
    if (this.#isFreed) throw freed('VoiceDecoder');
    checkArray('decompress: packet', packet, Uint8Array);
    const read = readPacket(packet);
    const result = refusal(read);
    if (result !== null || read.kind === 'malformed') return refused(result ?? CORRUPTED);
    let samples = 0;
    let expected = this.#expected;
    for (const op of read.ops) {
      if (op.kind === 'silence') samples += silenceSamples(op.samples, op.sampleRateHz);
      if (op.kind !== 'opus') continue;
      for (const item of op.frames) {
        if (item.kind === 'end') {
          expected = afterEndOfRecording(expected);
        } else {
          samples += Math.max(0, concealedBefore(expected, item)) * FRAME_SAMPLES + item.samples;
          expected = sequenceAfter(item.sequence);
        }
      }
    }
    if (samples > MAX_DECODED_SAMPLES) return refused(CORRUPTED);
    return { read, samples: this.#atOutputRate(samples) };
  }

  #decode(
    packet: Uint8Array,
    read: Packet,
    samples: number,
    out: Int16Array,
    outOffset: number,
  ): Decompressed {
    const { opus, resampler } = this.#live();
    const run = new Run(opus, resampler ? pcm24k : out, resampler ? 0 : outOffset);
    const atDecoderRate = (samples: number) => (resampler ? samples : this.#atOutputRate(samples));
    let samples24k = 0;
    let concealedFrames = 0;
    let leadingConcealedFrames = 0;
    let decodedFrames = 0;
    for (const op of read.ops) {
      if (op.kind === 'silence') {
        const from = atDecoderRate(samples24k);
        samples24k += silenceSamples(op.samples, op.sampleRateHz);
        run.silence(atDecoderRate(samples24k) - from);
      }
      if (op.kind !== 'opus') continue;
      for (const item of op.frames) {
        if (item.kind === 'end') {
          run.word(Step.reset);
          this.#expected = afterEndOfRecording(this.#expected);
          continue;
        }
        const lost = concealedBefore(this.#expected, item);
        if (lost < 0) run.word(Step.reset);
        if (samples24k === 0) leadingConcealedFrames = Math.max(0, lost);
        for (let frame = 1; frame <= lost; frame++) {
          if (frame === lost && item.bytes > 0) run.fec(item);
          else run.word(Step.conceal);
        }
        run.packet(packet, item);
        samples24k += Math.max(0, lost) * FRAME_SAMPLES + item.samples;
        concealedFrames += Math.max(0, lost);
        if (item.bytes > 0) decodedFrames += 1;
        this.#expected = sequenceAfter(item.sequence);
      }
    }
    run.flush();
    resampler?.stretchPcm(pcm24k, 0, samples24k, out, outOffset, samples);
    return {
      result: VoiceResult.VOICE_RESULT_OK,
      samples,
      concealedFrames,
      leadingConcealedFrames,
      decodedFrames,
    };
  }

  #atOutputRate(samples24k: number): number {
    return Math.floor((samples24k * this.sampleRateHz) / VOICE_RATE_HZ);
  }
}

/** What a decoder holds in the codec's memory. */
interface Parts {
  readonly opus: OpusDecoder;
  readonly resampler: Resampler | null;
}

function makeParts(sampleRateHz: number): Parts {
  const opusRate = OPUS_RATES_HZ.find((rate) => rate === sampleRateHz);
  if (opusRate !== undefined) return { opus: new OpusDecoder(opusRate), resampler: null };
  const resampler = new Resampler(VOICE_RATE_HZ, sampleRateHz);
  return { opus: new OpusDecoder(VOICE_RATE_HZ), resampler };
}

/** Collects the steps of one packet, and has the decoder do them in as few calls as possible: normally one. */
class Run {
  readonly #opus: OpusDecoder;
  readonly #out: Int16Array;
  #outAt: number;
  #bytes = 0;

  constructor(opus: OpusDecoder, out: Int16Array, outOffset: number) {
    this.#opus = opus;
    this.#out = out;
    this.#outAt = outOffset;
  }

  word(value: number): void {
    this.#reserve(2);
    this.#put(value);
  }

  silence(samples: number): void {
    this.#reserve(6);
    this.#put(Step.silence);
    this.#put(samples & 0xffff);
    this.#put(samples >>> 16);
  }

  /** The frame lost before `frame`; `packet` with `frame` must follow in the same call. */
  fec(frame: OpusFrame): void {
    this.#reserve(4 + frame.bytes);
    this.#put(Step.fec);
  }

  packet(bytes: Uint8Array, frame: OpusFrame): void {
    this.#reserve(2 + frame.bytes);
    this.#put(frame.bytes);
    for (let i = 0; i < frame.bytes; i++) steps[this.#bytes + i] = bytes[frame.start + i]!;
    this.#bytes += frame.bytes;
  }

  flush(): void {
    if (this.#bytes === 0) return;
    const samples = this.#opus.decodeBatch(steps.subarray(0, this.#bytes), this.#out, this.#outAt);
    // The reader has checked every step.
    if (samples < 0)
      throw new HotmicError('ERR_HOTMIC_INTERNAL', `Cannot decode: the codec returned ${samples}`);
    this.#outAt += samples;
    this.#bytes = 0;
  }

  #reserve(bytes: number): void {
    if (this.#bytes + bytes > steps.length) this.flush();
  }

  #put(word: number): void {
    steps[this.#bytes] = word & 0xff;
    steps[this.#bytes + 1] = word >> 8;
    this.#bytes += 2;
  }
}

/** A valid packet and what it decodes to, or why it is refused. */
type Sized =
  | { readonly read: Packet; readonly samples: number }
  | { readonly read: null; readonly refusal: Decompressed };

const CORRUPTED = VoiceResult.VOICE_RESULT_DATA_CORRUPTED;

/** @throws HotmicError ERR_HOTMIC_SAMPLE_RATE unless decompressVoice supports this rate. */
export function checkDecompressRate(sampleRateHz: number): void {
  const { min, max } = DECOMPRESS_RATES_HZ;
  if (Number.isInteger(sampleRateHz) && sampleRateHz >= min && sampleRateHz <= max) return;
  throw new HotmicError(
    'ERR_HOTMIC_SAMPLE_RATE',
    `Cannot decompress voice: ${sampleRateHz} Hz, expected a whole number from ${min} to ${max}`,
  );
}

/** What decompressVoice returns for a packet that it refuses; null for one that it accepts. */
function refusal(read: Packet | MalformedPacket): VoiceResult | null {
  // A foreign op before the fault decides first.
  const isForeign = read.ops.some((op) => op.kind === 'foreign');
  if (isForeign || (read.kind === 'malformed' && read.reason === 'op-unknown'))
    return VoiceResult.VOICE_RESULT_UNSUPPORTED_CODEC;
  return read.kind === 'malformed' ? CORRUPTED : null;
}

/** Frames to conceal before `frame`, at most MAX_CONCEALED_FRAMES; −1 when it goes backward and the decoder is reset. */
function concealedBefore(expected: number | null, frame: OpusFrame): number {
  if (expected === null) return 0;
  const ahead = sequenceDistance(expected, frame.sequence);
  return ahead < 0x8000 ? Math.min(ahead, MAX_CONCEALED_FRAMES) : -1;
}

/** A recording starts at 0, but a decoder without a frame so far accepts any. */
function afterEndOfRecording(expected: number | null): number | null {
  return expected === null ? null : 0;
}

const NOTHING = { samples: 0, concealedFrames: 0, leadingConcealedFrames: 0, decodedFrames: 0 } as const;

function refused(result: VoiceResult): Sized {
  return { read: null, refusal: { ...NOTHING, result } };
}

function tooSmall(samples: number): Decompressed {
  return { ...NOTHING, result: VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL, samples };
}
