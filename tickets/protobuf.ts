/**
 * The part of Protocol Buffers that the frame of an encrypted app ticket needs: varints and bytes, each field once.
 */

export type ProtobufField =
  | { readonly kind: 'varint'; readonly value: number }
  /** `value` is a view. */
  | { readonly kind: 'bytes'; readonly value: Uint8Array };

/** A varint of at most 32 bits. */
interface Varint {
  readonly value: number;
  /** Position after it. */
  readonly end: number;
}

/** The most fields that are read. */
const MAX_FIELDS = 32;

/**
 * The fields by number; null if it is not a message, has a field twice, or a varint of more than 32 bits. Fields of fixed width are
 * skipped.
 */
export function readProtobuf(bytes: Uint8Array): ReadonlyMap<number, ProtobufField> | null {
  const fields = new Map<number, ProtobufField>();
  let at = 0;
  for (let count = 0; at < bytes.length; count++) {
    const tag = readVarint(bytes, at);
    if (!tag || count === MAX_FIELDS) return null;
    const number = tag.value >>> 3;
    if (number === 0 || fields.has(number)) return null;
    at = tag.end;
    switch (tag.value & 7) {
      case 0: {
        const varint = readVarint(bytes, at);
        if (!varint) return null;
        fields.set(number, { kind: 'varint', value: varint.value });
        at = varint.end;
        break;
      }
      case 1:
        at += 8;
        break;
      case 2: {
        const length = readVarint(bytes, at);
        if (!length || length.value > bytes.length - length.end) return null;
        at = length.end + length.value;
        fields.set(number, { kind: 'bytes', value: bytes.subarray(length.end, at) });
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        return null;
    }
    if (at > bytes.length) return null;
  }
  return fields;
}

/** Writes a field of an unsigned number of at most 32 bits. */
export function protobufVarint(number: number, value: number): number[] {
  return [...varintBytes(number << 3), ...varintBytes(value)];
}

/** Writes a field of bytes. */
export function protobufBytes(number: number, value: Uint8Array): number[] {
  return [...varintBytes((number << 3) | 2), ...varintBytes(value.length), ...value];
}

function varintBytes(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7f; left = Math.floor(left / 128)) bytes.push((left & 0x7f) | 0x80);
  bytes.push(left);
  return bytes;
}

function readVarint(bytes: Uint8Array, from: number): Varint | null {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    const byte = bytes[from + index];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 128 ** index;
    if (byte < 0x80) return value <= 0xffff_ffff ? { value, end: from + index + 1 } : null;
  }
  return null;
}
