/**
 * The state of a lobby: ourselves, the others, the channels. It applies the relay's messages and returns the changes. Pure.
 *
 * A welcome holds the whole state. After a reconnection it yields the difference to the state before, so code that follows the changes
 * always has the right state. Bounds: `MAX_PARTICIPANTS` people, 127 channels, 16 channels per person.
 */

import {
  MAX_PARTICIPANTS,
  type ParticipantInfo,
  type ParticipantState,
  type RelayMessage,
} from '../../voice/control.js';
import { Target } from '../../voice/wire.js';
import type { VoiceTarget } from './voice_target.js';

/** A person in the lobby, as everyone sees them. */
export interface Member {
  /** Their number in the lobby, in voice frames. */
  readonly slot: number;
  readonly steamId: bigint;
  readonly name: string;
  /** Names of their channels. */
  readonly channels: readonly string[];
  /** A moderator muted them: nobody hears them. */
  readonly muted: boolean;
  /** A moderator deafened them: they hear nobody. */
  readonly deafened: boolean;
  /** Their connection broke, and they may reconnect. */
  readonly away: boolean;
  /** While they speak, everyone else should be quieter: see `Mixer`. */
  readonly priority: boolean;
  readonly moderator: boolean;
  /** They joined without Steam, and the relay made up their SteamID. */
  readonly guest: boolean;
  /** Their credential does not allow them to speak. */
  readonly spectator: boolean;
  /** Only in `Lobby.you`: we are one of many listeners, whom the others count and do not see. */
  readonly unlisted: boolean;
  /** Since when they record what they hear, in seconds of unix time on the relay's clock; null unless they say that they do. */
  readonly recordingSince: number | null;
}

/** Someone else in the lobby. */
export interface Participant extends Member {
  /** They are speaking to us: to the lobby, to a channel that we are in, or in a whisper. */
  readonly speaking: boolean;
}

/** What changed, with its new state. */
export type LobbyChange =
  | { readonly kind: 'joined'; readonly participant: Participant }
  | { readonly kind: 'left'; readonly participant: Participant }
  | { readonly kind: 'speaking'; readonly participant: Participant }
  /** Anything else about a participant. */
  | { readonly kind: 'changed'; readonly participant: Participant; readonly before: Participant }
  | { readonly kind: 'you-changed'; readonly you: Member; readonly before: Member }
  /** How many listeners are in no list now. */
  | { readonly kind: 'unlisted'; readonly unlisted: number }
  /** All channels that exist now. */
  | { readonly kind: 'channels'; readonly channels: readonly string[] };

type Welcome = Extract<RelayMessage, { type: 'welcome' }>;
type Change = Extract<
  RelayMessage,
  { type: 'joined' | 'left' | 'unlisted' | 'changed' | 'speaking' | 'hears' | 'channel' | 'channel-ended' }
>;

export class LobbyState {
  #you: Member;
  #participants: Map<number, Participant>;
  #channels: Map<number, { readonly channel: string }>;
  #unlisted: number;
  /** The slots of the people whom a hearing set lets us hear; null without one. */
  #heard: Set<number> | null = null;
  /** People announced by the relay beyond `MAX_PARTICIPANTS`. They are not in `participants`. */
  refusedParticipants = 0;

  constructor(welcome: Welcome) {
    this.#channels = channelsOf(welcome);
    this.#you = this.#member(welcome.you);
    this.#participants = this.#participantsOf(welcome);
    this.#unlisted = welcome.unlisted ?? 0;
  }

  get you(): Member {
    return this.#you;
  }

  /** Everyone else. */
  get participants(): readonly Participant[] {
    return [...this.#participants.values()];
  }

  /** Listeners who are counted and not listed. */
  get unlisted(): number {
    return this.#unlisted;
  }

  /** The people whom a hearing set lets us hear; null without one. */
  get heard(): readonly Participant[] | null {
    return this.#heard && this.participants.filter(({ slot }) => this.#heard?.has(slot));
  }

  /** Names of all channels. */
  get channels(): readonly string[] {
    return [...this.#channels.values()].map(({ channel }) => channel);
  }

  participant(slot: number): Participant | undefined {
    return this.#participants.get(slot);
  }

  /** The meaning of a voice frame's target; null for an unknown channel. Real-time: allocates nothing. */
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

  /** Replaces the state by that of a welcome, and returns the differences. */
  replace(welcome: Welcome): LobbyChange[] {
    const changes: LobbyChange[] = [];
    const channelsBefore = this.channels;
    const before = this.#participants;
    const youBefore = this.#you;
    this.#channels = channelsOf(welcome);
    this.#heard = null;
    this.#participants = this.#participantsOf(welcome);
    this.#you = this.#member(welcome.you);
    changes.push(...this.#counted(welcome.unlisted ?? 0));
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

  /** Marks everyone as silent, since we hear nobody while we are away. */
  silenceAll(): LobbyChange[] {
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
        this.#heard?.delete(message.slot);
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
      case 'unlisted':
        return this.#counted(message.count);
      case 'speaking': {
        const known = this.#participants.get(message.slot);
        return known ? [this.#speaking(known, message.speaking ? 'speaks' : 'silent')] : [];
      }
      case 'hears':
        return this.#hears(message);
      case 'channel': {
        const { number, name } = message.channel;
        this.#channels.set(number, { channel: name });
        return [{ kind: 'channels', channels: this.channels }];
      }
      case 'channel-ended':
        return this.#channels.delete(message.number) ? [{ kind: 'channels', channels: this.channels }] : [];
    }
  }

  #counted(unlisted: number): LobbyChange[] {
    if (unlisted === this.#unlisted) return [];
    this.#unlisted = unlisted;
    return [{ kind: 'unlisted', unlisted }];
  }

  /** Those whom we no longer hear do not speak to us any more. */
  #hears({
    only,
    more = [],
    fewer = [],
    speaking = [],
  }: Extract<RelayMessage, { type: 'hears' }>): LobbyChange[] {
    if (only === false) this.#heard = null;
    else if (only) this.#heard = new Set(more);
    else {
      for (const slot of fewer) this.#heard?.delete(slot);
      for (const slot of more) if (this.#participants.has(slot)) this.#heard?.add(slot);
    }
    const changes: LobbyChange[] = [];
    const begins = new Set(speaking);
    for (const known of this.#participants.values()) {
      const isHeard = this.#heard?.has(known.slot) ?? true;
      const speaks = isHeard && (known.speaking || begins.has(known.slot));
      if (speaks !== known.speaking) changes.push(this.#speaking(known, speaks ? 'speaks' : 'silent'));
    }
    return changes;
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

  /** The relay announces a channel before anyone is in it, so unknown numbers are left out. */
  #member({ steamId, channels, ...state }: ParticipantState): Member {
    const names = channels.flatMap((number) => this.#channels.get(number)?.channel ?? []);
    const { slot, name, muted, deafened, away, priority, moderator, guest, spectator, unlisted } = state;
    const { recordingSince = null } = state;
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
      unlisted,
      recordingSince,
    };
  }
}

function channelsOf({ channels }: Welcome): Map<number, { readonly channel: string }> {
  return new Map(channels.map(({ number, name }) => [number, { channel: name }]));
}

function withoutSpeaking({ speaking, ...member }: Participant): Member {
  return member;
}

/** Whether two plain values of the same type are equal. */
function isSame(one: unknown, other: unknown): boolean {
  return textOf(one) === textOf(other);
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part));
}
