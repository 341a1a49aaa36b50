/**
 * `hotmic`: the core. Packets, voice frames, control messages, the ring, the mixer, WAV headers. It uses no clock, timer, socket or file.
 */

export * from './capture_tag.js';
export * from './control.js';
export * from './control_codes.js';
export * from './crc32.js';
export * from './error.js';
export * from './packet.js';
export * from './packet_writer.js';
export * from './recording/timeline.js';
export * from './ring.js';
export * from './sequence.js';
export * from './steam_id.js';
export * from './talkspurt.js';
export * from './units.js';
export * from './voice_result.js';
export * from './wav.js';
export * from './wire.js';
