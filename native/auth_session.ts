/**
 * Another player whom Steam has authenticated for us. It lasts until `end()`, `using`, or a later verdict that ends it: the
 * ticket was cancelled, a ban came.
 */

import type { AuthSessionResponse } from './enums.js';

/** What an AuthSession asks of its Steam. */
export interface AuthSessionSteam {
  endAuthSession(steamId: bigint): void;
  /** A UserHasLicenseForAppResult. */
  userHasLicenseForApp(steamId: bigint, appId: number): number;
}

export class AuthSession implements Disposable {
  readonly steamId: bigint;
  /** Who owns the game: another than `steamId` under family sharing. */
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

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether the player owns this app or DLC. False once the session is over: Steam then does not say. */
  hasLicense(appId: number): boolean {
    return !this.#isOver && this.#steam.userHasLicenseForApp(this.steamId, appId) === 0;
  }

  /** No longer playing with them. A second time does nothing. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onOver(this);
    this.#steam.endAuthSession(this.steamId);
  }

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
