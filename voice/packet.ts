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

/**
 * Reads a whole packet. Checks in this order, and stops at the first fault: length, CRC, ops from the front, the frames inside each.
 * Does not limit the packet's length or the number of its groups: that is up to the caller.
 */
export function readPacket(bytes: Uint8Array): Packet | MalformedPacket {
  const ops: PacketOp[] = [];
  const malformed = (reason: PacketFault, offset: number, detail: string): MalformedPacket => ({
    kind: 'malformed',
    reason,
    offset,
    detail,
    ops,
  });

  if (bytes.length < MIN_PACKET_BYTES) {
    return malformed(
      'too-short',
      bytes.length,
      `${bytes.length} bytes, expected at least ${MIN_PACKET_BYTES}`,
    );
  }
  const end = bytes.length - CRC_BYTES;
  const crc = readU32(bytes, end);
  const computed = crc32(bytes, 0, end);
  if (crc !== computed)
    return malformed('bad-crc', end, `CRC is ${hex(crc, 8)}, expected ${hex(computed, 8)}`);

  let sampleRateHz = VOICE_RATE_HZ;
  let at = STEAM_ID_BYTES;
  while (at < end) {
    const offset = at;
    const op = bytes[at]!;
    at += 1;

    if (op === Op.pcm) {
      ops.push({ kind: 'foreign', offset, op, start: at, bytes: end - at });
      break;
    }
    const isKnown = op <= Op.opusPlc || op === Op.unknown10 || op === Op.sampleRate;
    if (!isKnown) return malformed('op-unknown', offset, `op 0x${hex(op, 2)} is unknown`);
    if (end - at < 2) {
      return malformed(
        'op-truncated',
        offset,
        `op 0x${hex(op, 2)} has ${end - at} bytes behind it, expected 2`,
      );
    }
    const argument = readU16(bytes, at);
    at += 2;

    switch (op) {
      case Op.sampleRate:
        if (!DECLARED_RATES_HZ.includes(argument)) {
          return malformed(
            'rate-unknown',
            offset,
            `rate is ${argument} Hz, expected ${DECLARED_RATES_HZ.join(', ')}`,
          );
        }
        sampleRateHz = argument;
        ops.push({ kind: 'rate', offset, sampleRateHz });
        break;
      case Op.silence:
        ops.push({ kind: 'silence', offset, samples: argument, sampleRateHz });
        break;
      case Op.unknown10:
        ops.push({ kind: 'foreign', offset, op, start: offset + 1, bytes: 2 });
        break;
      default: {
        if (argument > end - at) {
          const detail = `op 0x${hex(op, 2)} says ${argument} bytes, ${end - at} are left`;
          return malformed('op-truncated', offset, detail);
        }
        if (op === Op.opusPlc) {
          const frames: (OpusFrame | EndMarker)[] = [];
          const fault = readOpusPayload(bytes, at, at + argument, frames);
          ops.push({ kind: 'opus', offset, frames });
          if (fault) return malformed(fault.reason, fault.offset, fault.detail);
        } else {
          ops.push({ kind: 'foreign', offset, op, start: at, bytes: argument });
        }
        at += argument;
      }
    }
  }
  return { kind: 'packet', steamIdLow: readU32(bytes, 0), steamIdHigh: readU32(bytes, 4), crc, ops };
}

interface PayloadFault {
  readonly reason: PacketFault;
  readonly offset: number;
  readonly detail: string;
}

/** Reads the 0x06 payload in `bytes[start, end)` into `frames`, up to its end or its first fault. */
function readOpusPayload(
  bytes: Uint8Array,
  start: number,
  end: number,
  frames: (OpusFrame | EndMarker)[],
): PayloadFault | null {
  let at = start;
  while (at < end) {
    const offset = at;
    const left = end - at;
    const length = left >= 2 ? readU16(bytes, at) : 0;
    if (left >= 2 && length === END_OF_RECORDING) {
      frames.push({ kind: 'end', offset });
      at += 2;
      continue;
    }
    if (left < 4) {
      const detail = `${left} bytes are left in the payload, neither a marker nor a frame`;
      return { reason: 'frame-truncated', offset, detail };
    }
    const sequence = readU16(bytes, at + 2);
    at += 4;
    if (length > end - at) {
      const detail = `frame ${sequence} says ${length} bytes, ${end - at} are left in the payload`;
      return { reason: 'frame-truncated', offset, detail };
    }
    // An empty frame has no TOC that says its length: it stands for one Steam frame.
    const samples48k = length === 0 ? 960 : opusPacketSamples48k(bytes, at, at + length);
    if (samples48k === 0) {
      const detail = `frame ${sequence} of ${length} bytes breaks the Opus framing (RFC 6716 section 3)`;
      return { reason: 'frame-framing', offset, detail };
    }
    frames.push({ kind: 'frame', offset, sequence, start: at, bytes: length, samples: samples48k / 2 });
    at += length;
  }
  return null;
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
  if (packetBytes > maxBytes) return 'too-long';
  let fault: RelayFault | null = null;
  for (const op of packet.ops) {
    if (op.kind === 'foreign') return 'op-foreign';
    if (op.kind !== 'opus' || fault) continue;
    for (const frame of op.frames) if (frame.kind === 'frame' && frame.bytes === 0) fault = 'frame-empty';
  }
  return fault;
}
