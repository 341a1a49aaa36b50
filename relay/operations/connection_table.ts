/**
 * The connections of an operator's port, bounded in number. A new connection beyond the bound does not wait for silent ones: one of
 * them is closed instead. Pure.
 *
 * The address with the most connections that have not shown a token loses its oldest one; of several such addresses, the one with the oldest
 * connection. So an attacker who opens many closes their own, and somebody at another address gets through.
 */

interface Entry {
  readonly address: string;
  /** `trusted`: it has shown a token, and is never closed to make room. */
  state: 'unknown' | 'trusted';
}

export class ConnectionTable<Connection> {
  readonly #most: number;
  /** The oldest first. */
  readonly #entries = new Map<Connection, Entry>();
  #closed = 0;

  /** @param most Connections at once, at least 1. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Connections that were closed to make room, or for which there was no room. */
  get closed(): number {
    return this.#closed;
  }

  /** Adds a new connection. Returns the one to close for it, which may be itself; null when there is room. */
  came(connection: Connection, address: string): Connection | null {
    this.#entries.set(connection, { address, state: 'unknown' });
    if (this.#entries.size <= this.#most) return null;
    const closed = this.#toClose() ?? connection;
    this.#entries.delete(closed);
    this.#closed += 1;
    return closed;
  }

  /** It has shown a token. */
  trust(connection: Connection): void {
    const entry = this.#entries.get(connection);
    if (entry) entry.state = 'trusted';
  }

  /** Removes a closed connection. An unknown one is ignored. */
  gone(connection: Connection): void {
    this.#entries.delete(connection);
  }

  /** The oldest connection of the address with the most. */
  #toClose(): Connection | null {
    const byAddress = new Map<string, { readonly oldest: Connection; count: number }>();
    for (const [connection, { address, state }] of this.#entries) {
      if (state === 'trusted') continue;
      const held = byAddress.get(address);
      if (held) held.count += 1;
      else byAddress.set(address, { oldest: connection, count: 1 });
    }
    let most: { readonly oldest: Connection; readonly count: number } | null = null;
    for (const held of byAddress.values()) if (!most || held.count > most.count) most = held;
    return most?.oldest ?? null;
  }
}
