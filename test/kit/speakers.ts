/** Packets of several speakers, for the tests of a pool of decoders: made without an encoder, so that the codec may be cold. */

import { frameOf, opusOp, packetOfOps, RATE_24K, sealPacket } from './raw_packet.js';

/** SteamIDs. */
export const ADA = 0x0110000100000001n;
export const BEN = 0x0110000100000002n;
export const CLEO = 0x0110000100000003n;

/** A voiced sound of 20 ms at 24 kHz, in some 40 bytes: any bytes are Opus behind a right TOC. */
export const SOUND = `68${'9f3ac4715b08e62d'.repeat(5)}`;

/** A packet of `id` with a frame of sound under each of `sequences`. */
export function packet(id: bigint, ...sequences: number[]): Uint8Array {
  return sealed(id, packetOfOps(RATE_24K + opusOp(sequences.map((n) => frameOf(n, SOUND)).join(''))));
}

/** The packet as of `id`, in place. */
export function sealed(id: bigint, bytes: Uint8Array): Uint8Array {
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(0, id, true);
  return sealPacket(bytes);
}
