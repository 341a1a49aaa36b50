/**
 * What one address may do: connections at once, new ones a second, credentials judged a second. Bounded memory: an address is
 * forgotten as soon as it has no connection and all its rates are full again, since a new one would be the same.
 *
 * When the table is full, the address that has been without a connection for longest is forgotten early: whoever has a hundred
 * thousand addresses has as many limits anyway, and must not lock everyone else out. Only when each address in the table has a connection is a
 * further one refused.
 *
 * Participants and lobbies of an address are among the options, and the core counts them: shares.ts.
 */

import { TokenBucket } from '../../voice/token_bucket.js';
import type { Milliseconds } from '../../voice/units.js';
import type { AddressKey } from '../core/address_key.js';
import { type LimitRanges, limitsWithin } from '../core/limits.js';
import { ADDRESS_SHARE_RANGES, type AddressShares } from '../core/lobby/shares.js';

export interface AddressLimitOptions extends AddressShares {
  /**
   * Connections of one address at once, 1 to 1000000. Default 64: a family, a dormitory or a LAN café behind one address comes in
   * whole, and it takes more than 150 addresses to fill a relay of 10000 with connections.
   */
  readonly connections: number;
  /** New connections of one address a second, 1 to 1000000. Default 10. */
  readonly connectionsPerSecond: number;
  /** New connections of one address that may come at once, 1 to 1000000. Default 64: all of a café after a relay's restart. */
  readonly connectionBurst: number;
  /**
   * Credentials of one address judged a second, 1 to 1000000. Default 5. Judging is the dearest thing that a stranger can
   * ask for: a signature to check, or a question to Steam.
   */
  readonly credentialsPerSecond: number;
  /** Credentials of one address that may come at once, 1 to 1000000. Default 64. */
  readonly credentialBurst: number;
  /** Addresses remembered at once, 1 to 1000000. Default 100000, of about 0.4 kB each. */
  readonly addresses: number;
}

/** Default, least and most of each. */
export const ADDRESS_LIMIT_RANGES: LimitRanges<AddressLimitOptions> = {
  connections: [64, 1, 1_000_000],
  connectionsPerSecond: [10, 1, 1_000_000],
  connectionBurst: [64, 1, 1_000_000],
  credentialsPerSecond: [5, 1, 1_000_000],
  credentialBurst: [64, 1, 1_000_000],
  addresses: [100_000, 1, 1_000_000],
  ...ADDRESS_SHARE_RANGES,
};

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
  const limits = limitsWithin(ADDRESS_LIMIT_RANGES, chosen, "an address's");
  const [, , most] = ADDRESS_LIMIT_RANGES.connectionsPerSecond;
  return {
    ...limits,
    connections: Math.min(TCP_CONNECTIONS_FACTOR * limits.connections, most),
    connectionsPerSecond: Math.min(TCP_RATE_FACTOR * limits.connectionsPerSecond, most),
    connectionBurst: Math.min(TCP_RATE_FACTOR * limits.connectionBurst, most),
  };
}

/**
 * `address-full`: as many connections as one address may have. `address-busy`: too many new ones, or credentials, in this
 * time. `table-full`: no room for another address. Append only.
 */
export type AddressRefusal = 'address-full' | 'address-busy' | 'table-full';

/** Counts since the beginning; `addresses` is that of now. */
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
  /** When the last connection went. */
  idleSince: Milliseconds;
}

/** What one tick forgets at most: a flood that ends must not stall voice. */
const FORGOTTEN_PER_TICK = 2000;

export class AddressLimits {
  readonly #limits: AddressLimitOptions;
  /** Until all rates of an address are full again, whatever it did. */
  readonly #refillMs: Milliseconds;
  /** With connections. */
  readonly #held = new Map<AddressKey, Entry>();
  /** Without, the one that has been so for longest first. */
  readonly #idle = new Map<AddressKey, Entry>();
  readonly #refused: Record<AddressRefusal, number> = {
    'address-full': 0,
    'address-busy': 0,
    'table-full': 0,
  };
  #forgottenEarly = 0;

  /** @throws TypeError when a name is none of ours; RangeError when a value is not a whole number within its range. */
  constructor(chosen: Partial<AddressLimitOptions> = {}) {
    this.#limits = limitsWithin(ADDRESS_LIMIT_RANGES, chosen, "an address's");
    const { connectionBurst, connectionsPerSecond, credentialBurst, credentialsPerSecond } = this.#limits;
    this.#refillMs =
      1000 * Math.max(connectionBurst / connectionsPerSecond, credentialBurst / credentialsPerSecond);
  }

  /** What the core counts for an address. */
  get shares(): AddressShares {
    const { participants, lobbies } = this.#limits;
    return { participants, lobbies };
  }

  /** Whether an address may have another connection; if so it has, until `release`. Bounded time. */
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

  /** Whether a credential that came over an admitted connection may be judged. Call it before judging. */
  judge(key: AddressKey, now: Milliseconds): 'admitted' | 'address-busy' {
    const { judged } = this.#entryOf(key);
    if (!judged.has(1, now)) return this.#refuse('address-busy');
    judged.take(1);
    return 'admitted';
  }

  /** One of its connections is gone. Once for each that was admitted. */
  release(key: AddressKey, now: Milliseconds): void {
    const entry = this.#entryOf(key);
    entry.connections -= 1;
    if (entry.connections > 0) return;
    entry.idleSince = now;
    this.#held.delete(key);
    this.#idle.set(key, entry);
  }

  /** Forgets addresses whose rates are full again. Call it now and then, such as every 100 ms. */
  tick(now: Milliseconds): void {
    let left = FORGOTTEN_PER_TICK;
    for (const [key, { idleSince }] of this.#idle) {
      if (left === 0 || now - idleSince < this.#refillMs) return;
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

  /** Null when there is no room. */
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

  /** Who has no connection cannot lose one: that is a fault of ours. */
  #entryOf(key: AddressKey): Entry {
    const entry = this.#held.get(key);
    if (!entry)
      throw new RangeError(`Cannot count for an address: ${key} has no connection, wants one admitted`);
    return entry;
  }

  #refuse<R extends AddressRefusal>(reason: R): R {
    this.#refused[reason] += 1;
    return reason;
  }
}
