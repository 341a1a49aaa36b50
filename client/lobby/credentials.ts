/**
 * The credentials of a lobby: fixed, or provided by the application for each hello. They are checked here, and their contents appear in
 * no error message.
 */

import { MAX_TICKET_BYTES, MAX_TOKEN_CHARS, TOKEN_FORM } from '../../voice/control.js';
import type { BesideAppTicket, ShownCredential } from '../session/shown_credential.js';

/**
 * A token or a web ticket, and optionally an app ticket. If both a token and a web ticket are given, the token is used. A function is
 * called for each hello, so it can provide a fresh credential after the connection was lost.
 */
export interface CredentialOptions {
  /** A signed token from the game's backend, at most 4096 characters. */
  readonly token?: string | (() => Promise<string>);
  /**
   * A ticket from get_ticket_for_web_api for TICKET_IDENTITY, 1 to 2560 bytes. Each ticket can be used to join once: if bytes are given
   * instead of a function, the membership ends when its place is lost.
   */
  readonly ticket?: Uint8Array | (() => Promise<Uint8Array>);
  /**
   * Provides an encrypted app ticket, 1 to 2560 bytes, whose user data begins with the relay's nonce (16 bytes). The relay waits 5 s for
   * it. An app ticket does not prove who a player is: without a token or web ticket as well, the relay refuses it (`not-proof`), unless
   * its operator allows that. A relay that does not support app tickets uses the token or web ticket alone.
   */
  readonly appTicket?: (nonce: Uint8Array) => Promise<Uint8Array>;
}

export class Credentials {
  readonly #options: CredentialOptions;

  /** @throws TypeError or RangeError for an invalid credential. */
  constructor(options: CredentialOptions) {
    const { token, ticket, appTicket } = options;
    if (token !== undefined && typeof token !== 'function') checkToken(token);
    if (ticket !== undefined && typeof ticket !== 'function') checkTicket('ticket', ticket);
    if (appTicket !== undefined && typeof appTicket !== 'function') {
      throw new TypeError(
        `Cannot join: appTicket is a ${typeof appTicket}, expected a function that provides one`,
      );
    }
    this.#options = options;
  }

  /** Whether there is a credential for another hello. */
  get again(): 'may' | 'never' {
    const { token, ticket } = this.#options;
    return token === undefined && ticket !== undefined && typeof ticket !== 'function' ? 'never' : 'may';
  }

  /**
   * The credential for the next hello; a promise only if the application has to be asked. Rejects with the error of the application's
   * function, or as the constructor throws.
   */
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

  /** The app ticket for a challenge. Rejects with the error of the application's function, or with what is wrong with the ticket. */
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

/** For an error about a token without this form. */
export const TOKEN_EXPECTED = `expected three parts separated by dots, at most ${MAX_TOKEN_CHARS} characters`;

/** @throws RangeError or TypeError when it cannot be a signed token. */
export function checkToken(token: unknown): asserts token is string {
  if (typeof token !== 'string')
    throw new TypeError(`Cannot join: token is a ${typeof token}, expected a string`);
  if (!TOKEN_FORM.test(token) || token.length > MAX_TOKEN_CHARS) {
    throw new RangeError(`Cannot join: the token is not a signed token, ${TOKEN_EXPECTED}`);
  }
}

function checkTicket(what: string, ticket: unknown): asserts ticket is Uint8Array {
  if (!(ticket instanceof Uint8Array)) {
    throw new TypeError(`Cannot join: ${what} is a ${typeof ticket}, expected a Uint8Array`);
  }
  if (ticket.length < 1 || ticket.length > MAX_TICKET_BYTES) {
    throw new RangeError(
      `Cannot join: ${what} has ${ticket.length} bytes, expected 1 to ${MAX_TICKET_BYTES}`,
    );
  }
}
