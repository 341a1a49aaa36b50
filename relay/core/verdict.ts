/**
 * What becomes of one voice frame: forwarded with these fields, or dropped for this reason. The reasons are a
 * closed set, and every drop is counted under one of them.
 */

import {
  type PacketFault,
  packetSamples,
  type RelayFault,
  readPacket,
  relayFault,
} from '../../voice/packet.js';
import { MAX_PACKET_BYTES, type Milliseconds, msOfSamples } from '../../voice/units.js';
import {
  packetOf,
  type RelayFields,
  readVoiceHeader,
  type VoiceHeader,
  type WireFault,
} from '../../voice/wire.js';
import type { RelayOutput } from './io.js';
import type { Participant } from './participant.js';

/** Why a voice frame went no further. Append only. */
export type DropReason =
  /** The header, or the length of the whole frame. */
  | `frame-${WireFault}`
  /** The Steam Voice packet behind it. The header's limits already catch too short and too long ones. */
  | `packet-${PacketFault | RelayFault}`
  /** The packet names another SteamID than its speaker joined with. */
  | 'steam-id-mismatch'
  /** The speaker's credential does not let them speak. */
  | 'not-allowed'
  /** A moderator muted the speaker. */
  | 'muted'
  /** A target that does not exist, or to which this speaker may not speak. */
  | 'target-unknown'
  /** More voice frames than `framesPerSecond` and `frameBurst` allow. */
  | 'rate-frames'
  /** More bytes than `bytesPerSecond` and `byteBurst` allow. */
  | 'rate-bytes'
  /** More sound than `soundMsPerSecond` and `soundBurstMs` allow: a few bytes can hold seconds of it. */
  | 'rate-sound'
  /** The connection has not said hello, or is being closed. */
  | 'not-joined';

const NO_DROPS: Readonly<Record<DropReason, number>> = {
  'frame-too-short': 0,
  'frame-too-long': 0,
  'frame-version-unknown': 0,
  'packet-too-short': 0,
  'packet-too-long': 0,
  'packet-bad-crc': 0,
  'packet-op-truncated': 0,
  'packet-op-unknown': 0,
  'packet-op-foreign': 0,
  'packet-rate-unknown': 0,
  'packet-frame-truncated': 0,
  'packet-frame-framing': 0,
  'packet-frame-empty': 0,
  'steam-id-mismatch': 0,
  'not-allowed': 0,
  muted: 0,
  'target-unknown': 0,
  'rate-frames': 0,
  'rate-bytes': 0,
  'rate-sound': 0,
  'not-joined': 0,
};

/** Every reason to drop a voice frame. */
export const DROP_REASONS = Object.keys(NO_DROPS) as readonly DropReason[];

/** A count for every reason, all of them 0. */
export function noDrops(): Record<DropReason, number> {
  return { ...NO_DROPS };
}

/** Publish the frame to `topic`, to everyone but its speaker, with these fields written over it. */
export interface ForwardVerdict extends RelayFields {
  readonly kind: 'forward';
  readonly topic: string;
  /** The speaker's own sequence, as it stands in the frame. */
  readonly sequence: number;
  /** To be carried out after the frame is published. Nearly always empty; then no array is made. */
  readonly outputs: readonly RelayOutput[];
}

export interface DropVerdict {
  readonly kind: 'drop';
  readonly reason: DropReason;
  /** Nearly always empty: few drops close the connection. */
  readonly outputs: readonly RelayOutput[];
}

export type Verdict = ForwardVerdict | DropVerdict;

/**
 * Whether a voice frame may go out: its header, or why not. The first check that fails decides, in this
 * order: rate, header, packet, SteamID, leave to speak, mute, target, sound. Every frame is charged to the rates of frames and bytes before
 * it is read; only one that passes all other checks is charged for its sound. The frame is read, not changed and not kept.
 */
export function judgeFrame(
  frame: Uint8Array,
  speaker: Participant,
  now: Milliseconds,
): VoiceHeader | DropReason {
  if (!speaker.frames.has(1, now)) return 'rate-frames';
  speaker.frames.take(1);
  if (!speaker.bytes.has(frame.length, now)) return 'rate-bytes';
  speaker.bytes.take(frame.length);
  const header = readVoiceHeader(frame);
  if (header.kind === 'malformed') return `frame-${header.reason}`;
  const bytes = packetOf(frame);
  const packet = readPacket(bytes);
  if (packet.kind === 'malformed') return `packet-${packet.reason}`;
  const fault = relayFault(packet, bytes.length, MAX_PACKET_BYTES);
  if (fault) return `packet-${fault}`;
  if (packet.steamIdLow !== speaker.steamIdLow || packet.steamIdHigh !== speaker.steamIdHigh) {
    return 'steam-id-mismatch';
  }
  if (!speaker.rights.maySpeak) return 'not-allowed';
  if (speaker.muted) return 'muted';
  if (!speaker.lobby.reaches(speaker, header.target)) return 'target-unknown';
  const soundMs = msOfSamples(packetSamples(packet));
  if (!speaker.soundMs.has(soundMs, now)) return 'rate-sound';
  speaker.soundMs.take(soundMs);
  return header;
}
