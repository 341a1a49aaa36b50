/**
 * CRC-32/ISO-HDLC, the one of zlib and Ethernet: reflected polynomial 0xEDB88320, initial value and final XOR 0xFFFFFFFF.
 * Steam Voice closes every packet with it, SteamID included.
 */

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++)
    remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1;
  return remainder;
});

/** The CRC-32 of `bytes` from `start` up to `end`, unsigned. Real-time: no allocation. */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = 0xffffffff;
  for (let at = start; at < end; at++) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}
