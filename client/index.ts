/**
 * `hotmic/client`: join a lobby, talk by push-to-talk, hear the others.
 */

export type { Decibels } from '../voice/mixing/decibels.js';
export { type Level, LevelMeter } from '../voice/mixing/level_meter.js';
export type { MixerOptions } from '../voice/mixing/mixer.js';
export type { DistanceModel, SpatialOptions } from '../voice/mixing/spatial.js';
export type { SpeakerSettings } from '../voice/mixing/speaker_settings.js';
export type { Pose, Vector } from '../voice/mixing/vector.js';
export type { NumberedPacket } from '../voice/talkspurt.js';
export type { VoiceHeader } from '../voice/wire.js';
export type { CapturedPacket, MeantSpan, Publish } from './capture_targets.js';
export * from './hear.js';
export type { CredentialOptions } from './lobby/credentials.js';
export { joinLobby } from './lobby/join.js';
export * from './lobby/lobby.js';
export type { RedirectCounts, RedirectRefusal } from './lobby/redirects.js';
export type { Moderation } from './lobby/requests.js';
export type { Member, Participant } from './lobby_state.js';
export * from './playout/lobby_playout.js';
export * from './playout/packet_meter.js';
export * from './playout/speaker_playout.js';
export * from './publisher.js';
export * from './receiver.js';
export { Session } from './session.js';
export * from './session_io.js';
export type { BesideAppTicket, ShownCredential } from './shown_credential.js';
export * from './transport/transport.js';
export { UpgradeRefusedError } from './transport/upgrade_refusal.js';
export { parseRelayUrl } from './transport/url.js';
export * from './voice.js';
export * from './voice_target.js';
