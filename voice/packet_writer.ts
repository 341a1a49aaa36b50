/**
 * The writer of the Steam Voice packet: straight into the caller's memory, which may be a ring's.
 *
 * It writes what `readPacket` reads. It refuses, with a RangeError, what no reader could read back: a target that is too
 * small, a count that does not fit its field, a frame outside a payload.
 */

import { hex, writeU16 } from './bytes.js';
import { crc32 } from './crc32.js';
import { DECLARED_RATES_HZ, END_OF_RECORDING, MIN_PACKET_BYTES, Op } from './packet.js';

const NOTHING = new Uint8Array(0);

/** The ops of `foreign`. */
const FOREIGN_OPS: readonly number[] = [Op.miles, Op.speex, Op.pcm, Op.silk, Op.opus, Op.unknown10];

/** Bytes that a packet has besides its ops: SteamID and CRC. */
export const PACKET_OVERHEAD_BYTES = 12;

/** Bytes of a rate op, of a silence op, and of the head of a 0x06 op. */
export const OP_BYTES = 3;

/** Bytes before the Opus data of each frame: length and sequence. */
export const FRAME_OVERHEAD_BYTES = 4;

/**
 * Writes one packet at a time. Real-time: no allocation beyond the view that `finish` returns.
 *
 * ```ts
 * const writer = new PacketWriter();
 * writer.begin(memory, steamIdLow, steamIdHigh);
 * writer.sampleRate(24000);
 * writer.beginFrames();
 * writer.frame(sequence, opus, 0, opus.length);
 * writer.endFrames();
 * const packet = writer.finish();
 * ```
 */
export class PacketWriter {
  #target: Uint8Array = NOTHING;
  #at = 0;
  /** Position of the length of the open 0x06 payload; 0 when none is open. */
  #payloadLengthAt = 0;

  /** Starts a packet at the front of `target`, which is written until `finish` and not kept after it. */
  begin(target: Uint8Array, steamIdLow: number, steamIdHigh: number): void {
    this.#target = target;
    this.#at = 0;
    this.#payloadLengthAt = 0;
    this.#want(8);
    this.#u16(steamIdLow & 0xffff);
    this.#u16(steamIdLow >>> 16);
    this.#u16(steamIdHigh & 0xffff);
    this.#u16(steamIdHigh >>> 16);
  }

  /** A rate op; 8000, 12000, 16000, 24000 or 48000. */
  sampleRate(sampleRateHz: number): void {
    if (!DECLARED_RATES_HZ.includes(sampleRateHz)) {
      throw new RangeError(
        `Cannot write a rate op: ${sampleRateHz} Hz, expected ${DECLARED_RATES_HZ.join(', ')}`,
      );
    }
    this.#op(Op.sampleRate, sampleRateHz);
  }

  /** A silence op: 0 to 65535 samples at the rate in force. */
  silence(samples: number): void {
    this.#op(Op.silence, samples);
  }

  /** Opens a 0x06 payload. */
  beginFrames(): void {
    this.#op(Op.opusPlc, 0);
    this.#payloadLengthAt = this.#at - 2;
  }

  /** One Opus packet, `opus[start, start + bytes)`, 0 to 65534 bytes, in the open payload. `sequence` wraps at 65536. */
  frame(sequence: number, opus: Uint8Array, start: number, bytes: number): void {
    this.#wantPayload();
    if (!Number.isInteger(bytes) || bytes < 0 || bytes >= END_OF_RECORDING) {
      throw new RangeError(`Cannot write a frame: ${bytes} bytes, expected 0 to 65534`);
    }
    if (!Number.isInteger(start) || start < 0 || start + bytes > opus.length) {
      throw new RangeError(
        `Cannot write a frame: bytes ${start} to ${start + bytes} of ${opus.length} do not exist`,
      );
    }
    this.#want(FRAME_OVERHEAD_BYTES + bytes);
    this.#u16(bytes);
    this.#u16(sequence);
    for (let i = 0; i < bytes; i++) this.#target[this.#at + i] = opus[start + i]!;
    this.#at += bytes;
  }

  /** The end-of-recording marker, in the open payload. */
  endMarker(): void {
    this.#wantPayload();
    this.#want(2);
    this.#u16(END_OF_RECORDING);
  }

  /** Closes the open payload and writes its length. */
  endFrames(): void {
    this.#wantPayload();
    const bytes = this.#at - this.#payloadLengthAt - 2;
    if (bytes > 0xffff)
      throw new RangeError(`Cannot write a payload: ${bytes} bytes, expected at most 65535`);
    writeU16(this.#target, this.#payloadLengthAt, bytes);
    this.#payloadLengthAt = 0;
  }

  /**
   * An op that readers only skip: 0x01, 0x02, 0x04 and 0x05 with up to 65535 bytes, 0x0A with 2, or 0x03, which contains everything
   * that follows. For tests and tools.
   */
  foreign(op: number, data: Uint8Array): void {
    const bytes = data.length;
    if (!FOREIGN_OPS.includes(op)) throw new RangeError(`Cannot write op 0x${hex(op, 2)}: not a foreign one`);
    if (op === Op.pcm || op === Op.unknown10) {
      if (op === Op.unknown10 && bytes !== 2)
        throw new RangeError(`Cannot write op 0x0a: ${bytes} bytes, expected 2`);
      this.#want(1);
      this.#target[this.#at++] = op;
    } else {
      this.#op(op, bytes);
    }
    this.#want(bytes);
    this.#target.set(data, this.#at);
    this.#at += bytes;
  }

  /** Writes the CRC. Returns the packet: a view of the target's front, valid as long as the target is. */
  finish(): Uint8Array {
    if (this.#payloadLengthAt !== 0) throw new RangeError('Cannot finish a packet: its payload is open');
    if (this.#at + 4 < MIN_PACKET_BYTES)
      throw new RangeError('Cannot finish a packet: expected at least one op of 3 bytes');
    this.#want(4);
    const crc = crc32(this.#target, 0, this.#at);
    this.#u16(crc & 0xffff);
    this.#u16(crc >>> 16);
    const packet = this.#target.subarray(0, this.#at);
    this.#target = NOTHING;
    return packet;
  }

  #op(op: number, argument: number): void {
    if (this.#payloadLengthAt !== 0) throw new RangeError('Cannot write an op: a payload is open');
    if (!Number.isInteger(argument) || argument < 0 || argument > 0xffff) {
      throw new RangeError(`Cannot write op 0x${hex(op, 2)}: argument is ${argument}, expected 0 to 65535`);
    }
    this.#want(OP_BYTES);
    this.#target[this.#at++] = op;
    this.#u16(argument);
  }

  #wantPayload(): void {
    if (this.#payloadLengthAt === 0) throw new RangeError('Cannot write a frame: no payload is open');
  }

  #want(bytes: number): void {
    if (this.#at + bytes > this.#target.length) {
      const wanted = this.#at + bytes;
      throw new RangeError(
        `Cannot write a packet: target has ${this.#target.length} bytes, expected ${wanted}`,
      );
    }
  }

  #u16(value: number): void {
    writeU16(this.#target, this.#at, value);
    this.#at += 2;
  }
}
