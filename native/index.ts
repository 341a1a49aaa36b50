/**
 * `hotmic/steam`: Steam's voice functions, the embedded Steam that has them without a Steam client, and the capture worker.
 */

export { VoiceResult } from '../voice/voice_result.js';
export * from './capture.js';
export type { CaptureWorkerData, SteamModule } from './capture_worker.js';
export {
  type EmbeddedRim,
  EmbeddedSteam,
  type EmbeddedSteamOptions,
  EmbeddedWorld,
  type GameServer,
  type GameState,
} from './embedded_steam.js';
export * from './user.js';
export type { VoiceInputOptions } from './voice_input.js';
