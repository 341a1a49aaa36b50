/**
 * What a lobby shows the relay: given at once, or brought by the game each time that it says hello. Checked at the gate; what credentials
 * hold is in no message.
 */

import { MAX_TICKET_BYTES, MAX_TOKEN_CHARS, TOKEN_FORM } from '../../voice/control.js';
import type { BesideAppTicket, ShownCredential } from '../shown_credential.js';

/**
 * A token or a web ticket, of both the token, and perhaps an app ticket beside it. A function is called for each hello, and so gives a
 * fresh one after a loss.
 */
export interface CredentialOptions {
  /** What the game's backend grants, where the relay wants it: a signed token, at most 4096 characters. */
  readonly token?: string | (() => Promise<string>);
  /**
   * What get_ticket_for_web_api brought for TICKET_IDENTITY, 1 to 2560 bytes. Each is good for one joining: with bytes in place of a
   * function, a lobby whose place is lost is over.
   */
  readonly ticket?: Uint8Array | (() => Promise<Uint8Array>);
  /**
   * Brings an encrypted app ticket, 1 to 2560 bytes, whose user data begins with the relay's nonce, 16 bytes. The relay waits
   * 5 s for it. It does not prove who a player is: give a token or a ticket beside it, or a relay refuses it (`not-proof`) unless its
   * operator chose otherwise. A relay that reads no app tickets goes by the token or ticket.
   */
  readonly appTicket?: (nonce: Uint8Array) => Promise<Uint8Array>;
}

export class Credentials {
  readonly #options: CredentialOptions;

  /** @throws TypeError or RangeError for what is no credential. */
  constructor(options: CredentialOptions) {
    const { token, ticket, appTicket } = options;
    if (token !== undefined && typeof token !== 'function') checkToken(token);
    if (ticket !== undefined && typeof ticket !== 'function') checkTicket('ticket', ticket);
    if (appTicket !== undefined && typeof appTicket !== 'function') {
      throw new TypeError(
        `Cannot join: appTicket is a ${typeof appTicket}, wants a function that brings one`,
      );
    }
    this.#options = options;
  }

  /** Whether there is one for another hello. */
  get again(): 'may' | 'never' {
    const { token, ticket } = this.#options;
    return token === undefined && ticket !== undefined && typeof ticket !== 'function' ? 'never' : 'may';
  }

  /** For the next hello; at once where nothing has to be asked. Rejects as the game's function does, or as the constructor throws. */
  next(): ShownCredential | Promise<ShownCredential> {
    const beside = this.#proof();
    if (!this.#options.appTicket) return beside;
    if (!(beside instanceof Promise)) return { kind: 'app-ticket', beside };
    return beside.then((proof) => ({ kind: 'app-ticket', beside: proof }));
  }

  #proof(): BesideAppTicket | Promise<BesideAppTicket> {
    const { token, ticket } = this.#options;
    if (typeof token === 'function') return token().then(shownToken);
    if (token !== undefined) return shownToken(token);
    if (typeof ticket === 'function') return ticket().then(shownTicket);
    if (ticket !== undefined) return shownTicket(ticket);
    return { kind: 'none' };
  }

  /** For a challenge. Rejects as the game's function does, or with what is wrong with the ticket. */
  async appTicket(nonce: Uint8Array): Promise<Uint8Array> {
    const ticket = await this.#options.appTicket?.(nonce);
    checkTicket('appTicket', ticket);
    return ticket;
  }
}

function shownToken(token: string): BesideAppTicket {
  checkToken(token);
  return { kind: 'token', token };
}

function shownTicket(ticket: Uint8Array): BesideAppTicket {
  checkTicket('ticket', ticket);
  return { kind: 'ticket', ticket };
}

function checkToken(token: unknown): asserts token is string {
  if (typeof token !== 'string') throw new TypeError(`Cannot join: token is a ${typeof token}, wants text`);
  if (!TOKEN_FORM.test(token) || token.length > MAX_TOKEN_CHARS) {
    const wanted = `wants one in three parts, of at most ${MAX_TOKEN_CHARS} characters`;
    throw new RangeError(`Cannot join: the token is no signed token, ${wanted}`);
  }
}

function checkTicket(what: string, ticket: unknown): asserts ticket is Uint8Array {
  if (!(ticket instanceof Uint8Array)) {
    throw new TypeError(`Cannot join: ${what} is a ${typeof ticket}, wants a Uint8Array`);
  }
  if (ticket.length < 1 || ticket.length > MAX_TICKET_BYTES) {
    throw new RangeError(`Cannot join: ${what} has ${ticket.length} bytes, wants 1 to ${MAX_TICKET_BYTES}`);
  }
}
