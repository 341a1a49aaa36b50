/**
 * What both entry points of `hotmic/codec` share: everything except how the module is found. No node: import, and at import time nothing
 * but the language itself: an AudioWorklet has no TextDecoder, atob, fetch or URL.
 */

export * from './codec.js';
export * from './compress.js';
export {
  DECOMPRESS_RATES_HZ,
  type Decompressed,
  type DecompressedPcm,
  MAX_CONCEALED_FRAMES,
  MAX_DECODED_SAMPLES,
  VoiceDecoder,
} from './decompress.js';
export { codecLiveBytes, codecMemoryBytes, initCodec, isCodecReady } from './module.js';
export * from './processing.js';
export * from './resampler.js';
export { hasWasmSimd, type SimdUse } from './simd.js';
export * from './voice_decompressor.js';
