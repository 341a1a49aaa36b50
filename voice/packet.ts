/**
 * The reader of the Steam Voice packet: bytes in, a list of ops or the first fault out.
 *
 * Relay, codec, recorder and `hotmic inspect` all read through here. The reader never throws on input, never reads out of
 * bounds and takes time linear in the packet's length. Layout (integers little-endian):
 *
 *     0      8   SteamID64 of the speaker
 *     8      …   ops, back to back
 *     n-4    4   CRC-32 of everything before it
 *
 * Valve publishes no description. This reader follows what open-source readers and captured packets agree on. Where nothing is known
 * it makes a choice, and docs/steam-voice-packet.md says so.
 */

import { hex, readU16, readU32 } from './bytes.js';
import { crc32 } from './crc32.js';
import { opusPacketSamples48k } from './opus_framing.js';
import { joinSteamId } from './steam_id.js';
import { VOICE_RATE_HZ } from './units.js';

/** The op bytes. Those that are only skipped have no agreed meaning, or an outdated one. */
export const Op = {
  silence: 0x00,
  miles: 0x01,
  speex: 0x02,
  pcm: 0x03,
  silk: 0x04,
  opus: 0x05,
  opusPlc: 0x06,
  unknown10: 0x0a,
  sampleRate: 0x0b,
} as const;

/** In a 0x06 payload, in place of a frame's length: the recording ends here. */
export const END_OF_RECORDING = 0xffff;

/** A SteamID, the shortest op and the CRC. */
export const MIN_PACKET_BYTES = 15;

const STEAM_ID_BYTES = 8;
const CRC_BYTES = 4;

/** The sample rates that a rate op may declare. */
export const DECLARED_RATES_HZ: readonly number[] = [8000, 12000, 16000, 24000, 48000];

/** One Opus packet of a 0x06 payload. */
export interface OpusFrame {
  readonly kind: 'frame';
  /** Position of its length field, from the start of the packet. */
  readonly offset: number;
  readonly sequence: number;
  /** Position of its Opus data, from the start of the packet. */
  readonly start: number;
  /** Bytes of Opus data; 0 is a frame without a TOC, which decodes to 480 zeros and which relays refuse. */
  readonly bytes: number;
  /** Samples that it decodes to, at 24 kHz: 480 for everything that Steam makes. */
  readonly samples: number;
}

/** The end-of-recording marker of a 0x06 payload: two bytes, no sequence. */
export interface EndMarker {
  readonly kind: 'end';
  readonly offset: number;
}

/** One op of a packet: a rate, silence, Opus frames, or another codec's bytes. */
export type PacketOp =
  | { readonly kind: 'rate'; readonly offset: number; readonly sampleRateHz: number }
  /** `samples` count at `sampleRateHz`, the rate in force. */
  | {
      readonly kind: 'silence';
      readonly offset: number;
      readonly samples: number;
      readonly sampleRateHz: number;
    }
  | { readonly kind: 'opus'; readonly offset: number; readonly frames: readonly (OpusFrame | EndMarker)[] }
  /** An op with valid framing that we do not decode. */
  | {
      readonly kind: 'foreign';
      readonly offset: number;
      readonly op: number;
      readonly start: number;
      readonly bytes: number;
    };

/** Why a packet is malformed. */
export type PacketFault =
  | 'too-short'
  | 'bad-crc'
  | 'op-truncated'
  | 'op-unknown'
  | 'rate-unknown'
  | 'frame-truncated'
  | 'frame-framing';

/** A packet in which every byte is accounted for. It refers to the bytes it was read from, without copying them. */
export interface Packet {
  readonly kind: 'packet';
  readonly steamIdLow: number;
  readonly steamIdHigh: number;
  readonly crc: number;
  readonly ops: readonly PacketOp[];
}

/** A packet with a fault. `ops` are those before it; a 0x06 op with a fault inside is the last, with the frames before the fault. */
export interface MalformedPacket {
  readonly kind: 'malformed';
  readonly reason: PacketFault;
  /** Position of the faulty op, length field or CRC, from the start of the packet; for a short packet, its end. */
  readonly offset: number;
  /** The fault in words: what was found and what was expected. */
  readonly detail: string;
  readonly ops: readonly PacketOp[];
}

