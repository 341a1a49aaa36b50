/**
 * `hotmic/record`: recordings. WAVs that grow while people speak, whole sessions on one sample clock, mixes, exports.
 */

export * from './export_wav.js';
export * from './mix.js';
export * from './session_recorder.js';
export * from './wav_file.js';
export * from './wav_writer.js';
