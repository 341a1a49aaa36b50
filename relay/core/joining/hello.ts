/** Decides what to do about a hello, before and after its credential is judged. */

import { type ClientMessage, PROTOCOL_VERSION } from '../../../voice/control.js';
import type { RefusalCode } from '../../../voice/control_codes.js';
import { GUEST_HIGH, joinSteamId } from '../../../voice/steam_id.js';
import type { Credential, CredentialVerdict, Proof } from '../credential.js';
import { TOKEN_CLOCK_TOLERANCE_S } from '../credential.js';

export type Hello = Extract<ClientMessage, { type: 'hello' }>;

/** Who may join, and on which terms. */
export interface RelayPolicy {
  /** Clients that claim a SteamID without proof: refused, or admitted, for development only. Default `refuse`. */
  readonly unproven: 'refuse' | 'admit';
  /** Clients without a SteamID: refused, or admitted as guests, to listen only or to speak as well. Default `refuse`. */
  readonly guests: 'refuse' | 'listen' | 'speak';
  /** Whether guests are limited to their share of lobbies and places. `everything` suits relays where nobody has a credential. Default `a-share`. */
  readonly guestsTake: 'a-share' | 'everything';
  /** A player who proves a SteamID that is already in the lobby replaces that participant, or is refused. Default `replace`. */
  readonly secondJoin: 'replace' | 'refuse';
  /** Lobbies are made by the first participant, or by an administrator only. Default `on-join`. */
  readonly lobbies: 'on-join' | 'by-admin';
  /** Whether encrypted app tickets are judged. If not, clients are not challenged for one, and need not wait. Default `nobody`. */
  readonly appTickets: 'judged' | 'nobody';
  /** When a player's credential expires: close the connection, or keep it until they leave. Default `close`. */
  readonly atExpiry: 'close' | 'keep';
  /** How long a credential is accepted after it expires, because clocks differ, in seconds. Default 5. */
  readonly clockToleranceS: number;
}

/** Admits only players who prove their SteamID. */
export const STRICT_POLICY: RelayPolicy = {
  unproven: 'refuse',
  guests: 'refuse',
  guestsTake: 'a-share',
  secondJoin: 'replace',
  lobbies: 'on-join',
  appTickets: 'nobody',
  atExpiry: 'close',
  clockToleranceS: TOKEN_CLOCK_TOLERANCE_S,
};

/** The versions that this relay speaks. */
const VERSIONS: readonly number[] = [PROTOCOL_VERSION];

/** How a client identifies itself. */
export type Claim =
  | { readonly kind: 'challenge' }
  | { readonly kind: 'credential'; readonly credential: Credential }
  /** A SteamID without proof. */
  | { readonly kind: 'unproven'; readonly steamId: string }
  | { readonly kind: 'guest' }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly detail: string };

/**
 * The claim in a hello. A token overrides a web ticket. An app ticket may accompany either; where app tickets are not judged, it is
 * then ignored.
 *
 * @param nonce The nonce of this connection's challenge; null without one.
 */
export function claimOf(hello: Hello, nonce: string | null, policy: RelayPolicy): Claim {
  const { token, ticket, appTicket, steamId } = hello;
  const proof: Proof | null =
    token !== undefined
      ? { kind: 'token', token }
      : ticket !== undefined
        ? { kind: 'web-ticket', ticket }
        : null;
  if (appTicket !== undefined && policy.appTickets === 'judged')
    return appTicketClaimOf(appTicket, proof, nonce);
  if (proof) return { kind: 'credential', credential: proof };
  if (appTicket !== undefined) {
    const detail =
      'the ticket is refused (not-judged-here), expected another credential: this relay does not judge app tickets';
    return { kind: 'refused', code: 'ticket-refused', detail };
  }
  if (steamId === undefined && policy.guests !== 'refuse') return { kind: 'guest' };
  if (steamId !== undefined && policy.unproven === 'admit') return { kind: 'unproven', steamId };
  const detail = 'the hello has no credential, expected a token or a ticket';
  return { kind: 'refused', code: 'credential-expected', detail };
}

function appTicketClaimOf(ticket: string, proof: Proof | null, nonce: string | null): Claim {
  if (ticket === 'request') return { kind: 'challenge' };
  if (nonce === null) {
    const detail = 'the ticket is refused (no-challenge), expected one with the nonce of a challenge';
    return { kind: 'refused', code: 'ticket-refused', detail };
  }
  const appTicket = { kind: 'app-ticket', ticket, nonce } as const;
  const credential = proof ? ({ kind: 'proof-and-app-ticket', proof, appTicket } as const) : appTicket;
  return { kind: 'credential', credential };
}

/**
 * Why the bearer of a judged credential is refused; null when they are admitted.
 *
 * @param once Whether the credential was used before.
 */
export function whyDenied(
  hello: Hello,
  verdict: CredentialVerdict,
  once: 'new' | 'used' | 'full',
): { readonly code: RefusalCode; readonly detail: string } | null {
  const denied = (
    what: 'token' | 'ticket',
    reason: string,
    wanted: string,
    code: RefusalCode = `${what}-refused`,
  ) => ({ code, detail: `the ${what} is refused (${reason}), expected ${wanted}` });
  const proof = hello.token === undefined ? 'ticket' : 'token';
  if (verdict.kind === 'denied') {
    const { code, reason, wanted } = verdict;
    const what = code === 'token-refused' ? 'token' : code === 'ticket-refused' ? 'ticket' : proof;
    return denied(what, reason, wanted, code);
  }
  if (verdict.lobby !== null && verdict.lobby !== hello.lobby) {
    return denied(proof, 'other-lobby', 'one for the lobby in the hello');
  }
  if (hello.steamId !== undefined && hello.steamId !== verdict.steamId) {
    return denied(proof, 'other-steam-id', 'one for the SteamID in the hello');
  }
  // Only tickets may be used only once.
  if (once === 'used') return denied('ticket', 'used', 'one that has not been used');
  if (once === 'full') {
    return denied('ticket', 'relay-full', 'fewer tickets used within a day', 'admission-unavailable');
  }
  return null;
}

/** The version to speak with a client that offers these; null when no version fits. */
export function versionOf(offered: readonly number[]): number | null {
  return offered.find((version) => VERSIONS.includes(version)) ?? null;
}

export function versionDetail(offered: readonly number[]): string {
  return `client speaks ${offered.join(', ')}, expected ${VERSIONS.join(' or ')}`;
}

/** The hello without its secrets, to keep while they are judged. */
export function withoutSecrets(hello: Hello): Hello {
  const { token, ticket, appTicket, ...rest } = hello;
  return {
    ...rest,
    ...(token !== undefined && { token: '' }),
    ...(ticket !== undefined && { ticket: '' }),
    ...(appTicket !== undefined && { appTicket: '' }),
  };
}

/** A guest's SteamID, in decimal, from four random bytes. It cannot be a real account's: those are in the public universe. */
export function guestSteamId(random: Uint8Array): string {
  const account = new DataView(random.buffer, random.byteOffset, 4).getUint32(0, true);
  return joinSteamId(account === 0 ? 1 : account, GUEST_HIGH).toString();
}
