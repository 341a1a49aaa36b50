/** Writes and reads voice frames and Steam Voice packets as docs/protocol.md and docs/steam-voice-packet.md describe them. */

const HEADER_BYTES = 16;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** CRC-32/ISO-HDLC. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

export interface FrameToWrite {
  readonly version: number;
  readonly marker: boolean;
  readonly terminator: boolean;
  readonly target: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly packet: Buffer;
}

export interface VoiceFrame extends FrameToWrite {
  readonly slot: number;
  readonly relaySequence: number;
  readonly relayTimeMs: number;
  readonly acknowledge: boolean;
  readonly bytes: Buffer;
}

/** A frame as a speaker writes it: the relay's fields are 0. */
export function writeFrame(frame: FrameToWrite): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = (frame.version << 4) | (frame.marker ? 0x01 : 0) | (frame.terminator ? 0x02 : 0);
  header[1] = frame.target;
  header.writeUInt16LE(frame.sequence, 2);
  header.writeUInt32LE(frame.timestamp, 4);
  return Buffer.concat([header, frame.packet]);
}

/** A frame as a listener receives it, or what is wrong with it. */
export function readFrame(bytes: Buffer): VoiceFrame | string {
  if (bytes.length < 31 || bytes.length > 8208) return `a voice frame of ${bytes.length} bytes`;
  const flags = bytes[0]!;
  if (flags >> 4 !== 1) return `a voice frame of version ${flags >> 4}`;
  return {
    version: 1,
    marker: (flags & 0x01) !== 0,
    terminator: (flags & 0x02) !== 0,
    acknowledge: (flags & 0x04) !== 0,
    target: bytes[1]!,
    sequence: bytes.readUInt16LE(2),
    timestamp: bytes.readUInt32LE(4),
    slot: bytes.readUInt16LE(8),
    relaySequence: bytes.readUInt16LE(10),
    relayTimeMs: bytes.readUInt32LE(12),
    packet: bytes.subarray(HEADER_BYTES),
    bytes,
  };
}

/** What answers a frame that asks for an acknowledgement, and `parked`. */
export function acknowledgement(relayTimeMs: number): Buffer {
  const bytes = Buffer.from([0x10, 0, 0, 0, 0]);
  bytes.writeUInt32LE(relayTimeMs, 1);
  return bytes;
}

/** A received frame without the fields that the relay writes. */
export function withoutRelayFields(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[0]! &= ~0x04;
  copy.fill(0, 8, HEADER_BYTES);
  return copy;
}

const u16 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8]);

/** Ops of a packet. */
export const rateOp = (hz = 24_000): Buffer => Buffer.concat([Buffer.from([0x0b]), u16(hz)]);
export const silenceOp = (samples: number): Buffer => Buffer.concat([Buffer.from([0x00]), u16(samples)]);
export function opusOp(frames: readonly Buffer[], firstSequence = 0, endsRecording = false): Buffer {
  const payload = Buffer.concat([
    ...frames.flatMap((frame, index) => [u16(frame.length), u16((firstSequence + index) % 0x10000), frame]),
    ...(endsRecording ? [u16(0xffff)] : []),
  ]);
  return Buffer.concat([Buffer.from([0x06]), u16(payload.length), payload]);
}

/** A packet of these ops, with a correct CRC. */
export function writePacket(steamId: string, ...ops: readonly Buffer[]): Buffer {
  const id = Buffer.alloc(8);
  id.writeBigUInt64LE(BigInt(steamId));
  const body = Buffer.concat([id, ...ops]);
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(body));
  return Buffer.concat([body, crc]);
}

/** An Opus frame of 20 ms, mono, CELT: any bytes after the TOC are a valid frame, and sound like noise. */
export function noiseFrame(seed: number, length = 60): Buffer {
  const frame = Buffer.alloc(length);
  frame[0] = 0xf8;
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let at = 1; at < length; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    frame[at] = state >>> 24;
  }
  return frame;
}

/** A lone TOC of speech, as Steam sends when nobody speaks. */
export const DTX_FRAME = Buffer.from([0x68]);

export interface Packet {
  readonly steamId: string;
  readonly rates: readonly number[];
  readonly frames: readonly { readonly sequence: number; readonly opus: Buffer }[];
  readonly silences: readonly number[];
  readonly endsRecording: boolean;
}

/** The contents of a packet, or what is wrong with it. Ops that Steam does not send today count as wrong. */
export function readPacket(bytes: Buffer): Packet | string {
  if (bytes.length < 15) return 'too short';
  const end = bytes.length - 4;
  if (bytes.readUInt32LE(end) !== crc32(bytes.subarray(0, end))) return 'bad CRC';
  const rates: number[] = [];
  const frames: { sequence: number; opus: Buffer }[] = [];
  const silences: number[] = [];
  let endsRecording = false;
  let at = 8;
  while (at < end) {
    const op = bytes[at]!;
    if (at + 3 > end) return 'op cut off';
    const argument = bytes.readUInt16LE(at + 1);
    at += 3;
    if (op === 0x0b) rates.push(argument);
    else if (op === 0x00) silences.push(argument);
    else if (op === 0x06) {
      const payloadEnd = at + argument;
      if (payloadEnd > end) return 'payload cut off';
      while (at < payloadEnd) {
        if (at + 2 > payloadEnd) return 'frame cut off';
        const length = bytes.readUInt16LE(at);
        at += 2;
        if (length === 0xffff) {
          endsRecording = true;
          continue;
        }
        if (at + 2 + length > payloadEnd) return 'frame cut off';
        frames.push({ sequence: bytes.readUInt16LE(at), opus: bytes.subarray(at + 2, at + 2 + length) });
        at += 2 + length;
      }
    } else return `op ${op}`;
  }
  return { steamId: bytes.readBigUInt64LE(0).toString(), rates, frames, silences, endsRecording };
}
