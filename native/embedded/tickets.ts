/**
 * The tickets that the embedded Steam issues: session tickets in Steam's layout, web tickets in our own, and their handles.
 */

import { identityId } from '../../tickets/network_identity.js';
import { OWNERSHIP_VERSION, type Ownership } from '../../tickets/ownership.js';
import { embeddedSignature, readSessionTicket, sealSessionTicket } from '../../tickets/session_ticket.js';
import { MAX_IDENTITY_BYTES, NONCE_BYTES, readWebTicket, sealWebTicket } from '../../tickets/web_ticket.js';
import { Result } from '../result.js';
import type { AuthTicket, RemoteIdentity } from '../steam_user.js';
import type { EmbeddedCalls } from './calls.js';
import type { EmbeddedSetup } from './options.js';

/** The most tickets of one Steam that are not cancelled. */
const MAX_LIVE_TICKETS = 256;

/** How long a session ticket is valid, in seconds: three weeks, like Steam's ownership sections. */
const SESSION_TICKET_SECONDS = 21 * 24 * 3600;

/** How long a web ticket is valid, in seconds. */
export const WEB_TICKET_SECONDS = 3600;

const NO_TICKET: AuthTicket = { id: 0, buffer: new Uint8Array(0), size: 0 };

export class EmbeddedTickets {
  readonly #setup: EmbeddedSetup;
  readonly #calls: EmbeddedCalls;
  readonly #isLoggedOn: () => boolean;
  /** Ids of the tickets that are not cancelled, by handle. */
  readonly #live = new Map<number, string>();
  readonly #startedAt: number;
  #lastHandle = 0;
  #made = 0;

  constructor(setup: EmbeddedSetup, calls: EmbeddedCalls, isLoggedOn: () => boolean) {
    this.#setup = setup;
    this.#calls = calls;
    this.#isLoggedOn = isLoggedOn;
    this.#startedAt = setup.clock();
  }

  /** Id 0 when there are 256 already. */
  sessionTicket(remote: RemoteIdentity): AuthTicket {
    if (this.#live.size >= MAX_LIVE_TICKETS) return NO_TICKET;
    const { random, unixTime, steamId, clock, keys } = this.#setup;
    const issuedAt = unixTime();
    this.#made += 1;
    const fields = {
      gcToken: new DataView(random(8).buffer).getBigUint64(0, true),
      steamId,
      issuedAt,
      externalIp: 0,
      reserved: 0,
      connectedMs: Math.floor(clock() - this.#startedAt) % 2 ** 32,
      connectionCount: this.#made % 2 ** 32,
      ownership: ownershipOf(this.#setup, issuedAt),
    };
    const remoteId = typeof remote === 'bigint' ? remote : identityId(remote);
    const buffer = sealSessionTicket(fields, remoteId, keys.sessionTicket);
    const id = sessionTicketId(buffer);
    const handle = this.#keep(id);
    const result = this.#result();
    if (result !== Result.RESULT_OK) this.#setup.world.invalidateTicket(id);
    this.#calls.tell('get_auth_session_ticket_response', { auth_ticket: handle, result });
    return { id: handle, buffer, size: buffer.length };
  }

  /** The handle; 0 when there are 256 already, or for an identity of more than 255 bytes. */
  webTicket(identity: string): number {
    if (this.#live.size >= MAX_LIVE_TICKETS) return 0;
    if (new TextEncoder().encode(identity).length > MAX_IDENTITY_BYTES) return 0;
    const { random, unixTime, steamId, appId, keys } = this.#setup;
    const issuedAt = unixTime();
    const fields = { steamId, appId, identity, issuedAt, expiresAt: issuedAt + WEB_TICKET_SECONDS };
    const ticket = sealWebTicket({ ...fields, nonce: random(NONCE_BYTES) }, keys.webTicket);
    const handle = this.#keep(webTicketId(ticket));
    const result = this.#result();
    const ticket_buffer = result === Result.RESULT_OK ? ticket : new Uint8Array(0);
    const ticket_size = ticket_buffer.length;
    this.#calls.tell('get_ticket_for_web_api', { auth_ticket: handle, result, ticket_size, ticket_buffer });
    return handle;
  }

  /** Does nothing for a handle that is unknown or already cancelled. */
  cancel(handle: number): void {
    const id = this.#live.get(handle);
    if (id === undefined) return;
    this.#live.delete(handle);
    this.#setup.world.cancelTicket(id);
  }

  cancelAll(): void {
    for (const handle of [...this.#live.keys()]) this.cancel(handle);
  }

  #keep(id: string): number {
    this.#lastHandle = (this.#lastHandle % 0xffff_ffff) + 1;
    this.#live.set(this.#lastHandle, id);
    return this.#lastHandle;
  }

  #result(): number {
    const told = this.#calls.next('auth-ticket')?.result;
    return told ?? (this.#isLoggedOn() ? Result.RESULT_OK : Result.RESULT_NO_CONNECTION);
  }
}

/** The ownership section of the embedded Steam: the player has the game, by licence 0. */
export function ownershipOf({ steamId, appId }: EmbeddedSetup, generatedAt: number): Ownership {
  return {
    version: OWNERSHIP_VERSION,
    steamId,
    appId,
    externalIp: 0,
    internalIp: 0,
    flags: 0,
    generatedAt,
    expiresAt: generatedAt + SESSION_TICKET_SECONDS,
    licenses: [0],
    dlc: [],
  };
}

function sessionTicketId(bytes: Uint8Array): string {
  const ticket = readSessionTicket(bytes);
  const id = ticket.kind === 'session-ticket' ? embeddedSignature(bytes, ticket)?.id : undefined;
  if (id === undefined) throw new Error('the embedded Steam cannot read its own session ticket');
  return id;
}

function webTicketId(bytes: Uint8Array): string {
  const ticket = readWebTicket(bytes);
  if (ticket.kind === 'malformed') throw new Error('the embedded Steam cannot read its own web ticket');
  return ticket.id;
}
