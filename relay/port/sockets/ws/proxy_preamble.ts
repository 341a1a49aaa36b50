/**
 * The preamble of the PROXY protocol, version 2, that a proxy may send before the request: section 2.2 of HAProxy's specification. Pure.
 *
 * As in uWebSockets, its addresses count whatever its command is, and a preamble of a family other than IP is skipped.
 */

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Signature, version and command, family, length. */
const HEADER_BYTES = 16;
const VERSION = 2;
/** Longest rest that is accepted; addresses take 36 bytes at most, and what follows them is optional. */
const MAX_REST_BYTES = 4096;
/** By the upper four bits of the family: where the length of the addresses suffices, the source address is the first. */
const FAMILIES: Readonly<Record<number, { readonly addressBytes: number; readonly restBytes: number }>> = {
  1: { addressBytes: 4, restBytes: 12 },
  2: { addressBytes: 16, restBytes: 36 },
};

/** What the first bytes of a connection are. */
export type Preamble =
  /** `bytes` of it precede the request. `address` is empty when it names none. */
  | { readonly kind: 'whole'; readonly bytes: number; readonly address: string }
  | { readonly kind: 'incomplete' }
  /** None of this protocol: the request begins at once. */
  | { readonly kind: 'none' }
  /** It begins as one and is malformed. */
  | { readonly kind: 'malformed' };

/** Reads the first bytes of a connection, at least one. */
export function readProxyPreamble(bytes: Uint8Array): Preamble {
  const known = Math.min(bytes.length, SIGNATURE.length);
  if (SIGNATURE.compare(bytes, 0, known, 0, known) !== 0) return { kind: 'none' };
  if (bytes.length < HEADER_BYTES) return { kind: 'incomplete' };
  const rest = (bytes[14]! << 8) | bytes[15]!;
  if (bytes[12]! >> 4 !== VERSION || rest > MAX_REST_BYTES) return { kind: 'malformed' };
  const family = FAMILIES[bytes[13]! >> 4];
  if (family && rest < family.restBytes) return { kind: 'malformed' };
  if (bytes.length < HEADER_BYTES + rest) return { kind: 'incomplete' };
  const address = family ? textOf(bytes.subarray(HEADER_BYTES, HEADER_BYTES + family.addressBytes)) : '';
  return { kind: 'whole', bytes: HEADER_BYTES + rest, address };
}

/** An address as text, IPv6 in full. */
function textOf(address: Uint8Array): string {
  if (address.length === 4) return address.join('.');
  const groups: string[] = [];
  for (let at = 0; at < address.length; at += 2) {
    groups.push((((address[at]! << 8) | address[at + 1]!) >>> 0).toString(16));
  }
  return groups.join(':');
}
