/** What becomes of one voice frame: forwarded with these fields, or dropped for this reason. */

import { readU32 } from '../../../voice/bytes.js';
import { RelayCheck } from '../../../voice/relay_check.js';
import { MAX_PACKET_BYTES, type Milliseconds, msOfSamples } from '../../../voice/units.js';
import {
  newHeader,
  type RelayFields,
  type ReusedHeader,
  readVoiceHeaderInto,
  WIRE_HEADER_BYTES,
} from '../../../voice/wire.js';
import type { RelayOutput } from '../io.js';
import type { Participant } from '../lobby/lobby.js';
import type { DropReason } from './drop_reason.js';

/**
 * Publish the frame to both topics, to everyone but its speaker, with these fields written over it. A topic is null when nobody would hear
 * it there. Nobody is subscribed to both.
 */
export interface ForwardVerdict extends RelayFields {
  readonly kind: 'forward';
  readonly topic: string | null;
  readonly ownTopic: string | null;
  /** Frames with the same one keep their order. */
  readonly lobby: object;
  /** Whether others in the lobby speak at the same time. */
  readonly talkers: 'one' | 'several';
  /** The speaker's own sequence, as it stands in the frame. */
  readonly sequence: number;
  /** To be carried out after the frame is published. Nearly always empty; then no array is made. */
  readonly outputs: readonly RelayOutput[];
}

/** A frame that goes to nobody. */
export interface DropVerdict {
  readonly kind: 'drop';
  readonly reason: DropReason;
  /** Nearly always empty: few drops close the connection. */
  readonly outputs: readonly RelayOutput[];
}

/** It was an acknowledgement, and goes to nobody. */
export interface AcknowledgedVerdict {
  readonly kind: 'acknowledged';
  /** Empty unless the listener gets voice again by it. */
  readonly outputs: readonly RelayOutput[];
}

/** What becomes of a binary message. */
export type Verdict = ForwardVerdict | DropVerdict | AcknowledgedVerdict;

/** What frames are read into, one after the other. */
export interface FrameReader {
  /** Of the last frame whose header could be read. */
  readonly header: ReusedHeader;
  readonly packet: RelayCheck;
}

export function newFrameReader(): FrameReader {
  return { header: newHeader(), packet: new RelayCheck() };
}

/**
 * Why a voice frame may not go out; null when it may, with its header in the reader. The first check that fails decides, in this order: rate,
 * header, opaque, packet, SteamID, permission to speak, mute, target, age, sound. Every frame is charged to the rates of frames and bytes before
 * it is read; only one that passes all other checks is charged for its sound. The frame is read, not changed and not kept. Real-time: allocates
 * for packets with a fault only.
 */
export function judgeFrame(
  { header, packet }: FrameReader,
  frame: Uint8Array,
  speaker: Participant,
  now: Milliseconds,
): DropReason | null {
  const charged = speaker.voiceRates.chargeFrame(frame.length, now);
  if (charged !== 'within') return charged;
  const unread = readVoiceHeaderInto(header, frame);
  if (unread !== null) return `frame-${unread}`;
  if (header.opaque) return 'opaque-refused';
  const fault = packet.faultIn(frame, WIRE_HEADER_BYTES, frame.length, MAX_PACKET_BYTES);
  if (fault !== null) return `packet-${fault}`;
  // A packet begins with its speaker's SteamID.
  const low = readU32(frame, WIRE_HEADER_BYTES);
  const high = readU32(frame, WIRE_HEADER_BYTES + 4);
  if (low !== speaker.steamIdLow || high !== speaker.steamIdHigh) return 'steam-id-mismatch';
  if (!speaker.rights.maySpeak) return 'not-allowed';
  if (speaker.sanctioned.muted) return 'muted';
  if (!speaker.lobby.reaches(speaker, header.target)) return 'target-unknown';
  const { presence } = speaker;
  if (presence.kind === 'here' && presence.lateness?.judge(header, now) === 'stale') return 'stale';
  const sound = speaker.voiceRates.chargeSound(msOfSamples(packet.samples), now);
  return sound === 'within' ? null : sound;
}
