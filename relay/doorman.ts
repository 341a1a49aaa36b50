/**
 * Whether a connection may become a WebSocket, before anybody said who they are: by where it comes from, by how many its address has,
 * and by whether the relay still takes any. Pure but for its counts.
 */

import type { Milliseconds } from '../voice/units.js';
import type { AddressLimits, AddressRefusal } from './address_limits.js';
import { type AddressKey, addressKey, parseAddress } from './addresses.js';
import { type AdmissionFault, admitOrigin, admitPeer } from './admission.js';
import { ADDRESS_FAULTS, type AddressFault, clientAddress } from './client_address.js';
import type { TrustedProxies } from './trusted_proxies.js';

/** What the doorman wants to know of a request. */
export interface Visitor {
  /** The other end of the socket, as text. */
  readonly peer: string;
  /** The address that a PROXY protocol preamble names; empty when there was none. */
  readonly proxiedPeer: string;
  /** Every header, names in lower case, in the order in which they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Why a connection does not become a WebSocket. Append only. */
export type DoorRefusal = AdmissionFault | AddressRefusal | 'draining';

export type DoorAnswer =
  /** `address` is to be given back when the connection is gone; null where addresses are not counted. */
  | { readonly kind: 'admitted'; readonly address: AddressKey | null }
  | {
      readonly kind: 'refused';
      readonly status: string;
      readonly reason: DoorRefusal;
      readonly detail: string;
      readonly retryAfterS: number | null;
    };

export interface DoormanOptions {
  /** For development: this machine alone, and its addresses are not counted. */
  readonly dev: boolean;
  /** Web pages that may connect. */
  readonly origins: readonly string[];
  readonly addresses: AddressLimits;
  /** Of TCP connections: as `doorstepLimits` has them. */
  readonly doorstep: AddressLimits;
  readonly trustedProxies: TrustedProxies;
}

/** Of the seconds that a client refused in a drain is told to wait: another relay may take its place before. */
const MAX_RETRY_AFTER_S = 60;

const ADDRESS_DETAILS: Readonly<Record<AddressRefusal, string>> = {
  'address-full': 'your address has as many connections as it may',
  'address-busy': 'your address opens connections faster than it may',
  'table-full': 'the relay has no room for another address',
};

export class Doorman {
  readonly #options: DoormanOptions;
  #drainEndsAt: Milliseconds | null = null;
  #refused = 0;
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

  /**
   * Whether a TCP connection may stay, before it asks for anything; whoever comes much faster than they may does not. The
   * peer alone counts, for nothing else is known yet: trusted proxies, behind which many come, always may.
   */
  comes(peer: string, now: Milliseconds): 'stays' | 'goes' {
    const { dev, doorstep, trustedProxies } = this.#options;
    const address = parseAddress(peer);
    if (dev || !address || trustedProxies.includes(address)) return 'stays';
    const key = addressKey(address);
    if (doorstep.admit(key, now) !== 'admitted') {
      this.#refused += 1;
      return 'goes';
    }
    // Their rate is held and not their number: nothing tells whose connection it is that went.
    doorstep.release(key, now);
    return 'stays';
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

  #judge({ peer, proxiedPeer, headers }: Visitor, now: Milliseconds): DoorAnswer {
    const { dev, origins, addresses, trustedProxies } = this.#options;
    if (this.#drainEndsAt !== null) {
      const seconds = Math.ceil((this.#drainEndsAt - now) / 1000);
      return {
        kind: 'refused',
        status: '503 Service Unavailable',
        reason: 'draining',
        detail: 'the relay drains and takes no new connections',
        retryAfterS: Math.min(Math.max(seconds, 1), MAX_RETRY_AFTER_S),
      };
    }
    const admitted = dev ? admitPeer({ peer, proxiedPeer, headers }) : admitOrigin(headers, origins);
    if (admitted.kind === 'refused') {
      const { reason, detail } = admitted;
      return { kind: 'refused', status: '403 Forbidden', reason, detail, retryAfterS: null };
    }
    if (dev) return { kind: 'admitted', address: null };
    const { key, fault } = clientAddress({ peer, proxiedPeer, headers, trustedProxies });
    if (fault !== null) this.#faults[fault] += 1;
    const reason = addresses.admit(key, now);
    if (reason === 'admitted') return { kind: 'admitted', address: key };
    const detail = ADDRESS_DETAILS[reason];
    return { kind: 'refused', status: '429 Too Many Requests', reason, detail, retryAfterS: 1 };
  }
}
