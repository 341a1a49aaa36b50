/**
 * Checks the arguments of the `User` class: they become what ISteamUser accepts, or a TypeError or RangeError that names them.
 */

import { isIPv4 } from 'node:net';
import { identityFields, type NetworkIdentity } from '../tickets/network_identity.js';
import type { RemoteIdentity } from './steam_user.js';

const MAX_U64 = 0xffff_ffff_ffff_ffffn;
const MAX_U32 = 0xffff_ffff;

/** The longest URL that may be requested, in bytes of UTF-8. */
const MAX_URL_BYTES = 2048;

/** The most that an encrypted app ticket may carry, in bytes. */
const MAX_USER_DATA_BYTES = 1024;

/** A SteamID or 0n, as a 64-bit id that is passed on as it is, whatever its type. */
export function checkSteamId(action: string, name: string, value: unknown): bigint {
  if (typeof value !== 'bigint') {
    throw new TypeError(`Cannot ${action}: ${name} is a ${typeof value}, expected a bigint`);
  }
  if (value < 0n || value > MAX_U64) {
    throw new RangeError(`Cannot ${action}: ${name} is ${value}, expected 0 to 2^64 − 1`);
  }
  return value;
}

/** Whom a ticket is for: a SteamID, an address or text, or 0 for anyone. */
export function checkRemote(action: string, name: string, value: unknown): RemoteIdentity {
  if (value === 0) return 0n;
  if (typeof value !== 'object' || value === null) return checkSteamId(action, name, value);
  identityFields(value as NetworkIdentity, action);
  return value as NetworkIdentity;
}

/** An IPv4 address in host order. Empty text is 0. */
export function checkIp(action: string, name: string, value: unknown): number {
  if (value === '') return 0;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_U32) return value;
  if (typeof value === 'string' && isIPv4(value)) {
    return value.split('.').reduce((ip, part) => ip * 256 + Number(part), 0);
  }
  throw new TypeError(`Cannot ${action}: ${name} is ${shown(value)}, expected an IPv4 address`);
}

/** Dotted text of an IPv4 address in host order: the inverse of checkIp. */
export function ipText(ip: number): string {
  return [ip >>> 24, (ip >>> 16) & 0xff, (ip >>> 8) & 0xff, ip & 0xff].join('.');
}

export function checkPort(action: string, name: string, value: unknown): number {
  return checkInteger(action, name, value, 0, 0xffff);
}

export function checkAppId(action: string, name: string, value: unknown): number {
  return checkInteger(action, name, value, 0, MAX_U32);
}

export function checkHandle(action: string, name: string, value: unknown): number {
  return checkInteger(action, name, value, 0, MAX_U32);
}

export function checkBufferSize(action: string, name: string, value: unknown): number {
  return checkInteger(action, name, value, 0, MAX_U32);
}

export function checkInt32(action: string, name: string, value: unknown): number {
  return checkInteger(action, name, value, -(2 ** 31), 2 ** 31 - 1);
}

/** Text that C can hold: at most `maxBytes` of UTF-8 and no NUL. */
export function checkText(action: string, name: string, value: unknown, maxBytes: number): string {
  if (typeof value !== 'string') {
    throw new TypeError(`Cannot ${action}: ${name} is a ${typeof value}, expected a string`);
  }
  if (value.includes('\0'))
    throw new TypeError(`Cannot ${action}: ${name} contains a NUL character, expected none`);
  const bytes = new TextEncoder().encode(value).length;
  if (bytes > maxBytes) {
    throw new RangeError(`Cannot ${action}: ${name} is ${bytes} bytes, expected at most ${maxBytes}`);
  }
  return value;
}

/** True or false. Anything else that JavaScript would convert, such as `'false'` or `undefined`, is refused. */
export function checkBoolean(action: string, name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new TypeError(`Cannot ${action}: ${name} is a ${typeof value}, expected true or false`);
}

export function checkBytes(action: string, name: string, value: unknown, maxBytes: number): Uint8Array {
  if (!(value instanceof Uint8Array)) {
    // A ticket as hex is a secret: its text stays out of the message.
    throw new TypeError(`Cannot ${action}: ${name} is a ${typeof value}, expected a Uint8Array`);
  }
  if (value.length > maxBytes) {
    throw new RangeError(`Cannot ${action}: ${name} is ${value.length} bytes, expected at most ${maxBytes}`);
  }
  return value;
}

/** What an encrypted app ticket should carry, as bytes. @throws TypeError or RangeError for what it cannot. */
export function userDataOf(secret: string | Uint8Array): Uint8Array {
  const action = 'request an encrypted app ticket';
  const bytes: unknown = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret;
  if (bytes instanceof Uint8Array) return checkBytes(action, 'secret', bytes, MAX_USER_DATA_BYTES);
  throw new TypeError(`Cannot ${action}: secret is a ${typeof secret}, expected a string or a Uint8Array`);
}

/** A URL to ask Steam for. @throws TypeError or RangeError for anything else. */
export function redirectUrlOf(url: string): string {
  return checkText('request a store URL', 'redirect_url', url, MAX_URL_BYTES);
}

function checkInteger(action: string, name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') {
    throw new TypeError(`Cannot ${action}: ${name} is a ${typeof value}, expected a number`);
  }
  if (!(Number.isInteger(value) && value >= min && value <= max)) {
    throw new RangeError(`Cannot ${action}: ${name} is ${value}, expected ${min} to ${max}`);
  }
  return value;
}

/** Numbers and short texts as they are; of anything else its type. */
function shown(value: unknown): string {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value.length <= 64 ? JSON.stringify(value) : `a ${typeof value}`;
}
