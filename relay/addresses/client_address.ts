/**
 * The address that a connection counts for: the peer's, or, behind a proxy that the operator trusts, the one that the proxy names. Forwarding
 * headers and PROXY protocol preambles of anyone else are ignored, because anybody can send them.
 *
 * When a trusted proxy names no clear address, the connection counts for the proxy. So garbage does not gain a client separate
 * limits: all who send it share the proxy's, which no other client uses.
 */

import type { AddressKey } from '../core/address_key.js';
import { type Address, addressKey, parseAddress } from './addresses.js';
import { type Hop, hopsOfForwarded, hopsOfForwardedFor } from './forwarded.js';
import type { TrustedProxies } from './trusted_proxies.js';

/** Most characters of all forwarding lines together. uWebSockets bounds headers that come in chunks; those in one piece may be far longer. */
export const MAX_FORWARDED_CHARS = 4096;
/** Most trusted proxies in a chain. */
export const MAX_FORWARDED_HOPS = 16;

export interface AddressRequest {
  /** The other end of the socket, as text. */
  readonly peer: string;
  /** The address that a PROXY protocol preamble names; empty without one. */
  readonly proxiedPeer: string;
  /** Every header, names in lower case, in the order in which they came; a name may occur several times. */
  readonly headers: Iterable<readonly [name: string, value: string]>;
  readonly trustedProxies: TrustedProxies;
}

/** Where the address comes from. */
export type AddressSource = 'peer' | 'proxy-protocol' | 'forwarded';

/**
 * Why a connection counts for a proxy. Append only.
 *
 * `missing`: the proxy names nobody. `unclear`: garbage, `unknown` or an obfuscated identifier instead of the client's
 * address. `disagree`: X-Forwarded-For and Forwarded name different addresses, and the client may have sent one of them. `too-long`:
 * more than 4096 characters or 16 trusted proxies. `peer-unknown`: the socket has no address; all such connections count as one.
 */
export const ADDRESS_FAULTS = ['missing', 'unclear', 'disagree', 'too-long', 'peer-unknown'] as const;
export type AddressFault = (typeof ADDRESS_FAULTS)[number];

export interface ClientAddress {
  /** The key that limits are counted under. */
  readonly key: AddressKey;
  readonly source: AddressSource;
  /** Null when the address is the client's, as far as that can be known. A fault is counted: the proxy may be misconfigured. */
  readonly fault: AddressFault | null;
}

/**
 * The client's address. Starting from the socket, trusted proxies are skipped, and the first address that is not trusted is the
 * client's. If all are trusted, it is the outermost: a client in the internal network, such as a health check.
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
    // A proxy behind a proxy: the headers come from the farther one.
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
  // Only the header that the proxy writes can be trusted, and it is unknown which one that is.
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
