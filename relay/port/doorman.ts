/**
 * Whether a connection may become a WebSocket, before anybody said who they are: by where it comes from, by how many its address has,
 * and by whether the relay still takes any. Pure but for its counts.
 */

import type { Milliseconds } from '../../voice/units.js';
import { addressKey, parseAddress } from '../addresses/addresses.js';
import { ADDRESS_FAULTS, type AddressFault, clientAddress } from '../addresses/client_address.js';
import type { TrustedProxies } from '../addresses/trusted_proxies.js';
import { type AdmissionFault, admitOrigin, admitPeer } from '../admission/admission.js';
import type { AddressKey } from '../core/address_key.js';
import type { AddressLimits, AddressRefusal } from './address_limits.js';
import { ClosingConnections } from './closing_connections.js';

/** What the doorman wants to know of a request. */
export interface Visitor {
  /** The other end of the socket, as text. */
  readonly peer: string;
  /** The address that a PROXY protocol preamble names; empty when there was none. */
  readonly proxiedPeer: string;
  /** Every header, names in lower case, in the order in which they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Why a connection does not become a WebSocket. Append only. `connections-full`: the relay has as many TCP connections as it may. */
export type DoorRefusal = AdmissionFault | AddressRefusal | 'draining' | 'connections-full';

/** Why a TCP connection is closed before it asks for anything. */
export type TcpRefusal = AddressRefusal | 'connections-full';

export type TcpAnswer =
  /** It is counted until `gone`. */
  | { readonly kind: 'stays' }
  | {
      readonly kind: 'goes';
      readonly reason: TcpRefusal;
      readonly detail: string;
      readonly address: AddressKey | null;
    };

/** TCP connections of the voice port, WebSockets among them. */
export interface TcpCounts {
  readonly connections: number;
  /** WebSockets that were closed lately, whose TCP connections may still be open. */
  readonly closing: number;
  /** As many as there may be at once, the closing ones among them. */
  readonly most: number;
  readonly refused: Readonly<Record<TcpRefusal, number>>;
}

export type DoorAnswer =
  /** `address` is to be given back when the connection is gone; null where addresses are not counted. */
  | { readonly kind: 'admitted'; readonly address: AddressKey | null }
  | {
      readonly kind: 'refused';
      readonly status: string;
      readonly reason: DoorRefusal;
      readonly detail: string;
      readonly retryAfterS: number | null;
      /** Where it comes from; null where addresses are not counted. */
      readonly address: AddressKey | null;
    };

export interface DoormanOptions {
  /** For development: this machine alone, and its addresses are not counted. */
  readonly dev: boolean;
  /** Web pages that may connect. */
  readonly origins: readonly string[];
  readonly addresses: AddressLimits;
  /** Of TCP connections: as `doorstepLimits` has them. */
  readonly doorstep: AddressLimits;
  /** TCP connections at once, of all addresses: as `mostConnections` has it. */
  readonly mostConnections: number;
  readonly trustedProxies: TrustedProxies;
}

/** Of the seconds that a client refused in a drain is told to wait: another relay may take its place before. */
const MAX_RETRY_AFTER_S = 60;

const DETAILS: Readonly<Record<TcpRefusal, string>> = {
  'connections-full': 'the relay has as many TCP connections as its open files allow',
  'address-full': 'your address has as many connections as it may',
  'address-busy': 'your address opens connections faster than it may',
  'table-full': 'the relay has no room for another address',
};

export class Doorman {
  readonly #options: DoormanOptions;
  #drainEndsAt: Milliseconds | null = null;
  #refused = 0;
  #connections = 0;
  readonly #closing = new ClosingConnections();
  readonly #tcpRefused: Record<TcpRefusal, number> = {
    'address-full': 0,
    'address-busy': 0,
    'table-full': 0,
    'connections-full': 0,
  };
  readonly #faults = Object.fromEntries(ADDRESS_FAULTS.map((fault) => [fault, 0])) as Record<
    AddressFault,
    number
  >;

  constructor(options: DoormanOptions) {
    this.#options = options;
  }

  /** Connections that did not become a WebSocket. */
  get refused(): number {
    return this.#refused;
  }

