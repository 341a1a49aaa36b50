/**
 * Parses addresses into one form, so that a peer is the same address however it is written, and makes the key that
 * limits are counted under: the whole IPv4 address, or the /64 of an IPv6 one, which one household or machine has.
 *
 * uWebSockets writes an IPv6 peer in full (`0000:…:0001`), people and proxies write `::1`, and a dual-stack socket sees an IPv4 peer
 * as `::ffff:192.0.2.1`. Pure functions. In doubt, a text is not an address.
 */

import type { AddressKey } from '../core/address_key.js';

/** The longest text of an address: IPv6 in full, with its last 32 bits in dotted form. */
const MAX_ADDRESS_CHARS = 45;

/** ::ffff:0:0/96: IPv4 on a socket of IPv6. */
const MAPPED = [0, 0, 0, 0, 0, 0xffff] as const;
/**
 * 64:ff9b::/96 (RFC 6052): a translator in front of an IPv6-only server writes IPv4 peers like this, all in one /64. Limits are
 * counted by the IPv4 address. But such a peer is not that address: it is neither loopback nor a trusted proxy.
 */
const TRANSLATED = [0x64, 0xff9b, 0, 0, 0, 0] as const;

export interface Address {
  /** An IPv4 address mapped into IPv6 has family 4. */
  readonly family: 4 | 6;
  /** Its 16-bit numbers: 2 for IPv4, 8 for IPv6. */
  readonly groups: readonly number[];
}

/** The address in a text; null for anything else, also for names, ports, brackets and zones (`%eth0`). */
export function parseAddress(text: string): Address | null {
  const v4 = parseIpv4(text);
  if (v4) return { family: 4, groups: v4 };
  const groups = parseIpv6(text);
  if (!groups) return null;
  return startsWith(groups, MAPPED) ? { family: 4, groups: groups.slice(6) } : { family: 6, groups };
}

/** The key that limits are counted under. */
export function addressKey({ family, groups }: Address): AddressKey {
  if (family === 4) return dotted(groups);
  if (startsWith(groups, TRANSLATED)) return dotted(groups.slice(6));
  const prefix = groups.slice(0, 4).map((group) => group.toString(16));
  return `${prefix.join(':')}::/64`;
}

/**
 * The network of an address, for reports: the first 24 bits of an IPv4 address or 48 of an IPv6 one, such as
 * `192.0.2.0/24` or `2001:db8:0::/48`; `unknown` without an address.
 */
export function addressPrefix(key: AddressKey | null): string {
  if (key === null || key === 'unknown') return 'unknown';
  const separator = key.includes(':') ? ':' : '.';
  const network = key.split(separator).slice(0, 3).join(separator);
  return separator === ':' ? `${network}::/48` : `${network}.0/24`;
}

function dotted(groups: readonly number[]): string {
  return groups.map((group) => `${group >> 8}.${group & 0xff}`).join('.');
}

function startsWith(groups: readonly number[], prefix: readonly number[]): boolean {
  return prefix.every((group, at) => groups[at] === group);
}

function parseIpv4(text: string): number[] | null {
  // No leading zeros: some parsers read 0127 as octal, and parsers that disagree are a security hole.
  if (!/^(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})$/.test(text)) return null;
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number);
  return Math.max(a, b, c, d) <= 255 ? [(a << 8) | b, (c << 8) | d] : null;
}

function parseIpv6(text: string): number[] | null {
  if (text.length > MAX_ADDRESS_CHARS) return null;
  let rest = text;
  const mixed = /^(.*:)([0-9.]*\.[0-9.]*)$/.exec(text);
  if (mixed) {
    const v4 = parseIpv4(mixed[2]!);
    if (!v4) return null;
    rest = `${mixed[1]}${v4.map((group) => group.toString(16)).join(':')}`;
  }
  const halves = rest.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = halves.map(parseGroups);
  if (!head) return null;
  if (halves.length === 1) return head.length === 8 ? head : null;
  if (!tail || head.length + tail.length > 7) return null;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function parseGroups(text: string): number[] | null {
  if (text === '') return [];
  const groups = text.split(':');
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return null;
  return groups.map((group) => Number.parseInt(group, 16));
}
