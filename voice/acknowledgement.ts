/**
 * A client's acknowledgement, a binary message of five bytes: see docs/protocol.md, "Staleness".
 *
 *     0  u8   0x10: version 1, no flags
 *     1  u32  relay time: milliseconds of the relay's own clock, as in voice frames
 *
 * Little-endian. A voice frame has at least 31 bytes, so the two cannot be confused.
 */

import { readU32, writeU32 } from './bytes.js';
import { WIRE_VERSION } from './wire.js';

/** The length of an acknowledgement. */
export const ACKNOWLEDGEMENT_BYTES = 5;

const FIRST_BYTE = WIRE_VERSION << 4;

/** An acknowledgement of everything up to this relay time: new bytes. */
export function writeAcknowledgement(relayTimeMs: number): Uint8Array {
  const message = new Uint8Array(ACKNOWLEDGEMENT_BYTES);
  message[0] = FIRST_BYTE;
  writeU32(message, 1, relayTimeMs);
  return message;
}

/** The relay time in it, 0 to 4294967295; null if the bytes are another message. Real-time: no allocation. */
export function readAcknowledgement(bytes: Uint8Array): number | null {
  return bytes.length === ACKNOWLEDGEMENT_BYTES && bytes[0] === FIRST_BYTE ? readU32(bytes, 1) : null;
}
