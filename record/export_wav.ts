/**
 * A whole WAV in memory, from complete PCM: for a download, an attachment, a test.
 *
 * The npm package audiobuffer-to-wav writes it. That package is made for Web Audio's floats, and its conversion to 16 bit differs from
 * ours: it multiplies by 32768 below zero and by 32767 above, clamps to ±1, and truncates instead of rounding. Given `v / 32767` or
 * `v / 32768`, it changes thousands of the 65,536 values by one. So it gets floats that truncate to exactly the intended integer.
 */

import audioBufferToWav from 'audiobuffer-to-wav';
import { HotmicError } from '../voice/error.js';
import type { Samples } from '../voice/units.js';
import { checkWavRate, WAV_HEADER_BYTES } from '../voice/wav.js';

/** The longest sound that is exported in one piece, in samples: six hours at 24 kHz. Use a WavWriter for longer ones. */
export const MAX_EXPORT_SAMPLES: Samples = 2 ** 29;

/**
 * Makes the WAV of mono 16-bit PCM, bit-exact.
 *
 * @param pcm 0 to `MAX_EXPORT_SAMPLES` samples; not kept.
 * @param sampleRateHz 4000 to 192000.
 * @returns New bytes, which the caller owns. While it runs, it uses 4 more bytes per sample.
 * @throws RangeError if the rate is out of range; HotmicError ERR_HOTMIC_WAV_FULL if the sound is too long.
 */
export function exportWav(pcm: Int16Array, sampleRateHz: number): Uint8Array {
  checkWavRate(sampleRateHz);
  if (pcm.length > MAX_EXPORT_SAMPLES) {
    throw new HotmicError(
      'ERR_HOTMIC_WAV_FULL',
      `Cannot export WAV: ${pcm.length} samples, expected at most ${MAX_EXPORT_SAMPLES}`,
    );
  }
  const samples = new Float32Array(pcm.length);
  for (let at = 0; at < pcm.length; at++) samples[at] = exactFloat(pcm[at]!);
  const wav = audioBufferToWav(audioBufferOf(samples, sampleRateHz));
  if (wav.byteLength !== WAV_HEADER_BYTES + 2 * pcm.length) {
    throw new Error(`audiobuffer-to-wav made ${wav.byteLength} bytes of ${pcm.length} samples`);
  }
  return new Uint8Array(wav);
}

/**
 * The float that the package turns into `value`. Below zero, `value / 32768` is an exact float. Above zero, a float times 32767 need not
 * be whole, so the target is the middle between two integers: a float's error is far less than half a step. At the top that is more
 * than 1, which the package clamps to 1, which becomes 32767.
 */
function exactFloat(value: number): number {
  return value < 0 ? value / 0x8000 : (value + 0.5) / 0x7fff;
}

type PackageInput = Parameters<typeof audioBufferToWav>[0];

/** The part of Web Audio's AudioBuffer that the package uses. */
function audioBufferOf(samples: Float32Array, sampleRate: number): PackageInput {
  return {
    numberOfChannels: 1,
    sampleRate,
    length: samples.length,
    duration: samples.length / sampleRate,
    getChannelData: () => samples,
  } as unknown as PackageInput;
}
