/** What a hello asks for, and what is to be done about it: the decision before anybody is asked. Pure. */

import { type ClientMessage, PROTOCOL_VERSION } from '../../../voice/control.js';
import type { RefusalCode } from '../../../voice/control_codes.js';
import { GUEST_HIGH, joinSteamId } from '../../../voice/steam_id.js';
import type { Credential, CredentialVerdict, Proof } from '../credential.js';
import { TOKEN_CLOCK_TOLERANCE_S } from '../credential.js';

export type Hello = Extract<ClientMessage, { type: 'hello' }>;

/** Who may come in, and what becomes of them. */
export interface RelayPolicy {
  /** Who claims a SteamID and proves nothing: refused, or taken by their word, in development alone. Default `refuse`. */
  readonly unproven: 'refuse' | 'admit';
  /** Who claims no SteamID: refused, or let in to listen, or to speak too. Default `refuse`. */
  readonly guests: 'refuse' | 'listen' | 'speak';
  /** Whether guests take only their share of lobbies and places, or everything, as where nobody can show a credential. Default `a-share`. */
  readonly guestsTake: 'a-share' | 'everything';
  /** Somebody who proves a SteamID that is in the lobby already takes its place, or is refused. Default `replace`. */
  readonly secondJoin: 'replace' | 'refuse';
  /** A lobby that is not there is made by who joins first, or by an administrator alone. Default `on-join`. */
  readonly lobbies: 'on-join' | 'by-admin';
  /** Whether somebody judges encrypted app tickets: a challenge for one that nobody takes would cost the player a wait. Default `nobody`. */
  readonly appTickets: 'judged' | 'nobody';
  /** Whose credential ends is closed out, or stays until they leave. Default `close`. */
  readonly atExpiry: 'close' | 'keep';
  /** How long after its end a credential still counts, because clocks may differ, in seconds. Default 5. */
  readonly clockToleranceS: number;
}

/** Lets in whoever proves who they are. */
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

/** How a client shows who it is. */
export type Claim =
  | { readonly kind: 'challenge' }
  | { readonly kind: 'credential'; readonly credential: Credential }
  /** It says so. */
  | { readonly kind: 'unproven'; readonly steamId: string }
  | { readonly kind: 'guest' }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly detail: string };

/**
 * What a hello claims. Of a token and a web ticket the token counts. An app ticket goes beside either; where nobody judges app tickets, it
 * is not looked at beside one.
 *
 * @param nonce Of the challenge that this connection had; null without one.
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
      'the ticket is refused (not-judged-here), expected another credential: nobody here judges app tickets';
    return { kind: 'refused', code: 'ticket-refused', detail };
  }
  if (steamId === undefined && policy.guests !== 'refuse') return { kind: 'guest' };
  if (steamId !== undefined && policy.unproven === 'admit') return { kind: 'unproven', steamId };
  const detail = 'the hello shows not who it is from, wants a token or a ticket';
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
 * Why the bearer of a judged credential is not let in; null when they are.
 *
 * @param once Whether somebody has joined with it before.
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
  ) => ({ code, detail: `the ${what} is refused (${reason}), wants ${wanted}` });
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
    return denied(proof, 'other-steam-id', 'one of the SteamID in the hello');
  }
  // Only tickets are good for one joining.
  if (once === 'used') return denied('ticket', 'used', 'one that nobody has joined with');
  if (once === 'full') {
    return denied('ticket', 'relay-full', 'fewer that were used within a day', 'admission-unavailable');
  }
  return null;
}

/** The version in force with a client that speaks these; null when there is none. */
export function versionOf(offered: readonly number[]): number | null {
  return offered.find((version) => VERSIONS.includes(version)) ?? null;
}

export function versionDetail(offered: readonly number[]): string {
  return `client speaks ${offered.join(', ')}, wants ${VERSIONS.join(' or ')}`;
}

/** The hello without its secrets, to be kept while they are judged. */
export function withoutSecrets(hello: Hello): Hello {
  const { token, ticket, appTicket, ...rest } = hello;
  return {
    ...rest,
    ...(token !== undefined && { token: '' }),
    ...(ticket !== undefined && { ticket: '' }),
    ...(appTicket !== undefined && { appTicket: '' }),
  };
}

/** A guest's id, in decimal, of four random bytes. Not of a real account: those are of the public universe. */
export function guestSteamId(random: Uint8Array): string {
  const account = new DataView(random.buffer, random.byteOffset, 4).getUint32(0, true);
  return joinSteamId(account === 0 ? 1 : account, GUEST_HIGH).toString();
}
