/**
 * Is what was heard what was said? A measure for speech that went through the codec, and how it decides.
 *
 * A lossy codec does not give the samples back, so neither equality nor one number over the whole clip will do. `said` and
 * `heard` are aligned by cross-correlation, once on the first and once on the last half second of speech; the two lags must
 * agree within one frame of 20 ms: so nothing was cut out, put in or stretched. Then every 40 ms in which `said` is active is
 * compared by its signal-to-noise ratio at the best gain: ‖said‖² over what of it is not in `heard`. The median over the whole
 * band tells of noise. Single bad segments are looked for below 3 kHz, for Opus keeps the waveform of voiced sound but only the
 * colour of a hiss: one that holds something else, or nothing, has a ratio near 0 dB.
 */

import { readFileSync } from 'node:fs';
import { FRAME_SAMPLES, samplesOfMs, VOICE_RATE_HZ } from '../../voice/units.js';
import { readWav } from '../../voice/wav.js';

/** What `compareSpeech` demands. */
export const SPEECH_THRESHOLDS = {
  /** The two lags may differ by this many samples. */
  maxStretchSamples: FRAME_SAMPLES,
  /** Half of the active segments must be above this, over the whole band. */
  medianDb: 5.5,
  /** A segment that is below this under 3 kHz is bad: it does not hold what was said. */
  badDb: 1,
  /** Share of bad segments at most. */
  maxBadShare: 0.02,
} as const;

export interface SpeechComparison {
  /** Where `said` starts in `heard`, in samples. */
  readonly lag: number;
  /** How much longer `heard` is than `said` between its first and its last half second. */
  readonly stretchSamples: number;
  readonly segments: number;
  readonly medianDb: number;
  readonly badShare: number;
  readonly verdict: 'same' | 'different';
}

/** A segment is active from 22 dB below the loudest. */
const ACTIVE_SHARE = 10 ** -2.2;

const SEGMENT = samplesOfMs(40);
const PROBE = VOICE_RATE_HZ / 2;
/** Samples of the low-pass; the coarse search then looks at every eighth. */
const COARSE = 8;
/** Of the coarse search, to be looked at in full: some around each of several pitch periods. */
const COARSE_PLACES = 16;

/** Compares what was said with the place in `heard` where it is found. Both mono at 24 kHz. */
export function compareSpeech(saidPcm: Int16Array, heardPcm: Int16Array): SpeechComparison {
  const said = lowPass(saidPcm);
  const heard = lowPass(heardPcm);
  const [first, last] = activeRange(said);
  const firstLag = lagOf(said, first, Math.min(first + PROBE, last), heard);
  const lastLag = lagOf(said, Math.max(first, last - PROBE), last, heard);
  const ratios: number[] = [];
  let bad = 0;
  const floor = peakEnergy(said) * ACTIVE_SHARE;
  for (let at = first; at + SEGMENT <= last; at += SEGMENT) {
    if (energy(said, at, SEGMENT) < floor) continue;
    ratios.push(segmentDb(saidPcm, at, heardPcm, at + firstLag));
    if (segmentDb(said, at, heard, at + firstLag) < SPEECH_THRESHOLDS.badDb) bad += 1;
  }
  ratios.sort((a, b) => a - b);
  const medianDb = ratios[ratios.length >> 1] ?? Number.NEGATIVE_INFINITY;
  const badShare = bad / Math.max(1, ratios.length);
  const stretchSamples = lastLag - firstLag;
  const isSame =
    Math.abs(stretchSamples) <= SPEECH_THRESHOLDS.maxStretchSamples &&
    medianDb >= SPEECH_THRESHOLDS.medianDb &&
    badShare <= SPEECH_THRESHOLDS.maxBadShare;
  return {
    lag: firstLag,
    stretchSamples,
    segments: ratios.length,
    medianDb,
    badShare,
    verdict: isSame ? 'same' : 'different',
  };
}

/** A moving average over eight samples: its first zero lies at 3 kHz. */
function lowPass(pcm: Int16Array): Int16Array {
  const out = new Int16Array(pcm.length);
  let sum = 0;
  for (let i = 0; i < pcm.length; i++) {
    sum += pcm[i]! - (pcm[i - COARSE] ?? 0);
    out[i] = sum / COARSE;
  }
  return out;
}

