/**
 * `hotmic/client`: join a lobby, talk by push-to-talk, hear the others.
 */

export type { NumberedPacket } from '../voice/talkspurt.js';
export type { VoiceHeader } from '../voice/wire.js';
export type { CapturedPacket, MeantSpan, Publish } from './capture_targets.js';
export type { CredentialOptions } from './credentials.js';
export * from './lobby.js';
export type { Member, Participant } from './lobby_state.js';
export * from './publisher.js';
export * from './receiver.js';
export type { RedirectCounts, RedirectRefusal } from './redirects.js';
export type { Moderation } from './requests.js';
export { Session } from './session.js';
export * from './session_io.js';
export type { BesideAppTicket, ShownCredential } from './shown_credential.js';
export * from './transport.js';
export { UpgradeRefusedError } from './upgrade_refusal.js';
export * from './voice.js';
export * from './voice_target.js';
