/**
 * The framing of one Opus packet, RFC 6716 section 3: is it whole, and how long does it play?
 *
 * It accepts what opus_packet_parse accepts, and nothing else. It never looks at compressed data, so a relay can use it
 * without a codec.
 */

/** The longest one Opus frame may be (RFC 6716 section 3.4, requirement 2). */
export const MAX_OPUS_FRAME_BYTES = 1275;

/** The longest one Opus packet may play: 120 ms, in samples at 48 kHz. */
const MAX_PACKET_48K = 5760;

/**
 * Samples at 48 kHz that the Opus packet in `bytes[start, end)` decodes to, 120 to 5760; 0 when its framing is broken.
 *
 * Real-time: no allocation; at most 48 steps.
 */
export function opusPacketSamples48k(bytes: Uint8Array, start: number, end: number): number {
  let left = end - start;
  if (left < 1) return 0;
  const toc = bytes[start]!;
  const frameSamples = frameSamples48k(toc);
  let at = start + 1;
  left -= 1;

  switch (toc & 3) {
    case 0:
      return left <= MAX_OPUS_FRAME_BYTES ? frameSamples : 0;
    case 1:
      return left % 2 === 0 && left / 2 <= MAX_OPUS_FRAME_BYTES ? 2 * frameSamples : 0;
    case 2: {
      const size = frameLength(bytes, at, left);
      if (size < 0) return 0;
      const last = left - lengthBytes(size) - size;
      return last >= 0 && last <= MAX_OPUS_FRAME_BYTES ? 2 * frameSamples : 0;
    }
  }

  // Code 3: a count byte, optional padding, then frames of equal or of stated lengths.
  if (left < 1) return 0;
  const countByte = bytes[at]!;
  const count = countByte & 0x3f;
  const samples = count * frameSamples;
  if (count === 0 || samples > MAX_PACKET_48K) return 0;
  at += 1;
  left -= 1;

  if (countByte & 0x40) {
    let paddingByte: number;
    do {
      if (left < 1) return 0;
      paddingByte = bytes[at]!;
      at += 1;
      left -= 1 + Math.min(paddingByte, 254);
    } while (paddingByte === 255);
    if (left < 0) return 0;
  }

  if (countByte & 0x80) {
    for (let frame = 0; frame < count - 1; frame++) {
      const size = frameLength(bytes, at, left);
      if (size < 0) return 0;
      at += lengthBytes(size);
      left -= lengthBytes(size) + size;
      if (left < 0) return 0;
    }
    return left <= MAX_OPUS_FRAME_BYTES ? samples : 0;
  }
  return left % count === 0 && left / count <= MAX_OPUS_FRAME_BYTES ? samples : 0;
}

/**
 * Whether the Opus packet in the first `bytes` of `data` repeats the frame before it, for in-band FEC (RFC 6716 section 4.2.4). Looks at mono
 * packets of one frame of at most 20 ms only, as Steam's are; others count as without.
 */
export function hasInbandFec(data: Uint8Array, bytes: number): boolean {
  if (bytes < 2) return false;
  const toc = data[0]!;
  const isCelt = (toc & 0x80) !== 0;
  const isMonoFrame = (toc & 0x07) === 0;
  if (isCelt || !isMonoFrame || frameSamples48k(toc) > 960) return false;
  // After the bit for voice activity.
  return (data[1]! & 0x40) !== 0;
}

/** Samples at 48 kHz of one frame, by the configuration in its TOC byte (RFC 6716 table 2). */
function frameSamples48k(toc: number): number {
  const config = toc >> 3;
  if (config >= 16) return 120 << (config & 3);
  if (config >= 12) return 480 << (config & 1);
  return (config & 3) === 3 ? 2880 : 480 << (config & 3);
}

/** A frame length of one or two bytes at `at` (RFC 6716 section 3.2.1), or −1 when it is cut off. */
function frameLength(bytes: Uint8Array, at: number, left: number): number {
  if (left < 1) return -1;
  const first = bytes[at]!;
  if (first < 252) return first;
  return left < 2 ? -1 : 4 * bytes[at + 1]! + first;
}

/** How many bytes it takes to write the length `size`. */
function lengthBytes(size: number): number {
  return size < 252 ? 1 : 2;
}
