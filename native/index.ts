/**
 * `hotmic/steam`: Steam's `User` class over the real or the embedded Steam, a layer of promises on top, and the capture worker.
 */

export type { NetworkIdentity } from '../tickets/network_identity.js';
export type { DecompressedVoice } from '../wasm/voice_decompressor.js';
export type { AuthSession } from './auth_session.js';
export * from './capture/capture.js';
export type { Microphone, MicrophoneReader } from './capture/microphone.js';
export type { SteamMicrophone } from './capture/steam_microphone.js';
export type { CaptureWorkerData, SteamModule } from './capture/worker.js';
export {
  type Clock,
  type EmbeddedRim,
  EmbeddedSteam,
  type EmbeddedSteamOptions,
  EmbeddedWorld,
  type GameServer,
  type GameState,
} from './embedded/steam.js';
export type { VoiceInput, VoiceInputOptions } from './embedded/voice_input.js';
export type { TicketFault, WorldMember } from './embedded/world.js';
export * from './enums.js';
export type { AnswerName } from './failed_call.js';
export type { HeldTicket } from './held_ticket.js';
export { type OpenSteamOptions, openSteam } from './open_steam.js';
export type { CallOptions } from './pending_calls.js';
export { explainFailure, type SteamFailure, SteamOpenError, type SteamStage } from './real/failure.js';
export type { RealSteamOptions } from './real/open.js';
export { Result } from './result.js';
export * from './signals.js';
export type { DecodedVoice, SpeakerDecoder, SpeakerDecoderOptions } from './speaker_decoder.js';
export type { Steam } from './steam.js';
export { SteamCallError } from './steam_call_error.js';
export type * from './steam_controls.js';
export type { AuthenticateOptions, SteamReport } from './steam_parts.js';
export type * from './steam_user.js';
export type * from './user.js';
export type { RecordVoiceOptions, VoiceRecorder } from './voice_recorder.js';
export type * from './voice_source.js';
