/**
 * `hotmic/steam`: Steam's `User` class over the real Steam or the embedded one, the typed layer, and the capture worker.
 */

export * from './capture.js';
export type { CaptureWorkerData, SteamModule } from './capture_worker.js';
export { EmbeddedSteam, type EmbeddedSteamOptions } from './embedded_steam.js';
export * from './enums.js';
export { Result } from './result.js';
export * from './signals.js';
export type * from './steam_controls.js';
export type * from './steam_user.js';
export * from './user.js';
export type { VoiceInputOptions } from './voice_input.js';
export type * from './voice_source.js';
