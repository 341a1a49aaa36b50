/**
 * Proof of who one is, as the relay's core sees it: what a hello brings goes out to be judged, and what comes back says who
 * that is and what they may do. How tokens and tickets are judged is known to their own files alone.
 */

/** What shows who somebody is. */
export type Proof =
  /** A signed token, in compact form. */
  | { readonly kind: 'token'; readonly token: string }
  /** A web ticket, in hexadecimal, two digits a byte. */
  | { readonly kind: 'web-ticket'; readonly ticket: string };

/** An encrypted app ticket, in hexadecimal, and the nonce that this connection was given, as its 16 bytes in hexadecimal. It only claims. */
export interface AppTicketClaim {
  readonly kind: 'app-ticket';
  readonly ticket: string;
  readonly nonce: string;
}

/** What a hello brings. Secret: it is in no log, no event and no error. */
export type Credential =
  | Proof
  | AppTicketClaim
  /** The proof decides; the app ticket has to name the same player. */
  | { readonly kind: 'proof-and-app-ticket'; readonly proof: Proof; readonly appTicket: AppTicketClaim };

/** What somebody may do. */
export interface Rights {
  readonly maySpeak: boolean;
  readonly mayListen: boolean;
  /** May mute, deafen, move, kick and ban in the lobby. */
  readonly moderator: boolean;
  /** When they speak, others are to lower the rest. */
  readonly priority: boolean;
  /** The channels that they may enter by themselves. */
  readonly channels: readonly string[] | 'any';
}

/** It is they, and this is what they may do. */
export interface Admitted extends Rights {
  readonly kind: 'admitted';
  /** In decimal: the SteamID in every voice packet of theirs. */
  readonly steamId: string;
  /** The one lobby that it opens; null when it opens any. */
  readonly lobby: string | null;
  /** When it ends, in seconds of unix time; null when it does not. */
  readonly expiresAt: number | null;
  /** Names each credential that is good for one joining, such as a ticket's hash; empty when all are good for many. */
  readonly onceIds: readonly string[];
  /** Who owns the game, in decimal, when that is another account (family sharing); else null. */
  readonly ownerSteamId: string | null;
}

/** It proves nothing. */
export interface Denied {
  readonly kind: 'denied';
  /** `admission-unavailable`: it could not be judged, for a reason that is not the client's. */
  readonly code: 'token-refused' | 'ticket-refused' | 'admission-unavailable';
  /** A word of a closed set of the judge's. */
  readonly reason: string;
  /** What would have been taken. Never quotes what came. */
  readonly wanted: string;
}

export type CredentialVerdict = Admitted | Denied;

/** Everything, for who is not restricted. */
export const FULL_RIGHTS = {
  maySpeak: true,
  mayListen: true,
  moderator: false,
  priority: false,
  channels: 'any',
} as const satisfies Rights;

/** The rights alone: one object for everybody who is not restricted. */
export function rightsOf({ maySpeak, mayListen, moderator, priority, channels }: Rights): Rights {
  const isFull = maySpeak && mayListen && !moderator && !priority && channels === 'any';
  return isFull ? FULL_RIGHTS : { maySpeak, mayListen, moderator, priority, channels };
}

/** How far the relay's clock and that of whoever signed a token may differ, in seconds, unless a setting says otherwise. */
export const TOKEN_CLOCK_TOLERANCE_S = 5;
