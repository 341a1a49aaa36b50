/**
 * How the codec and the native oracle are compared: the codec's side of decoding the same steps, which of them may differ and why,
 * and a tally of how they do.
 */

import { OpusDecoder, type OpusRateHz } from '../../../wasm/codec.js';
import { type DecoderStep, packSteps } from './oracle.js';
import { opusFrameSizes, referenceSamples48k } from './reference_opus.js';

export type Mode = 'SILK' | 'hybrid' | 'CELT';

/** How the samples of a step come about. Only the last kind may differ from SIMD by more than 1. */
export type Kind =
  /** By SILK, made up or not, with no other mode since the last reset. SILK reckons in integers. */
  | 'SILK'
  /** By floats, with nothing made up by CELT in the last 300 ms. */
  | 'floats'
  /** Made up by CELT, or up to 300 ms after: lost frames, frames of no bytes (DTX), changes to and from CELT. */
  | 'made up';

export interface Tally {
  samples: number;
  differing: number;
  /** By more than 1. */
  beyond: number;
  largest: number;
  /** Sums of squares: of the difference, and of plain's samples. */
  error: number;
  energy: number;
}

const MADE_UP_MS = 300;
const MAX_STEPS_A_BATCH = 16;

/** By the first byte of a packet. */
export function modeOf(packet: Uint8Array): Mode {
  const configuration = packet[0]! >> 3;
  return configuration < 12 ? 'SILK' : configuration < 16 ? 'hybrid' : 'CELT';
}

/** Does the first frame carry SILK's low bit-rate redundancy? After a voice flag for each 20 ms comes the flag for it. */
export function hasFec(packet: Uint8Array): boolean {
  const sizes = opusFrameSizes(packet)!;
  if (modeOf(packet) === 'CELT' || sizes[0]! === 0) return false;
  const frame = packet.subarray(packet.length - sizes.reduce((sum, size) => sum + size, 0));
  const voiceFlags = Math.max(1, referenceSamples48k(packet.subarray(0, 1).map((toc) => toc & 0xfc)) / 960);
  const channels = packet[0]! & 4 ? 2 : 1;
  const isSet = (bit: number) => ((frame[0]! >> (7 - bit)) & 1) === 1;
  return isSet(voiceFlags) || (channels === 2 && isSet(2 * voiceFlags + 1));
}

/** Where the samples of each step come from. */
export function kindsOf(steps: readonly DecoderStep[]): Kind[] {
  let hasFloats = false;
  let mode: Mode | null = null;
  let sinceMadeUpMs = MADE_UP_MS;
  return steps.map((step) => {
    if (step === 'reset') {
      hasFloats = false;
      mode = null;
      sinceMadeUpMs = MADE_UP_MS;
      return 'SILK';
    }
    let isMadeUp = typeof step === 'string';
    let ms = 20;
    if (typeof step !== 'string') {
      const changes = mode !== null && (mode === 'CELT') !== (modeOf(step) === 'CELT');
      isMadeUp = changes || opusFrameSizes(step)!.some((size) => size <= 1);
      mode = modeOf(step);
      hasFloats ||= mode !== 'SILK';
      ms = referenceSamples48k(step) / 48;
    }
    sinceMadeUpMs = isMadeUp ? 0 : sinceMadeUpMs + ms;
    if (!hasFloats) return 'SILK';
    return sinceMadeUpMs < MADE_UP_MS ? 'made up' : 'floats';
  });
}

/** Decodes with a new decoder, a call a step. */
export function decodeOneByOne(steps: readonly DecoderStep[], rate: OpusRateHz) {
  const decoder = new OpusDecoder(rate);
  const out = new Int16Array(samplesOf(steps, rate));
  let at = 0;
  steps.forEach((step, i) => {
    if (step === 'reset') decoder.reset();
    else if (step === 'conceal') at += decoder.conceal(rate / 50, out, at);
    else if (step === 'fec') {
      const next = steps[i + 1] as Uint8Array;
      at += decoder.decodeFec(next, 0, next.length, out, at);
    } else at += decoder.decode(step, 0, step.length, out, at);
  });
  const { finalRange } = decoder;
  decoder.free();
  return { pcm: out.subarray(0, at), finalRange };
}

