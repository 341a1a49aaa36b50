/**
 * What a decoder must answer to a packet, worked out from the format's description alone: the verdict, the number of samples,
 * and which of them are silence. It reads the bytes by itself and decodes nothing; the readers under test are not used.
 */

import { referenceSamples48k } from '../kit/opus/reference_opus.js';
import { crc32BitByBit } from '../kit/raw_packet.js';

/** VoiceResult's numbers, written down once more. */
export const Answer = { ok: 0, tooSmall: 4, corrupted: 5, unsupported: 7 } as const;

export type AnswerCode = (typeof Answer)[keyof typeof Answer];

/** The stream as the packet finds it, or leaves it: the sequence to come, or null before the first frame. */
export type Expected = number | null;

export interface Expectation {
  readonly answer: AnswerCode;
  /** Samples at 24 kHz; 0 unless `answer` is ok. */
  readonly samples24k: number;
  readonly decodedFrames: number;
  readonly concealedFrames: number;
  /** Zeros without a decoder: pairs of first sample and end, at 24 kHz. */
  readonly silences: readonly number[];
  /** The sequence to come, once the packet is decoded. */
  readonly expected: Expected;
  /** Is every byte well-framed, ops that nobody decodes included? What a reader, other than a decoder, goes by. */
  readonly isWhole: boolean;
}

const RATES = new Set([8000, 12000, 16000, 24000, 48000]);
const MAX_SAMPLES = 72_000;
const MAX_GAP = 10;

/** Samples of `samples24k` at `rateHz`. */
export function samplesAt(samples24k: number, rateHz: number): number {
  return Math.floor((samples24k * rateHz) / 24_000);
}

/** What must become of `packet` in a stream that waits for `expected`. */
export function expectationOf(packet: Uint8Array, expected: Expected): Expectation {
  const refused = (answer: AnswerCode, isWhole = false): Expectation => ({
    answer,
    samples24k: 0,
    decodedFrames: 0,
    concealedFrames: 0,
    silences: [],
    expected,
    isWhole,
  });
  const end = packet.length - 4;
  const u16 = (at: number) => packet[at]! + packet[at + 1]! * 256;
  if (packet.length < 15) return refused(Answer.corrupted);
  if (u16(end) + u16(end + 2) * 65536 !== crc32BitByBit(packet.subarray(0, end)))
    return refused(Answer.corrupted);

  let rate = 24_000;
  let samples = 0;
  let decodedFrames = 0;
  let concealedFrames = 0;
  let next = expected;
  // The first foreign op decides, but the rest of the packet still says whether it is whole.
  let hasForeign = false;
  const silences: number[] = [];
  const fault = () => refused(hasForeign ? Answer.unsupported : Answer.corrupted);

  for (let at = 8; at < end; ) {
    const op = packet[at]!;
    if (op === 0x03) {
      hasForeign = true;
      break;
    }
    if (op > 0x06 && op !== 0x0a && op !== 0x0b) return refused(Answer.unsupported);
    if (at + 3 > end) return fault();
    const argument = u16(at + 1);
    at += 3;
    if (op === 0x0b) {
      if (!RATES.has(argument)) return fault();
      rate = argument;
    } else if (op === 0x00) {
      const from = samples;
      samples += Math.floor((argument * 24_000) / rate);
      silences.push(from, samples);
    } else if (op === 0x0a) {
      hasForeign = true;
    } else {
      const payloadEnd = at + argument;
      if (payloadEnd > end) return fault();
      if (op !== 0x06) {
        hasForeign = true;
        at = payloadEnd;
        continue;
      }
      while (at < payloadEnd) {
        if (payloadEnd - at >= 2 && u16(at) === 0xffff) {
          if (next !== null) next = 0;
          at += 2;
          continue;
        }
        if (payloadEnd - at < 4) return fault();
        const length = u16(at);
        const sequence = u16(at + 2);
        at += 4;
        if (at + length > payloadEnd) return fault();
        const plays = length === 0 ? 960 : referenceSamples48k(packet.subarray(at, at + length));
        if (plays === 0) return fault();
        const ahead = next === null ? 0 : (sequence - next + 65536) % 65536;
        const lost = ahead < 32768 ? Math.min(ahead, MAX_GAP) : 0;
        samples += lost * 480;
        concealedFrames += lost;
        if (length === 0) silences.push(samples, samples + 480);
        samples += plays / 2;
        // A frame of no bytes is zeros, which no decoder makes.
        if (length > 0) decodedFrames += 1;
        next = (sequence + 1) % 65536;
        at += length;
      }
    }
  }
  if (hasForeign) return refused(Answer.unsupported, true);
  if (samples > MAX_SAMPLES) return refused(Answer.corrupted, true);
  return {
    answer: Answer.ok,
    samples24k: samples,
    decodedFrames,
    concealedFrames,
    silences,
    expected: next,
    isWhole: true,
  };
}
