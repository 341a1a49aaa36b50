/**
 * Credentials as the relay's core sees them: a hello brings one, it goes out to be judged, and the verdict says who its bearer is and
 * what they may do. The core does not know how tokens and tickets are judged.
 */

/** Proof of a player's identity. */
export type Proof =
  /** A signed token, in compact form. */
  | { readonly kind: 'token'; readonly token: string }
  /** A web ticket, in hexadecimal, two digits per byte. */
  | { readonly kind: 'web-ticket'; readonly ticket: string };

/** An encrypted app ticket, in hexadecimal, and the nonce of this connection's challenge, 16 bytes in hexadecimal. It claims an identity without proving it. */
export interface AppTicketClaim {
  readonly kind: 'app-ticket';
  readonly ticket: string;
  readonly nonce: string;
}

/** The credential in a hello. Secret: it never appears in a log, event or error. */
export type Credential =
  | Proof
  | AppTicketClaim
  /** The proof decides; the app ticket must name the same player. */
  | { readonly kind: 'proof-and-app-ticket'; readonly proof: Proof; readonly appTicket: AppTicketClaim };

/** Permissions of a player. */
export interface Rights {
  readonly maySpeak: boolean;
  readonly mayListen: boolean;
  /** May mute, deafen, move, kick and ban in the lobby. */
  readonly moderator: boolean;
  /** Clients should lower everyone else while they speak. */
  readonly priority: boolean;
  /** The channels that they may enter without a moderator. */
  readonly channels: readonly string[] | 'any';
}

/** The credential is good: its bearer and their rights. */
export interface Admitted extends Rights {
  readonly kind: 'admitted';
  /** In decimal. Every voice packet of theirs must carry this SteamID. */
  readonly steamId: string;
  /** The only lobby it is good for; null when it is good for all. */
  readonly lobby: string | null;
  /** When it expires, in seconds of unix time; null when it does not. */
  readonly expiresAt: number | null;
  /** An id, such as a hash, for each credential that may be used once; empty when all may be reused. */
  readonly onceIds: readonly string[];
  /** The owner of the game, in decimal, when that is another account (family sharing); otherwise null. */
  readonly ownerSteamId: string | null;
}

/** The credential is refused. */
export interface Denied {
  readonly kind: 'denied';
  /** `admission-unavailable`: it could not be judged, and not because of the client. */
  readonly code: 'token-refused' | 'ticket-refused' | 'admission-unavailable';
  /** A word from a closed set, one set per judge. */
  readonly reason: string;
  /** What would be accepted. Never quotes the credential. */
  readonly wanted: string;
}

/** Who somebody is and what they may do, or why they are refused. */
export type CredentialVerdict = Admitted | Denied;

/** All rights of a player without restrictions. */
export const FULL_RIGHTS = {
  maySpeak: true,
  mayListen: true,
  moderator: false,
  priority: false,
  channels: 'any',
} as const satisfies Rights;

/** Only the rights. Everybody without restrictions shares one object. */
export function rightsOf({ maySpeak, mayListen, moderator, priority, channels }: Rights): Rights {
  const isFull = maySpeak && mayListen && !moderator && !priority && channels === 'any';
  return isFull ? FULL_RIGHTS : { maySpeak, mayListen, moderator, priority, channels };
}

/** Default tolerance between the clocks of the relay and of a token's signer, in seconds. */
export const TOKEN_CLOCK_TOLERANCE_S = 5;
