/**
 * The test controls of a Steam without a Steam client: for everything that the real one does only when something happens outside.
 *
 * The embedded Steam and the tests' stand-ins for Steam's libraries have them. Their effect shows at the next runCallbacks.
 */

import type { AuthSessionResponse, BeginAuthSessionResult } from './enums.js';
import type { Result } from './result.js';
import type { DurationControl, SignalName, Signals } from './signals.js';

/** What Steam knows about the player. */
export interface SteamAccount {
  /** Default 1. */
  readonly steamLevel: number;
  /** Badges of the game; `level` is 1 to 5, or 1 for a foil badge. Default none. */
  readonly badges: readonly { readonly series: number; readonly foil: boolean; readonly level: number }[];
  /** The four flags default to false. */
  readonly phoneVerified: boolean;
  readonly phoneIdentifying: boolean;
  readonly phoneRequiringVerification: boolean;
  readonly twoFactorEnabled: boolean;
  /** Default false. */
  readonly behindNat: boolean;
  /** Default: allowed, no reason, 0, 15 days, 7 days. */
  readonly market: Signals['market_eligibility_response'];
  /** Default: not applicable, all else 0. */
  readonly duration: Omit<DurationControl, 'notification_verbal' | 'app_id'>;
}

/** The answer to the next call of its kind, instead of the usual one. At most one of each kind waits. */
export type NextAnswer =
  /** beginAuthSession returns this. */
  | { readonly kind: 'begin-auth-session'; readonly result: BeginAuthSessionResult }
  /** The verdict on the next ticket that beginAuthSession accepts, in validate_auth_ticket_response. */
  | { readonly kind: 'validation'; readonly response: AuthSessionResponse; readonly ownerId?: bigint }
  /** get_auth_session_ticket_response or get_ticket_for_web_api brings this, whichever is requested next. */
  | { readonly kind: 'auth-ticket'; readonly result: Result }
  /** encrypted_app_ticket_response brings this. */
  | { readonly kind: 'encrypted-ticket'; readonly result: Result }
  /** The next call result never comes: Steam reports an IO failure. */
  | { readonly kind: 'call-failure' };

/** The signals that come without a call. */
export type BroadcastName = Exclude<
  SignalName,
  'encrypted_app_ticket_response' | 'market_eligibility_response' | 'store_auth_url_response'
>;

/** Causes in an embedded Steam what otherwise only happens from outside. */
export interface SteamControls {
  /** Changes what Steam says about the player's account; what is not named stays. */
  setAccount(change: Partial<SteamAccount>): void;
  /**
   * Gives or takes a licence, and sends licenses_updated when it is the player's own. For others it counts once they were
   * authenticated with beginAuthSession. By default, an authenticated player has the licence of the game and no other.
   *
   * @param steamId Default: the player's.
   */
  setLicense(appId: number, owned: 'owned' | 'not-owned', steamId?: bigint): void;
  /** The connection to Steam's servers breaks: loggedOn is false, and steam_server_disconnected comes. */
  loseConnection(result: Result): void;
  /** The connection is back: steam_server_connected comes. */
  restoreConnection(): void;
  /** The next call of this kind gets this answer. */
  answerNext(answer: NextAnswer): void;
  /** Sends a signal unchanged, with no other effect. */
  emit<Name extends BroadcastName>(signal: Name, keys: Signals[Name]): void;
}
