/**
 * Which addresses are this machine's own, in every form in which they are written. In doubt, an address is not loopback.
 */

import { parseAddress } from './addresses.js';
import { readHost } from './host.js';

/** Whether `address` is in 127.0.0.0/8, also mapped into IPv6, or is ::1. A name is not an address. */
export function isLoopbackAddress(address: string): boolean {
  const parsed = parseAddress(address);
  if (!parsed) return false;
  const { family, groups } = parsed;
  if (family === 4) return groups[0]! >> 8 === 127;
  return groups.every((group, at) => group === (at === 7 ? 1 : 0));
}

/** Whether a host is loopback, as a URL or an option writes it: an address, bracketed or not, or `localhost`. */
export function isLoopbackHost(host: string): boolean {
  return isLoopbackAddress(readHost(host));
}
