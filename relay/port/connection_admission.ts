/**
 * Whether a connection may become a WebSocket, before anybody said who they are. It depends on where the connection comes from, on how many
 * its address has, and on whether the relay still accepts any. Pure but for its counts.
 */

import type { Milliseconds } from '../../voice/units.js';
import { type Address, addressKey, parseAddress } from '../addresses/addresses.js';
import { ADDRESS_FAULTS, type AddressFault, clientAddress } from '../addresses/client_address.js';
import type { TrustedProxies } from '../addresses/trusted_proxies.js';
import { type AdmissionFault, admitOrigin, admitPeer } from '../admission/admission.js';
import type { AddressKey } from '../core/address_key.js';
import type { AddressLimits, AddressRefusal } from './address_limits.js';
import { ClosingConnections } from './closing_connections.js';
import type { UpgradeRequest } from './sockets/layer.js';

/** Why a connection does not become a WebSocket. Append only. `connections-full`: the relay has as many TCP connections as it may. */
export type ConnectionRefusal = AdmissionFault | AddressRefusal | 'draining' | 'connections-full';

/** Why a TCP connection is closed before it sends a request. */
export type TcpRefusal = AddressRefusal | 'connections-full';

export type TcpAdmission =
  /** It is counted until `releaseTcp` or `webSocketClosed`. */
  | { readonly kind: 'admitted' }
  | {
      readonly kind: 'refused';
      readonly reason: TcpRefusal;
      readonly detail: string;
      /** Where it comes from; null when that is unknown. */
      readonly from: AddressKey | null;
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

export type WebSocketAdmission =
  /** `address` is to be released when the connection is gone; null where addresses are not counted. */
  | { readonly kind: 'admitted'; readonly address: AddressKey | null }
  | {
      readonly kind: 'refused';
      readonly status: string;
      readonly reason: ConnectionRefusal;
      readonly detail: string;
      readonly retryAfterS: number | null;
      /** Where it comes from; null when that is unknown. */
      readonly from: AddressKey | null;
    };

export interface ConnectionAdmissionOptions {
  /** For development: only this machine may connect, and addresses are not counted. */
  readonly dev: boolean;
  /** Web pages that may connect. */
  readonly origins: readonly string[];
  /**
   * Whether the page that this port serves may connect without being one of `origins`. Only with TLS: without it another name, of an
   * attacker's page, could lead here, and would be the same in Host and Origin.
   */
  readonly ownPage: 'may' | 'as-listed';
  /** Of WebSockets. */
  readonly addresses: AddressLimits;
  /** Of TCP connections, with the limits that `tcpLimits` makes. */
  readonly tcpAddresses: AddressLimits;
  /** TCP connections at once, of all addresses, as `mostConnections` computes it. */
  readonly mostConnections: number;
  readonly trustedProxies: TrustedProxies;
}

/** Upper bound of Retry-After in a drain, in seconds: another relay may be there earlier. */
const MAX_RETRY_AFTER_S = 60;

const DETAILS: Readonly<Record<TcpRefusal, string>> = {
  'connections-full': 'the relay has as many TCP connections as its open files allow',
  'address-full': 'your address has too many connections',
  'address-busy': 'your address opens connections too fast',
  'table-full': 'the relay has no room for another address',
};

export class ConnectionAdmission {
  readonly #options: ConnectionAdmissionOptions;
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

  constructor(options: ConnectionAdmissionOptions) {
    this.#options = options;
  }

  /** Connections that did not become a WebSocket. */
  get refused(): number {
    return this.#refused;
  }

  /** Connections whose own address could not be determined, by reason. */
  get addressFaults(): Readonly<Record<AddressFault, number>> {
    return { ...this.#faults };
  }

  /** From now on every WebSocket is refused. */
  drain(endsAt: Milliseconds): void {
    this.#drainEndsAt = endsAt;
  }

  /** The counts at `now`. */
  tcp(now: Milliseconds): TcpCounts {
    const { mostConnections: most } = this.#options;
    const closing = this.#closing.count(now);
    return { connections: this.#connections, closing, most, refused: { ...this.#tcpRefused } };
  }

  /**
   * Whether a TCP connection may stay, before it sends a request. It counts for its peer, which is all that is known yet, and for the total.
   * Trusted proxies, through which many clients connect, count for the total alone.
   */
  admitTcp(peer: string, now: Milliseconds): TcpAdmission {
    const { tcpAddresses, mostConnections } = this.#options;
    const parsed = parseAddress(peer);
    const from = parsed && addressKey(parsed);
    const open = this.#connections + this.#closing.count(now);
    if (open >= mostConnections) return this.#refuseTcp('connections-full', from);
    const reason = from !== null && this.#isCounted(parsed) ? tcpAddresses.admit(from, now) : 'admitted';
    if (reason !== 'admitted') return this.#refuseTcp(reason, from);
    this.#connections += 1;
    return { kind: 'admitted' };
  }

  /** An admitted TCP connection is closed. Once for each. */
  releaseTcp(peer: string, now: Milliseconds): void {
    this.#connections -= 1;
    const parsed = parseAddress(peer);
    if (parsed && this.#isCounted(parsed)) this.#options.tcpAddresses.release(addressKey(parsed), now);
  }

  /**
   * A WebSocket is closed. Its peer may keep the TCP connection open, which no longer counts for its address, but counts for the total for
   * some time. Once for each, instead of `releaseTcp`.
   */
  webSocketClosed(peer: string, now: Milliseconds): void {
    this.releaseTcp(peer, now);
    this.#closing.add(now);
  }

  /** When to call `tick` next; infinite when not at all. */
  deadline(): Milliseconds {
    return this.#options.tcpAddresses.deadline();
  }

  /** Time has passed. */
  tick(now: Milliseconds): void {
    this.#options.tcpAddresses.tick(now);
  }

  /** Whether a request for a WebSocket gets one. */
  admit(request: UpgradeRequest, now: Milliseconds): WebSocketAdmission {
    const answer = this.#judge(request, now);
    if (answer.kind === 'refused') this.#refused += 1;
    return answer;
  }

  /** Whether a TCP connection counts for its peer, and not for the total alone. */
  #isCounted(peer: Address | null): boolean {
    const { dev, trustedProxies } = this.#options;
    return !dev && peer !== null && !trustedProxies.includes(peer);
  }

  #refuseTcp(reason: TcpRefusal, from: AddressKey | null): TcpAdmission {
    this.#refused += 1;
    this.#tcpRefused[reason] += 1;
    return { kind: 'refused', reason, detail: DETAILS[reason], from };
  }

  #judge(request: UpgradeRequest, now: Milliseconds): WebSocketAdmission {
    return this.#options.dev ? this.#judgeInDevelopment(request, now) : this.#judgeClient(request, now);
  }

  #judgeInDevelopment(request: UpgradeRequest, now: Milliseconds): WebSocketAdmission {
    const peer = parseAddress(request.peer);
    const from = peer && addressKey(peer);
    if (this.#drainEndsAt !== null) return draining(this.#drainEndsAt, from, now);
    const admitted = admitPeer(request);
    return admitted.kind === 'refused' ? forbidden(admitted, from) : { kind: 'admitted', address: null };
  }

  #judgeClient(request: UpgradeRequest, now: Milliseconds): WebSocketAdmission {
    const { origins, ownPage, addresses, trustedProxies } = this.#options;
    const { key: address, fault } = clientAddress({ ...request, trustedProxies });
    if (this.#drainEndsAt !== null) return draining(this.#drainEndsAt, address, now);
    const own = ownPage === 'may' ? ownOrigins(request.headers) : [];
    const admitted = admitOrigin(request.headers, [...origins, ...own]);
    if (admitted.kind === 'refused') return forbidden(admitted, address);
    if (fault !== null) this.#faults[fault] += 1;
    const reason = addresses.admit(address, now);
    if (reason === 'admitted') return { kind: 'admitted', address };
    return {
      kind: 'refused',
      status: '429 Too Many Requests',
      reason,
      detail: DETAILS[reason],
      retryAfterS: 1,
      from: address,
    };
  }
}

/** The origin of the page that this port serves over TLS to a client with these headers. Empty without exactly one Host. */
function ownOrigins(headers: UpgradeRequest['headers']): string[] {
  const hosts = headers.filter(([name]) => name === 'host').map(([, host]) => host);
  return hosts.length === 1 ? [`https://${hosts[0]}`] : [];
}

function draining(endsAt: Milliseconds, from: AddressKey | null, now: Milliseconds): WebSocketAdmission {
  const seconds = Math.ceil((endsAt - now) / 1000);
  return {
    kind: 'refused',
    status: '503 Service Unavailable',
    reason: 'draining',
    detail: 'the relay is shutting down and accepts no new connections',
    retryAfterS: Math.min(Math.max(seconds, 1), MAX_RETRY_AFTER_S),
    from,
  };
}

function forbidden(
  { reason, detail }: { readonly reason: AdmissionFault; readonly detail: string },
  from: AddressKey | null,
): WebSocketAdmission {
  return { kind: 'refused', status: '403 Forbidden', reason, detail, retryAfterS: null, from };
}
