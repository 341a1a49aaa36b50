/** The path of a control message, from its bytes to what is done about it. */

import { FAILURE_CODES, type FailureCode } from '../../voice/control_codes.js';
import { type ClientCommand, readClientBytes } from './client_text.js';
import { obey } from './commands.js';
import type { Connection } from './connection.js';
import type { Departures } from './departures.js';
import { versionDetail, versionOf } from './joining/hello.js';
import type { Joining } from './joining/joining.js';
import type { RelayLimits } from './limits.js';
import type { Participant } from './lobby/lobby.js';
import type { ModerationContext } from './moderation.js';
import { zeroOf } from './tally.js';
import type { Turn } from './turn.js';

/** What control messages need of the relay around them. */
export interface ControlParts {
  readonly limits: RelayLimits;
  readonly departures: Departures;
  readonly joining: Joining;
  readonly moderation: ModerationContext;
}

export class Control {
  readonly #parts: ControlParts;
  readonly #failures = zeroOf<FailureCode>(FAILURE_CODES);

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  /** A copy. */
  get failures(): Readonly<Record<FailureCode, number>> {
    return { ...this.#failures };
  }

  /** Reads a message and does what it says. Its bytes are not kept. */
  text(connection: Connection, bytes: Uint8Array, turn: Turn): void {
    const { limits, departures, joining } = this.#parts;
    if (connection.meter.charge(0, turn.now) !== 'within') {
      departures.refuseFlood(connection, turn);
      return;
    }
    if (!connection.control.has(1, turn.now)) {
      const most = `${limits.controlPerSecond} per second, ${limits.controlBurst} at once`;
      departures.refuse(
        connection,
        'rate-exceeded',
        `too many control messages, expected at most ${most}`,
        turn,
      );
      return;
    }
    connection.control.take(1);
    const read = readClientBytes(bytes);
    switch (read.kind) {
      case 'malformed':
        departures.refuse(connection, 'message-malformed', read.detail, turn);
        return;
      case 'foreign':
        if (versionOf(read.versions) !== null || connection.judged || connection.participant) {
          departures.refuse(connection, 'message-malformed', read.detail, turn);
        } else {
          departures.refuse(connection, 'version-unsupported', versionDetail(read.versions), turn);
        }
        return;
      case 'opening':
        joining.open(connection, read.message, turn);
        return;
      case 'command':
        if (!connection.participant) {
          const detail = `${read.message.type} came before the hello`;
          departures.refuse(connection, 'hello-expected', detail, turn);
          return;
        }
        this.#command(connection, connection.participant, read.message, turn);
    }
  }

  #command(connection: Connection, participant: Participant, message: ClientCommand, turn: Turn): void {
    const { departures, moderation } = this.#parts;
    if (message.type === 'leave') {
      departures.leave(connection, turn);
      return;
    }
    if (message.type === 'ping') {
      turn.tell([connection.id], { type: 'pong' });
      return;
    }
    const failure = obey(moderation, participant, message, turn);
    // Moderators who kick or ban themselves are gone.
    if (!failure || connection.participant !== participant) return;
    const { code, detail } = failure;
    this.#failures[code] += 1;
    turn.tell([connection.id], { type: 'failed', request: message.type, code, message: detail });
  }
}
