/** What a relay's options say about players: whether the relay may start, what judges their credentials, and the core's policy. */

import { HotmicError } from '../voice/error.js';
import { admitStart, type StartRequest } from './admission/admission.js';
import { AppTickets } from './admission/app_tickets.js';
import { CredentialJudge } from './admission/judges.js';
import { SteamWebTickets } from './admission/steam_web/tickets.js';
import { readModerators } from './admission/ticket_grant.js';
import { TokenVerifier } from './admission/tokens.js';
import type { RelayPolicy } from './core/joining/hello.js';
import { RELAY_OPTIONS as DEFAULTS, type RelayOptions } from './options.js';

/** Whether app tickets admit players alone, although any player can forge them. */
export function areAppTicketsTrusted({ appTickets }: RelayOptions): boolean {
  return appTickets?.alone === 'trust-forgeable';
}

/** @throws HotmicError ERR_HOTMIC_ADMISSION when nobody could join, or anybody on the network could without proof. */
export function checkAdmission(options: RelayOptions, host: string): void {
  const admission = admitStart({ dev: options.dev === true, judges: judgesOf(options), host });
  if (admission.kind === 'admitted') return;
  throw new HotmicError('ERR_HOTMIC_ADMISSION', `Cannot start the relay: ${admission.detail}`);
}

/** The judge of all credentials, and within it what asks Steam; null without web tickets. */
export interface OpenedJudge {
  readonly judge: CredentialJudge;
  readonly webTickets: SteamWebTickets | null;
}

/** @throws HotmicError ERR_HOTMIC_ADMISSION for unusable keys; RangeError for an option out of range. */
export async function openJudge(options: RelayOptions): Promise<OpenedJudge> {
  const { tokens, appTickets, moderators = [] } = options;
  const webTickets = options.webTickets ? new SteamWebTickets(options.webTickets) : null;
  const judge = new CredentialJudge({
    tokens: tokens
      ? await TokenVerifier.create({
          keys: tokens.keys,
          audience: tokens.audience ?? DEFAULTS.tokens.members.audience.default,
          clockToleranceS: clockToleranceOf(options),
        })
      : null,
    webTickets,
    appTickets: appTickets ? new AppTickets(appTickets) : null,
    development: options.dev === true,
    moderators: readModerators(moderators),
  });
  return { judge, webTickets };
}

export function policyOf(options: RelayOptions): RelayPolicy {
  const { dev = false, appTickets, guests = DEFAULTS.guests.default } = options;
  const canPlayersJoin = areCredentialsJudged(options) || dev;
  return {
    unproven: dev ? 'admit' : 'refuse',
    guests,
    guestsTake: canPlayersJoin ? 'a-share' : 'everything',
    appTickets: dev || appTickets ? 'judged' : 'nobody',
    secondJoin: options.secondJoin ?? DEFAULTS.secondJoin.default,
    lobbies: options.lobbies ?? DEFAULTS.lobbies.default,
    atExpiry: options.atExpiry ?? DEFAULTS.atExpiry.default,
    clockToleranceS: clockToleranceOf(options),
  };
}

function judgesOf(options: RelayOptions): StartRequest['judges'] {
  const { guests = DEFAULTS.guests.default, appTickets } = options;
  if (areCredentialsJudged(options) || guests !== 'refuse') return 'some';
  return appTickets ? 'unproven-only' : 'none';
}

/** Whether a player with a credential can join. */
function areCredentialsJudged(options: RelayOptions): boolean {
  const { tokens, webTickets } = options;
  return Boolean(tokens || webTickets) || areAppTicketsTrusted(options);
}

function clockToleranceOf({ tokens }: RelayOptions): number {
  return tokens?.clockToleranceS ?? DEFAULTS.tokens.members.clockToleranceS.default;
}
