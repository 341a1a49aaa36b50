/**
 * Which addresses are this machine's own, in every form of text that they come in. What is not surely loopback is not loopback.
 */

import { parseAddress } from './addresses.js';

/**
 * Whether `address` is in 127.0.0.0/8, is ::1, or is the first mapped into IPv6. Names are never addresses.
 */
export function isLoopbackAddress(address: string): boolean {
  const parsed = parseAddress(address);
  if (!parsed) return false;
  const { family, groups } = parsed;
  if (family === 4) return groups[0]! >> 8 === 127;
  return groups.every((group, at) => group === (at === 7 ? 1 : 0));
}

/**
 * Whether a host, as a URL or an option has it, is loopback: an address, bracketed or not, or `localhost`.
 */
export function isLoopbackHost(host: string): boolean {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  return bare.toLowerCase() === 'localhost' || isLoopbackAddress(bare);
}
