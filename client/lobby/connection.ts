/**
 * Carries out what a session asks for: connections, and credentials from the application. What comes of it goes back to the session, with
 * the number of the attempt. The session ignores what belongs to an earlier one.
 */

import { messageOf } from '../../voice/error.js';
import { NO_CLOSE_FRAME } from '../session/endings.js';
import type { SessionInput } from '../session/session_io.js';
import type { OpenTransport, Transport } from '../transport/transport.js';
import type { Credentials } from './credentials.js';

export class Connection {
  readonly #openTransport: OpenTransport;
  readonly #credentials: Credentials;
  readonly #handle: (input: SessionInput) => void;
  /** The connection over which we speak. Null before the first, and once it is closed. */
  #present: Transport | null = null;
  /** The one beside it. */
  #beside: Transport | null = null;

  constructor(open: OpenTransport, credentials: Credentials, handle: (input: SessionInput) => void) {
    this.#openTransport = open;
    this.#credentials = credentials;
    this.#handle = handle;
  }

  /** Bytes waiting in this process to be sent. */
  get waitingBytes(): number {
    return this.#present?.bufferedBytes ?? 0;
  }

  askCredential(attempt: number): void {
    const refuse = (thrown: unknown) => this.#handle({ kind: 'no-credential', attempt, thrown });
    try {
      const credential = this.#credentials.next();
      if (credential instanceof Promise) {
        credential.then((shown) => this.#handle({ kind: 'credential', attempt, credential: shown }), refuse);
      } else {
        this.#handle({ kind: 'credential', attempt, credential });
      }
    } catch (thrown) {
      refuse(thrown);
    }
  }

  askAppTicket(attempt: number, nonce: Uint8Array): void {
    this.#credentials.appTicket(nonce).then(
      (ticket) => this.#handle({ kind: 'app-ticket', attempt, ticket }),
      (thrown: unknown) => this.#handle({ kind: 'no-credential', attempt, thrown }),
    );
  }

  open(attempt: number, url: URL, place: 'present' | 'beside'): void {
    let transport: Transport | null = null;
    try {
      transport = this.#openTransport(url, {
        onConnected: () => this.#handle({ kind: 'connected', attempt }),
        onOpen: () => this.#handle({ kind: 'opened', attempt, watched: transport?.watched ?? false }),
        onText: (text) => this.#handle({ kind: 'text', attempt, text }),
        onBytes: (frame) => this.#handle({ kind: 'voice', attempt, frame }),
        onClose: (code, reason, failure) => {
          if (this.#present === transport) this.#present = null;
          if (this.#beside === transport) this.#beside = null;
          this.#handle({ kind: 'closed', attempt, code, reason, failure });
        },
      });
      if (place === 'present') this.#present = transport;
      else this.#beside = transport;
    } catch (thrown) {
      const failure = new Error(messageOf(thrown));
      this.#handle({ kind: 'closed', attempt, code: NO_CLOSE_FRAME, reason: '', failure });
    }
  }

  /** Closes the connection beside the present one. */
  abandon(): void {
    this.#beside?.close();
    this.#beside = null;
  }

  /** The connection beside the present one takes its place. */
  switch(): void {
    this.#present?.close();
    this.#present = this.#beside;
    this.#beside = null;
  }

  send(data: string | Uint8Array): void {
    this.#present?.send(data);
  }

  close(): void {
    this.#present?.close();
  }
}