/** The PCM of a WAV at 24 kHz. */
export function pcmOfWav(path: string | URL): Int16Array {
  const wav = readWav(readFileSync(path));
  if (wav.kind === 'malformed') throw new Error(`Cannot read ${path}: ${wav.reason}`);
  if (wav.sampleRateHz !== VOICE_RATE_HZ) throw new Error(`Cannot use ${path}: ${wav.sampleRateHz} Hz`);
  return wav.samplesInt16();
}

/** The ratio of what was said to what of it is missing, in dB, at the gain that fits best. */
function segmentDb(said: Int16Array, at: number, heard: Int16Array, heardAt: number): number {
  let cross = 0;
  let saidEnergy = 0;
  let heardEnergy = 0;
  for (let i = 0; i < SEGMENT; i++) {
    const x = said[at + i] ?? 0;
    const y = heard[heardAt + i] ?? 0;
    cross += x * y;
    saidEnergy += x * x;
    heardEnergy += y * y;
  }
  if (heardEnergy === 0 || cross <= 0) return 0;
  const kept = (cross * cross) / heardEnergy;
  return 10 * Math.log10(saidEnergy / Math.max(1, saidEnergy - kept));
}

/**
 * Where `said[from, to)` is found in `heard`: the lag to add, by normalised cross-correlation. The coarse search looks at every eighth
 * sample, where a place one pitch period off may look better than the right one; so its best places are all looked at in full.
 */
function lagOf(said: Int16Array, from: number, to: number, heard: Int16Array): number {
  const probe = decimate(said.subarray(from, to));
  const track = decimate(heard);
  const places: { at: number; score: number }[] = [];
  let trackEnergy = 0;
  for (let i = 0; i < probe.length; i++) trackEnergy += (track[i] ?? 0) ** 2;
  for (let at = 0; at + probe.length <= track.length; at++) {
    let cross = 0;
    for (let i = 0; i < probe.length; i++) cross += probe[i]! * track[at + i]!;
    const score = cross / Math.sqrt(trackEnergy + 1);
    if (places.length < COARSE_PLACES || score > places.at(-1)!.score) {
      places.push({ at, score });
      places.sort((left, right) => right.score - left.score);
      places.length = Math.min(places.length, COARSE_PLACES);
    }
    trackEnergy += (track[at + probe.length] ?? 0) ** 2 - track[at]! ** 2;
  }
  let lag = 0;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const { at: coarse } of places) {
    for (let at = coarse * COARSE - COARSE; at <= coarse * COARSE + COARSE; at++) {
      let cross = 0;
      let heardEnergy = 1;
      for (let i = from; i < to; i++) {
        const there = heard[at + i - from] ?? 0;
        cross += said[i]! * there;
        heardEnergy += there * there;
      }
      const score = cross / Math.sqrt(heardEnergy);
      if (score > bestScore) {
        bestScore = score;
        lag = at;
      }
    }
  }
  return lag - from;
}

function decimate(pcm: Int16Array): Float64Array {
  return Float64Array.from({ length: Math.floor(pcm.length / COARSE) }, (_, at) => pcm[at * COARSE]!);
}

/** From the first to behind the last segment with speech in it. */
function activeRange(pcm: Int16Array): [number, number] {
  const floor = peakEnergy(pcm) * ACTIVE_SHARE;
  let first = -1;
  let last = 0;
  for (let at = 0; at + SEGMENT <= pcm.length; at += SEGMENT) {
    if (energy(pcm, at, SEGMENT) < floor) continue;
    if (first < 0) first = at;
    last = at + SEGMENT;
  }
  return [Math.max(0, first), last];
}

function peakEnergy(pcm: Int16Array): number {
  let peak = 0;
  for (let at = 0; at + SEGMENT <= pcm.length; at += SEGMENT) peak = Math.max(peak, energy(pcm, at, SEGMENT));
  return peak;
}

function energy(pcm: Int16Array, at: number, samples: number): number {
  let sum = 0;
  for (let i = at; i < at + samples; i++) sum += pcm[i]! ** 2;
  return sum;
}
