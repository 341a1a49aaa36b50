/**
 * Whatever a hello brings as its proof, judged by the one who can: tokens by the keys of the game's backend, web tickets by
 * Steam, app tickets by the app's key, and in development those of the embedded Steam. One question in, one verdict out, and
 * never an error.
 */

import type { AppTickets } from './app_tickets.js';
import type { Credential, CredentialVerdict, Denied } from './credential.js';
import { judgeDevelopmentAppTicket, judgeDevelopmentTicket } from './development_tickets.js';
import type { SteamWebTickets } from './steam_web_tickets.js';
import { notJudged, ticketRefused } from './ticket_grant.js';
import type { TokenVerdict, TokenVerifier } from './tokens.js';

/** Who is there to judge; null where nobody is. */
export interface Judges {
  readonly tokens: Pick<TokenVerifier, 'verify'> | null;
  readonly webTickets: Pick<SteamWebTickets, 'judge'> | null;
  readonly appTickets: Pick<AppTickets, 'judge'> | null;
  /** Whether the embedded Steam's tickets are taken, which everybody can forge: on this machine alone. */
  readonly development: boolean;
  /** SteamIDs, in decimal, that moderate in every lobby, by whatever they show who they are. */
  readonly moderators?: ReadonlySet<string>;
}

export class CredentialJudge {
  readonly #judges: Judges;

  constructor(judges: Judges) {
    this.#judges = judges;
  }

  /**
   * Judges a credential. Never rejects: what goes wrong lets nobody in, with `admission-unavailable` and `failed`. Whether the
   * lobby is the right one, and whether the credential was used before, is for the core to see.
   *
   * @param claimedSteamId Whom the hello says it is, in decimal; null when it does not say.
   */
  async judge(
    credential: Credential,
    claimedSteamId: string | null,
    unixSeconds: number,
  ): Promise<CredentialVerdict> {
    try {
      const verdict = await this.#judge(credential, claimedSteamId, unixSeconds);
      if (verdict.kind === 'denied') return verdict;
      if (claimedSteamId === null || verdict.steamId === claimedSteamId) {
        const isModerator = verdict.moderator || this.#judges.moderators?.has(verdict.steamId) === true;
        return { ...verdict, moderator: isModerator };
      }
      return denied(credential, 'other-steam-id', 'one of the SteamID in the hello');
    } catch {
      // What was thrown may quote the credential.
      return notJudged('failed', 'a relay without a fault: it is a bug of ours');
    }
  }

  #judge(
    credential: Credential,
    claimedSteamId: string | null,
    unixSeconds: number,
  ): CredentialVerdict | Promise<CredentialVerdict> {
    switch (credential.kind) {
      case 'token':
        return this.#judgeToken(credential, unixSeconds);
      case 'web-ticket':
        return this.#judgeWebTicket(credential, claimedSteamId, unixSeconds);
      case 'app-ticket':
        return this.#judgeAppTicket(credential, unixSeconds);
    }
  }

  async #judgeToken(
    credential: Extract<Credential, { kind: 'token' }>,
    unixSeconds: number,
  ): Promise<CredentialVerdict> {
    const { tokens } = this.#judges;
    if (!tokens) return this.#notHere(credential);
    return verdictOf(await tokens.verify(credential.token, unixSeconds));
  }

  #judgeWebTicket(
    credential: Extract<Credential, { kind: 'web-ticket' }>,
    claimedSteamId: string | null,
    unixSeconds: number,
  ): CredentialVerdict | Promise<CredentialVerdict> {
    const { webTickets, development } = this.#judges;
    if (development) {
      const verdict = judgeDevelopmentTicket(credential.ticket, claimedSteamId, unixSeconds);
      const isSteams = verdict.kind === 'denied' && verdict.reason === 'not-embedded';
      if (!isSteams || !webTickets) return verdict;
    }
    return webTickets?.judge(credential.ticket, claimedSteamId) ?? this.#notHere(credential);
  }

  #judgeAppTicket(
    credential: Extract<Credential, { kind: 'app-ticket' }>,
    unixSeconds: number,
  ): CredentialVerdict {
    const { appTickets, development } = this.#judges;
    const { ticket, nonce } = credential;
    if (development) {
      const verdict = judgeDevelopmentAppTicket(ticket, nonce, unixSeconds);
      const isOthers = verdict.kind === 'denied' && verdict.reason === 'undecipherable';
      if (!isOthers || !appTickets) return verdict;
    }
    return appTickets?.judge(ticket, nonce, unixSeconds) ?? this.#notHere(credential);
  }

  #notHere(credential: Credential): Denied {
    const { tokens, webTickets, appTickets, development } = this.#judges;
    const taken = [
      ...(tokens ? ["a token of the game's backend"] : []),
      ...(webTickets || development ? ['a web ticket'] : []),
      ...(appTickets || development ? ['an encrypted app ticket'] : []),
    ];
    return denied(credential, 'not-judged-here', taken.join(', or ') || 'none');
  }
}

function verdictOf(verdict: TokenVerdict): CredentialVerdict {
  if (verdict.kind === 'refused') {
    return { kind: 'denied', code: 'token-refused', reason: verdict.reason, wanted: verdict.wanted };
  }
  return { kind: 'admitted', ...verdict.grant, onceId: null, ownerSteamId: null };
}

function denied(credential: Credential, reason: string, wanted: string): Denied {
  if (credential.kind === 'token') return { kind: 'denied', code: 'token-refused', reason, wanted };
  return ticketRefused(reason, wanted);
}
