/**
 * What the embedded Steam knows about its player, and the licences that were set.
 */

import type { SteamAccount } from '../steam_controls.js';
import { checkBoolean } from '../user_arguments.js';

const DEFAULT_ACCOUNT: SteamAccount = {
  steamLevel: 1,
  badges: [],
  phoneVerified: false,
  phoneIdentifying: false,
  phoneRequiringVerification: false,
  twoFactorEnabled: false,
  behindNat: false,
  market: {
    is_allowed: true,
    disallow_reason: 0,
    allowed_at_time: 0,
    steam_guard_required_days: 15,
    new_device_cooldown: 7,
  },
  duration: {
    applicable: false,
    seconds_last_5hrs: 0,
    progress: 0,
    notification: 0,
    seconds_today: 0,
    seconds_remaining: 0,
  },
};

/** The most licences that can be set. */
const MAX_LICENSES = 4096;

const FLAGS = [
  'phoneVerified',
  'phoneIdentifying',
  'phoneRequiringVerification',
  'twoFactorEnabled',
  'behindNat',
] as const;

function checked(account: SteamAccount): SteamAccount {
  const action = 'set the account';
  for (const name of FLAGS) checkBoolean(action, name, account[name]);
  for (const { foil } of account.badges) checkBoolean(action, 'foil', foil);
  checkBoolean(action, 'is_allowed', account.market.is_allowed);
  checkBoolean(action, 'applicable', account.duration.applicable);
  return account;
}

export class EmbeddedAccount {
  readonly #appId: number;
  readonly #licenses = new Map<string, 'owned' | 'not-owned'>();
  #account: SteamAccount;

  constructor(appId: number, account: Partial<SteamAccount>) {
    this.#appId = appId;
    this.#account = checked({ ...DEFAULT_ACCOUNT, ...account });
  }

  get account(): SteamAccount {
    return this.#account;
  }

  /** @throws TypeError for a flag that is not a boolean. */
  change(change: Partial<SteamAccount>): void {
    this.#account = checked({ ...this.#account, ...change });
  }

  /** 0 for a badge that the player does not have. */
  badgeLevel(wanted: { readonly series: number; readonly foil: boolean }): number {
    const badge = this.#account.badges.find(
      ({ series, foil }) => series === wanted.series && foil === wanted.foil,
    );
    return badge?.level ?? 0;
  }

  /** @throws RangeError beyond 4096 of them. */
  setLicense(steamId: bigint, appId: number, owned: 'owned' | 'not-owned'): void {
    const key = `${steamId}/${appId}`;
    if (this.#licenses.size >= MAX_LICENSES && !this.#licenses.has(key)) {
      throw new RangeError(`Cannot set licence: ${MAX_LICENSES} are set already, the most there can be`);
    }
    this.#licenses.set(key, owned);
  }

  /** Whether an authenticated player has the licence: as set, or by default only for the game. */
  owns(steamId: bigint, appId: number): boolean {
    const set = this.#licenses.get(`${steamId}/${appId}`);
    return set === undefined ? appId === this.#appId : set === 'owned';
  }
}
