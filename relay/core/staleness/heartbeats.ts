/**
 * A sign of life to every client that asked for one, twice per second: pages do not see pings, and TCP is silent about a network that is
 * cut. docs/protocol.md, "Dead connections".
 *
 * Those of thousands are sent a part at a time, so that no frame waits for all of them. After a pause of the whole relay everyone gets theirs at
 * once: they are about to race new connections. Bounded by the connections.
 */

import type { Milliseconds } from '../../../voice/units.js';
import type { Connections } from '../connections.js';
import type { ConnectionId } from '../io.js';
import { relayTimeMs } from '../relay_time.js';
import type { Turn } from '../turn.js';

const EVERY_MS: Milliseconds = 500;
/** Between two parts, and how many parts fit between two rounds. */
const PART_EVERY_MS: Milliseconds = 25;
const PARTS = EVERY_MS / PART_EVERY_MS;
/** So many at once cost less than a millisecond. */
const LEAST_PART = 250;

export class Heartbeats {
  readonly #connections: Connections;
  readonly #startedAt: Milliseconds;
  /** Those of this round who have not had theirs yet, the first ones last. */
  #left: ConnectionId[] = [];
  #roundAt: Milliseconds = Number.NEGATIVE_INFINITY;
  #partAt: Milliseconds = Number.NEGATIVE_INFINITY;

  /** @param startedAt Where the relay time on the wire is 0. */
  constructor(connections: Connections, startedAt: Milliseconds) {
    this.#connections = connections;
    this.#startedAt = startedAt;
  }

  /** When `tick` next has something to do; Infinity while nobody takes heartbeats. */
  get deadline(): Milliseconds {
    if (this.#left.length > 0) return this.#partAt + PART_EVERY_MS;
    return this.#connections.heartbeats.size > 0 ? this.#roundAt + EVERY_MS : Number.POSITIVE_INFINITY;
  }

  tick(turn: Turn): void {
    const lateMs = turn.now - this.deadline;
    if (lateMs < 0) return;
    const { heartbeats } = this.#connections;
    const isOverdue = lateMs >= EVERY_MS && Number.isFinite(this.#roundAt);
    if (this.#left.length === 0 || isOverdue) {
      this.#left = [...heartbeats].reverse();
      this.#roundAt = turn.now;
    }
    this.#partAt = turn.now;
    const most = isOverdue ? heartbeats.size : Math.max(LEAST_PART, Math.ceil(heartbeats.size / PARTS));
    const part = this.#left.splice(-most).filter((connection) => heartbeats.has(connection));
    turn.tell(part, { type: 'heartbeat', relayTimeMs: relayTimeMs(this.#startedAt, turn.now) });
  }
}
