/** WebSocket frames from a server: RFC 6455, section 5.2. They are not masked. */

const FINAL = 0x80;
const OPCODES = { text: 0x1, binary: 0x2, ping: 0x9, pong: 0xa } as const;
/** Longest payload with a length of 7 bits, and the value that announces one of 16 bits. */
const MAX_SHORT = 125;
const LENGTH_16 = 126;

/** Longest payload of a frame made here, in bytes. */
export const MAX_PAYLOAD_BYTES = 0xffff;

/**
 * A whole message in one frame, header and payload in one buffer of its own, which may be a slice of a larger one. Pings and pongs carry at most
 * 125 bytes.
 *
 * @throws RangeError if the payload is longer than MAX_PAYLOAD_BYTES.
 */
export function frameOf(payload: Uint8Array, kind: keyof typeof OPCODES): Buffer {
  const { length } = payload;
  if (length > MAX_PAYLOAD_BYTES) {
    throw new RangeError(`Cannot send ${length} bytes in one message, expected at most ${MAX_PAYLOAD_BYTES}`);
  }
  const isShort = length <= MAX_SHORT;
  const start = isShort ? 2 : 4;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = FINAL | OPCODES[kind];
  if (isShort) {
    frame[1] = length;
  } else {
    frame[1] = LENGTH_16;
    frame[2] = length >> 8;
    frame[3] = length & 0xff;
  }
  frame.set(payload, start);
  return frame;
}
