/**
 * What moderators and administrators do to somebody: mute, deafen, ban, kick, move, priority.
 *
 * Mutes, deafenings and bans are the sanctions' to remember; here they take hold of who is there, and of who plays a game that the
 * person owns. Whoever is not there gets them when they join.
 */

import type { RefusalCode } from '../../voice/control_codes.js';
import type { Moderation } from './administration.js';
import type { Failure } from './lobby.js';
import type { Participant } from './participant.js';
import { BY_ADMIN, type SanctionKind, type Sanctions, type Until } from './sanctions.js';
import type { Turn } from './turn.js';

/**
 * For how long a sanction holds when nothing else is said: 30 days. Lobbies come and go, and nobody takes them back. A ban by an
 * administrator has no end then.
 */
export const DEFAULT_SANCTION_S = 30 * 86_400;

/** What moderation needs of the relay around it. */
export interface House {
  readonly sanctions: Sanctions;
  /** Who is there with this SteamID, in one lobby or, with null, in all of them. */
  found(lobby: string | null, steamId: string): readonly Participant[];
  /** Who is in one lobby or, with null, in all of them. A copy. */
  everyone(lobby: string | null): readonly Participant[];
  /** Somebody goes for good, and is told why. */
  dismiss(participant: Participant, code: RefusalCode, detail: string, turn: Turn): void;
}

/**
 * Does one thing to one person, in one lobby or, with null, in all of them.
 *
 * @param by A moderator's SteamID in decimal, or `admin`.
 */
export function moderate(
  house: House,
  lobby: string | null,
  moderation: Moderation,
  by: string,
  turn: Turn,
): Failure | null {
  const failure = carryOut(house, lobby, moderation, by, turn);
  if (failure) return failure;
  const { steamId, action } = moderation;
  turn.push({ kind: 'event', event: { kind: 'moderated', lobby, steamId, action, by } });
  return null;
}

function carryOut(
  house: House,
  lobby: string | null,
  moderation: Moderation,
  by: string,
  turn: Turn,
): Failure | null {
  const { steamId } = moderation;
  const set = (kind: SanctionKind, until: Until) =>
    sanction(house, { lobby, steamId, kind, until, by }, turn);
  switch (moderation.action) {
    case 'mute':
      return set('muted', untilOf(moderation.seconds, turn));
    case 'deafen':
      return set('deafened', untilOf(moderation.seconds, turn));
    case 'ban': {
      const isForGood = moderation.seconds === undefined && by === BY_ADMIN;
      const until = isForGood ? 'always' : untilOf(moderation.seconds, turn);
      return set('banned', until);
    }
    case 'unmute':
      return set('muted', 'not');
    case 'undeafen':
      return set('deafened', 'not');
    case 'unban':
      return set('banned', 'not');
    default:
  }
  const found = house.found(lobby, steamId);
  if (found.length === 0) {
    return { code: 'participant-unknown', detail: `nobody there has SteamID ${steamId}` };
  }
  for (const participant of found) {
    const { lobby: where } = participant;
    switch (moderation.action) {
      case 'kick':
        house.dismiss(participant, 'kicked', 'a moderator closed you out', turn);
        break;
      case 'prioritize':
        where.setPriority(participant, 'priority', turn);
        break;
      case 'unprioritize':
        where.setPriority(participant, 'none', turn);
        break;
      case 'move': {
        const failure = where.enterChannels(participant, moderation.channels, turn);
        if (failure) return failure;
        break;
      }
    }
  }
  return null;
}

/** What has ended lets go of whom it held; what holds again, because the clock went back, takes hold. */
export function endSanctions(house: House, turn: Turn): void {
  const { changed, keep } = house.sanctions.expire(turn.steadySeconds, turn.now);
  for (const sanction of keep) turn.push({ kind: 'keep', sanction });
  if (changed === 'everybody') {
    for (const participant of house.everyone(null)) takeHold(house, participant, turn);
  } else if (changed.size > 0) {
    takeHoldOf(house, null, changed, turn);
  }
}

function sanction(
  house: House,
  {
    lobby,
    steamId,
    kind,
    until,
    by,
  }: {
    readonly lobby: string | null;
    readonly steamId: string;
    readonly kind: SanctionKind;
    readonly until: Until;
    readonly by: string;
  },
  turn: Turn,
): Failure | null {
  const set = house.sanctions.set(lobby, steamId, kind, until, by);
  if (set.kind === 'full') return { code: 'sanctions-full', detail: set.detail };
  for (const record of set.keep) turn.push({ kind: 'keep', sanction: record });
  takeHoldOf(house, lobby, new Set([steamId]), turn);
  return null;
}

/** Of these people, and of those who play their games. */
function takeHoldOf(house: House, lobby: string | null, steamIds: ReadonlySet<string>, turn: Turn): void {
  for (const participant of house.everyone(lobby)) {
    const { steamId, ownerSteamId } = participant;
    const isMeant = steamIds.has(steamId) || (ownerSteamId !== null && steamIds.has(ownerSteamId));
    if (isMeant) takeHold(house, participant, turn);
  }
}

function takeHold(house: House, participant: Participant, turn: Turn): void {
  const { lobby } = participant;
  const sanctioned = house.sanctions.ofPlayer(lobby.name, participant, turn.steadySeconds);
  if (sanctioned.banned) house.dismiss(participant, 'banned', 'a moderator banned you', turn);
  else lobby.sanction(participant, sanctioned, turn);
}

/** Whole seconds of unix time are all that there is: it holds for so long, and for up to a second more, but never for less. */
function untilOf(seconds: number | undefined, { steadySeconds }: Turn): number {
  return steadySeconds + (seconds ?? DEFAULT_SANCTION_S) + 1;
}
