/**
 * `hotmic/codec` in Node: Steam Voice without Steam, and what starts the codec. A browser takes `codec.js` and its
 * neighbours, which read no file.
 */

export * from './codec.js';
export * from './compress.js';
export * from './decompress.js';
export * from './load.js';
export { codecLiveBytes, codecMemoryBytes, initCodec, isCodecReady } from './module.js';
export * from './resampler.js';
export * from './voice_decompressor.js';
