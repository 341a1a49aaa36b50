/**
 * What we know of a lobby: ourselves, the others, the channels. Messages of the relay go in, the changes come out. Pure.
 *
 * A welcome is the whole state. One that comes after a connection broke gives the difference to what was known before, so that who follows
 * the changes is right either way. Bounds: `MAX_PARTICIPANTS` people, 127 channels, 16 channels of each person.
 */

import {
  MAX_PARTICIPANTS,
  type ParticipantInfo,
  type ParticipantState,
  type RelayMessage,
} from '../voice/control.js';
import { Target } from '../voice/wire.js';
import type { VoiceTarget } from './voice_target.js';

/** Somebody in the lobby, as everybody sees them. */
export interface Member {
  /** Their number in the lobby, in voice frames. */
  readonly slot: number;
  readonly steamId: bigint;
  readonly name: string;
  /** Names of the channels that they are in. */
  readonly channels: readonly string[];
  /** By a moderator: nobody hears them. */
  readonly muted: boolean;
  /** By a moderator: they hear nobody. */
  readonly deafened: boolean;
  /** Their connection broke, and they may be back. */
  readonly away: boolean;
  /** While they speak, the others are to be lowered: see `Mixer`. */
  readonly priority: boolean;
  readonly moderator: boolean;
  /** They came without Steam; the relay made up their SteamID. */
  readonly guest: boolean;
  /** Their credential does not let them speak. */
  readonly spectator: boolean;
}

/** Someone else in the lobby. */
export interface Participant extends Member {
  /** They speak to us now: to the lobby, to a channel that we are in, or in a whisper. */
  readonly speaking: boolean;
}

/** What changed, and what it is now. */
export type LobbyChange =
  | { readonly kind: 'joined'; readonly participant: Participant }
  | { readonly kind: 'left'; readonly participant: Participant }
  | { readonly kind: 'speaking'; readonly participant: Participant }
  /** Anything else about somebody. */
  | { readonly kind: 'changed'; readonly participant: Participant; readonly before: Participant }
  | { readonly kind: 'you-changed'; readonly you: Member; readonly before: Member }
  /** All that there are now. */
  | { readonly kind: 'channels'; readonly channels: readonly string[] };

type Welcome = Extract<RelayMessage, { type: 'welcome' }>;
type Change = Extract<
  RelayMessage,
  { type: 'joined' | 'left' | 'changed' | 'speaking' | 'channel' | 'channel-ended' }
>;

export class LobbyState {
  #you: Member;
  #participants: Map<number, Participant>;
  #channels: Map<number, { readonly channel: string }>;
  /** People of whom the relay told beyond `MAX_PARTICIPANTS`: they are not in the lobby, as far as we know. */
  refusedParticipants = 0;

  constructor(welcome: Welcome) {
    this.#channels = channelsOf(welcome);
    this.#you = this.#member(welcome.you);
    this.#participants = this.#participantsOf(welcome);
  }

  get you(): Member {
    return this.#you;
  }

