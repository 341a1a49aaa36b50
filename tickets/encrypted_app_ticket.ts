/**
 * Steam's encrypted app ticket, what requestEncryptedAppTicket leads to: sealed and opened in its real format.
 *
 * Outside a Protocol Buffers message: 1 version, 2 CRC-32 of the plain text, 3 bytes of user data, 4 bytes of ownership, 5
 * ciphertext. That is AES-256: the IV, ECB-encrypted, then CBC with PKCS #7 padding. Inside: user data, ownership section
 * (see ownership.ts), in version 2 another 20 bytes, 8 bytes salt, the SHA-1 of all before it, u32. The key alone vouches
 * for it: there is no signature.
 */

import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { crc32 } from './crc32.js';
import { FieldWriter, sameBytes } from './fields.js';
import { type Ownership, readOwnership, writeOwnership } from './ownership.js';
import { type ProtobufField, protobufBytes, protobufVarint, readProtobuf } from './protobuf.js';

const KEY_BYTES = 32;
export const IV_BYTES = 16;
export const SALT_BYTES = 8;

/** The most user data that is sealed, in bytes: the ticket then fits in 1024, the room that games give it. */
export const MAX_USER_DATA_BYTES = 512;

/** The longest ticket that is opened, in bytes. */
export const MAX_ENCRYPTED_TICKET_BYTES = 32_768;

const VERSION = 1;
/** Two unknown u64 and a u32 between ownership and salt. */
const VERSION_2_BYTES = 20;
const HASH_BYTES = 20;
const TRAILER_BYTES = SALT_BYTES + HASH_BYTES + 4;
const BLOCK_BYTES = 16;

/** What an encrypted app ticket says. */
export interface AppTicket {
  readonly ownership: Ownership;
  /** What the game gave to requestEncryptedAppTicket. */
  readonly userData: Uint8Array;
}

export interface OpenedAppTicket extends AppTicket {
  readonly kind: 'app-ticket';
}

/**
 * Why a ticket does not open. Append only. `undecipherable` is everything behind the decryption, in one word: another key,
 * changed bytes, or no ticket inside. Who sends tickets is not to learn more than that.
 */
export type AppTicketFault = 'too-long' | 'frame' | 'version' | 'ciphertext' | 'undecipherable';

export interface MalformedAppTicket {
  readonly kind: 'malformed';
  readonly reason: AppTicketFault;
}

/**
 * Seals a ticket.
 *
 * @param key 32 bytes, the app's secret. `iv` 16 and `salt` 8 bytes, random, new for each ticket.
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
      `Cannot seal ticket: ${userData.length} bytes of user data, wants at most ${MAX_USER_DATA_BYTES}`,
    );
  }
  const ownership = writeOwnership(ticket.ownership);
  const plain = new FieldWriter().bytes(userData).bytes(ownership).bytes(salt);
  plain.bytes(sha1(plain.finish())).u32('trailer', 0);
  const inner = plain.finish();
  const ecb = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  const cbc = createCipheriv('aes-256-cbc', key, iv);
  const ciphertext = [...ecb.update(iv), ...ecb.final(), ...cbc.update(inner), ...cbc.final()];
  return Uint8Array.from([
    ...protobufVarint(1, VERSION),
    ...protobufVarint(2, crc32(inner)),
    ...protobufVarint(3, userData.length),
    ...protobufVarint(4, ownership.length),
    ...protobufBytes(5, Uint8Array.from(ciphertext)),
  ]);
}

/**
 * Opens a ticket. What `bytes` hold never throws, and the work is bounded by their length. Whether the ticket is expired, and for
 * which app it is, is for the caller to see.
 *
 * @throws RangeError for a key that has not 32 bytes.
 */
export function openAppTicket(bytes: Uint8Array, key: Uint8Array): OpenedAppTicket | MalformedAppTicket {
  wantLength('open', 'key', key, KEY_BYTES);
  if (bytes.length > MAX_ENCRYPTED_TICKET_BYTES) return malformed('too-long');
  const fields = readProtobuf(bytes);
  if (!fields) return malformed('frame');
  const version = varintOf(fields.get(1));
  const crc = varintOf(fields.get(2));
  // Protocol Buffers leave out a field that is 0.
  const userDataLength = fields.has(3) ? varintOf(fields.get(3)) : 0;
  const ownershipLength = varintOf(fields.get(4));
  const ciphertext = fields.get(5);
  if (crc === null || userDataLength === null || ownershipLength === null || ciphertext?.kind !== 'bytes') {
    return malformed('frame');
  }
  if (version !== 1 && version !== 2) return malformed('version');
  const { length } = ciphertext.value;
  if (length < 2 * BLOCK_BYTES || length % BLOCK_BYTES !== 0) return malformed('ciphertext');

  const inner = decipher(ciphertext.value, key);
  if (!inner || crc32(inner) !== crc) return malformed('undecipherable');
  const hashedLength = userDataLength + ownershipLength + (version === 2 ? VERSION_2_BYTES : 0);
  if (hashedLength + TRAILER_BYTES !== inner.length) return malformed('undecipherable');
  const saltEnd = hashedLength + SALT_BYTES;
  const hash = inner.subarray(saltEnd, saltEnd + HASH_BYTES);
  if (!sameBytes(sha1(inner.subarray(0, saltEnd)), hash)) return malformed('undecipherable');
  const ownership = readOwnership(inner.subarray(userDataLength, userDataLength + ownershipLength));
  if (!ownership) return malformed('undecipherable');
  return { kind: 'app-ticket', ownership, userData: inner.slice(0, userDataLength) };
}

/** Null when the padding is none. In one go and not as a stream: a stream would fail later, where nobody can catch it. */
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

function wantLength(action: 'seal' | 'open', what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length === length) return;
  throw new RangeError(`Cannot ${action} ticket: ${what} has ${bytes.length} bytes, wants ${length}`);
}

function malformed(reason: AppTicketFault): MalformedAppTicket {
  return { kind: 'malformed', reason };
}