/** Takes what a packet consists of, in its order, while it is read. Positions are those in the bytes that are read. */
export interface PacketVisitor {
  /** A 0x0B op. */
  rate(offset: number, sampleRateHz: number): void;
  /** `samples` count at `sampleRateHz`. */
  silence(offset: number, samples: number, sampleRateHz: number): void;
  /** A 0x06 op, whose frames and markers follow. */
  opus(offset: number): void;
  /** As in `OpusFrame`. */
  frame(offset: number, sequence: number, start: number, bytes: number, samples: number): void;
  /** The mark of the end of a recording, within a 0x06 op. */
  end(offset: number): void;
  /** An op that we do not decode. */
  foreign(offset: number, op: number, start: number, bytes: number): void;
}

/** The first fault of a packet. */
export type FoundFault = Pick<MalformedPacket, 'reason' | 'offset' | 'detail'>;

/**
 * Reads the whole packet in `bytes[start, end)`, and tells the visitor what is in it. Checks in this order, and stops at the first fault: length,
 * CRC, ops from the front, the frames inside each. Does not limit the packet's length or the number of its groups: that is up to the caller.
 *
 * Real-time: allocates the fault, if there is one, and nothing else.
 */
export function walkPacket(
  bytes: Uint8Array,
  start: number,
  end: number,
  visitor: PacketVisitor,
): FoundFault | null {
  const length = end - start;
  if (length < MIN_PACKET_BYTES) {
    return found('too-short', end, `${length} bytes, expected at least ${MIN_PACKET_BYTES}`);
  }
  const opsEnd = end - CRC_BYTES;
  const crc = readU32(bytes, opsEnd);
  const computed = crc32(bytes, start, opsEnd);
  if (crc !== computed)
    return found('bad-crc', opsEnd, `CRC is ${hex(crc, 8)}, expected ${hex(computed, 8)}`);

  let sampleRateHz = VOICE_RATE_HZ;
  let at = start + STEAM_ID_BYTES;
  while (at < opsEnd) {
    const offset = at;
    const op = bytes[at]!;
    at += 1;

    if (op === Op.pcm) {
      visitor.foreign(offset, op, at, opsEnd - at);
      break;
    }
    const isKnown = op <= Op.opusPlc || op === Op.unknown10 || op === Op.sampleRate;
    if (!isKnown) return found('op-unknown', offset, `op 0x${hex(op, 2)} is unknown`);
    if (opsEnd - at < 2) {
      const detail = `op 0x${hex(op, 2)} has ${opsEnd - at} bytes behind it, expected 2`;
      return found('op-truncated', offset, detail);
    }
    const argument = readU16(bytes, at);
    at += 2;

    switch (op) {
      case Op.sampleRate:
        if (!DECLARED_RATES_HZ.includes(argument)) {
          const detail = `rate is ${argument} Hz, expected ${DECLARED_RATES_HZ.join(', ')}`;
          return found('rate-unknown', offset, detail);
        }
        sampleRateHz = argument;
        visitor.rate(offset, sampleRateHz);
        break;
      case Op.silence:
        visitor.silence(offset, argument, sampleRateHz);
        break;
      case Op.unknown10:
        visitor.foreign(offset, op, offset + 1, 2);
        break;
      default: {
        if (argument > opsEnd - at) {
          const detail = `op 0x${hex(op, 2)} says ${argument} bytes, ${opsEnd - at} are left`;
          return found('op-truncated', offset, detail);
        }
        if (op === Op.opusPlc) {
          visitor.opus(offset);
          const fault = walkOpusPayload(bytes, at, at + argument, visitor);
          if (fault) return fault;
        } else {
          visitor.foreign(offset, op, at, argument);
        }
        at += argument;
      }
    }
  }
  return null;
}

/** Reads the 0x06 payload in `bytes[start, end)`, up to its end or its first fault. */
function walkOpusPayload(
  bytes: Uint8Array,
  start: number,
  end: number,
  visitor: PacketVisitor,
): FoundFault | null {
  let at = start;
  while (at < end) {
    const offset = at;
    const left = end - at;
    const length = left >= 2 ? readU16(bytes, at) : 0;
    if (left >= 2 && length === END_OF_RECORDING) {
      visitor.end(offset);
      at += 2;
      continue;
    }
    if (left < 4) {
      const detail = `${left} bytes are left in the payload, neither a marker nor a frame`;
      return found('frame-truncated', offset, detail);
    }
    const sequence = readU16(bytes, at + 2);
    at += 4;
    if (length > end - at) {
      const detail = `frame ${sequence} says ${length} bytes, ${end - at} are left in the payload`;
      return found('frame-truncated', offset, detail);
    }
    // An empty frame has no TOC that says its length: it stands for one Steam frame.
    const samples48k = length === 0 ? 960 : opusPacketSamples48k(bytes, at, at + length);
    if (samples48k === 0) {
      const detail = `frame ${sequence} of ${length} bytes breaks the Opus framing (RFC 6716 section 3)`;
      return found('frame-framing', offset, detail);
    }
    visitor.frame(offset, sequence, at, length, samples48k / 2);
    at += length;
  }
  return null;
}

