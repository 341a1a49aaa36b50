/** The connections of a relay, and which of them still wait for their welcome. Bounded by `limits.connections`, which the caller checks. */

import type { Milliseconds } from '../../voice/units.js';
import type { Connection } from './connection.js';
import type { ConnectionId } from './io.js';
import type { Participant } from './lobby/lobby.js';

export class Connections {
  readonly #byId = new Map<ConnectionId, Connection>();
  /** Connections before their welcome, the oldest first. */
  readonly #waiting = new Set<Connection>();
  readonly #heartbeats = new Set<ConnectionId>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: ConnectionId): Connection | undefined {
    return this.#byId.get(id);
  }

  /** The connection of a participant; undefined while they are away. */
  of({ presence }: Participant): Connection | undefined {
    return presence.kind === 'here' ? this.#byId.get(presence.connection) : undefined;
  }

  /** Those in a lobby that take heartbeats. */
  get heartbeats(): ReadonlySet<ConnectionId> {
    return this.#heartbeats;
  }

  /** The connections that are in a lobby. */
  joined(): readonly ConnectionId[] {
    const joined: ConnectionId[] = [];
    for (const { id, participant } of this.#byId.values()) if (participant) joined.push(id);
    return joined;
  }

  /** Those that still wait for their welcome at `now`, `withinMs` after they came or later. */
  lateBy(now: Milliseconds, withinMs: Milliseconds): readonly Connection[] {
    const late: Connection[] = [];
    for (const connection of this.#waiting) {
      if (now < connection.connectedAt + withinMs) break;
      late.push(connection);
    }
    return late;
  }

  /** When `lateBy` next has one; infinite when none waits. */
  lateAt(withinMs: Milliseconds): Milliseconds {
    if (this.#waiting.size > 0) for (const { connectedAt } of this.#waiting) return connectedAt + withinMs;
    return Number.POSITIVE_INFINITY;
  }

  add(connection: Connection): void {
    this.#byId.set(connection.id, connection);
    this.#waiting.add(connection);
  }

  /** The connection is the participant's from here on. */
  admit(connection: Connection, participant: Participant): void {
    connection.participant = participant;
    connection.nonce = null;
    this.#waiting.delete(connection);
    if (connection.takesHeartbeats) this.#heartbeats.add(connection.id);
  }

  forget(connection: Connection): void {
    this.#byId.delete(connection.id);
    this.#waiting.delete(connection);
    this.#heartbeats.delete(connection.id);
    connection.judged = null;
    connection.participant = null;
  }
}
