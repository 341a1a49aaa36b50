/**
 * What the decompression tests have in common: the results by their short names, decoders that are freed with the test, and
 * PCM put together. It does not start the codec: a test of what comes before that may use it.
 */

import { createHash } from 'node:crypto';
import type { Test } from 'tap';
import { VoiceResult } from '../../voice/voice_result.js';
import { VoiceDecoder } from '../../wasm/decompress.js';
import { VoiceDecompressor, type VoiceDecompressorOptions } from '../../wasm/voice_decompressor.js';

export const {
  VOICE_RESULT_OK: OK,
  VOICE_RESULT_NOT_INITIALIZED: NOT_INITIALIZED,
  VOICE_RESULT_BUFFER_TOO_SMALL: BUFFER_TOO_SMALL,
  VOICE_RESULT_DATA_CORRUPTED: DATA_CORRUPTED,
  VOICE_RESULT_UNSUPPORTED_CODEC: UNSUPPORTED_CODEC,
} = VoiceResult;

/** Samples of 20 ms at 24 kHz. */
export const FRAME = 480;

/** The end of a recording, in a 0x06 payload. */
export const MARKER = 'ffff';

/** What is in `out` where nothing was written. */
export const CANARY = 0x5a5a;

/** Freed when `t` ends. 24 kHz by default. */
export function newDecoder(t: Test, rateHz = 24_000): VoiceDecoder {
  const decoder = new VoiceDecoder(rateHz);
  t.teardown(() => decoder.free());
  return decoder;
}

/** Freed when `t` ends. Its clock stands at 0 by default. */
export function newDecompressor(t: Test, options: Partial<VoiceDecompressorOptions> = {}): VoiceDecompressor {
  const voice = new VoiceDecompressor({ clock: () => 0, ...options });
  t.teardown(() => voice.free());
  return voice;
}

/** The parts one behind the other. */
export function joined(parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Stands for the samples or bytes: comparing long arrays takes tap seconds. */
export function digest(data: Int16Array | Uint8Array): string {
  return createHash('sha1').update(data).digest('hex');
}
