/**
 * Encrypted app tickets of the embedded Steam: one request at a time, one grant per minute, as with Steam.
 */

import {
  IV_BYTES,
  MAX_USER_DATA_BYTES,
  SALT_BYTES,
  sealAppTicket,
} from '../../tickets/encrypted_app_ticket.js';
import { Result } from '../result.js';
import type { EmbeddedCalls } from './calls.js';
import type { EmbeddedSetup } from './options.js';
import { ownershipOf } from './tickets.js';

/** How long every request is refused after a grant, in ms. */
const RATE_LIMIT_MS = 60_000;

export class EmbeddedAppTickets {
  readonly #setup: EmbeddedSetup;
  readonly #calls: EmbeddedCalls;
  readonly #isLoggedOn: () => boolean;
  #isPending = false;
  #grantedAt = Number.NEGATIVE_INFINITY;
  #ticket: Uint8Array | null = null;

  constructor(setup: EmbeddedSetup, calls: EmbeddedCalls, isLoggedOn: () => boolean) {
    this.#setup = setup;
    this.#calls = calls;
    this.#isLoggedOn = isLoggedOn;
  }

  /** The call that encrypted_app_ticket_response answers; 0n when too many events are waiting already. */
  request(userData: Uint8Array): bigint {
    const result = this.#result(userData);
    const granted = result === Result.RESULT_OK && !this.#calls.nextFails ? this.#seal(userData) : null;
    const onGone = () => {
      this.#isPending = false;
      if (granted) this.#ticket = granted;
    };
    const call = this.#calls.answer('encrypted_app_ticket_response', { result }, { onGone });
    if (call === 0n) return call;
    this.#isPending = true;
    if (granted) this.#grantedAt = this.#setup.clock();
    return call;
  }

  /** A copy of the last granted ticket; null before the first. */
  get(): Uint8Array | null {
    return this.#ticket?.slice() ?? null;
  }

  #result(userData: Uint8Array): number {
    const told = this.#calls.next('encrypted-ticket');
    // User data that is too long cannot be sealed, whatever answer a test has set.
    if (userData.length > MAX_USER_DATA_BYTES) return Result.RESULT_INVALID_PARAM;
    if (told) return told.result;
    if (this.#isPending) return Result.RESULT_DUPLICATE_REQUEST;
    if (!this.#isLoggedOn()) return Result.RESULT_NO_CONNECTION;
    const isLimited = this.#setup.clock() - this.#grantedAt < RATE_LIMIT_MS;
    return isLimited ? Result.RESULT_LIMIT_EXCEEDED : Result.RESULT_OK;
  }

  #seal(userData: Uint8Array): Uint8Array {
    const { random, unixTime, keys } = this.#setup;
    const ticket = { ownership: ownershipOf(this.#setup, unixTime()), userData };
    return sealAppTicket(ticket, keys.encryptedAppTicket, random(IV_BYTES), random(SALT_BYTES));
  }
}
