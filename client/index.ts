/**
 * `hotmic/client`: join a lobby, talk by push-to-talk, hear the others.
 */

export type { Decibels } from '../voice/mixing/decibels.js';
export { type Level, LevelMeter } from '../voice/mixing/level_meter.js';
export type { MixerOptions } from '../voice/mixing/mixer.js';
export type { DistanceModel, SpatialOptions } from '../voice/mixing/spatial.js';
export type { SpeakerSettings } from '../voice/mixing/speaker_settings.js';
export type { Pose, Vector } from '../voice/mixing/vector.js';
export type { DelayBounds } from '../voice/playout/playout_delay.js';
export type { NumberedPacket } from '../voice/talkspurt.js';
export type { VoiceHeader } from '../voice/wire.js';
export type { FrameDecoding } from '../wasm/frame_decoder.js';
export * from './decode_lobby.js';
export { joinVoice } from './join_voice.js';
export type { CredentialOptions } from './lobby/credentials.js';
export { joinLobby } from './lobby/join.js';
export * from './lobby/lobby.js';
export type { LobbyIo, Platform } from './platform/platform.js';
export * from './playout/lobby_playout.js';
export * from './playout/packet_meter.js';
export * from './playout/speaker_playout.js';
export type { SteamDecoderCounts, SteamVoiceDecoder } from './playout/steam_decoder.js';
export * from './receiver.js';
export type { CapturedPacket, MeantSpan } from './session/captured_packet.js';
export type { RedirectCounts, RedirectRefusal } from './session/connecting/redirects.js';
export type { LobbyCounts } from './session/counter.js';
export type { LobbyChange, Member, Participant } from './session/lobby_state.js';
export type { LobbyView } from './session/place.js';
export type { Moderation } from './session/requests.js';
export { Session } from './session/session.js';
export * from './session/session_io.js';
export type { BesideAppTicket, ShownCredential } from './session/shown_credential.js';
export * from './session/voice_target.js';
export type { Publish } from './talking/capture_targets.js';
export { PacketQueue } from './talking/packet_queue.js';
export type { PacketSource } from './talking/packet_source.js';
export * from './talking/pcm_microphone.js';
export * from './talking/publisher.js';
export type { TalkMode } from './talking/talk_key.js';
export type { VoiceGateOptions } from './talking/voice_gate.js';
export * from './transport/transport.js';
export { type UpgradeAnswer, UpgradeRefusedError } from './transport/upgrade_refusal.js';
export { parseRelayUrl } from './transport/url.js';
export type { Person } from './voice/people.js';
export type { SpeakerStatistics, VoiceStatistics } from './voice/statistics.js';
export * from './voice/voice.js';
export type { MissedEvents, VoiceEvent, VoiceEventOf } from './voice/voice_event.js';
