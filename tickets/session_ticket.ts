/**
 * Steam's session ticket, the result of getAuthSessionTicket: written and read in its real layout.
 *
 * Layout, little-endian: u32 20, u64 GC token, u64 SteamID, u32 time; u32 24, u32 1, u32 2, u32 external IP, u32 reserved,
 * u32 ms connected, u32 count of connections; u32 length of the rest: the ownership section, then 128 bytes of signature.
 * Steam signs the ownership with RSA. The embedded Steam cannot, and does not pretend to: it writes a mark that names it, and an HMAC.
 */

import { asciiBytes, FieldReader, FieldWriter, sameBytes } from './fields.js';
import { MAC_BYTES, macMatches, macOf, ticketIdOf } from './mac.js';
import { type Ownership, readOwnership, writeOwnership } from './ownership.js';

/** The longest ticket, in bytes: the size of the buffers in Steam's callbacks. */
export const MAX_TICKET_BYTES = 2560;

export const SIGNATURE_BYTES = 128;

const TOKEN_BYTES = 20;
const HEADER_BYTES = 24;
/** Two fields of the header that always had these values. */
const HEADER_ONE = 1;
const HEADER_TWO = 2;
/** From the front to the ownership section. */
const FRONT_BYTES = 4 + TOKEN_BYTES + 4 + HEADER_BYTES + 4;

/** Times are unix seconds, addresses IPv4 in host order. */
export interface SessionTicketFields {
  /** Unique per ticket. */
  readonly gcToken: bigint;
  readonly steamId: bigint;
  readonly issuedAt: number;
  readonly externalIp: number;
  readonly reserved: number;
  /** How long the player has been connected to Steam, in ms. */
  readonly connectedMs: number;
  /** Tickets made in this connection. */
  readonly connectionCount: number;
  readonly ownership: Ownership;
}

export interface SessionTicket extends SessionTicketFields {
  readonly kind: 'session-ticket';
  /** A view of the bytes that were read. */
  readonly signature: Uint8Array;
}

/** Why bytes are not a session ticket. Append only. */
export type SessionTicketFault =
  | 'too-short'
  | 'too-long'
  | 'header'
  | 'length'
  | 'ownership'
  | 'steam-ids-differ';

/** Bytes that are not a session ticket, and why. */
export interface MalformedSessionTicket {
  readonly kind: 'malformed';
  readonly reason: SessionTicketFault;
}

/** @throws RangeError for a number that does not fit its field, or a ticket of more than 2560 bytes. */
export function writeSessionTicket(ticket: SessionTicketFields, signature: Uint8Array): Uint8Array {
  if (signature.length !== SIGNATURE_BYTES) {
    throw new RangeError(
      `Cannot write ticket: its signature has ${signature.length} bytes, expected ${SIGNATURE_BYTES}`,
    );
  }
  const ownership = writeOwnership(ticket.ownership);
  const writer = new FieldWriter();
  writer.u32('token length', TOKEN_BYTES).u64('gcToken', ticket.gcToken).u64('steamId', ticket.steamId);
  writer.u32('issuedAt', ticket.issuedAt);
  writer.u32('header length', HEADER_BYTES).u32('one', HEADER_ONE).u32('two', HEADER_TWO);
  writer.u32('externalIp', ticket.externalIp).u32('reserved', ticket.reserved);
  writer.u32('connectedMs', ticket.connectedMs).u32('connectionCount', ticket.connectionCount);
  writer
    .u32('rest', ownership.length + SIGNATURE_BYTES)
    .bytes(ownership)
    .bytes(signature);
  if (writer.length > MAX_TICKET_BYTES) {
    throw new RangeError(`Cannot write ticket: ${writer.length} bytes, expected at most ${MAX_TICKET_BYTES}`);
  }
  return writer.finish();
}

/** Reads exactly this layout, without checking the signature. Never throws. */
export function readSessionTicket(bytes: Uint8Array): SessionTicket | MalformedSessionTicket {
  if (bytes.length < FRONT_BYTES + SIGNATURE_BYTES) return malformed('too-short');
  if (bytes.length > MAX_TICKET_BYTES) return malformed('too-long');
  const reader = new FieldReader(bytes);
  if (reader.u32() !== TOKEN_BYTES) return malformed('header');
  const token = { gcToken: reader.u64(), steamId: reader.u64(), issuedAt: reader.u32() };
  if (reader.u32() !== HEADER_BYTES) return malformed('header');
  if (reader.u32() !== HEADER_ONE || reader.u32() !== HEADER_TWO) return malformed('header');
  const header = {
    externalIp: reader.u32(),
    reserved: reader.u32(),
    connectedMs: reader.u32(),
    connectionCount: reader.u32(),
  };
  if (reader.u32() !== reader.left) return malformed('length');
  const ownership = readOwnership(reader.take(reader.left - SIGNATURE_BYTES));
  if (!ownership) return malformed('ownership');
  if (ownership.steamId !== token.steamId) return malformed('steam-ids-differ');
  const signature = reader.take(SIGNATURE_BYTES);
  return { kind: 'session-ticket', ...token, ...header, ownership, signature };
}

/** At the front of the signature, where an RSA signature looks random: 64 bytes. */
const EMBEDDED_MARK = asciiBytes('HOTMIC EMBEDDED STEAM v1: no signature of Steam', 64);
const RESERVED_BYTES = SIGNATURE_BYTES - EMBEDDED_MARK.length - 8 - MAC_BYTES;

/**
 * A session ticket of the embedded Steam: its signature is the mark, the only SteamID that may use it (0n: anyone), 24 zeros, and the
 * HMAC-SHA256 of everything before it, with `key`.
 *
 * @throws As writeSessionTicket.
 */
export function sealSessionTicket(
  ticket: SessionTicketFields,
  remoteSteamId: bigint,
  key: Uint8Array,
): Uint8Array {
  const signature = new FieldWriter().bytes(EMBEDDED_MARK).u64('remoteSteamId', remoteSteamId);
  signature.bytes(new Uint8Array(RESERVED_BYTES + MAC_BYTES));
  const bytes = writeSessionTicket(ticket, signature.finish());
  const signed = bytes.subarray(0, bytes.length - MAC_BYTES);
  bytes.set(macOf(key, signed), signed.length);
  return bytes;
}

/** What an embedded Steam's signature says. */
export interface EmbeddedSignature {
  /** Who may use the ticket: a SteamID, or what `identityId` returns for an address or text; 0n for anyone. */
  readonly remoteSteamId: bigint;
  /** Names the ticket. */
  readonly id: string;
  /** Whether it was sealed under this key. Constant time. */
  sealedUnder(key: Uint8Array): boolean;
}

/** The embedded Steam's signature on a ticket that was read; null without its mark. */
export function embeddedSignature(bytes: Uint8Array, ticket: SessionTicket): EmbeddedSignature | null {
  const reader = new FieldReader(ticket.signature);
  if (!sameBytes(reader.take(EMBEDDED_MARK.length), EMBEDDED_MARK)) return null;
  const remoteSteamId = reader.u64();
  reader.take(RESERVED_BYTES);
  const mac = reader.take(MAC_BYTES);
  const signed = bytes.subarray(0, bytes.length - MAC_BYTES);
  return { remoteSteamId, id: ticketIdOf(mac), sealedUnder: (key) => macMatches(key, signed, mac) };
}

function malformed(reason: SessionTicketFault): MalformedSessionTicket {
  return { kind: 'malformed', reason };
}