  /** Connections whose own address was not to be had, by why. */
  get addressFaults(): Readonly<Record<AddressFault, number>> {
    return { ...this.#faults };
  }

  /** Nobody is let in any more. */
  drain(endsAt: Milliseconds): void {
    this.#drainEndsAt = endsAt;
  }

  /** What there is at `now`. */
  tcp(now: Milliseconds): TcpCounts {
    const { mostConnections: most } = this.#options;
    const closing = this.#closing.count(now);
    return { connections: this.#connections, closing, most, refused: { ...this.#tcpRefused } };
  }

  /**
   * Whether a TCP connection may stay, before it asks for anything. It counts until `gone`, whatever it asks for: for its peer, which is all
   * that is known yet, and for all. Trusted proxies, through which many come, count for all alone.
   */
  came(peer: string, now: Milliseconds): TcpAnswer {
    const { doorstep, mostConnections } = this.#options;
    const address = this.#doorstepKey(peer);
    const open = this.#connections + this.#closing.count(now);
    if (open >= mostConnections) return this.#turnAway('connections-full', address);
    const reason = address === null ? 'admitted' : doorstep.admit(address, now);
    if (reason !== 'admitted') return this.#turnAway(reason, address);
    this.#connections += 1;
    return { kind: 'stays' };
  }

  /**
   * A WebSocket is closed. Its peer may still keep the TCP connection, which no longer counts for its address, but for a while for all. Once
   * for each, instead of `gone`.
   */
  closed(peer: string, now: Milliseconds): void {
    this.gone(peer, now);
    this.#closing.add(now);
  }

  /** A TCP connection that stayed is closed. Once for each. */
  gone(peer: string, now: Milliseconds): void {
    this.#connections -= 1;
    const address = this.#doorstepKey(peer);
    if (address !== null) this.#options.doorstep.release(address, now);
  }

  /** Time has passed. */
  tick(now: Milliseconds): void {
    this.#options.doorstep.tick(now);
  }

  admit(visitor: Visitor, now: Milliseconds): DoorAnswer {
    const answer = this.#judge(visitor, now);
    if (answer.kind === 'refused') this.#refused += 1;
    return answer;
  }

  /** Whom a TCP connection counts for; null where it counts for all alone. */
  #doorstepKey(peer: string): AddressKey | null {
    const { dev, trustedProxies } = this.#options;
    const address = parseAddress(peer);
    return dev || !address || trustedProxies.includes(address) ? null : addressKey(address);
  }

  #turnAway(reason: TcpRefusal, address: AddressKey | null): TcpAnswer {
    this.#refused += 1;
    this.#tcpRefused[reason] += 1;
    return { kind: 'goes', reason, detail: DETAILS[reason], address };
  }

  #judge({ peer, proxiedPeer, headers }: Visitor, now: Milliseconds): DoorAnswer {
    const { dev, origins, addresses, trustedProxies } = this.#options;
    const { key, fault } = clientAddress({ peer, proxiedPeer, headers, trustedProxies });
    const address = dev ? null : key;
    if (this.#drainEndsAt !== null) {
      const seconds = Math.ceil((this.#drainEndsAt - now) / 1000);
      return {
        kind: 'refused',
        status: '503 Service Unavailable',
        reason: 'draining',
        detail: 'the relay drains and takes no new connections',
        retryAfterS: Math.min(Math.max(seconds, 1), MAX_RETRY_AFTER_S),
        address,
      };
    }
    const admitted = dev ? admitPeer({ peer, proxiedPeer, headers }) : admitOrigin(headers, origins);
    if (admitted.kind === 'refused') {
      const { reason, detail } = admitted;
      return { kind: 'refused', status: '403 Forbidden', reason, detail, retryAfterS: null, address };
    }
    if (address === null) return { kind: 'admitted', address };
    if (fault !== null) this.#faults[fault] += 1;
    const reason = addresses.admit(address, now);
    if (reason === 'admitted') return { kind: 'admitted', address };
    const detail = DETAILS[reason];
    return { kind: 'refused', status: '429 Too Many Requests', reason, detail, retryAfterS: 1, address };
  }
}
