/** How connections and participants go: refused, kicked, left, lost. Each refusal is counted. */

import { CloseCode, LEAVE_CLOSE_CODE, type RefusalCode } from '../../voice/control_codes.js';
import type { Connection } from './connection.js';
import type { Connections } from './connections.js';
import type { Departure } from './io.js';
import type { RelayLimits } from './limits.js';
import type { Lobbies } from './lobby/lobbies.js';
import type { Participant } from './lobby/lobby.js';
import { leftEvent, participantEvent } from './lobby/participant_event.js';
import type { Places } from './lobby/places.js';
import type { Speakers } from './lobby/speakers.js';
import { zeroOf } from './tally.js';
import type { Turn } from './turn.js';

/** What departures change. */
export interface DepartureParts {
  readonly limits: RelayLimits;
  readonly connections: Connections;
  readonly lobbies: Lobbies;
  readonly places: Places;
  readonly speakers: Speakers;
}

export class Departures {
  readonly #parts: DepartureParts;
  readonly #refusals = zeroOf(Object.keys(CloseCode) as RefusalCode[]);

  constructor(parts: DepartureParts) {
    this.#parts = parts;
  }

  /** A copy. */
  get refusals(): Readonly<Record<RefusalCode, number>> {
    return { ...this.#refusals };
  }

  /** Tells a connection why it is refused, and closes it. Its participant, if it has one, is gone for good. */
  refuse(connection: Connection, code: RefusalCode, detail: string, turn: Turn): void {
    this.#refusals[code] += 1;
    turn.tell([connection.id], { type: 'refused', code, message: detail });
    this.#end(connection, CloseCode[code], code, turn);
    const { address } = connection;
    turn.push({
      kind: 'event',
      event: { kind: 'refused', code, detail },
      ...(address !== null && { address }),
    });
  }

  /** Refuses a connection that sends several times what it may: dropping its messages would cost more than sending them. */
  refuseFlood(connection: Connection, turn: Turn): void {
    const { framesPerSecond, bytesPerSecond } = this.#parts.limits;
    const most = `${framesPerSecond} voice frames and ${bytesPerSecond} bytes per second`;
    this.refuse(connection, 'rate-exceeded', `too many messages, expected at most ${most}`, turn);
  }

  /** The participant of this connection asked to leave. */
  leave(connection: Connection, turn: Turn): void {
    this.#end(connection, LEAVE_CLOSE_CODE, 'left', turn);
  }

  /** A participant is gone for good. Their connection, if there is one, gets the reason and is closed. */
  dismiss(participant: Participant, why: RefusalCode, detail: string, turn: Turn): void {
    const connection = this.#parts.connections.of(participant);
    if (connection) this.refuse(connection, why, detail, turn);
    else this.remove(participant, why, turn);
  }

  /** The connection is gone. Its participant may resume. */
  closed(connection: Connection, turn: Turn): void {
    const { participant } = connection;
    const { connections, places, speakers } = this.#parts;
    connections.forget(connection);
    if (!participant) return;
    if (!places.mayResume(participant)) {
      participant.lobby.lose(participant, turn.now);
      this.remove(participant, 'gone', turn);
      return;
    }
    participant.lobby.goAway(participant, turn);
    speakers.forget(participant);
    places.goAway(participant);
    turn.push(participantEvent('away', participant));
  }

  /** A participant without a connection is gone for good. */
  remove(participant: Participant, why: Departure, turn: Turn): void {
    const { lobby } = participant;
    const { lobbies, places, speakers } = this.#parts;
    speakers.forget(participant);
    places.leave(participant);
    lobbies.leave(participant, turn);
    turn.push(leftEvent(participant, why));
    lobbies.endEmpty(lobby, 'by-itself', turn);
  }

  #end(connection: Connection, code: number, reason: RefusalCode | 'left', turn: Turn): void {
    const { id, participant } = connection;
    this.#parts.connections.forget(connection);
    if (participant) this.remove(participant, reason, turn);
    turn.push({ kind: 'close', connection: id, code, reason });
  }
}
