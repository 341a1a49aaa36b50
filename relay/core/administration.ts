/** What an administrator can ask of the relay, and what it shows them. Plain data. */

import type { HearingUpdate, ModerateMessage } from '../../voice/control.js';
import type { FailureCode } from '../../voice/control_codes.js';
import { RELAY_LIMITS, type RelayLimits } from './limits.js';
import type { Lobby, LobbyPlan } from './lobby/lobby.js';
import type { Channel, Member } from './lobby/member.js';
import { stateOf } from './lobby/member_info.js';

/** One thing to do to somebody, as in a moderator's message. */
export type Moderation = ModerateMessage extends infer Message
  ? Message extends { type: 'moderate' }
    ? Omit<Message, 'type'>
    : never
  : never;

/** What an administrator may ask of the relay. */
export type AdminCommand =
  /** Makes a lobby that is kept while it is empty: a LobbyPlan, by default with the relay's limits. */
  | {
      readonly kind: 'open-lobby';
      readonly lobby: string;
      /** 1 to 500. */
      readonly capacity?: number;
      /** 0 to 15000. */
      readonly unlisted?: number;
      readonly channels?: readonly string[];
    }
  /** Kicks everybody, and ends the lobby. */
  | { readonly kind: 'close-lobby'; readonly lobby: string }
  /** Whom listeners of this lobby hear from now on, all of them or none. */
  | { readonly kind: 'hear'; readonly lobby: string; readonly sets: readonly HearingUpdate[] }
  /** As a moderator of this lobby, which need not exist; null for all lobbies. */
  | { readonly kind: 'moderate'; readonly lobby: string | null; readonly moderation: Moderation };

/** Why an administrator's command was not carried out. */
export type AdminFailure = FailureCode | 'lobby-unknown' | 'lobby-exists' | 'relay-full';

/** What became of a command. */
export type AdminResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly code: AdminFailure; readonly detail: string };

/** A lobby in a list. */
export interface LobbySummary {
  readonly name: string;
  readonly participants: number;
  /** Listeners among them who are counted and not listed. */
  readonly unlisted: number;
  readonly capacity: number;
  /** Whether an administrator made it. */
  readonly kept: boolean;
}

/** A member as an administrator sees them. */
export type MemberState = ReturnType<typeof stateOf> & {
  /** The target that they speak to; null while they are silent. */
  readonly speakingTo: number | null;
  /** The slots that they whisper to. */
  readonly whisperTo: readonly number[];
  /** They are behind, and get no voice until they have read what was sent. */
  readonly parked: boolean;
};

/** A lobby with its channels and members. */
export interface LobbyState extends LobbySummary {
  readonly channels: readonly Pick<Channel, 'number' | 'name'>[];
  /** Those who are listed. */
  readonly members: readonly MemberState[];
}

/** A lobby as the list of lobbies shows it. */
export function summaryOf({ name, size, unlisted, capacity, plan }: Lobby): LobbySummary {
  return { name, participants: size, unlisted, capacity, kept: plan !== null };
}

/** A lobby with its channels and the people whom it lists. */
export function lobbyState(lobby: Lobby): LobbyState {
  const channels = [...lobby.channels].map(({ number, name }) => ({ number, name }));
  return { ...summaryOf(lobby), channels, members: [...lobby.shown].map(memberOf) };
}

/** The listeners of a lobby who are not listed. */
export function unlistedOf(lobby: Lobby): readonly MemberState[] {
  const unlisted: MemberState[] = [];
  for (const member of lobby.participants) if (member.listing === 'unlisted') unlisted.push(memberOf(member));
  return unlisted;
}

function memberOf(member: Member): MemberState {
  const { speech, whisper, presence } = member;
  return {
    ...stateOf(member),
    speakingTo: speech.target,
    whisperTo: whisper.to.map(({ slot }) => slot),
    parked: presence.kind === 'here' && presence.reading?.isParked === true,
  };
}

/** The plan of an `open-lobby`. @throws RangeError. */
export function planOf(
  { lobby, capacity, unlisted, channels = [] }: Extract<AdminCommand, { kind: 'open-lobby' }>,
  limits: Pick<RelayLimits, 'participantsPerLobby' | 'unlistedPerLobby' | 'channelsPerLobby'>,
): LobbyPlan {
  const plan = {
    capacity: capacity ?? limits.participantsPerLobby,
    unlisted: unlisted ?? limits.unlistedPerLobby,
    channels: [...new Set(channels)],
  };
  const { participantsPerLobby: places, unlistedPerLobby: beyond } = RELAY_LIMITS;
  for (const [name, value, { min, max }] of [
    ['capacity', plan.capacity, places],
    ['unlisted', plan.unlisted, beyond],
  ] as const) {
    if (Number.isInteger(value) && value >= min && value <= max) continue;
    throw new RangeError(`Cannot open lobby ${lobby}: ${name} is ${value}, expected ${min} to ${max}`);
  }
  if (plan.channels.length > limits.channelsPerLobby) {
    const expected = `expected at most ${limits.channelsPerLobby}`;
    throw new RangeError(`Cannot open lobby ${lobby}: ${plan.channels.length} channels, ${expected}`);
  }
  return plan;
}
