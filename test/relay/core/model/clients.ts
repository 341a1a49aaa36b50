/** The clients of a relay, without sockets: its outputs are carried out on what each is subscribed to and believes. */

import type { RelayOutput } from '../../../../relay/core/io.js';
import type { Sanction } from '../../../../relay/core/sanctions.js';
import { type RelayMessageToWrite, readRelayMessage, writeMessage } from '../../../../voice/control.js';
import type { Belief } from './belief.js';
import type { Losses } from './losses.js';
import { keyOf } from './model_state.js';

/** One client: what it is subscribed to and what it believes. */
export interface Client {
  readonly topics: Set<string>;
  readonly belief: Belief;
  readonly losses: Losses;
  readonly connectedAt: number;
  readonly address: string | null;
}

/** Where faults and outcomes are noted. */
export interface Notes {
  fault(text: string): void;
  count(outcome: string): void;
}

export class Clients {
  readonly byConnection = new Map<number, Client>();
  /** The sanctions that the relay asked to keep, as a file would have them. */
  readonly kept = new Map<string, Sanction>();
  /** What the client believed whose connection was closed last. */
  lastClosed: Belief | null = null;
  readonly #notes: Notes;
  readonly #wire: 'read' | 'not';

  /** @param wire Whether messages are written and read as on the wire. */
  constructor(notes: Notes, wire: 'read' | 'not') {
    this.#notes = notes;
    this.#wire = wire;
  }

  carryOut(outputs: readonly RelayOutput[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case 'tell':
          this.#tell(output.connections, output.message);
          break;
        case 'subscribe': {
          const topics = this.byConnection.get(output.connection)?.topics;
          if (!topics || topics.has(output.topic)) this.#notes.fault(`cannot subscribe ${output.connection}`);
          topics?.add(output.topic);
          break;
        }
        case 'unsubscribe':
          if (!this.byConnection.get(output.connection)?.topics.delete(output.topic)) {
            this.#notes.fault(`cannot unsubscribe ${output.connection} from ${output.topic}`);
          }
          break;
        case 'close': {
          const closed = this.byConnection.get(output.connection);
          if (!closed) this.#notes.fault(`closed ${output.connection} twice`);
          for (const fault of closed?.belief.faults ?? [])
            this.#notes.fault(`${output.connection}: ${fault}`);
          this.lastClosed = closed?.belief ?? null;
          this.byConnection.delete(output.connection);
          this.#notes.count(`close ${output.reason}`);
          break;
        }
        case 'keep': {
          const { sanction } = output;
          const key = keyOf(sanction.lobby, sanction.steamId);
          const { muted, deafened, banned } = sanction;
          if ([muted, deafened, banned].every((until) => until === 'not')) this.kept.delete(key);
          else this.kept.set(key, sanction);
          break;
        }
        case 'judge':
          this.#notes.fault('a credential is judged that nobody sent');
          break;
        case 'event':
          break;
      }
    }
  }

  #tell(connections: readonly number[], message: RelayMessageToWrite): void {
    if (connections.length === 0) this.#notes.fault('a message to nobody');
    if (new Set(connections).size !== connections.length)
      this.#notes.fault('a message twice to one connection');
    let told = message;
    if (this.#wire === 'read') {
      const read = readRelayMessage(writeMessage(message));
      if ('type' in read) told = read;
      else this.#notes.fault(`a malformed message: ${read.detail}`);
    }
    for (const connection of connections) {
      const client = this.byConnection.get(connection);
      if (client) {
        client.belief.hear(told);
        client.losses.hear(told);
      } else this.#notes.fault(`told ${connection}, which is gone, of ${message.type}`);
    }
  }
}
