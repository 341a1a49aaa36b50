/**
 * Whom a session ticket may be for besides a SteamID: an address, or a text that the parties agreed on. In Steam's terms, a
 * SteamNetworkingIdentity of type IPAddress or GenericString.
 */

import { createHash } from 'node:crypto';

export type NetworkIdentity =
  /** A public IPv4 or IPv6 address, and a port, 0 to 65535. Default 0: any. */
  | { readonly ip: string; readonly port?: number }
  /** 1 to 31 bytes of UTF-8 without NUL. */
  | { readonly text: string };

/** Steam's number of the type, and the bytes of its value. */
export interface IdentityFields {
  readonly type: 1 | 2;
  readonly value: Uint8Array;
}

/** The longest text, in bytes: Steam has 32, including the terminating NUL. */
const MAX_TEXT_BYTES = 31;

/** Higher than every SteamID's universe, so that no SteamID is mistaken for one of these. */
const NO_UNIVERSE = 0xff00_0000_0000_0000n;

/**
 * The identity as in Steam's structure.
 *
 * @throws TypeError or RangeError for anything else, naming `action`.
 */
export function identityFields(identity: NetworkIdentity, action = 'name an identity'): IdentityFields {
  const {
    ip,
    port = 0,
    text,
    ...unknown
  } = identity as {
    readonly ip?: unknown;
    readonly port?: unknown;
    readonly text?: unknown;
  };
  const names = Object.keys(unknown);
  if (names.length > 0 || (ip === undefined) === (text === undefined)) {
    throw new TypeError(`Cannot ${action}: expected an identity of either ip and port, or text`);
  }
  if (text !== undefined) return { type: 2, value: textBytes(text, action) };
  if (!(typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= 0xffff)) {
    throw new RangeError(`Cannot ${action}: port is ${String(port)}, expected 0 to 65535`);
  }
  const value = new Uint8Array(18);
  value.set(addressBytes(ip, action));
  new DataView(value.buffer).setUint16(16, port, true);
  return { type: 1, value };
}

/**
 * What an embedded ticket contains instead of a SteamID: 0xff, then 7 bytes of the SHA-256 of type and value. The port does not count, as
 * with Steam, which identifies a server by its address.
 */
export function identityId(identity: NetworkIdentity): bigint {
  const { type, value } = identityFields(identity);
  const counted = type === 1 ? value.subarray(0, 16) : value;
  const digest = createHash('sha256').update(Uint8Array.of(type)).update(counted).digest();
  return NO_UNIVERSE | (digest.readBigUInt64LE(0) >> 8n);
}

function textBytes(text: unknown, action: string): Uint8Array {
  if (typeof text !== 'string' || text === '' || text.includes('\0')) {
    throw new TypeError(`Cannot ${action}: text is not one of 1 to ${MAX_TEXT_BYTES} bytes without NUL`);
  }
  const bytes = new TextEncoder().encode(`${text}\0`);
  if (bytes.length > MAX_TEXT_BYTES + 1) {
    const found = `text is ${bytes.length - 1} bytes`;
    throw new RangeError(`Cannot ${action}: ${found}, expected 1 to ${MAX_TEXT_BYTES}`);
  }
  return bytes;
}

const OCTET = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = new RegExp(`^${OCTET}(\\.${OCTET}){3}$`);

/** The 16 bytes of an IPv6 address; for an IPv4 address those of ::ffff:a.b.c.d. */
function addressBytes(ip: unknown, action: string): Uint8Array {
  // The URL standard has one spelling for each IPv6 address: hexadecimal groups, of which one run may be left out.
  const host = typeof ip === 'string' ? canonical(IPV4.test(ip) ? `::ffff:${ip}` : ip) : null;
  if (host === null) throw new TypeError(`Cannot ${action}: ip is not an IPv4 or IPv6 address`);
  const [front = '', back] = host.split('::');
  const groups = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [groups(front), groups(back ?? '')];
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (const [at, group] of before.entries()) view.setUint16(2 * at, group);
  for (const [at, group] of after.entries()) view.setUint16(16 - 2 * (after.length - at), group);
  return bytes;
}

/** Null for anything but an IPv6 address. */
function canonical(ip: string): string | null {
  if (!/^[0-9a-f:.]+$/i.test(ip)) return null;
  try {
    return new URL(`http://[${ip}]`).hostname.slice(1, -1);
  } catch {
    return null;
  }
}
