/**
 * Steam's encrypted app ticket, the result of requestEncryptedAppTicket: sealed and read in its real format.
 *
 * **It proves nothing about who a player is.** Its cipher has no MAC, the hash inside has no key, and its plain text begins with user
 * data that the player chooses. With nothing but their own ticket, anybody can make one that names anybody (docs/tickets.md, "An app
 * ticket is not a proof"). What is read from it is a claim, to be compared with a proof from elsewhere.
 *
 * Outside it is a Protocol Buffers message: 1 version, 2 CRC-32 of the plain text, 3 bytes of user data, 4 position of the hash in the
 * plain text, 5 ciphertext. The ciphertext is AES-256: the IV, ECB-encrypted, then CBC with PKCS #7 padding. Inside: user data,
 * ownership section (see ownership.ts), in version 2 the lengths again, 8 bytes salt, the SHA-1 of everything before it, u32.
 */

import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { crc32 } from './crc32.js';
import { FieldReader, FieldWriter, sameBytes } from './fields.js';
import { type Ownership, readOwnership, writeOwnership } from './ownership.js';
import { type ProtobufField, protobufBytes, protobufVarint, readProtobuf } from './protobuf.js';

const KEY_BYTES = 32;
export const IV_BYTES = 16;
export const SALT_BYTES = 8;

/** The most user data that is sealed, in bytes: the ticket then fits into 1024, the buffer that games use. */
export const MAX_USER_DATA_BYTES = 512;

/** The longest ticket that is read, in bytes. */
export const MAX_ENCRYPTED_TICKET_BYTES = 32_768;

/** The version that Steam has made since August 2024. */
const VERSION = 2;
/** Five u32 between ownership and salt: the length from here to the end, an unknown one, then three lengths. */
const VERSION_2_BYTES = 20;
const HASH_BYTES = 20;
/** After the hash: in version 2, the version again. */
const TRAILER_BYTES = 4;
const BLOCK_BYTES = 16;

/** What an encrypted app ticket says. */
export interface AppTicket {
  readonly ownership: Ownership;
  /** What the game passed to requestEncryptedAppTicket. */
  readonly userData: Uint8Array;
}

/** The contents of a ticket that deciphers. They are unproven: anybody with one genuine ticket can make one with any contents. */
export interface UnprovenAppTicketClaims extends AppTicket {
  readonly kind: 'unproven-claims';
}

/**
 * Why a ticket cannot be read. Append only. `undecipherable` covers everything after the decryption: another key, changed bytes, or no
 * ticket inside. Senders of tickets must not learn more than that.
 */
export type AppTicketFault = 'too-long' | 'frame' | 'version' | 'ciphertext' | 'undecipherable';

/** Bytes that are not an encrypted app ticket, and why. */
export interface MalformedAppTicket {
  readonly kind: 'malformed';
  readonly reason: AppTicketFault;
}

/**
 * Seals a ticket.
 *
 * @param key 32 bytes, the app's secret. `iv` is 16 and `salt` 8 random bytes, new for each ticket.
 * @throws RangeError for a wrong length or a number out of range.
 */
export function sealAppTicket(
  ticket: AppTicket,
  key: Uint8Array,
  iv: Uint8Array,
  salt: Uint8Array,
): Uint8Array {
  wantLength('seal', 'key', key, KEY_BYTES);
  wantLength('seal', 'iv', iv, IV_BYTES);
  wantLength('seal', 'salt', salt, SALT_BYTES);
  const { userData } = ticket;
  if (userData.length > MAX_USER_DATA_BYTES) {
    throw new RangeError(
      `Cannot seal ticket: ${userData.length} bytes of user data, expected at most ${MAX_USER_DATA_BYTES}`,
    );
  }
  const ownership = writeOwnership(ticket.ownership);
  const hashAt = userData.length + ownership.length + VERSION_2_BYTES + SALT_BYTES;
  const plain = new FieldWriter().bytes(userData).bytes(ownership);
  plain.u32('rest', VERSION_2_BYTES + SALT_BYTES + HASH_BYTES + TRAILER_BYTES).u32('unknown', 0);
  plain.u32('user data', userData.length).u32('ownership', ownership.length).u32('hashed', hashAt);
  plain.bytes(salt);
  plain.bytes(sha1(plain.finish())).u32('version', VERSION);
  const inner = plain.finish();
  const ecb = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  const cbc = createCipheriv('aes-256-cbc', key, iv);
  const ciphertext = [...ecb.update(iv), ...ecb.final(), ...cbc.update(inner), ...cbc.final()];
  return Uint8Array.from([
    ...protobufVarint(1, VERSION),
    ...protobufVarint(2, crc32(inner)),
    ...protobufVarint(3, userData.length),
    ...protobufVarint(4, hashAt),
    ...protobufBytes(5, Uint8Array.from(ciphertext)),
  ]);
}

