/** The real Steam, over the addon. */

import type { SteamFailure } from './steam_failure.js';
import type { SteamUser } from './steam_user.js';

export interface RealSteamOptions {
  readonly library?: string;
  readonly appId?: number;
}
export function openRealSteam(
  _options: RealSteamOptions,
):
  | ({ readonly kind: 'failed' } & SteamFailure)
  | { readonly kind: 'open'; readonly steam: SteamUser; readonly library: string; readonly interfaceVersion: string } {
  return { kind: 'failed', stage: 'addon', code: null, text: 'not built', library: null };
}
