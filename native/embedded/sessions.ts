/**
 * Auth sessions of the embedded Steam: the verdicts on other players' tickets, now and later.
 *
 * beginAuthSession says at once whether a ticket is well-formed and for this game. The verdict comes as a signal, with the next
 * runCallbacks while Steam is connected, otherwise once it is connected again.
 */

import { type TicketRefusal, verifyDevelopmentSessionTicket } from '../../tickets/development.js';
import { OWNERSHIP_VERSION } from '../../tickets/ownership.js';
import { embeddedSignature, readSessionTicket } from '../../tickets/session_ticket.js';
import { AuthSessionResponse, BeginAuthSessionResult } from '../enums.js';
import type { Signals } from '../signals.js';
import type { EmbeddedCalls } from './calls.js';
import type { EmbeddedSetup } from './options.js';
import type { TicketFault } from './world.js';

/** The most sessions at once; beyond it beginAuthSession accepts no ticket. */
const MAX_SESSIONS = 256;

type Verdict = Signals['validate_auth_ticket_response'];

interface AuthSession {
  readonly steamId: bigint;
  readonly ownerId: bigint;
  /** Null for a ticket that is not valid. */
  readonly ticketId: string | null;
  /** `asked` until the verdict was returned. */
  state: 'asked' | 'authenticated' | 'refused';
}

/** What beginAuthSession returns at once, by why the ticket was refused; other refusals come as a verdict. */
const RESULT_OF_REFUSAL: Partial<Record<TicketRefusal, BeginAuthSessionResult>> = {
  malformed: BeginAuthSessionResult.BEGIN_AUTH_SESSION_RESULT_INVALID_TICKET,
  'not-embedded': BeginAuthSessionResult.BEGIN_AUTH_SESSION_RESULT_INVALID_TICKET,
  'other-steam-id': BeginAuthSessionResult.BEGIN_AUTH_SESSION_RESULT_INVALID_TICKET,
  'other-app': BeginAuthSessionResult.BEGIN_AUTH_SESSION_RESULT_GAME_MISMATCH,
  expired: BeginAuthSessionResult.BEGIN_AUTH_SESSION_RESULT_EXPIRED_TICKET,
};

const RESPONSE_OF_FAULT: Record<Exclude<TicketFault, null>, AuthSessionResponse> = {
  invalid: AuthSessionResponse.AUTH_SESSION_RESPONSE_AUTH_TICKET_INVALID,
  cancelled: AuthSessionResponse.AUTH_SESSION_RESPONSE_AUTH_TICKET_CANCELED,
  used: AuthSessionResponse.AUTH_SESSION_RESPONSE_AUTH_TICKET_INVALID_ALREADY_USED,
  offline: AuthSessionResponse.AUTH_SESSION_RESPONSE_USER_NOT_CONNECTED_TO_STEAM,
};

export class EmbeddedSessions {
  readonly #setup: EmbeddedSetup;
  readonly #calls: EmbeddedCalls;
  readonly #isLoggedOn: () => boolean;
  readonly #sessions = new Map<bigint, AuthSession>();
  /** Verdicts that wait for the connection: of each session one at most. */
  readonly #waiting = new Map<AuthSession, Verdict>();

  constructor(setup: EmbeddedSetup, calls: EmbeddedCalls, isLoggedOn: () => boolean) {
    this.#setup = setup;
    this.#calls = calls;
    this.#isLoggedOn = isLoggedOn;
  }

  /** A BeginAuthSessionResult. */
  begin(ticket: Uint8Array, steamId: bigint): number {
    const told = this.#calls.next('begin-auth-session')?.result ?? null;
    const judged = this.#judge(ticket, steamId);
    const result = told ?? judged.result;
    if (result !== BeginAuthSessionResult.BEGIN_AUTH_SESSION_RESULT_OK) return result;
    if (!this.#sessions.has(steamId) && this.#sessions.size >= MAX_SESSIONS) {
      return BeginAuthSessionResult.BEGIN_AUTH_SESSION_RESULT_INVALID_TICKET;
    }

    const answer = this.#calls.next('validation');
    const judgedResponse = judged.response ?? this.#use(judged.ticketId, steamId);
    const response = answer?.response ?? judgedResponse;
    const ownerId = answer?.ownerId ?? steamId;
    const session: AuthSession = { steamId, ownerId, ticketId: judged.ticketId, state: 'asked' };
    this.#sessions.set(steamId, session);
    this.#tell(session, response);
    return result;
  }

