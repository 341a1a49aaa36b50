/** What a session says in one turn: its outputs, in order. */

import { writeMessage } from '../../voice/control.js';
import type { SessionOutput, SessionRequest } from './session_io.js';

/** The most that may wait in the transport, in bytes: a few seconds of one speaker. */
const MAX_WAITING_BYTES = 64 * 1024;

export class Outbox {
  #outputs: SessionOutput[] = [];
  #waitingBytes = 0;

  /** A turn begins. Returns where its outputs will be. @param waitingBytes What waits in this process to be sent, in bytes. */
  begin(waitingBytes: number): readonly SessionOutput[] {
    this.#outputs = [];
    this.#waitingBytes = waitingBytes;
    return this.#outputs;
  }

  /** Whether little enough is waiting to be sent. */
  get hasRoom(): boolean {
    return this.#waitingBytes <= MAX_WAITING_BYTES;
  }

  readonly put = (output: SessionOutput | null): void => {
    if (output) this.#outputs.push(output);
  };

  putAll(outputs: readonly SessionOutput[]): void {
    this.#outputs.push(...outputs);
  }

  send(request: SessionRequest): void {
    this.say(writeMessage(request));
  }

  /** Sends a text. */
  say(text: string): void {
    this.put({ kind: 'send', data: text });
  }
}
