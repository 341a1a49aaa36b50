/** What participants may ask for once they are in, and what administrators may: done, or why not. */

import { type AdminCommand, type AdminFailure, type AdminResult, planOf } from './administration.js';
import type { ClientCommand } from './client_text.js';
import type { RelayLimits } from './limits.js';
import type { Lobbies } from './lobbies.js';
import type { Failure } from './lobby.js';
import { type House, moderate } from './moderation.js';
import type { Participant } from './participant.js';
import { BY_ADMIN } from './sanctions.js';
import type { Turn } from './turn.js';

/** What a participant asks for, and stays. */
export type ParticipantCommand = Exclude<ClientCommand, { type: 'leave' }>;

/**
 * Changes of a participant that everyone is told of, one by one: one in so many ms, and so many at once. A control message costs a
 * send to each of a lobby, so that their rate alone would let one person keep the relay busy.
 */
const CHANGE_MS = 250;
const CHANGES_AT_ONCE = 40;

const TOO_MANY: Failure = {
  code: 'too-many-changes',
  detail: `you change faster than everyone can be told, wants at most ${1000 / CHANGE_MS} a second, ${CHANGES_AT_ONCE} at once`,
};

/** Does what a participant asks; says why not where it is not done. */
export function obey(
  house: House,
  participant: Participant,
  message: ParticipantCommand,
  turn: Turn,
): Failure | null {
  const { lobby, rights } = participant;
  switch (message.type) {
    case 'rename':
      if (!affords(participant, 1, turn)) return TOO_MANY;
      lobby.rename(participant, message.name, turn);
      return null;
    case 'channels': {
      const closed = message.channels.find((name) => !mayEnter(participant, name));
      if (closed !== undefined) {
        return { code: 'channel-not-allowed', detail: `channel ${closed} is not open to you` };
      }
      if (!affords(participant, 1 + differences(participant, message.channels), turn)) return TOO_MANY;
      return lobby.enterChannels(participant, message.channels, turn);
    }
    case 'whisper':
      return lobby.whisper(participant, message.slots, turn);
    case 'moderate':
      if (rights.moderator) return moderate(house, lobby.name, message, participant.steamId, turn);
      return { code: 'not-moderator', detail: 'your credential does not make you a moderator' };
  }
}

/** Whether they may have so many changes now; then they are taken as made. */
function affords(participant: Participant, changes: number, { now }: Turn): boolean {
  const dueAt = Math.max(participant.changeDueAt, now) + changes * CHANGE_MS;
  if (dueAt - now > CHANGES_AT_ONCE * CHANGE_MS) return false;
  participant.changeDueAt = dueAt;
  return true;
}

/** Channels that they would enter and leave: each may come to be, or end. */
function differences({ channels }: Participant, names: readonly string[]): number {
  const kept = channels.filter(({ name }) => names.includes(name)).length;
  return names.length + channels.length - 2 * kept;
}

/** Where somebody was moved to, they may stay, whatever their credential opens. */
function mayEnter({ rights, channels }: Participant, name: string): boolean {
  if (rights.channels === 'any' || rights.channels.includes(name)) return true;
  return channels.some((channel) => channel.name === name);
}

/** Does what an administrator asks. @throws RangeError for a capacity or channels that are none. */
export function administer(
  house: House,
  lobbies: Lobbies,
  limits: RelayLimits,
  command: AdminCommand,
  turn: Turn,
): AdminResult {
  switch (command.kind) {
    case 'open-lobby': {
      const plan = planOf(command, limits);
      if (lobbies.get(command.lobby)) return failed('lobby-exists', 'a lobby of this name is there already');
      if (lobbies.isFull) return failed('relay-full', lobbies.fullDetail);
      lobbies.open(command.lobby, plan, turn);
      return { kind: 'done' };
    }
    case 'close-lobby': {
      const lobby = lobbies.get(command.lobby);
      if (!lobby) return failed('lobby-unknown', 'no lobby of this name is there');
      for (const participant of [...lobby.participants]) {
        house.dismiss(participant, 'lobby-ended', 'the operator closed the lobby', turn);
      }
      lobbies.endEmpty(lobby, 'by-admin', turn);
      return { kind: 'done' };
    }
    case 'moderate': {
      const failure = moderate(house, command.lobby, command.moderation, BY_ADMIN, turn);
      return failure ? failed(failure.code, failure.detail) : { kind: 'done' };
    }
  }
}

function failed(code: AdminFailure, detail: string): AdminResult {
  return { kind: 'failed', code, detail };
}
