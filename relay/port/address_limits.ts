/**
 * The limits of one address: connections at once, new connections per second, credentials judged per second. Bounded memory: an address is
 * forgotten as soon as it has no connection and all its rates are full again, since a new entry would be the same.
 *
 * When the table is full, the address that has been without a connection for longest is forgotten early. An attacker with a hundred
 * thousand addresses has as many limits anyway, and must not lock everyone else out. A new address is refused only when each address in the
 * table has a connection.
 *
 * The options include the participants and lobbies of an address, which the core counts: shares.ts.
 */

import { TokenBucket } from '../../voice/token_bucket.js';
import type { Milliseconds } from '../../voice/units.js';
import type { AddressKey } from '../core/address_key.js';
import { type LimitsOf, type LimitTable, limit, limitsWithin } from '../core/limits.js';
import { ADDRESS_SHARES, type AddressShares } from '../core/lobby/shares.js';

export const ADDRESS_LIMITS = {
  /**
   * Connections of one address at once, 1 to 1000000. Default 64: enough for a family, a dormitory or a LAN café behind one
   * address, and it takes more than 150 addresses to fill a relay of 10000 connections.
   */
  connections: limit(64, 1, 1_000_000, 'Connections of one address at once.'),
  /** New connections per address and second, 1 to 1000000. Default 10. */
  connectionsPerSecond: limit(10, 1, 1_000_000, 'New connections per address and second.'),
  /** New connections of one address in one burst, 1 to 1000000. Default 64: a whole café after a restart of the relay. */
  connectionBurst: limit(64, 1, 1_000_000, 'New connections of one address in one burst.'),
  /**
   * Tokens and tickets judged per address and second, 1 to 1000000. Default 5. Judging is the most expensive request of an
   * unknown client: it means checking a signature or asking Steam.
   */
  credentialsPerSecond: limit(5, 1, 1_000_000, 'Tokens and tickets judged per address and second.'),
  /** Tokens and tickets of one address in one burst, 1 to 1000000. Default 64. */
  credentialBurst: limit(64, 1, 1_000_000, 'Tokens and tickets of one address in one burst.'),
  /** Addresses remembered at once, 1 to 1000000. Default 100000, of about 0.4 kB each. */
  addresses: limit(100_000, 1, 1_000_000, 'Addresses remembered at once.'),
  ...ADDRESS_SHARES,
} satisfies LimitTable;

export interface AddressLimitOptions extends LimitsOf<typeof ADDRESS_LIMITS> {}

/** Rate of an address's TCP connections, as a multiple of that of its WebSockets. */
const TCP_RATE_FACTOR = 4;
/** Number of an address's TCP connections at once, as a multiple of that of its WebSockets. */
const TCP_CONNECTIONS_FACTOR = 2;

/**
 * The limits of TCP connections, whatever they request, from when they are accepted until they are closed: each takes an open file. Four times
 * the rate and twice the number of WebSockets, so that a client slightly over its limits still gets an HTTP answer that says so.
 *
 * @throws as the constructor of `AddressLimits`.
 */
export function tcpLimits(chosen: Partial<AddressLimitOptions> = {}): AddressLimitOptions {
  const limits = limitsWithin(ADDRESS_LIMITS, chosen, "an address's");
  const { max: most } = ADDRESS_LIMITS.connectionsPerSecond;
  return {
    ...limits,
    connections: Math.min(TCP_CONNECTIONS_FACTOR * limits.connections, most),
    connectionsPerSecond: Math.min(TCP_RATE_FACTOR * limits.connectionsPerSecond, most),
    connectionBurst: Math.min(TCP_RATE_FACTOR * limits.connectionBurst, most),
  };
}

/**
 * `address-full`: the address has its maximum of connections. `address-busy`: new connections or credentials come too
 * fast. `table-full`: no room for another address. Append only.
 */
export type AddressRefusal = 'address-full' | 'address-busy' | 'table-full';

/** Counts since the start; `addresses` is the current number. */
export interface AddressCounts {
  readonly addresses: number;
  /** Forgotten early, because the table was full. */
  readonly forgottenEarly: number;
  readonly refused: Readonly<Record<AddressRefusal, number>>;
}

interface Entry {
  connections: number;
  readonly opened: TokenBucket;
  readonly judged: TokenBucket;
  /** When the last connection closed. */
  idleSince: Milliseconds;
}

/** Most addresses that one tick forgets: the end of a flood must not stall voice. */
const FORGOTTEN_PER_TICK = 2000;
/** Addresses are forgotten together at this interval: nobody waits for it. */
const TICKS_APART_MS: Milliseconds = 100;

