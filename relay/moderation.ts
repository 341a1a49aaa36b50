/**
 * What moderators and administrators do to somebody: mute, deafen, ban, kick, move, priority.
 *
 * Mutes, deafenings and bans are the sanctions' to remember; here they take hold of who is there. Whoever is not gets them when
 * they join.
 */

import type { RefusalCode } from '../voice/control_codes.js';
import type { Moderation } from './administration.js';
import type { Failure } from './lobby.js';
import type { Participant } from './participant.js';
import type { SanctionKind, Sanctions, Until } from './sanctions.js';
import type { Turn } from './turn.js';

/** For how long a mute or a deafening holds when nothing else is said: 30 days. Lobbies come and go, and nobody takes them back. */
export const DEFAULT_SANCTION_S = 30 * 86_400;

/** What moderation needs of the relay around it. */
export interface House {
  readonly sanctions: Sanctions;
  /** Who is there with this SteamID, in one lobby or, with null, in all of them. */
  found(lobby: string | null, steamId: string): readonly Participant[];
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
  const failure = carryOut(house, lobby, moderation, turn);
  if (failure) return failure;
  const { steamId, action } = moderation;
  turn.push({ kind: 'event', event: { kind: 'moderated', lobby, steamId, action, by } });
  return null;
}

function carryOut(house: House, lobby: string | null, moderation: Moderation, turn: Turn): Failure | null {
  const { steamId } = moderation;
  switch (moderation.action) {
    case 'mute':
      return sanction(house, lobby, steamId, 'muted', untilOf(moderation.seconds, turn), turn);
    case 'deafen':
      return sanction(house, lobby, steamId, 'deafened', untilOf(moderation.seconds, turn), turn);
    case 'ban': {
      const until = moderation.seconds === undefined ? 'always' : untilOf(moderation.seconds, turn);
      return sanction(house, lobby, steamId, 'banned', until, turn);
    }
    case 'unmute':
      return sanction(house, lobby, steamId, 'muted', 'not', turn);
    case 'undeafen':
      return sanction(house, lobby, steamId, 'deafened', 'not', turn);
    case 'unban':
      return sanction(house, lobby, steamId, 'banned', 'not', turn);
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

/** Takes out the sanctions that have ended, and lets go of whom they held. */
export function endSanctions(house: House, turn: Turn): void {
  for (const sanction of house.sanctions.expire(turn.unixSeconds)) {
    turn.push({ kind: 'keep', sanction });
    takeHold(house, sanction.lobby, sanction.steamId, turn);
  }
}

function sanction(
  house: House,
  lobby: string | null,
  steamId: string,
  kind: SanctionKind,
  until: Until,
  turn: Turn,
): Failure | null {
  const { sanctions } = house;
  const set = sanctions.set(lobby, steamId, kind, until);
  if (set === 'full') {
    return {
      code: 'sanctions-full',
      detail: `${sanctions.size} people are remembered, and no more can be for this lobby`,
    };
  }
  turn.push({ kind: 'keep', sanction: set });
  takeHold(house, lobby, steamId, turn);
  return null;
}

function takeHold(house: House, lobby: string | null, steamId: string, turn: Turn): void {
  for (const participant of house.found(lobby, steamId)) {
    const { lobby: where } = participant;
    const sanctioned = house.sanctions.of(where.name, steamId, turn.unixSeconds);
    if (sanctioned.banned) house.dismiss(participant, 'banned', 'a moderator banned you', turn);
    else where.sanction(participant, sanctioned, turn);
  }
}

/** Whole seconds of unix time are all that there is: it holds for so long, and for up to a second more, but never for less. */
function untilOf(seconds: number | undefined, { unixSeconds }: Turn): number {
  return unixSeconds + (seconds ?? DEFAULT_SANCTION_S) + 1;
}
