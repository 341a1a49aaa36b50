/**
 * The packet format as one plain grammar: what the reader's verdicts are compared with. Slow, copies everything, and stops
 * at the first fault in the order that the format fixes.
 */

import { referenceSamples48k } from './opus/reference_opus.js';
import { crc32BitByBit } from './raw_packet.js';

/** 'packet', or the reason for which a reader must refuse. */
export type Verdict =
  | 'packet'
  | 'too-short'
  | 'bad-crc'
  | 'op-truncated'
  | 'op-unknown'
  | 'rate-unknown'
  | 'frame-truncated'
  | 'frame-framing';

const WITH_LENGTH = [0x01, 0x02, 0x04, 0x05, 0x06];
const RATES = [8000, 12000, 16000, 24000, 48000];

/** What a reader must make of `packet`. */
export function verdictOf(packet: Uint8Array): Verdict {
  if (packet.length < 15) return 'too-short';
  const crc = packet.slice(-4).reduceRight((sum, byte) => sum * 256 + byte, 0);
  if (crc !== crc32BitByBit(packet.slice(0, -4))) return 'bad-crc';
  let rest = packet.slice(8, -4);
  while (rest.length > 0) {
    const op = rest[0]!;
    rest = rest.slice(1);
    if (op === 0x03) return 'packet';
    if (![0x00, 0x0a, 0x0b, ...WITH_LENGTH].includes(op)) return 'op-unknown';
    if (rest.length < 2) return 'op-truncated';
    const argument = u16(rest);
    rest = rest.slice(2);
    if (op === 0x0b && !RATES.includes(argument)) return 'rate-unknown';
    if (!WITH_LENGTH.includes(op)) continue;
    if (argument > rest.length) return 'op-truncated';
    const fault = op === 0x06 ? payloadFault(rest.slice(0, argument)) : null;
    if (fault) return fault;
    rest = rest.slice(argument);
  }
  return 'packet';
}

function payloadFault(payload: Uint8Array): Verdict | null {
  let rest = payload;
  while (rest.length > 0) {
    if (rest.length >= 2 && u16(rest) === 0xffff) {
      rest = rest.slice(2);
      continue;
    }
    if (rest.length < 4) return 'frame-truncated';
    const length = u16(rest);
    const opus = rest.slice(4, 4 + length);
    if (opus.length < length) return 'frame-truncated';
    if (length > 0 && referenceSamples48k(opus) === 0) return 'frame-framing';
    rest = rest.slice(4 + length);
  }
  return null;
}

function u16(bytes: Uint8Array): number {
  return bytes[0]! + bytes[1]! * 256;
}
