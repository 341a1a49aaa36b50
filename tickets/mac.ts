/**
 * HMAC-SHA256 over what the embedded Steam issues, and the ticket's id, which is derived from it.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';

export const MAC_BYTES = 32;

/** Bytes of a MAC that name a ticket. */
const ID_BYTES = 16;

/** The HMAC-SHA256 of `bytes` under `key`. */
export function macOf(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha256', key).update(bytes).digest());
}

/** Whether `mac` is the MAC of `bytes`. Constant time. */
export function macMatches(key: Uint8Array, bytes: Uint8Array, mac: Uint8Array): boolean {
  return mac.length === MAC_BYTES && timingSafeEqual(macOf(key, bytes), mac);
}

/** A ticket's id: the front of its MAC in hexadecimal, 32 digits. Two tickets never share it. */
export function ticketIdOf(mac: Uint8Array): string {
  return Array.from(mac.subarray(0, ID_BYTES), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
