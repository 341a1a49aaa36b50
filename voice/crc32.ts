/**
 * CRC-32/ISO-HDLC, the one of zlib and Ethernet: reflected polynomial 0xEDB88320, initial value and final XOR 0xFFFFFFFF.
 * Every Steam Voice packet ends with it; it covers the SteamID, too.
 *
 * Eight bytes per step (slicing by eight, Kounavis and Berry 2005): the CRC is most of the cost of checking a packet in the relay, and
 * one byte per step takes three times as long.
 */

/** Bytes per step. */
const STEP = 8;

/** At 256 × n + byte: what the byte does to the remainder when n zero bytes follow it. */
const table = new Int32Array(STEP * 256);
for (let byte = 0; byte < 256; byte++) {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++)
    remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1;
  table[byte] = remainder;
}
for (let at = 256; at < table.length; at++) {
  const before = table[at - 256]!;
  table[at] = (before >>> 8) ^ table[before & 0xff]!;
}

/** The CRC-32 of `bytes` from `start` up to `end`, unsigned. Real-time: no allocation. */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = -1;
  let at = start;
  for (const last = end - STEP; at <= last; at += STEP) {
    crc =
      table[0x700 + ((crc ^ bytes[at]!) & 0xff)]! ^
      table[0x600 + (((crc >>> 8) ^ bytes[at + 1]!) & 0xff)]! ^
      table[0x500 + (((crc >>> 16) ^ bytes[at + 2]!) & 0xff)]! ^
      table[0x400 + ((crc >>> 24) ^ bytes[at + 3]!)]! ^
      table[0x300 + bytes[at + 4]!]! ^
      table[0x200 + bytes[at + 5]!]! ^
      table[0x100 + bytes[at + 6]!]! ^
      table[bytes[at + 7]!]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}
