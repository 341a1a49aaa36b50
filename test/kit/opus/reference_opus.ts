/**
 * RFC 6716 section 3, taken down requirement by requirement. Slow and plain: what the quick one is compared with.
 */

/** Lengths of the 32 configurations in samples at 48 kHz (table 2). */
export function configSamples48k(config: number): number {
  if (config < 12) return [480, 960, 1920, 2880][config % 4]!; // SILK: 10, 20, 40, 60 ms
  if (config < 16) return [480, 960][config % 2]!; // hybrid: 10, 20 ms
  return [120, 240, 480, 960][config % 4]!; // CELT: 2.5, 5, 10, 20 ms
}

/** Sizes of the frames of the Opus packet `packet`, or null when it breaks a requirement. */
export function opusFrameSizes(packet: Uint8Array): number[] | null {
  // R1: at least one byte.
  if (packet.length < 1) return null;
  const toc = packet[0]!;
  const rest = [...packet.subarray(1)];
  const sizes = sizesOfCode(toc & 3, rest, configSamples48k(toc >> 3));
  // R2: no frame is longer than 1275 bytes.
  return sizes?.every((size) => size <= 1275) ? sizes : null;
}

/** Samples at 48 kHz of the Opus packet `packet`; 0 when it breaks a requirement. */
export function referenceSamples48k(packet: Uint8Array): number {
  const sizes = opusFrameSizes(packet);
  return sizes === null ? 0 : sizes.length * configSamples48k(packet[0]! >> 3);
}

/** `rest` is what follows the TOC; it is eaten from the front. */
function sizesOfCode(code: number, rest: number[], frameSamples48k: number): number[] | null {
  if (code === 0) return [rest.length];
  if (code === 1) {
    // R3: two frames of one size need an even number of bytes.
    return rest.length % 2 === 0 ? [rest.length / 2, rest.length / 2] : null;
  }
  if (code === 2) {
    // R4: the first length is whole and does not pass the end.
    const first = takeLength(rest);
    return first === null || first > rest.length ? null : [first, rest.length - first];
  }
  // R6, R7: a count byte; R5: at least one frame and at most 120 ms.
  const countByte = rest.shift();
  if (countByte === undefined) return null;
  const count = countByte & 0x3f;
  if (count === 0 || count * frameSamples48k > 5760) return null;
  let padding = 0;
  if (countByte & 0x40) {
    for (;;) {
      const byte = rest.shift();
      if (byte === undefined) return null;
      padding += byte === 255 ? 254 : byte;
      if (byte !== 255) break;
    }
  }
  if (padding > rest.length) return null;
  rest.length -= padding;
  if (countByte & 0x80) {
    // R7: all lengths but the last, and none passes the end.
    const sizes: number[] = [];
    for (let frame = 1; frame < count; frame += 1) {
      const size = takeLength(rest);
      if (size === null) return null;
      sizes.push(size);
    }
    const last = rest.length - sizes.reduce((sum, size) => sum + size, 0);
    return last < 0 ? null : [...sizes, last];
  }
  // R6: a whole multiple of the count.
  return rest.length % count === 0 ? new Array<number>(count).fill(rest.length / count) : null;
}

/** Section 3.2.1: 0 to 251 in one byte, 252 to 1275 in two. */
function takeLength(rest: number[]): number | null {
  const first = rest.shift();
  if (first === undefined) return null;
  if (first < 252) return first;
  const second = rest.shift();
  return second === undefined ? null : second * 4 + first;
}
