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
  /** The newest connection. Null before the first, and once it is closed. */
  #transport: Transport | null = null;

  constructor(open: OpenTransport, credentials: Credentials, handle: (input: SessionInput) => void) {
    this.#openTransport = open;
    this.#credentials = credentials;
    this.#handle = handle;
  }

  /** Bytes waiting in this process to be sent. */
  get waitingBytes(): number {
    return this.#transport?.bufferedBytes ?? 0;
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

  open(attempt: number, url: URL): void {
    let transport: Transport | null = null;
    try {
      transport = this.#openTransport(url, {
        onOpen: () => this.#handle({ kind: 'opened', attempt, watched: transport?.watched ?? false }),
        onText: (text) => this.#handle({ kind: 'text', attempt, text }),
        onBytes: (frame) => this.#handle({ kind: 'voice', attempt, frame }),
        onClose: (code, reason, failure) => {
          if (this.#transport === transport) this.#transport = null;
          this.#handle({ kind: 'closed', attempt, code, reason, failure });
        },
      });
      this.#transport = transport;
    } catch (thrown) {
      const failure = new Error(messageOf(thrown));
      this.#handle({ kind: 'closed', attempt, code: NO_CLOSE_FRAME, reason: '', failure });
    }
  }

  send(data: string | Uint8Array): void {
    this.#transport?.send(data);
  }

  close(): void {
    this.#transport?.close();
  }
}