/**
 * Reads what a ticket claims. **This is no proof of identity, however fresh the ticket is**: a player with one genuine ticket can make
 * one that names somebody else (see above). Do not admit anybody by it; compare its SteamID with that of a proof, such as a token from
 * your backend or a web ticket that Steam judged.
 *
 * It never throws, whatever is in `bytes`, and its work is bounded by their length. The caller has to check whether the ticket is
 * expired, and for which app it is.
 *
 * @throws RangeError unless the key has 32 bytes.
 */
export function readAppTicketClaims(
  bytes: Uint8Array,
  key: Uint8Array,
): UnprovenAppTicketClaims | MalformedAppTicket {
  wantLength('read', 'key', key, KEY_BYTES);
  if (bytes.length > MAX_ENCRYPTED_TICKET_BYTES) return malformed('too-long');
  const fields = readProtobuf(bytes);
  if (!fields) return malformed('frame');
  const version = varintOf(fields.get(1));
  const crc = varintOf(fields.get(2));
  // Protocol Buffers omit a field that is 0.
  const userDataLength = fields.has(3) ? varintOf(fields.get(3)) : 0;
  const hashAt = varintOf(fields.get(4));
  const ciphertext = fields.get(5);
  if (crc === null || userDataLength === null || hashAt === null || ciphertext?.kind !== 'bytes') {
    return malformed('frame');
  }
  if (version !== 1 && version !== 2) return malformed('version');
  const { length } = ciphertext.value;
  if (length < 2 * BLOCK_BYTES || length % BLOCK_BYTES !== 0) return malformed('ciphertext');

  const inner = decipher(ciphertext.value, key);
  if (!inner || crc32(inner) !== crc) return malformed('undecipherable');
  const hashEnd = hashAt + HASH_BYTES;
  if (hashEnd + TRAILER_BYTES !== inner.length) return malformed('undecipherable');
  if (!sameBytes(sha1(inner.subarray(0, hashAt)), inner.subarray(hashAt, hashEnd))) {
    return malformed('undecipherable');
  }
  const ownershipEnd = hashAt - SALT_BYTES - (version === 2 ? VERSION_2_BYTES : 0);
  if (userDataLength > ownershipEnd) return malformed('undecipherable');
  const ownership = readOwnership(inner.subarray(userDataLength, ownershipEnd));
  if (!ownership || !saysSo(version, userDataLength, ownershipEnd, inner)) return malformed('undecipherable');
  return { kind: 'unproven-claims', ownership, userData: inner.slice(0, userDataLength) };
}

/**
 * Whether the plain text agrees with the frame. Version 2 contains the version and the lengths, so a boundary that was moved in the
 * frame is detected, even if the frame calls it version 1. A completely invented ticket still passes.
 */
function saysSo(version: 1 | 2, userDataLength: number, ownershipEnd: number, inner: Uint8Array): boolean {
  const isVersion2 = new FieldReader(inner.subarray(-TRAILER_BYTES)).u32() === 2;
  if (version === 1) return !isVersion2;
  const reader = new FieldReader(inner.subarray(ownershipEnd));
  const rest = reader.left;
  const isWhole = reader.u32() === rest;
  // Unknown: 0 in all tickets that we have seen.
  reader.u32();
  return (
    isVersion2 &&
    isWhole &&
    reader.u32() === userDataLength &&
    reader.u32() === ownershipEnd - userDataLength &&
    reader.u32() === ownershipEnd + VERSION_2_BYTES + SALT_BYTES
  );
}

/** Null for invalid padding. In one call and not as a stream: a stream would fail later, where nobody can catch it. */
function decipher(ciphertext: Uint8Array, key: Uint8Array): Uint8Array | null {
  const ecb = createDecipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  const iv = ecb.update(ciphertext.subarray(0, BLOCK_BYTES));
  const cbc = createDecipheriv('aes-256-cbc', key, iv);
  const front = cbc.update(ciphertext.subarray(BLOCK_BYTES));
  try {
    return Uint8Array.from([...front, ...cbc.final()]);
  } catch {
    return null;
  }
}

function varintOf(field: ProtobufField | undefined): number | null {
  return field?.kind === 'varint' ? field.value : null;
}

function sha1(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha1').update(bytes).digest());
}

function wantLength(action: 'seal' | 'read', what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length === length) return;
  throw new RangeError(`Cannot ${action} ticket: ${what} has ${bytes.length} bytes, expected ${length}`);
}

function malformed(reason: AppTicketFault): MalformedAppTicket {
  return { kind: 'malformed', reason };
}
