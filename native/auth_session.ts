/**
 * Another player whom Steam has authenticated for us. It lasts until `end()`, `using`, or a later verdict that ends it: the
 * ticket was cancelled, a ban came.
 */

import type { AuthSessionResponse } from './enums.js';

/** What an AuthSession needs of its Steam. */
export interface AuthSessionSteam {
  endAuthSession(steamId: bigint): void;
  /** A UserHasLicenseForAppResult. */
  userHasLicenseForApp(steamId: bigint, appId: number): number;
}

/** A player who was authenticated, until the session ends. */
export class AuthSession implements Disposable {
  readonly steamId: bigint;
  /** Who owns the game: differs from `steamId` under family sharing. */
  readonly ownerId: bigint;
  readonly #steam: AuthSessionSteam;
  readonly #onOver: (session: AuthSession) => void;
  readonly #onEnded: ((response: AuthSessionResponse) => void) | undefined;
  #isOver = false;

  constructor(
    verdict: { readonly auth_id: bigint; readonly owner_id: bigint },
    steam: AuthSessionSteam,
    onOver: (session: AuthSession) => void,
    onEnded?: (response: AuthSessionResponse) => void,
  ) {
    this.steamId = verdict.auth_id;
    this.ownerId = verdict.owner_id;
    this.#steam = steam;
    this.#onOver = onOver;
    this.#onEnded = onEnded;
  }

  /** Whether it was ended, by `end()` or by a verdict of Steam's. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether the player owns this app or DLC. False once the session is over, when Steam no longer tells. */
  hasLicense(appId: number): boolean {
    return !this.#isOver && this.#steam.userHasLicenseForApp(this.steamId, appId) === 0;
  }

  /** Call it when the player is gone. A second call does nothing. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onOver(this);
    this.#steam.endAuthSession(this.steamId);
  }

  /** Ends the session: for `using`. */
  [Symbol.dispose](): void {
    this.end();
  }

  /** A later verdict of Steam's on this player. */
  judge(response: AuthSessionResponse): void {
    if (this.#isOver || response === 0) return;
    this.end();
    this.#onEnded?.(response);
  }
}

/** The sessions of one Steam that are not over. */
export class AuthSessions {
  readonly #steam: AuthSessionSteam;
  readonly #sessions = new Map<bigint, AuthSession>();

  constructor(steam: AuthSessionSteam) {
    this.#steam = steam;
  }

  /** A session by Steam's verdict on its ticket. */
  begin(
    verdict: { readonly auth_id: bigint; readonly owner_id: bigint },
    onEnded?: (response: AuthSessionResponse) => void,
  ): AuthSession {
    const over = (it: AuthSession) => {
      if (this.#sessions.get(it.steamId) === it) this.#sessions.delete(it.steamId);
    };
    const session = new AuthSession(verdict, this.#steam, over, onEnded);
    this.#sessions.set(session.steamId, session);
    return session;
  }

  of(steamId: bigint): AuthSession | undefined {
    return this.#sessions.get(steamId);
  }

  all(): readonly AuthSession[] {
    return [...this.#sessions.values()];
  }
}
