/** A tone to be said, as PCM and as the bytes of a WAV, and how loud what was heard is. */

import { exportWav } from '../../record/export_wav.js';
import { VOICE_RATE_HZ } from '../../voice/units.js';

/** `seconds` of a tone at a third of full scale. */
export function tonePcm(seconds: number, frequencyHz = 440, sampleRateHz = VOICE_RATE_HZ): Int16Array {
  const step = (2 * Math.PI * frequencyHz) / sampleRateHz;
  return Int16Array.from({ length: Math.round(seconds * sampleRateHz) }, (_, at) =>
    Math.round(11_000 * Math.sin(step * at)),
  );
}

/** The same as a whole WAV file. */
export function toneWav(seconds: number, frequencyHz = 440, sampleRateHz = VOICE_RATE_HZ): Uint8Array {
  return exportWav(tonePcm(seconds, frequencyHz, sampleRateHz), sampleRateHz);
}

/** How much of `pcm` is louder than a whisper, in seconds at 24 kHz: counted in frames of 20 ms. */
export function loudSeconds(pcm: Int16Array): number {
  const frame = VOICE_RATE_HZ / 50;
  let loud = 0;
  for (let at = 0; at + frame <= pcm.length; at += frame) {
    if (pcm.subarray(at, at + frame).some((sample) => Math.abs(sample) > 2000)) loud += 1;
  }
  return loud / 50;
}
