/**
 * Whose connection it is: the peer's, or behind a proxy that the operator lists, the one that the proxy names. Forwarding headers
 * and PROXY protocol preambles of anyone else are not looked at: everyone can write them.
 *
 * Where a trusted proxy's word is missing or unclear, the connection is counted for the proxy. So nobody gains limits of their own
 * by garbage; those who send it share the proxy's, and nobody else is in them.
 */

import type { AddressKey } from '../core/address_key.js';
import { type Address, addressKey, parseAddress } from './addresses.js';
import { type Hop, hopsOfForwarded, hopsOfForwardedFor } from './forwarded.js';
import type { TrustedProxies } from './trusted_proxies.js';

/** Of all lines of a header together. uWebSockets bounds a head that comes in pieces; one that comes whole may be far longer. */
export const MAX_FORWARDED_CHARS = 4096;
/** Trusted proxies one behind the other. */
export const MAX_FORWARDED_HOPS = 16;

export interface AddressRequest {
  /** The other end of the socket, as text. */
  readonly peer: string;
  /** The address that a PROXY protocol preamble names; empty when there was none. */
  readonly proxiedPeer: string;
  /** Every header, names in lower case, in the order in which they came; also several of one name. */
  readonly headers: Iterable<readonly [name: string, value: string]>;
  readonly trustedProxies: TrustedProxies;
}

/** Where the address is from. */
export type AddressSource = 'peer' | 'proxy-protocol' | 'forwarded';

/**
 * Why a connection is counted for a proxy. Append only.
 *
 * `missing`: the proxy names nobody. `unclear`: garbage, `unknown` or an obfuscated identifier where the client should
 * stand. `disagree`: X-Forwarded-For and Forwarded name different ones, of which a client may have written one. `too-long`:
 * more than 4096 characters or 16 trusted proxies. `peer-unknown`: the socket has no address of its own; all of those are one.
 */
export const ADDRESS_FAULTS = ['missing', 'unclear', 'disagree', 'too-long', 'peer-unknown'] as const;
export type AddressFault = (typeof ADDRESS_FAULTS)[number];

export interface ClientAddress {
  /** What limits are counted under. */
  readonly key: AddressKey;
  readonly source: AddressSource;
  /** Null when the address is the client's, as far as one can know. Worth a count: a proxy may be set up wrong. */
  readonly fault: AddressFault | null;
}

/**
 * Whose connection it is. From the socket outwards, trusted proxies are passed over, and the first address that is none is the
 * client's. Where all of them are trusted, the outermost is: somebody of the inner network, such as a health check.
 */
export function clientAddress(request: AddressRequest): ClientAddress {
  const { trustedProxies } = request;
  const peer = parseAddress(request.peer);
  if (!peer) return { key: 'unknown', source: 'peer', fault: 'peer-unknown' };
  if (!trustedProxies.includes(peer)) return found(peer, 'peer');

  let nearest = peer;
  let source: AddressSource = 'peer';
  if (request.proxiedPeer !== '') {
    const proxied = parseAddress(request.proxiedPeer);
    if (!proxied) return found(peer, 'peer', 'unclear');
    if (!trustedProxies.includes(proxied)) return found(proxied, 'proxy-protocol');
    // A proxy behind a proxy: what the headers say is the farther one's.
    nearest = proxied;
    source = 'proxy-protocol';
  }

  const lines = { 'x-forwarded-for': [] as string[], forwarded: [] as string[] };
  let chars = 0;
  for (const [name, value] of request.headers) {
    if (name !== 'x-forwarded-for' && name !== 'forwarded') continue;
    chars += value.length;
    if (chars > MAX_FORWARDED_CHARS) return found(nearest, source, 'too-long');
    lines[name].push(value);
  }
  const answers = [
    ...(lines['x-forwarded-for'].length > 0
      ? [walk(lines['x-forwarded-for'].flatMap(hopsOfForwardedFor), nearest, source, trustedProxies)]
      : []),
    ...(lines.forwarded.length > 0
      ? [walk(lines.forwarded.flatMap(hopsOfForwarded), nearest, source, trustedProxies)]
      : []),
  ];
  const [first, second] = answers;
  // Only the one that the proxy writes is to be believed, and which that is nobody said.
  if (first && second && (first.key !== second.key || first.fault !== second.fault))
    return found(nearest, source, 'disagree');
  return first ?? found(nearest, source, source === 'peer' ? 'missing' : undefined);
}

function walk(
  hops: readonly Hop[],
  nearest: Address,
  nearestSource: AddressSource,
  trustedProxies: TrustedProxies,
): ClientAddress {
  let known = nearest;
  let source = nearestSource;
  let passed = 0;
  for (const hop of hops.toReversed()) {
    if (hop === null) return found(known, source, 'unclear');
    if (!trustedProxies.includes(hop)) return found(hop, 'forwarded');
    passed += 1;
    if (passed > MAX_FORWARDED_HOPS) return found(known, source, 'too-long');
    known = hop;
    source = 'forwarded';
  }
  return found(known, source);
}

function found(address: Address, source: AddressSource, fault: AddressFault | null = null): ClientAddress {
  return { key: addressKey(address), source, fault };
}
