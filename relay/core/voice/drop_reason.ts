/** Why a voice frame went no further. A closed set; every drop is counted under one of these reasons. */

import type { PacketFault, RelayFault } from '../../../voice/packet.js';
import type { WireFault } from '../../../voice/wire.js';

/** Append only. */
export type DropReason =
  /** The header, or the length of the whole frame. */
  | `frame-${WireFault}`
  /** The Steam Voice packet behind it. The header's limits already catch packets that are too short or too long. */
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
  | 'not-joined'
  /** A frame whose payload is not a packet: this relay passes none on. */
  | 'opaque-refused'
  /** Its timestamp says that it was said too long ago. */
  | 'stale';

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
  'opaque-refused': 0,
  stale: 0,
};

/** Every reason to drop a voice frame. */
export const DROP_REASONS = Object.keys(NO_DROPS) as readonly DropReason[];

/** A count for every reason, all of them 0. */
export function noDrops(): Record<DropReason, number> {
  return { ...NO_DROPS };
}