export class AddressLimits {
  readonly #limits: AddressLimitOptions;
  /** Time until all rates of an address are full again, whatever it did. */
  readonly #refillMs: Milliseconds;
  /** Addresses with connections. */
  readonly #held = new Map<AddressKey, Entry>();
  /** Addresses without connections, the one idle for longest first. */
  readonly #idle = new Map<AddressKey, Entry>();
  readonly #refused: Record<AddressRefusal, number> = {
    'address-full': 0,
    'address-busy': 0,
    'table-full': 0,
  };
  #forgottenEarly = 0;
  #tickedAt: Milliseconds = Number.NEGATIVE_INFINITY;

  /** @throws TypeError for an unknown option; RangeError when a value is not an integer within its range. */
  constructor(chosen: Partial<AddressLimitOptions> = {}) {
    this.#limits = limitsWithin(ADDRESS_LIMITS, chosen, "an address's");
    const { connectionBurst, connectionsPerSecond, credentialBurst, credentialsPerSecond } = this.#limits;
    this.#refillMs =
      1000 * Math.max(connectionBurst / connectionsPerSecond, credentialBurst / credentialsPerSecond);
  }

  /** The limits that the core counts for an address. */
  get shares(): AddressShares {
    const { participants, lobbies } = this.#limits;
    return { participants, lobbies };
  }

  /** Whether an address may have another connection. If so, it counts until `release`. Bounded time. */
  admit(key: AddressKey, now: Milliseconds): 'admitted' | AddressRefusal {
    const held = this.#held.get(key);
    if (held && held.connections >= this.#limits.connections) return this.#refuse('address-full');
    const entry = held ?? this.#idle.get(key) ?? this.#newEntry(now);
    if (!entry) return this.#refuse('table-full');
    if (!entry.opened.has(1, now)) return this.#refuse('address-busy');
    entry.opened.take(1);
    entry.connections += 1;
    if (!held) {
      this.#idle.delete(key);
      this.#held.set(key, entry);
    }
    return 'admitted';
  }

  /** Whether a credential from an admitted connection may be judged. Call it before judging. */
  judge(key: AddressKey, now: Milliseconds): 'admitted' | 'address-busy' {
    const { judged } = this.#entryOf(key);
    if (!judged.has(1, now)) return this.#refuse('address-busy');
    judged.take(1);
    return 'admitted';
  }

  /** One of its connections is closed. Once for each that was admitted. */
  release(key: AddressKey, now: Milliseconds): void {
    const entry = this.#entryOf(key);
    entry.connections -= 1;
    if (entry.connections > 0) return;
    entry.idleSince = now;
    this.#held.delete(key);
    this.#idle.set(key, entry);
  }

  /** When to call `tick` next; infinite when all addresses have connections. */
  deadline(): Milliseconds {
    for (const { idleSince } of this.#idle.values()) {
      return Math.max(idleSince + this.#refillMs, this.#tickedAt + TICKS_APART_MS);
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Forgets addresses whose rates are full again. */
  tick(now: Milliseconds): void {
    this.#tickedAt = now;
    let left = FORGOTTEN_PER_TICK;
    for (const [key, { idleSince }] of this.#idle) {
      if (left === 0 || now < idleSince + this.#refillMs) return;
      this.#idle.delete(key);
      left -= 1;
    }
  }

  counts(): AddressCounts {
    return {
      addresses: this.#held.size + this.#idle.size,
      forgottenEarly: this.#forgottenEarly,
      refused: { ...this.#refused },
    };
  }

  /** Null when the table is full. */
  #newEntry(now: Milliseconds): Entry | null {
    const { addresses, connectionBurst, connectionsPerSecond, credentialBurst, credentialsPerSecond } =
      this.#limits;
    if (this.#held.size + this.#idle.size >= addresses) {
      const [oldest] = this.#idle.keys();
      if (oldest === undefined) return null;
      this.#idle.delete(oldest);
      this.#forgottenEarly += 1;
    }
    return {
      connections: 0,
      opened: new TokenBucket(connectionsPerSecond, connectionBurst, now),
      judged: new TokenBucket(credentialsPerSecond, credentialBurst, now),
      idleSince: now,
    };
  }

  /** An address without a connection here is a bug of ours. */
  #entryOf(key: AddressKey): Entry {
    const entry = this.#held.get(key);
    if (!entry) throw new RangeError(`Cannot count for an address: ${key} has no admitted connection`);
    return entry;
  }

  #refuse<R extends AddressRefusal>(reason: R): R {
    this.#refused[reason] += 1;
    return reason;
  }
}