  /** Ends the session; its pending verdicts will not come. */
  end(steamId: bigint): void {
    const session = this.#sessions.get(steamId);
    if (!session) return;
    this.#sessions.delete(steamId);
    this.#waiting.delete(session);
  }

  /** True from when the verdict OK was returned until the session ends or another verdict comes. */
  isAuthenticated(steamId: bigint): boolean {
    return this.#sessions.get(steamId)?.state === 'authenticated';
  }

  ticketCancelled(ticketId: string): void {
    for (const session of this.#sessions.values()) {
      if (session.ticketId !== ticketId) continue;
      this.#tell(session, AuthSessionResponse.AUTH_SESSION_RESPONSE_AUTH_TICKET_CANCELED);
    }
  }

  playerOffline(steamId: bigint): void {
    const session = this.#sessions.get(steamId);
    if (session) this.#tell(session, AuthSessionResponse.AUTH_SESSION_RESPONSE_USER_NOT_CONNECTED_TO_STEAM);
  }

  /** The connection is back: verdicts that waited for it come. */
  connected(): void {
    for (const [session, verdict] of this.#waiting) this.#bring(session, verdict);
    this.#waiting.clear();
  }

  /** What is known at once, with the ticket's id if it is valid, or the response if it is not. */
  #judge(
    bytes: Uint8Array,
    steamId: bigint,
  ): {
    readonly result: BeginAuthSessionResult;
    readonly ticketId: string | null;
    readonly response: AuthSessionResponse | null;
  } {
    const ticket = readSessionTicket(bytes);
    const signature = ticket.kind === 'session-ticket' ? embeddedSignature(bytes, ticket) : null;
    if (ticket.kind === 'malformed' || !signature) {
      const result = BeginAuthSessionResult.BEGIN_AUTH_SESSION_RESULT_INVALID_TICKET;
      return { result, ticketId: null, response: null };
    }
    const at = (result: BeginAuthSessionResult) => ({ result, ticketId: null, response: null });
    if (ticket.ownership.version !== OWNERSHIP_VERSION) {
      return at(BeginAuthSessionResult.BEGIN_AUTH_SESSION_RESULT_INVALID_VERSION);
    }
    const { appId, steamId: remoteSteamId, identities, unixTime, keys } = this.#setup;
    const expected = { appId, steamId, remoteSteamId, identities };
    const verified = verifyDevelopmentSessionTicket(bytes, expected, unixTime(), keys);
    const atOnce = verified.kind === 'refused' ? RESULT_OF_REFUSAL[verified.reason] : undefined;
    if (atOnce !== undefined) return at(atOnce);
    if (this.#sessions.has(steamId)) {
      return at(BeginAuthSessionResult.BEGIN_AUTH_SESSION_RESULT_DUPLICATE_REQUEST);
    }
    const result = BeginAuthSessionResult.BEGIN_AUTH_SESSION_RESULT_OK;
    if (verified.kind === 'valid') return { result, ticketId: verified.id, response: null };
    const response =
      verified.reason === 'other-identity'
        ? AuthSessionResponse.AUTH_SESSION_RESPONSE_AUTH_TICKET_NETWORK_IDENTITY_FAILURE
        : AuthSessionResponse.AUTH_SESSION_RESPONSE_AUTH_TICKET_INVALID;
    return { result, ticketId: null, response };
  }

  /** Uses a ticket with a valid seal, and returns what the world says about it. */
  #use(ticketId: string | null, steamId: bigint): AuthSessionResponse {
    if (ticketId === null) return AuthSessionResponse.AUTH_SESSION_RESPONSE_AUTH_TICKET_INVALID;
    const fault = this.#setup.world.useTicket(ticketId, steamId);
    return fault === null ? AuthSessionResponse.AUTH_SESSION_RESPONSE_OK : RESPONSE_OF_FAULT[fault];
  }

  #tell(session: AuthSession, response: AuthSessionResponse): void {
    const verdict = { auth_id: session.steamId, response, owner_id: session.ownerId };
    if (this.#isLoggedOn()) this.#bring(session, verdict);
    else this.#waiting.set(session, verdict);
  }

  #bring(session: AuthSession, verdict: Verdict): void {
    this.#calls.tell('validate_auth_ticket_response', verdict, {
      // The signal names only the player: one from an ended session would be mistaken for the next session's.
      isWanted: () => this.#sessions.get(session.steamId) === session,
      onGone: () => {
        const isOk = verdict.response === AuthSessionResponse.AUTH_SESSION_RESPONSE_OK;
        session.state = isOk ? 'authenticated' : 'refused';
      },
    });
  }
}
