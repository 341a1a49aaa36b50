/**
 * Our voice frame: a header of 16 bytes, then the Steam Voice packet, unchanged. One binary WebSocket message each. A frame with the
 * flag opaque is reserved for encrypted voice: its payload is nothing that a relay reads.
 *
 *     0  u8   version (high 4 bits, 1) and flags (low 4 bits)      speaker; flag 0x04 by the relay
 *     1  u8   target: the channel or whisper it is meant for        speaker
 *     2  u16  sequence: counts voice frames of this speaker         speaker
 *     4  u32  timestamp of the first sample, in 24 kHz samples      speaker
 *     8  u16  slot: the speaker's number in the lobby               relay
 *    10  u16  relay sequence: counts the speaker's frames to it     relay
 *    12  u32  relay time: milliseconds of the relay's own clock     relay
 *
 * Integers are little-endian, as in the packet behind them. docs/protocol.md gives the reason for each field.
 */

import { readU16, readU32, writeU16, writeU32 } from './bytes.js';
import { MIN_PACKET_BYTES } from './packet.js';
import { MAX_PACKET_BYTES } from './units.js';

/** The version that is written and read. */
export const WIRE_VERSION = 1;
/** The bytes before the packet. */
export const WIRE_HEADER_BYTES = 16;
/** The shortest voice frame: a header and the shortest packet. */
export const MIN_VOICE_FRAME_BYTES = WIRE_HEADER_BYTES + MIN_PACKET_BYTES;
/** The longest voice frame: a header and the longest packet. */
export const MAX_VOICE_FRAME_BYTES = WIRE_HEADER_BYTES + MAX_PACKET_BYTES;

/** The low four bits of byte 0. */
export const WireFlag = {
  /** First voice frame of a talkspurt. */
  marker: 0x01,
  /** Last voice frame of a talkspurt. */
  terminator: 0x02,
  /** Written by the relay: the listener should acknowledge this frame. */
  acknowledge: 0x04,
  /** What follows the header is not a Steam Voice packet but bytes for the listeners alone, such as an encrypted packet. */
  opaque: 0x08,
} as const;

/**
 * Targets by number. 0 is everyone else in the lobby, 255 is the speaker's whisper list. 1 to 127 are the lobby's channels; the others
 * are not assigned.
 */
export const Target = { lobby: 0, whisper: 255 } as const;

/** What the speaker writes. */
export interface SpeakerFields {
  readonly marker: boolean;
  readonly terminator: boolean;
  readonly target: number;
  readonly sequence: number;
  readonly timestamp: number;
}

/** The whole header, as a listener reads it. */
export interface VoiceHeader extends SpeakerFields {
  readonly kind: 'header';
  readonly acknowledge: boolean;
  /** Its payload is not a packet. No relay passes such frames on yet, and no client of ours reads them. */
  readonly opaque: boolean;
  readonly slot: number;
  readonly relaySequence: number;
  readonly relayTimeMs: number;
}

/** Why bytes are not a voice frame. */
export type WireFault = 'too-short' | 'too-long' | 'version-unknown';

/** Bytes that are not a voice frame, and why. */
export interface MalformedVoiceFrame {
  readonly kind: 'malformed';
  readonly reason: WireFault;
  readonly detail: string;
}

/** Makes a voice frame of `packet`: new bytes, with the relay's fields zero. */
export function writeVoiceFrame(fields: SpeakerFields, packet: Uint8Array): Uint8Array {
  const frame = new Uint8Array(WIRE_HEADER_BYTES + packet.length);
  const flags = (fields.marker ? WireFlag.marker : 0) | (fields.terminator ? WireFlag.terminator : 0);
  frame[0] = (WIRE_VERSION << 4) | flags;
  frame[1] = fields.target;
  writeU16(frame, 2, fields.sequence);
  writeU32(frame, 4, fields.timestamp);
  frame.set(packet, WIRE_HEADER_BYTES);
  return frame;
}

/** Reads the header of a voice frame and checks the frame's length. `packetOf(frame)` is what follows the header. */
export function readVoiceHeader(frame: Uint8Array): VoiceHeader | MalformedVoiceFrame {
  const header = newHeader();
  const fault = readVoiceHeaderInto(header, frame);
  return fault === null ? header : { kind: 'malformed', reason: fault, detail: detailOf(fault, frame) };
}

/** A header that is read into again and again. */
export type ReusedHeader = { -readonly [Field in keyof VoiceHeader]: VoiceHeader[Field] };

/** One to read into. */
export function newHeader(): ReusedHeader {
  return {
    ...{ kind: 'header', marker: false, terminator: false, acknowledge: false, opaque: false },
    ...{ target: 0, sequence: 0, timestamp: 0, slot: 0, relaySequence: 0, relayTimeMs: 0 },
  };
}

/** Does what `readVoiceHeader` does. Returns the fault, and null without one. Real-time: no allocation. */
export function readVoiceHeaderInto(header: ReusedHeader, frame: Uint8Array): WireFault | null {
  if (frame.length < MIN_VOICE_FRAME_BYTES) return 'too-short';
  if (frame.length > MAX_VOICE_FRAME_BYTES) return 'too-long';
  const first = frame[0]!;
  if (first >> 4 !== WIRE_VERSION) return 'version-unknown';
  header.marker = (first & WireFlag.marker) !== 0;
  header.terminator = (first & WireFlag.terminator) !== 0;
  header.acknowledge = (first & WireFlag.acknowledge) !== 0;
  header.opaque = (first & WireFlag.opaque) !== 0;
  header.target = frame[1]!;
  header.sequence = readU16(frame, 2);
  header.timestamp = readU32(frame, 4);
  header.slot = readU16(frame, 8);
  header.relaySequence = readU16(frame, 10);
  header.relayTimeMs = readU32(frame, 12);
  return null;
}

function detailOf(fault: WireFault, frame: Uint8Array): string {
  switch (fault) {
    case 'too-short':
      return `${frame.length} bytes, expected at least ${MIN_VOICE_FRAME_BYTES}`;
    case 'too-long':
      return `${frame.length} bytes, expected at most ${MAX_VOICE_FRAME_BYTES}`;
    case 'version-unknown':
      return `version ${frame[0]! >> 4}, expected ${WIRE_VERSION}`;
  }
}

/** The Steam Voice packet of a voice frame: a view, valid as long as the frame's bytes are. */
export function packetOf(frame: Uint8Array): Uint8Array {
  return frame.subarray(WIRE_HEADER_BYTES);
}

/** What the relay writes. */
export interface RelayFields {
  readonly slot: number;
  readonly relaySequence: number;
  readonly relayTimeMs: number;
  readonly acknowledge: boolean;
}

/** Overwrites the relay's fields, whatever the speaker put there. Real-time: in place, no allocation. */
export function stampVoiceFrame(frame: Uint8Array, fields: RelayFields): void {
  const first = frame[0]! & ~WireFlag.acknowledge;
  frame[0] = fields.acknowledge ? first | WireFlag.acknowledge : first;
  writeU16(frame, 8, fields.slot);
  writeU16(frame, 10, fields.relaySequence);
  writeU32(frame, 12, fields.relayTimeMs);
}
