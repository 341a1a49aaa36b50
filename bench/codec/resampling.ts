/**
 * Resampling from 24 kHz, ours against speexdsp's: the speed on speech in blocks of 20 ms, and the signal-to-noise ratio of full-scale
 * sines. Both use floats and are measured by the same code.
 */

import { fitSine } from '../../test/kit/sine_fit.js';
import { Resampler } from '../../wasm/resampler.js';
import { type Row, row } from '../result.js';
import type { NativeResampler } from './native.js';
import { type Group, repeat } from './rounds.js';

const FROM_HZ = 24_000;
const TO_HZ = [44_100, 48_000, 16_000] as const;
const BLOCK = FROM_HZ / 50;

/** The length of a test sine, and how much of it is cut off at either end, in seconds. */
const SINE_SECONDS = 2;
const MARGIN_SECONDS = 0.25;

/** Below this, the output is not the input at another rate. */
const MIN_SNR_DB = 50;

/**
 * The groups to time. Call `free` afterwards.
 *
 * @param native Null if speexdsp's resampler is not available.
 */
export function resampling(speech: Float32Array, native: NativeResampler | null) {
  const groups: Group[] = [];
  const rows: Row[] = [];
  const faults: string[] = [];
  const timed: Resampler[] = [];
  for (const toHz of TO_HZ) {
    const name = `resample 24 to ${toHz / 1000} kHz`;
    const own = new Resampler(FROM_HZ, toHz);
    timed.push(own);
    const blocks = Array.from({ length: Math.floor(speech.length / BLOCK) }, (_, i) =>
      speech.subarray(i * BLOCK, (i + 1) * BLOCK),
    );
    const pass = () => {
      for (const block of blocks) own.process(block);
    };
    const seconds = (blocks.length * BLOCK) / FROM_HZ;
    const ours = { subject: 'hotmic', case: name, measure: () => repeat(seconds, pass) };
    const subjects: { subject: string; through: (input: Float32Array) => Float32Array }[] = [
      { subject: 'hotmic', through: (input) => resampleOurs(input, toHz) },
    ];
    if (native === null) {
      groups.push({ base: null, others: [ours] });
    } else {
      const theirs = native.resample(`speech_${toHz}`, speech, FROM_HZ, toHz);
      const base = { subject: 'native speexdsp', case: name, measure: theirs.again };
      groups.push({ base, others: [ours] });
      const through = (input: Float32Array) => native.resample('sine', input, FROM_HZ, toHz).output;
      subjects.unshift({ subject: 'native speexdsp', through });
    }
    const nyquistHz = Math.min(FROM_HZ, toHz) / 2;
    for (const [where, hertz] of [['1 kHz', 1000] as const, ['0.8 of Nyquist', 0.8 * nyquistHz] as const]) {
      for (const { subject, through } of subjects) {
        const output = through(sine(hertz));
        const snrDb = middleSnrDb(output, hertz, toHz);
        const lostMs = Math.abs(output.length / toHz - SINE_SECONDS) * 1000;
        if (!(snrDb > MIN_SNR_DB) || lostMs > 20) {
          faults.push(`${subject}, ${name}: ${snrDb.toFixed(1)} dB at ${where}, ${lostMs.toFixed(1)} ms off`);
        }
        rows.push(row(subject, name, `SNR at ${where}`, 'dB', [snrDb]));
      }
    }
  }
  // Rows of the same metric are adjacent.
  rows.sort((a, b) => a.metric.localeCompare(b.metric));
  const free = () => {
    for (const resampler of timed) resampler.free();
  };
  return { groups, rows, faults, free };
}

function resampleOurs(input: Float32Array, toHz: number): Float32Array {
  const resampler = new Resampler(FROM_HZ, toHz);
  const output: number[] = [];
  for (let at = 0; at < input.length; at += BLOCK) {
    output.push(...resampler.process(input.subarray(at, at + BLOCK)));
  }
  resampler.free();
  return Float32Array.from(output);
}

function sine(hertz: number): Float32Array {
  const step = (2 * Math.PI * hertz) / FROM_HZ;
  return Float32Array.from({ length: SINE_SECONDS * FROM_HZ }, (_, i) => Math.sin(step * i));
}

/** The signal-to-noise ratio away from the ends. */
function middleSnrDb(output: Float32Array, hertz: number, toHz: number): number {
  const margin = MARGIN_SECONDS * toHz;
  return fitSine(output.subarray(margin, output.length - margin), hertz, toHz).snrDb;
}