  /** Everyone else. */
  get participants(): readonly Participant[] {
    return [...this.#participants.values()];
  }

  /** Names of all channels. */
  get channels(): readonly string[] {
    return [...this.#channels.values()].map(({ channel }) => channel);
  }

  participant(slot: number): Participant | undefined {
    return this.#participants.get(slot);
  }

  /** What a target of a voice frame means; null for a channel that is not there. Real-time: allocates nothing. */
  targetOf(number: number): VoiceTarget | null {
    if (number === Target.lobby) return 'lobby';
    if (number === Target.whisper) return 'whisper';
    return this.#channels.get(number) ?? null;
  }

  /** The number of a target on the wire; null for a channel that we are not in. */
  numberOf(target: VoiceTarget): number | null {
    if (target === 'lobby') return Target.lobby;
    if (target === 'whisper') return Target.whisper;
    if (!this.#you.channels.includes(target.channel)) return null;
    for (const [number, { channel }] of this.#channels) if (channel === target.channel) return number;
    return null;
  }

  /** The state is now the welcome's: who is not in it left, and so on. */
  replace(welcome: Welcome): LobbyChange[] {
    const changes: LobbyChange[] = [];
    const channelsBefore = this.channels;
    const before = this.#participants;
    const youBefore = this.#you;
    this.#channels = channelsOf(welcome);
    this.#participants = this.#participantsOf(welcome);
    this.#you = this.#member(welcome.you);
    if (!isSame(channelsBefore, this.channels)) changes.push({ kind: 'channels', channels: this.channels });
    for (const participant of before.values()) {
      const now = this.#participants.get(participant.slot);
      if (now?.steamId !== participant.steamId) changes.push({ kind: 'left', participant });
    }
    for (const participant of this.#participants.values()) {
      const known = before.get(participant.slot);
      if (known?.steamId !== participant.steamId) {
        changes.push({ kind: 'joined', participant });
        continue;
      }
      if (!isSame(withoutSpeaking(known), withoutSpeaking(participant))) {
        changes.push({ kind: 'changed', participant, before: known });
      }
      if (known.speaking !== participant.speaking) changes.push({ kind: 'speaking', participant });
    }
    if (!isSame(youBefore, this.#you))
      changes.push({ kind: 'you-changed', you: this.#you, before: youBefore });
    return changes;
  }

  /** Nobody speaks, as far as we can hear. */
  hush(): LobbyChange[] {
    const changes: LobbyChange[] = [];
    for (const known of this.#participants.values()) {
      if (known.speaking) changes.push(this.#speaking(known, 'silent'));
    }
    return changes;
  }

  apply(message: Change): LobbyChange[] {
    switch (message.type) {
      case 'joined': {
        const participant = { ...this.#member(message.participant), speaking: false };
        if (this.#participants.size >= MAX_PARTICIPANTS && !this.#participants.has(participant.slot)) {
          this.refusedParticipants += 1;
          return [];
        }
        this.#participants.set(participant.slot, participant);
        return [{ kind: 'joined', participant }];
      }
      case 'left': {
        const participant = this.#participants.get(message.slot);
        this.#participants.delete(message.slot);
        return participant ? [{ kind: 'left', participant }] : [];
      }
      case 'changed': {
        const member = this.#member(message.participant);
        const before = this.#participants.get(member.slot);
        if (before) {
          const participant = { ...member, speaking: before.speaking };
          this.#participants.set(member.slot, participant);
          return [{ kind: 'changed', participant, before }];
        }
        if (member.slot !== this.#you.slot) return [];
        const youBefore = this.#you;
        this.#you = member;
        return [{ kind: 'you-changed', you: member, before: youBefore }];
      }
      case 'speaking': {
        const known = this.#participants.get(message.slot);
        return known ? [this.#speaking(known, message.speaking ? 'speaks' : 'silent')] : [];
      }
      case 'channel': {
        const { number, name } = message.channel;
        this.#channels.set(number, { channel: name });
        return [{ kind: 'channels', channels: this.channels }];
      }
      case 'channel-ended':
        return this.#channels.delete(message.number) ? [{ kind: 'channels', channels: this.channels }] : [];
    }
  }

  #speaking(known: Participant, what: 'speaks' | 'silent'): LobbyChange {
    const participant = { ...known, speaking: what === 'speaks' };
    this.#participants.set(known.slot, participant);
    return { kind: 'speaking', participant };
  }

  #participantsOf({ participants }: Welcome): Map<number, Participant> {
    return new Map(participants.map((info) => [info.slot, this.#participant(info)]));
  }

  #participant(info: ParticipantInfo): Participant {
    return { ...this.#member(info), speaking: info.speaking };
  }

  /** A channel is told of before anybody is in it. */
  #member({ steamId, channels, ...state }: ParticipantState): Member {
    const names = channels.flatMap((number) => this.#channels.get(number)?.channel ?? []);
    const { slot, name, muted, deafened, away, priority, moderator, guest, spectator } = state;
    return {
      slot,
      steamId: BigInt(steamId),
      name,
      channels: names,
      muted,
      deafened,
      away,
      priority,
      moderator,
      guest,
      spectator,
    };
  }
}

function channelsOf({ channels }: Welcome): Map<number, { readonly channel: string }> {
  return new Map(channels.map(({ number, name }) => [number, { channel: name }]));
}

function withoutSpeaking({ speaking, ...member }: Participant): Member {
  return member;
}

/** Whether two plain values of one making are alike. */
function isSame(one: unknown, other: unknown): boolean {
  return textOf(one) === textOf(other);
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part));
}
