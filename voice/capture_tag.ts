/**
 * The tag of a ring entry between a capture and its publisher: which part of a recording the packet is from, or that it is over.
 *
 * The capture writes it and the publisher reads it. Neither may import the other, so both take it from here.
 */

/** Tags of ring entries, from the capture worker to the publisher. */
export const CaptureTag = {
  /** A packet captured while the key was down. */
  talking: 0,
  /** A packet captured after key-up, while Steam still records the tail. */
  draining: 1,
  /** No packet: the recording is over. Its tag also carries the number of the newest key-down: see `endTag`. */
  end: 2,
} as const;

/** The tag of the end entry behind key-down number `request`. */
export function endTag(request: number): number {
  return ((request << 8) | CaptureTag.end) >>> 0;
}

/** What a tag says. */
export function captureKind(tag: number): number {
  return tag & 0xff;
}

/** The number of the key-down that an end entry carries. */
export function endRequest(tag: number): number {
  return tag >>> 8;
}

/** The number of the next key-down: 24 bits, wraps. */
export function nextRequest(request: number): number {
  return (request + 1) & 0xff_ffff;
}
