/**
 * A packet as a list of parts, right or wrong, and those parts as bytes.
 */

import { crc32 } from '../../voice/crc32.js';

export interface Frame {
  kind: 'frame';
  sequence: number;
  opus: Uint8Array;
  /** Written instead of its length. */
  saysBytes?: number;
}

/** What a 0x06 payload holds. */
export type Item = Frame | { kind: 'end' };

/** A piece of a packet, and what it says of itself where that is not the truth. */
export type Part =
  | { kind: 'rate'; rateHz: number }
  | { kind: 'silence'; samples: number }
  | { kind: 'frames'; items: Item[]; saysBytes?: number }
  | { kind: 'foreign'; op: number; data: Uint8Array; saysBytes?: number }
  | { kind: 'raw'; data: Uint8Array };

/** The packet of `steamId`, eight bytes, with these parts and the right CRC. */
export function writeParts(steamId: ArrayLike<number>, parts: readonly Part[]): Uint8Array {
  let bytes = 12;
  for (const part of parts) bytes += partBytes(part);
  const packet = new Uint8Array(bytes);
  packet.set(steamId);
  let at = 8;
  const u8 = (value: number) => {
    packet[at++] = value;
  };
  const u16 = (value: number) => {
    u8(value);
    u8(value >>> 8);
  };
  const put = (data: Uint8Array) => {
    packet.set(data, at);
    at += data.length;
  };
  for (const part of parts) {
    if (part.kind === 'rate') {
      u8(0x0b);
      u16(part.rateHz);
    } else if (part.kind === 'silence') {
      u8(0);
      u16(part.samples);
    } else if (part.kind === 'raw') {
      put(part.data);
    } else if (part.kind === 'foreign') {
      u8(part.op);
      if (part.op !== 0x03 && part.op !== 0x0a) u16(part.saysBytes ?? part.data.length);
      put(part.data);
    } else {
      u8(6);
      u16(part.saysBytes ?? partBytes(part) - 3);
      for (const item of part.items) {
        if (item.kind === 'end') {
          u16(0xffff);
          continue;
        }
        u16(item.saysBytes ?? item.opus.length);
        u16(item.sequence);
        put(item.opus);
      }
    }
  }
  seal(packet);
  return packet;
}

function partBytes(part: Part): number {
  switch (part.kind) {
    case 'rate':
    case 'silence':
      return 3;
    case 'raw':
      return part.data.length;
    case 'foreign':
      return (part.op === 0x03 || part.op === 0x0a ? 1 : 3) + part.data.length;
    case 'frames':
      return part.items.reduce((sum, item) => sum + (item.kind === 'end' ? 2 : 4 + item.opus.length), 3);
  }
}

/** Where the ops of `packet` and the heads of its frames stand; walked without much care, for it may be broken already. */
export function headPlaces(packet: Uint8Array): number[] {
  const places: number[] = [];
  const end = packet.length - 4;
  for (let at = 8; at + 3 <= end; ) {
    const bytes = packet[at] === 0x06 ? packet[at + 1]! + packet[at + 2]! * 256 : 0;
    places.push(at, at + 1, at + 2);
    at += 3;
    const payloadEnd = Math.min(end, at + bytes);
    while (at + 4 <= payloadEnd) {
      places.push(at, at + 1, at + 2, at + 3);
      const length = packet[at]! + packet[at + 1]! * 256;
      at += length === 0xffff ? 2 : 4 + length;
    }
    at = Math.max(at, payloadEnd);
  }
  return places;
}

/** Writes the right CRC over the last four bytes, if there are as many. */
export function seal(packet: Uint8Array): void {
  const at = packet.length - 4;
  if (at < 0) return;
  new DataView(packet.buffer, packet.byteOffset).setUint32(at, crc32(packet, 0, at), true);
}
