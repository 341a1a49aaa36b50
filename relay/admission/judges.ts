/**
 * Judges the credentials of a hello: tokens with the keys of the game's backend, web tickets by asking
 * Steam, and in development those of the embedded Steam. App tickets prove nothing: they are accepted beside a proof, or
 * alone where the operator trusts forgeable tickets. Each credential gets one verdict, and never an error.
 */

import type { AppTicketClaim, Credential, CredentialVerdict, Denied, Proof } from '../core/credential.js';
import { type AppTickets, type AppTicketVerdict, appTicketRefused } from './app_tickets.js';
import { judgeDevelopmentAppTicket, judgeDevelopmentTicket } from './development_tickets.js';
import type { SteamWebTickets } from './steam_web/tickets.js';
import { grantTo, notJudged, ticketRefused } from './ticket_grant.js';
import type { TokenVerdict, TokenVerifier } from './tokens.js';

/** The judges of each kind of credential; null for a kind that is not judged. */
export interface Judges {
  readonly tokens: Pick<TokenVerifier, 'verify'> | null;
  readonly webTickets: Pick<SteamWebTickets, 'judge'> | null;
  readonly appTickets: Pick<AppTickets, 'judge' | 'alone'> | null;
  /** Whether the embedded Steam's tickets are accepted, which anybody can forge: only on this machine. */
  readonly development: boolean;
  /** SteamIDs, in decimal, that moderate in every lobby, whichever credential proves them. An app ticket alone does not. */
  readonly moderators?: ReadonlySet<string>;
}

export class CredentialJudge {
  readonly #judges: Judges;

  constructor(judges: Judges) {
    this.#judges = judges;
  }

  /**
   * Judges a credential. Never rejects: an internal failure refuses the player, with `admission-unavailable` and `failed`. The core checks
   * whether the lobby is the right one, and whether the credential was used before.
   *
   * @param claimedSteamId The SteamID in the hello, in decimal; null without one.
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
        if (credential.kind === 'app-ticket') return verdict;
        const isModerator = verdict.moderator || this.#judges.moderators?.has(verdict.steamId) === true;
        return { ...verdict, moderator: isModerator };
      }
      return denied(credential, 'other-steam-id', 'one of the SteamID in the hello');
    } catch {
      // The error may quote the credential.
      return notJudged('failed', 'no internal error; this is a bug in the relay');
    }
  }

  #judge(
    credential: Credential,
    claimedSteamId: string | null,
    unixSeconds: number,
  ): CredentialVerdict | Promise<CredentialVerdict> {
    switch (credential.kind) {
      case 'token':
      case 'web-ticket':
        return this.#judgeProof(credential, claimedSteamId, unixSeconds);
      case 'app-ticket':
        return this.#judgeAlone(credential, unixSeconds);
      case 'proof-and-app-ticket':
        return this.#judgeBoth(credential, claimedSteamId, unixSeconds);
    }
  }

  #judgeProof(
    proof: Proof,
    claimedSteamId: string | null,
    unixSeconds: number,
  ): CredentialVerdict | Promise<CredentialVerdict> {
    return proof.kind === 'token'
      ? this.#judgeToken(proof, unixSeconds)
      : this.#judgeWebTicket(proof, claimedSteamId, unixSeconds);
  }

  /** The proof alone determines identity and rights. The app ticket can only refuse; it is read first, because that asks nobody. */
  async #judgeBoth(
    { proof, appTicket }: Extract<Credential, { kind: 'proof-and-app-ticket' }>,
    claimedSteamId: string | null,
    unixSeconds: number,
  ): Promise<CredentialVerdict> {
    const claims = this.#claimsOf(appTicket, unixSeconds);
    if (claims.kind === 'denied') return claims;
    const verdict = await this.#judgeProof(proof, claimedSteamId, unixSeconds);
    if (verdict.kind === 'denied') return verdict;
    if (claims.steamId !== verdict.steamId) return appTicketRefused('other-steam-id');
    return { ...verdict, onceIds: [...verdict.onceIds, claims.onceId] };
  }

  /** Never a moderator: an identity that anybody can forge must not mute others. */
  #judgeAlone(credential: AppTicketClaim, unixSeconds: number): CredentialVerdict {
    const { appTickets } = this.#judges;
    const embedded = this.#embeddedClaimsOf(credential, unixSeconds);
    const isTrusted = embedded !== null || appTickets === null || appTickets.alone === 'trust-forgeable';
    if (!isTrusted) return appTicketRefused('not-proof');
    const claims = embedded ?? this.#claimsOf(credential, unixSeconds);
    if (claims.kind === 'denied') return claims;
    return grantTo(claims.steamId, { onceIds: [claims.onceId], ownerSteamId: null }, new Set());
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

  #claimsOf(credential: AppTicketClaim, unixSeconds: number): AppTicketVerdict {
    const embedded = this.#embeddedClaimsOf(credential, unixSeconds);
    if (embedded) return embedded;
    const { ticket, nonce } = credential;
    return this.#judges.appTickets?.judge(ticket, nonce, unixSeconds) ?? this.#notHere(credential);
  }

  /** In development: the verdict on the embedded Steam's tickets, and on all where no app key is configured. Null for the app key to judge. */
  #embeddedClaimsOf({ ticket, nonce }: AppTicketClaim, unixSeconds: number): AppTicketVerdict | null {
    const { appTickets, development } = this.#judges;
    if (!development) return null;
    const verdict = judgeDevelopmentAppTicket(ticket, nonce, unixSeconds);
    const isOthers = verdict.kind === 'denied' && verdict.reason === 'undecipherable';
    return isOthers && appTickets ? null : verdict;
  }

  #notHere(credential: Credential): Denied {
    const { tokens, webTickets, appTickets, development } = this.#judges;
    const taken = [
      ...(tokens ? ["a token of the game's backend"] : []),
      ...(webTickets || development ? ['a web ticket'] : []),
      ...(development || appTickets?.alone === 'trust-forgeable' ? ['an encrypted app ticket'] : []),
    ];
    return denied(credential, 'not-judged-here', taken.join(', or ') || 'none');
  }
}

function verdictOf(verdict: TokenVerdict): CredentialVerdict {
  if (verdict.kind === 'refused') {
    return { kind: 'denied', code: 'token-refused', reason: verdict.reason, wanted: verdict.wanted };
  }
  return { kind: 'admitted', ...verdict.grant, onceIds: [], ownerSteamId: null };
}

function denied(credential: Credential, reason: string, wanted: string): Denied {
  if (credential.kind === 'token') return { kind: 'denied', code: 'token-refused', reason, wanted };
  return ticketRefused(reason, wanted);
}
