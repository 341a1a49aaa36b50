/**
 * Little-endian fields, read and written in order, for Steam's tickets and the embedded Steam's own.
 *
 * The reader never throws and never reads out of bounds: past the end it returns zeros and sets `truncated`.
 */

/** Reads fields from the front of `bytes`. `take` returns a view of them. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #truncated = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** True once a read went past the end. */
  get truncated(): boolean {
    return this.#truncated;
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    const at = this.#advance(1);
    return at === null ? 0 : this.#view.getUint8(at);
  }

  u16(): number {
    const at = this.#advance(2);
    return at === null ? 0 : this.#view.getUint16(at, true);
  }

  u32(): number {
    const at = this.#advance(4);
    return at === null ? 0 : this.#view.getUint32(at, true);
  }

  u64(): bigint {
    const at = this.#advance(8);
    return at === null ? 0n : this.#view.getBigUint64(at, true);
  }

  take(length: number): Uint8Array {
    const at = this.#advance(length);
    return at === null ? new Uint8Array(0) : this.#bytes.subarray(at, at + length);
  }

  #advance(length: number): number | null {
    if (length > this.left) {
      this.#truncated = true;
      this.#at = this.#bytes.length;
      return null;
    }
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

/** Writes fields one after another. @throws RangeError for a number that does not fit its field. */
export class FieldWriter {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  u8(name: string, value: number): this {
    return this.#number(name, value, 1);
  }

  u16(name: string, value: number): this {
    return this.#number(name, value, 2);
  }

  u32(name: string, value: number): this {
    return this.#number(name, value, 4);
  }

  u64(name: string, value: bigint): this {
    if (BigInt.asUintN(64, value) !== value) {
      throw new RangeError(`Cannot write ticket: ${name} is ${value}, expected 0 to 2^64 - 1`);
    }
    for (let bits = 0n; bits < 64n; bits += 8n) this.#bytes.push(Number((value >> bits) & 0xffn));
    return this;
  }

  bytes(bytes: Uint8Array): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  /** All that was written: a copy. */
  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  #number(name: string, value: number, width: 1 | 2 | 4): this {
    const max = 256 ** width - 1;
    if (!Number.isInteger(value) || value < 0 || value > max) {
      throw new RangeError(`Cannot write ticket: ${name} is ${value}, expected 0 to ${max}`);
    }
    for (let byte = 0; byte < width; byte++) this.#bytes.push(Math.floor(value / 256 ** byte) & 0xff);
    return this;
  }
}

/** The bytes of ASCII text, padded with zeros to `length`. */
export function asciiBytes(text: string, length = text.length): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** Whether two arrays contain the same bytes. Only for public values, since it stops at the first difference. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
