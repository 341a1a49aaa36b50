/**
 * The connection of a membership to its relay: at most one at a time, opened at once or after a wait.
 *
 * An earlier connection may still deliver events, and an earlier request for a credential may still be answered. Both are ignored.
 */

import { messageOf } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';
import type { SessionInput } from '../session_io.js';
import type { ShownCredential } from '../shown_credential.js';
import type { OpenTransport, Transport } from '../transport/transport.js';
import type { Credentials } from './credentials.js';
import type { LobbyIo } from './io.js';

/** What a connection needs from its membership. */
export interface ConnectionOwner {
  /** The relay to connect to. */
  url(): URL;
  /** What the next connection begins with. Only a hello carries a credential. */
  opening(): 'hello' | 'resume';
  /** The connection opened, delivered something, or closed. */
  handle(input: SessionInput): void;
  /** The connection could not be opened, or no welcome came in time. */
  fail(why: Error): void;
  /** The application's function did not provide a credential. */
  failCredential(thrown: unknown): void;
}

export class Connection {
  readonly #openTransport: OpenTransport;
  readonly #credentials: Credentials;
  readonly #io: LobbyIo;
  readonly #owner: ConnectionOwner;
  #transport: Transport | null = null;
  /** The number of the current connection. */
  #attempt = 0;
  #cancelTimer: () => void = () => undefined;

  constructor(open: OpenTransport, credentials: Credentials, io: LobbyIo, owner: ConnectionOwner) {
    this.#openTransport = open;
    this.#credentials = credentials;
    this.#io = io;
    this.#owner = owner;
  }

  /** Null while not connected. */
  get transport(): Transport | null {
    return this.#transport;
  }

  /** Opens a connection. It fails unless `cancelTimer` is called within `timeoutMs`, when the welcome has come. */
  open(timeoutMs: Milliseconds): void {
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#startTimer(timeoutMs, () => this.#owner.fail(new Error(`no welcome after ${timeoutMs / 1000} s`)));
    try {
      const credential =
        this.#owner.opening() === 'hello' ? this.#credentials.next() : ({ kind: 'none' } as const);
      if (!(credential instanceof Promise)) {
        this.#openWith(attempt, credential);
        return;
      }
      credential.then(
        (shown) => this.#isCurrent(attempt) && this.#openWith(attempt, shown),
        (thrown: unknown) => this.#isCurrent(attempt) && this.#owner.failCredential(thrown),
      );
    } catch (thrown) {
      this.#owner.failCredential(thrown);
    }
  }

  /** Does the same after `waitMs`. */
  openAfter(waitMs: Milliseconds, timeoutMs: Milliseconds): void {
    this.#startTimer(waitMs, () => this.open(timeoutMs));
  }

  /** The welcome came, or no other connection is to be opened. */
  cancelTimer(): void {
    this.#cancelTimer();
  }

  /** The relay asked for an encrypted app ticket: fetches one and passes it on. */
  answerChallenge(nonce: Uint8Array): void {
    const attempt = this.#attempt;
    this.#credentials.appTicket(nonce).then(
      (ticket) => {
        if (this.#isCurrent(attempt)) this.#owner.handle({ kind: 'app-ticket', ticket });
      },
      (thrown: unknown) => {
        if (this.#isCurrent(attempt)) this.#owner.failCredential(thrown);
      },
    );
  }

  /** Closes the connection, if there is one, and ignores what it still delivers. */
  hangUp(): void {
    this.#attempt += 1;
    this.#transport?.close();
    this.#transport = null;
  }

  #openWith(attempt: number, credential: ShownCredential): void {
    const handle = (input: SessionInput) => {
      if (this.#isCurrent(attempt)) this.#owner.handle(input);
    };
    try {
      this.#transport = this.#openTransport(this.#owner.url(), {
        onOpen: () => handle({ kind: 'opened', credential }),
        onText: (text) => handle({ kind: 'text', text }),
        onBytes: (frame) => handle({ kind: 'voice', frame }),
        onClose: (code, reason, failure) => {
          if (this.#isCurrent(attempt)) this.#transport = null;
          handle({ kind: 'closed', code, reason, failure });
        },
      });
    } catch (thrown) {
      this.#owner.fail(new Error(messageOf(thrown)));
    }
  }

  #isCurrent(attempt: number): boolean {
    return attempt === this.#attempt;
  }

  #startTimer(ms: Milliseconds, then: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#io.after(ms, then);
  }
}