function found(reason: PacketFault, offset: number, detail: string): FoundFault {
  return { reason, offset, detail };
}

/** Reads a whole packet, as `walkPacket` does, into a list. */
export function readPacket(bytes: Uint8Array): Packet | MalformedPacket {
  const list = new OpList();
  const fault = walkPacket(bytes, 0, bytes.length, list);
  const { ops } = list;
  if (fault) return { kind: 'malformed', ...fault, ops };
  const [steamIdLow, steamIdHigh] = [readU32(bytes, 0), readU32(bytes, 4)];
  return { kind: 'packet', steamIdLow, steamIdHigh, crc: readU32(bytes, bytes.length - CRC_BYTES), ops };
}

class OpList implements PacketVisitor {
  readonly ops: PacketOp[] = [];
  /** Of the last 0x06 op. */
  #frames: (OpusFrame | EndMarker)[] = [];

  rate(offset: number, sampleRateHz: number): void {
    this.ops.push({ kind: 'rate', offset, sampleRateHz });
  }

  silence(offset: number, samples: number, sampleRateHz: number): void {
    this.ops.push({ kind: 'silence', offset, samples, sampleRateHz });
  }

  opus(offset: number): void {
    this.#frames = [];
    this.ops.push({ kind: 'opus', offset, frames: this.#frames });
  }

  frame(offset: number, sequence: number, start: number, bytes: number, samples: number): void {
    this.#frames.push({ kind: 'frame', offset, sequence, start, bytes, samples });
  }

  end(offset: number): void {
    this.#frames.push({ kind: 'end', offset });
  }

  foreign(offset: number, op: number, start: number, bytes: number): void {
    this.ops.push({ kind: 'foreign', offset, op, start, bytes });
  }
}

/** The speaker that the packet names. This proves nothing: the sender's client wrote it. */
export function steamIdOf(packet: Packet): bigint {
  return joinSteamId(packet.steamIdLow, packet.steamIdHigh);
}

/** Samples at 24 kHz that the packet's own frames and silence play, not counting concealment. */
export function packetSamples(packet: Packet): number {
  let samples = 0;
  for (const op of packet.ops) {
    if (op.kind === 'silence') samples += silenceSamples(op.samples, op.sampleRateHz);
    if (op.kind !== 'opus') continue;
    for (const frame of op.frames) if (frame.kind === 'frame') samples += frame.samples;
  }
  return samples;
}

/** Samples at 24 kHz of `samples` of silence at `sampleRateHz`, rounded down. */
export function silenceSamples(samples: number, sampleRateHz: number): number {
  return Math.floor((samples * VOICE_RATE_HZ) / sampleRateHz);
}

/** The packet's Opus frames in order, across its groups. */
export function opusFrames(packet: Packet): OpusFrame[] {
  const frames: OpusFrame[] = [];
  for (const op of packet.ops) {
    if (op.kind !== 'opus') continue;
    for (const frame of op.frames) if (frame.kind === 'frame') frames.push(frame);
  }
  return frames;
}

/** Why a relay refuses a packet that it can read, in the order of the checks. */
export type RelayFault = 'too-long' | 'op-foreign' | 'frame-empty';

/**
 * What a relay refuses besides faults: malformed Opus has crashed real Steam clients, so only what Steam itself is known to send
 * passes. Null when the packet may pass. `packetBytes` is its length, at most `maxBytes` to pass. If a packet has several of these
 * faults, the result is the first in the order of `RelayFault`, wherever they are in the packet.
 */
export function relayFault(packet: Packet, packetBytes: number, maxBytes: number): RelayFault | null {
  let foreignOps = 0;
  let emptyFrames = 0;
  for (const op of packet.ops) {
    if (op.kind === 'foreign') foreignOps += 1;
    if (op.kind !== 'opus') continue;
    for (const frame of op.frames) if (frame.kind === 'frame' && frame.bytes === 0) emptyFrames += 1;
  }
  return firstRelayFault(packetBytes, maxBytes, foreignOps, emptyFrames);
}

/** The same by what was counted. */
export function firstRelayFault(
  packetBytes: number,
  maxBytes: number,
  foreignOps: number,
  emptyFrames: number,
): RelayFault | null {
  if (packetBytes > maxBytes) return 'too-long';
  if (foreignOps > 0) return 'op-foreign';
  return emptyFrames > 0 ? 'frame-empty' : null;
}
