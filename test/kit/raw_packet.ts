/**
 * Steam Voice packets put together by hand, without the writer under test: ops in hexadecimal or bytes, the SteamID and a
 * CRC computed bit by bit around them.
 */

import { bytesOfHex } from './hex.js';

/** Account 1, as on the wire. */
export const ACCOUNT_1 = bytesOfHex('01000000 01001001');

/** `24000` as a rate op. */
export const RATE_24K = '0bc05d';

/** CRC-32/ISO-HDLC, one bit at a time: slow, and plainly what the standard says. */
export function crc32BitByBit(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** A packet of account 1 around `ops`, with the right CRC. */
export function packetOfOps(ops: string | Uint8Array): Uint8Array {
  const body = typeof ops === 'string' ? bytesOfHex(ops) : ops;
  const packet = new Uint8Array(8 + body.length + 4);
  packet.set(ACCOUNT_1);
  packet.set(body, 8);
  return sealPacket(packet);
}

/** Writes the right CRC over the last four bytes of `packet`, in place; returns it. */
export function sealPacket(packet: Uint8Array): Uint8Array {
  const crcAt = packet.length - 4;
  const crc = crc32BitByBit(packet.subarray(0, crcAt));
  new DataView(packet.buffer, packet.byteOffset, packet.length).setUint32(crcAt, crc, true);
  return packet;
}

/** `value` as two little-endian bytes in hexadecimal. */
export function u16Hex(value: number): string {
  return Buffer.from([value & 0xff, (value >>> 8) & 0xff]).toString('hex');
}

/** A 0x06 op with this payload. */
export function opusOp(payload: string): string {
  return `06${u16Hex(bytesOfHex(payload).length)}${payload}`;
}

/** A frame of a 0x06 payload: length, sequence, Opus data. */
export function frameOf(sequence: number, opus: string): string {
  return `${u16Hex(bytesOfHex(opus).length)}${u16Hex(sequence)}${opus}`;
}
