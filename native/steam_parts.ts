/** What a Steam is built from, and its report of itself. */

import type { Milliseconds } from '../voice/units.js';
import type { CaptureSteam } from './capture/capture.js';
import type { Microphone } from './capture/microphone.js';
import type { EmbeddedSteam } from './embedded/steam.js';
import type { AuthSessionResponse } from './enums.js';
import type { CallOptions } from './pending_calls.js';
import type { SteamFailure } from './real/failure.js';
import type { SteamUser } from './steam_user.js';

/** Which Steam was opened, and why. */
export interface SteamReport {
  readonly kind: 'real' | 'embedded';
  /** One line for a log. */
  readonly why: string;
  /** Why it is not the real one; null when it is, or when the real one was not tried. */
  readonly failure: SteamFailure | null;
  /** The file of libsteam_api; null for the embedded one. */
  readonly library: string | null;
  /** Such as `SteamUser023`; null for the embedded one. */
  readonly interfaceVersion: string | null;
}

export interface AuthenticateOptions extends CallOptions {
  /** Called once when Steam ends the session later: ticket cancelled, banned, logged in elsewhere. */
  readonly onEnded?: (response: AuthSessionResponse) => void;
}

/** What a Steam is built from. */
export interface SteamParts {
  readonly steam: SteamUser;
  readonly report: SteamReport;
  readonly capture: CaptureSteam;
  /** `steam` again, if it is an embedded one. */
  readonly embedded?: EmbeddedSteam;
  /** What `steam` and `capture` record from. Default a new one. */
  readonly microphone?: Microphone;
  readonly clock: () => Milliseconds;
  /** Called with the number of promises that wait for a callback, whenever it changes. */
  readonly onPending?: (pending: number) => void;
  readonly onClosed?: () => void;
}
