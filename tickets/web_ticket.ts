/**
 * The embedded Steam's ticket for a web service, the result of getAuthTicketForWebApi. The format is our own and is marked as such.
 *
 * Layout, little-endian: 16 bytes mark, u16 version 1, u64 SteamID, u32 app, u32 issued, u32 expires, 16 bytes nonce, u8
 * length and bytes of the identity in UTF-8, then the HMAC-SHA256 of all before it.
 */

import { asciiBytes, FieldReader, FieldWriter, sameBytes } from './fields.js';
import { MAC_BYTES, macMatches, macOf, ticketIdOf } from './mac.js';

const MARK = asciiBytes('HOTMIC-EMBEDDED', 16);
const VERSION = 1;
/** The bytes of the random number in a ticket that makes it unique. */
export const NONCE_BYTES = 16;

/** The longest identity, in bytes of UTF-8. */
export const MAX_IDENTITY_BYTES = 255;

const MIN_BYTES = MARK.length + 2 + 8 + 4 + 4 + 4 + NONCE_BYTES + 1 + MAC_BYTES;
const MAX_BYTES = MIN_BYTES + MAX_IDENTITY_BYTES;

/** Times are unix seconds. */
export interface WebTicketFields {
  readonly steamId: bigint;
  readonly appId: number;
  /** The service that the ticket is for, as passed to getAuthTicketForWebApi; may be empty. */
  readonly identity: string;
  readonly issuedAt: number;
  /** Later than `issuedAt`. */
  readonly expiresAt: number;
  /** 16 random bytes, so that no two tickets are the same. */
  readonly nonce: Uint8Array;
}

export interface WebTicket extends WebTicketFields {
  readonly kind: 'web-ticket';
  /** Names the ticket. */
  readonly id: string;
  /** Whether it was sealed under this key. Constant time. */
  sealedUnder(key: Uint8Array): boolean;
}

/** Why bytes are not a web ticket of an embedded Steam; `mark`: they do not claim to be one. Append only. */
export type WebTicketFault = 'too-short' | 'too-long' | 'mark' | 'version' | 'length' | 'identity' | 'times';

/** Bytes that are not a web ticket of an embedded Steam, and why. */
export interface MalformedWebTicket {
  readonly kind: 'malformed';
  readonly reason: WebTicketFault;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws RangeError for a field out of range. */
export function sealWebTicket(ticket: WebTicketFields, key: Uint8Array): Uint8Array {
  const identity = new TextEncoder().encode(ticket.identity);
  if (identity.length > MAX_IDENTITY_BYTES) {
    throw new RangeError(
      `Cannot write ticket: its identity has ${identity.length} bytes, expected at most ${MAX_IDENTITY_BYTES}`,
    );
  }
  if (ticket.nonce.length !== NONCE_BYTES) {
    throw new RangeError(
      `Cannot write ticket: its nonce has ${ticket.nonce.length} bytes, expected ${NONCE_BYTES}`,
    );
  }
  if (!(ticket.expiresAt > ticket.issuedAt)) {
    throw new RangeError(
      `Cannot write ticket: it expires at ${ticket.expiresAt}, expected later than ${ticket.issuedAt}`,
    );
  }
  const writer = new FieldWriter().bytes(MARK).u16('version', VERSION);
  writer.u64('steamId', ticket.steamId).u32('appId', ticket.appId);
  writer.u32('issuedAt', ticket.issuedAt).u32('expiresAt', ticket.expiresAt).bytes(ticket.nonce);
  writer.u8('identity length', identity.length).bytes(identity);
  const signed = writer.finish();
  return writer.bytes(macOf(key, signed)).finish();
}

/** Reads exactly this layout; `sealedUnder` checks the seal. Never throws. */
export function readWebTicket(bytes: Uint8Array): WebTicket | MalformedWebTicket {
  if (bytes.length < MARK.length) return malformed('too-short');
  const reader = new FieldReader(bytes);
  if (!sameBytes(reader.take(MARK.length), MARK)) return malformed('mark');
  if (bytes.length < MIN_BYTES) return malformed('too-short');
  if (bytes.length > MAX_BYTES) return malformed('too-long');
  if (reader.u16() !== VERSION) return malformed('version');
  const steamId = reader.u64();
  const appId = reader.u32();
  const issuedAt = reader.u32();
  const expiresAt = reader.u32();
  const nonce = reader.take(NONCE_BYTES).slice();
  const identityLength = reader.u8();
  if (reader.left !== identityLength + MAC_BYTES) return malformed('length');
  const identity = textOf(reader.take(identityLength));
  if (identity === null) return malformed('identity');
  if (expiresAt <= issuedAt) return malformed('times');
  const mac = reader.take(MAC_BYTES);
  const signed = bytes.subarray(0, bytes.length - MAC_BYTES);
  return {
    kind: 'web-ticket',
    steamId,
    appId,
    identity,
    issuedAt,
    expiresAt,
    nonce,
    id: ticketIdOf(mac),
    sealedUnder: (key) => macMatches(key, signed, mac),
  };
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

function malformed(reason: WebTicketFault): MalformedWebTicket {
  return { kind: 'malformed', reason };
}
