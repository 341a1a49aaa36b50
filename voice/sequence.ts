/**
 * Arithmetic on numbers that wrap: 16-bit sequences and the 32-bit media clock.
 *
 * All comparisons of two of them are here. The rule is RFC 1982's: of two numbers, the one that is less than half the circle ahead is
 * the later.
 */

/** The 16-bit sequence `steps` after `sequence`. */
export function sequenceAfter(sequence: number, steps = 1): number {
  return (sequence + steps) & 0xffff;
}

/** Steps from `from` up to `to`, 0 to 65535, going forward only. */
export function sequenceDistance(from: number, to: number): number {
  return (to - from) & 0xffff;
}

/** Steps from `from` to `to` by the shorter way, −32768 to 32767: negative when `to` is the earlier. */
export function sequenceDelta(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

/** The 32-bit timestamp `samples` after `timestamp`. */
export function timestampAfter(timestamp: number, samples: number): number {
  return (timestamp + samples) >>> 0;
}

/** Samples from `from` to `to` by the shorter way, −2³¹ to 2³¹−1: negative when `to` is the earlier. */
export function timestampDelta(from: number, to: number): number {
  return (to - from) | 0;
}
