/** WebSocket frames from a server: RFC 6455, section 5.2. They are not masked. */

const FINAL = 0x80;
const OPCODES = { text: 0x1, binary: 0x2, ping: 0x9, pong: 0xa } as const;
/** Longest payload with a length of 7 and of 16 bits, and the values that announce one of 16 and of 64 bits. */
const MAX_SHORT = 125;
const MAX_16 = 0xffff;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/**
 * A whole message in one frame, header and payload in one new buffer, which may be a slice of a pooled one. The caller keeps the bounds: 125 bytes
 * for pings and pongs, and less than 4 GiB.
 */
export function frameOf(payload: Uint8Array, kind: keyof typeof OPCODES): Buffer {
  const { length } = payload;
  const start = length <= MAX_SHORT ? 2 : length <= MAX_16 ? 4 : 10;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = FINAL | OPCODES[kind];
  if (start === 2) {
    frame[1] = length;
  } else if (start === 4) {
    frame[1] = LENGTH_16;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = LENGTH_64;
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(length, 6);
  }
  frame.set(payload, start);
  return frame;
}
