/**
 * Connections of an operator's port, of which there may be so many at once. A further one does not wait for those that say nothing: one of
 * them is closed instead. Pure.
 *
 * Of the addresses with the most connections that have shown nothing yet, the one whose oldest is the oldest gives that one up. So whoever
 * opens many closes their own; and somebody else at another address gets through, however many they are.
 */

interface Entry {
  readonly address: string;
  /** `trusted`: it has shown a token, and is closed for nobody. */
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

  /** Connections that were closed for others, or for which there was no room. */
  get closed(): number {
    return this.#closed;
  }

  /** One more came. Returns the one that is to be closed for it, which may be itself; null where there is room. */
  came(connection: Connection, address: string): Connection | null {
    this.#entries.set(connection, { address, state: 'unknown' });
    if (this.#entries.size <= this.#most) return null;
    const leaves = this.#first();
    this.#entries.delete(leaves ?? connection);
    this.#closed += 1;
    return leaves ?? connection;
  }

  /** It has shown a token. */
  trust(connection: Connection): void {
    const entry = this.#entries.get(connection);
    if (entry) entry.state = 'trusted';
  }

  /** It is closed. One that is not there is passed over. */
  gone(connection: Connection): void {
    this.#entries.delete(connection);
  }

  /** The oldest of whoever has the most. */
  #first(): Connection | null {
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
