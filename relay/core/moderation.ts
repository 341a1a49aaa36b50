/**
 * What moderators and administrators do to somebody: mute, deafen, ban, kick, move, priority.
 *
 * Mutes, deafenings and bans are kept by sanctions.ts. Here they are applied to the participants who are there, including those who
 * play a game that the sanctioned person owns. To everyone else they apply when they join.
 */

import type { Moderation } from './administration.js';
import type { Departures } from './departures.js';
import type { Lobbies } from './lobby/lobbies.js';
import type { Participant } from './lobby/lobby.js';
import type { Failure } from './refusal.js';
import { BY_ADMIN, type SanctionKind, type Sanctions, type Until } from './sanctions.js';
import type { Turn } from './turn.js';

/**
 * How long a sanction lasts by default, in seconds: 30 days, because lobbies come and go and nobody takes their sanctions back. A ban
 * by an administrator lasts for good by default.
 */
export const DEFAULT_SANCTION_S = 30 * 86_400;

/** What moderation needs of the relay around it. */
export interface ModerationContext {
  readonly sanctions: Sanctions;
  readonly lobbies: Lobbies;
  readonly departures: Departures;
}

/**
 * Does one thing to one person, in one lobby or, with null, in all of them.
 *
 * @param by A moderator's SteamID in decimal, or `admin`.
 */
export function moderate(
  context: ModerationContext,
  lobby: string | null,
  moderation: Moderation,
  by: string,
  turn: Turn,
): Failure | null {
  const failure = carryOut(context, lobby, moderation, by, turn);
  if (failure) return failure;
  const { steamId, action } = moderation;
  turn.push({ kind: 'event', event: { kind: 'moderated', lobby, steamId, action, by } });
  return null;
}

function carryOut(
  context: ModerationContext,
  lobby: string | null,
  moderation: Moderation,
  by: string,
  turn: Turn,
): Failure | null {
  const { steamId } = moderation;
  const set = (kind: SanctionKind, until: Until) =>
    sanction(context, { lobby, steamId, kind, until, by }, turn);
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
  const found = context.lobbies.found(lobby, steamId);
  if (found.length === 0) {
    return { code: 'participant-unknown', detail: `nobody in the lobby has SteamID ${steamId}` };
  }
  for (const participant of found) {
    const { lobby: where } = participant;
    switch (moderation.action) {
      case 'kick':
        context.departures.dismiss(participant, 'kicked', 'a moderator kicked you', turn);
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

/** Lifts sanctions that have ended; applies those again that hold again because the clock went back. */
export function endSanctions(context: ModerationContext, turn: Turn): void {
  const { changed, keep } = context.sanctions.expire(turn.steadySeconds, turn.now);
  for (const sanction of keep) turn.push({ kind: 'keep', sanction });
  if (changed === 'everybody') {
    for (const participant of context.lobbies.everyone(null)) apply(context, participant, turn);
  } else if (changed.size > 0) {
    applyTo(context, null, changed, turn);
  }
}

function sanction(
  context: ModerationContext,
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
  const set = context.sanctions.set(lobby, steamId, kind, until, by);
  if (set.kind === 'full') return { code: 'sanctions-full', detail: set.detail };
  for (const record of set.keep) turn.push({ kind: 'keep', sanction: record });
  applyTo(context, lobby, new Set([steamId]), turn);
  return null;
}

/** To these people, and to those who play their games. */
function applyTo(
  context: ModerationContext,
  lobby: string | null,
  steamIds: ReadonlySet<string>,
  turn: Turn,
): void {
  for (const participant of context.lobbies.everyone(lobby)) {
    const { steamId, ownerSteamId } = participant;
    const isMeant = steamIds.has(steamId) || (ownerSteamId !== null && steamIds.has(ownerSteamId));
    if (isMeant) apply(context, participant, turn);
  }
}

function apply(context: ModerationContext, participant: Participant, turn: Turn): void {
  const { lobby } = participant;
  const sanctioned = context.sanctions.ofPlayer(lobby.name, participant, turn.steadySeconds);
  if (sanctioned.banned) context.departures.dismiss(participant, 'banned', 'a moderator banned you', turn);
  else lobby.sanction(participant, sanctioned, turn);
}

/** Unix time is in whole seconds: the sanction lasts up to a second longer, and never ends early. */
function untilOf(seconds: number | undefined, { steadySeconds }: Turn): number {
  return steadySeconds + (seconds ?? DEFAULT_SANCTION_S) + 1;
}