/** Decodes with a new decoder, a call for some 16 steps. */
export function decodeInBatches(steps: readonly DecoderStep[], rate: OpusRateHz) {
  const decoder = new OpusDecoder(rate);
  const out = new Int16Array(samplesOf(steps, rate));
  let at = 0;
  for (let first = 0; first < steps.length; ) {
    let end = Math.min(steps.length, first + MAX_STEPS_A_BATCH);
    // FEC needs its packet in the same batch.
    if (steps[end - 1] === 'fec') end += 1;
    at += decoder.decodeBatch(packSteps(steps.slice(first, end)), out, at);
    first = end;
  }
  const { finalRange } = decoder;
  decoder.free();
  return { pcm: out.subarray(0, at), finalRange };
}

function samplesOfStep(step: DecoderStep, rate: number): number {
  if (step === 'reset') return 0;
  return typeof step === 'string' ? rate / 50 : (referenceSamples48k(step) * rate) / 48_000;
}

function samplesOf(steps: readonly DecoderStep[], rate: number): number {
  return steps.reduce((sum, step) => sum + samplesOfStep(step, rate), 0);
}

/** Adds to the tally of each step's kind. */
export function compare(
  tallies: Record<Kind, Tally>,
  steps: readonly DecoderStep[],
  kinds: readonly Kind[],
  rate: number,
  ours: Int16Array,
  native: Int16Array,
): void {
  let at = 0;
  steps.forEach((step, i) => {
    const tally = tallies[kinds[i]!];
    const end = at + samplesOfStep(step, rate);
    tally.samples += end - at;
    for (; at < end; at++) {
      const difference = Math.abs(ours[at]! - native[at]!);
      tally.energy += ours[at]! ** 2;
      if (difference === 0) continue;
      tally.differing += 1;
      tally.error += difference ** 2;
      if (difference > 1) tally.beyond += 1;
      if (difference > tally.largest) tally.largest = difference;
    }
  });
}

/** Nothing compared yet. */
export function noTally(): Tally {
  return { samples: 0, differing: 0, beyond: 0, largest: 0, error: 0, energy: 0 };
}

/** How far the difference lies below the sound, in dB. */
export function distanceDb({ error, energy }: Tally): number {
  return 10 * Math.log10(energy / error);
}

/** In a line. */
export function tell(tally: Tally): string {
  const { samples, differing, beyond, largest } = tally;
  const level = differing > 0 ? `, ${distanceDb(tally).toFixed(1)} dB below the sound` : '';
  return `of ${samples} samples ${differing} differ, ${beyond} by more than 1, at most by ${largest}${level}`;
}

/** A frame of the sound that quality is measured on is 20 ms at 24 kHz, and at least this loud. */
const FRAME = 480;
const MIN_LEVEL = 100;

/**
 * The mean of the signal-to-noise ratios of all frames that are not silent, each within -10 and 35 dB. `heard` lags behind
 * `said` by `lag` samples; both at 24 kHz.
 */
export function segmentalSnrDb(said: Int16Array, heard: Int16Array, lag: number): number {
  let sum = 0;
  let frames = 0;
  for (let start = 0; start + FRAME + lag <= said.length; start += FRAME) {
    let energy = 0;
    let error = 0;
    for (let i = start; i < start + FRAME; i++) {
      energy += said[i]! ** 2;
      error += (said[i]! - heard[i + lag]!) ** 2;
    }
    if (energy < FRAME * MIN_LEVEL ** 2) continue;
    sum += Math.max(-10, Math.min(35, 10 * Math.log10(energy / Math.max(1, error))));
    frames += 1;
  }
  return sum / frames;
}
