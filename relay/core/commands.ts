/** Carries out what participants ask for once they have joined, and what administrators ask for, or returns why not. */

import { type AdminCommand, type AdminFailure, type AdminResult, planOf } from './administration.js';
import type { ClientCommand } from './client_text.js';
import type { RelayLimits } from './limits.js';
import type { Participant } from './lobby/lobby.js';
import { CHANGES_AT_ONCE, CHANGES_PER_SECOND } from './lobby/member.js';
import { type ModerationContext, moderate } from './moderation.js';
import type { Failure } from './refusal.js';
import { BY_ADMIN } from './sanctions.js';
import type { Turn } from './turn.js';

/** What a participant asks for while they stay. */
export type ParticipantCommand = Exclude<ClientCommand, { type: 'leave' | 'ping' }>;

const TOO_MANY: Failure = {
  code: 'too-many-changes',
  detail: `too many changes, expected at most ${CHANGES_PER_SECOND} per second, ${CHANGES_AT_ONCE} at once`,
};

const NOT_MODERATOR: Failure = {
  code: 'not-moderator',
  detail: 'your credential does not make you a moderator',
};

/** Does what a participant asks; null when it is done. */
export function obey(
  context: ModerationContext,
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
        return { code: 'channel-not-allowed', detail: `your credential does not allow channel ${closed}` };
      }
      // Everyone hears of a new channel: thousands of unlisted listeners must not be able to make them again and again.
      const missing = participant.listing === 'unlisted' && lobby.firstWithout(message.channels);
      if (typeof missing === 'string') {
        const detail = `there is no channel ${missing}, and a listener who is not listed cannot make one`;
        return { code: 'channel-not-allowed', detail };
      }
      if (!affords(participant, 1 + differences(participant, message.channels), turn)) return TOO_MANY;
      return lobby.enterChannels(participant, message.channels, turn);
    }
    case 'whisper':
      // The list of somebody who may not speak would change nothing, and cost all whom it names.
      return rights.maySpeak ? lobby.whisper(participant, message.slots, turn) : null;
    case 'recording':
      if (!affords(participant, 1, turn)) return TOO_MANY;
      return lobby.setRecording(participant, message.recording ? 'recording' : 'not', turn);
    case 'hearing':
      if (rights.moderator) return lobby.updateHearing(message.sets, turn);
      return NOT_MODERATOR;
    case 'moderate':
      if (rights.moderator) return moderate(context, lobby.name, message, participant.steamId, turn);
      return NOT_MODERATOR;
  }
}

/** Whether they may make this many changes now; if so, they are charged. */
function affords({ changes }: Participant, count: number, { now }: Turn): boolean {
  if (!changes.has(count, now)) return false;
  changes.take(count);
  return true;
}

/** How many channels they would enter and leave: each of those may be made, or end. */
function differences({ channels }: Participant, names: readonly string[]): number {
  const kept = channels.filter(({ name }) => names.includes(name)).length;
  return names.length + channels.length - 2 * kept;
}

/** They may stay in a channel that they were moved to, whatever their credential allows. */
function mayEnter({ rights, channels }: Participant, name: string): boolean {
  if (rights.channels === 'any' || rights.channels.includes(name)) return true;
  return channels.some((channel) => channel.name === name);
}

/** Does what an administrator asks. @throws RangeError for an invalid capacity or too many channels. */
export function administer(
  context: ModerationContext,
  limits: RelayLimits,
  command: AdminCommand,
  turn: Turn,
): AdminResult {
  const { lobbies, departures } = context;
  switch (command.kind) {
    case 'open-lobby': {
      const plan = planOf(command, limits);
      if (lobbies.get(command.lobby)) return failed('lobby-exists', 'a lobby with this name exists already');
      if (lobbies.isFull) return failed('relay-full', lobbies.fullDetail);
      lobbies.open(command.lobby, plan, turn);
      return { kind: 'done' };
    }
    case 'close-lobby': {
      const lobby = lobbies.get(command.lobby);
      if (!lobby) return failed('lobby-unknown', 'there is no lobby with this name');
      for (const participant of [...lobby.participants]) {
        departures.dismiss(participant, 'lobby-ended', 'the operator closed the lobby', turn);
      }
      lobbies.endEmpty(lobby, 'by-admin', turn);
      return { kind: 'done' };
    }
    case 'hear': {
      const lobby = lobbies.get(command.lobby);
      if (!lobby) return failed('lobby-unknown', 'there is no lobby with this name');
      const failure = lobby.updateHearing(command.sets, turn);
      return failure ? failed(failure.code, failure.detail) : { kind: 'done' };
    }
    case 'moderate': {
      const failure = moderate(context, command.lobby, command.moderation, BY_ADMIN, turn);
      return failure ? failed(failure.code, failure.detail) : { kind: 'done' };
    }
  }
}

function failed(code: AdminFailure, detail: string): AdminResult {
  return { kind: 'failed', code, detail };
}
