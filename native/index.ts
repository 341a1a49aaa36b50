/**
 * `hotmic/steam`: Steam's `User` class over the real Steam or the embedded one, the typed layer, and the capture worker.
 */

export type { NetworkIdentity } from '../tickets/network_identity.js';
export type { DecompressedVoice } from '../wasm/voice_decompressor.js';
export type { AuthSession } from './auth_session.js';
export * from './capture.js';
export type { CaptureWorkerData, SteamModule } from './capture_worker.js';
export {
  type Clock,
  type EmbeddedRim,
  EmbeddedSteam,
  type EmbeddedSteamOptions,
  EmbeddedWorld,
  type GameServer,
  type GameState,
} from './embedded_steam.js';
export * from './enums.js';
export type { HeldTicket } from './held_ticket.js';
export type { Microphone } from './microphone.js';
export { type OpenSteamOptions, openSteam } from './open_steam.js';
export type { CallOptions } from './pending_calls.js';
export type { RealSteamOptions } from './real_steam.js';
export { Result } from './result.js';
export * from './signals.js';
export type { DecodedVoice, SpeakerDecoder, SpeakerDecoderOptions } from './speaker_decoder.js';
export type { AuthenticateOptions, Steam, SteamReport } from './steam.js';
export { SteamCallError } from './steam_call_error.js';
export type * from './steam_controls.js';
export { explainFailure, type SteamFailure, SteamOpenError, type SteamStage } from './steam_failure.js';
export type * from './steam_user.js';
export type * from './user.js';
export type { VoiceInput, VoiceInputOptions } from './voice_input.js';
export type { RecordVoiceOptions, VoiceRecorder } from './voice_recorder.js';
export type * from './voice_source.js';
