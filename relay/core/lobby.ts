/**
 * One lobby: who is in it under which slot, its channels, who whispers to whom, who speaks, and what everyone is told of it.
 *
 * Whoever listens is subscribed to the topics of what they hear, and to nothing else. After every change their subscriptions are
 * worked out anew from what is so, and the difference goes out: no change can forget one.
 *
 * Bounded: participants and channels by the limits, and a few moderators beyond; slots by four times the participants.
 */

import { MAX_CHANNEL, type RelayMessageToWrite } from '../../voice/control.js';
import type { FailureCode } from '../../voice/control_codes.js';
import { sequenceAfter } from '../../voice/sequence.js';
import type { Milliseconds } from '../../voice/units.js';
import { Target } from '../../voice/wire.js';
import type { Rights } from './credential.js';
import type { ConnectionId } from './io.js';
import type { RelayLimits } from './limits.js';
import { infoFor, type Joiner, newParticipant, type Participant, speaksTo, stateOf } from './participant.js';
import { RestingNumbers } from './resting_numbers.js';
import type { Sanctioned } from './sanctions.js';
import type { Turn } from './turn.js';

/** Places beyond a lobby's capacity, for moderators alone. */
export const PLACES_FOR_MODERATORS = 4;

/** Talkspurts of a participant that are told: one in so many ms, and so many at once. */
const TALKSPURT_MS: Milliseconds = 200;
const TALKSPURTS_AT_ONCE = 10;

/** A part of a lobby. Who is in it hears what is said to it, beside what is said to the lobby. */
export interface Channel {
  /** The target of voice frames to it. */
  readonly number: number;
  readonly name: string;
  readonly topic: string;
  readonly members: Set<Participant>;
  /** Of the frames that went to it. */
  relaySequence: number;
}

/** Where a voice frame goes. */
export interface Destination {
  readonly topic: string;
  readonly relaySequence: number;
}

/** Why something was not done. */
export interface Failure {
  readonly code: FailureCode;
  readonly detail: string;
}

/** How an administrator made a lobby; it is kept while it is empty. */
export interface LobbyPlan {
  readonly capacity: number;
  /** Channels that are there while nobody is in them. */
  readonly channels: readonly string[];
}

export class Lobby {
  readonly name: string;
  /** Where voice for everyone is published. Unique among all lobbies that a relay ever had. */
  readonly topic: string;
  /** Null when it was made by whoever joined first. */
  readonly plan: LobbyPlan | null;
  readonly #limits: RelayLimits;
  readonly #bySlot = new Map<number, Participant>();
  readonly #bySteamId = new Map<string, Participant>();
  readonly #channels = new Map<string, Channel>();
  readonly #byNumber = new Map<number, Channel>();
  readonly #slots: RestingNumbers;
  readonly #numbers: RestingNumbers;
  #relaySequence = 0;

  constructor(name: string, topic: string, limits: RelayLimits, plan: LobbyPlan | null) {
    this.name = name;
    this.topic = topic;
    this.plan = plan;
    this.#limits = limits;
    // Small, for listeners index by them.
    this.#slots = new RestingNumbers(0, this.capacity * 4 + PLACES_FOR_MODERATORS, limits.slotRestMs);
    this.#numbers = new RestingNumbers(1, MAX_CHANNEL, limits.slotRestMs);
    for (const channel of plan?.channels ?? []) this.#channel(channel, 0);
  }

  get size(): number {
    return this.#bySlot.size;
  }

  get capacity(): number {
    return this.plan?.capacity ?? this.#limits.participantsPerLobby;
  }

  /** Moderators find a place beyond the capacity: nobody keeps them out by filling the lobby. */
  hasRoomFor({ moderator }: Rights): boolean {
    return this.size < this.capacity + (moderator ? PLACES_FOR_MODERATORS : 0);
  }

  get participants(): IterableIterator<Participant> {
    return this.#bySlot.values();
  }

  get channels(): IterableIterator<Channel> {
    return this.#byNumber.values();
  }

  withSteamId(steamId: string): Participant | undefined {
    return this.#bySteamId.get(steamId);
  }

  /** Adds a participant, whose connection is told everything, and the others of it. Wants room, and the SteamID not to be there. */
  join(joiner: Joiner, sanctioned: Sanctioned, now: Milliseconds): Participant {
    const slot = this.#slots.take(now);
    if (slot === null || this.#bySteamId.has(joiner.steamId)) {
      const state = `SteamID is ${joiner.steamId}, ${this.size} are there`;
      throw new RangeError(`Cannot join ${this.name}: ${state}, expected a free slot, and each SteamID once`);
    }
    const participant = newParticipant(this, slot, joiner, sanctioned, this.#limits, now);
    this.#bySlot.set(slot, participant);
    this.#bySteamId.set(participant.steamId, participant);
    return participant;
  }

  /** Removes a participant; its slot begins to rest. */
  leave(participant: Participant, turn: Turn): void {
    // Whoever leaves is no longer told of anything; `left` says to the others that the voice ends.
    participant.speakingTo = null;
    this.#unsubscribe(participant, turn);
    participant.connection = null;
    this.#bySlot.delete(participant.slot);
    this.#bySteamId.delete(participant.steamId);
    this.#slots.free(participant.slot, turn.now);
    this.tellOthers(participant, { type: 'left', slot: participant.slot }, turn);
    this.#whisperTo(participant, NOBODY, turn);
    const { whisperedBy } = participant;
    participant.whisperedBy = NOBODY;
    for (const other of whisperedBy) {
      this.#whisperTo(
        other,
        other.whisperTo.filter((it) => it !== participant),
        turn,
      );
    }
    for (const channel of participant.channels) channel.members.delete(participant);
    this.#endEmptyChannels(participant.channels, turn);
    participant.channels = NO_CHANNELS;
  }

  /** They have a connection, the first or another one: it hears what they may hear. The welcome is the caller's to tell. */
  arrive(participant: Participant, connection: ConnectionId, turn: Turn): void {
    participant.connection = connection;
    this.#refreshTopics(participant, turn);
  }

  /** Their connection is gone, and they may be back. */
  goAway(participant: Participant, turn: Turn): void {
    this.setSpeaking(participant, null, turn);
    this.lose(participant);
    participant.awaySince = turn.now;
    this.tellOthers(participant, { type: 'changed', participant: stateOf(participant) }, turn);
  }

  /** Their connection is gone, and its subscriptions with it; nobody is told. */
  lose(participant: Participant): void {
    participant.connection = null;
    participant.topics = NO_TOPICS;
  }

  /** Another connection will take over from theirs, which is still there. */
  detach(participant: Participant, turn: Turn): void {
    this.setSpeaking(participant, null, turn);
    this.#unsubscribe(participant, turn);
    this.lose(participant);
  }

  /** Where a frame of this speaker to this target goes; null when there is no such target for them. Real-time. */
  destination(speaker: Participant, target: number): Destination | null {
    if (target === Target.lobby) {
      const relaySequence = this.#relaySequence;
      this.#relaySequence = sequenceAfter(relaySequence);
      return { topic: this.topic, relaySequence };
    }
    if (target === Target.whisper) {
      if (speaker.whisperTo.length === 0) return null;
      const relaySequence = speaker.whisperSequence;
      speaker.whisperSequence = sequenceAfter(relaySequence);
      return { topic: this.#whisperTopic(speaker), relaySequence };
    }
    for (const channel of speaker.channels) {
      if (channel.number !== target) continue;
      const { relaySequence } = channel;
      channel.relaySequence = sequenceAfter(relaySequence);
      return { topic: channel.topic, relaySequence };
    }
    return null;
  }

  /** Whether `destination` has one. */
  reaches(speaker: Participant, target: number): boolean {
    if (target === Target.lobby) return true;
    if (target === Target.whisper) return speaker.whisperTo.length > 0;
    return speaker.channels.some(({ number }) => number === target);
  }

  /**
   * Whether it is to be told that they begin to speak: each frame may be a talkspurt of its own, and everyone be told twice of each.
   * Real-time: no allocation.
   */
  noteTalkspurt(participant: Participant, now: Milliseconds): 'to-tell' | 'too-many' {
    const dueAt = Math.max(participant.talkspurtDueAt, now);
    if (dueAt - now > TALKSPURT_MS * (TALKSPURTS_AT_ONCE - 1)) return 'too-many';
    participant.talkspurtDueAt = dueAt + TALKSPURT_MS;
    return 'to-tell';
  }

  /** They speak to this target now, or to none. */
  setSpeaking(participant: Participant, target: number | null, turn: Turn): void {
    if (participant.speakingTo === target) return;
    const { slot } = participant;
    if (participant.speakingTo !== null) {
      turn.tell(this.#audience(participant), { type: 'speaking', slot, speaking: false });
    }
    participant.speakingTo = target;
    if (target !== null) turn.tell(this.#audience(participant), { type: 'speaking', slot, speaking: true });
  }

  rename(participant: Participant, name: string, turn: Turn): void {
    if (participant.name === name) return;
    participant.name = name;
    this.#tellChanged(participant, turn);
  }

  setPriority(participant: Participant, priority: 'priority' | 'none', turn: Turn): void {
    if (participant.priority === (priority === 'priority')) return;
    participant.priority = priority === 'priority';
    this.#tellChanged(participant, turn);
  }

  /** What holds for them from now on. */
  sanction(participant: Participant, { muted, deafened }: Sanctioned, turn: Turn): void {
    if (participant.muted === muted && participant.deafened === deafened) return;
    participant.muted = muted;
    participant.deafened = deafened;
    if (muted) this.setSpeaking(participant, null, turn);
    this.#refreshTopics(participant, turn);
    this.#tellChanged(participant, turn);
  }

  /** They are in these channels, which are made where they are missing, and in no others. All of it is done, or nothing. */
  enterChannels(participant: Participant, names: readonly string[], turn: Turn): Failure | null {
    const missing = names.filter((name) => !this.#channels.has(name));
    // Those that are left may end, but not before: nobody may take a number that frames under way still have.
    if (this.#channels.size + missing.length > this.#limits.channelsPerLobby) {
      const detail = `${this.#channels.size} channels are there, wants at most ${this.#limits.channelsPerLobby}`;
      return { code: 'channels-full', detail };
    }
    const before = participant.channels;
    const after: Channel[] = [];
    for (const name of names) {
      const known = this.#channels.get(name);
      const channel = known ?? this.#channel(name, turn.now);
      if (!known) this.#tellAll({ type: 'channel', channel: { number: channel.number, name } }, turn);
      after.push(channel);
    }
    const left = before.filter((channel) => !after.includes(channel));
    const entered = after.filter((channel) => !before.includes(channel));
    if (left.length === 0 && entered.length === 0) return null;

    if (left.some(({ number }) => number === participant.speakingTo))
      this.setSpeaking(participant, null, turn);
    this.#tellOfSpeakers(participant, left, 'silent', turn);
    for (const channel of left) channel.members.delete(participant);
    for (const channel of entered) channel.members.add(participant);
    participant.channels = after;
    this.#refreshTopics(participant, turn);
    this.#tellChanged(participant, turn);
    this.#tellOfSpeakers(participant, entered, 'speaking', turn);
    this.#endEmptyChannels(left, turn);
    return null;
  }

  /**
   * Their frames with the whisper target go to these slots from now on, without their own. Where one of them has nobody, they go to
   * nobody: what is said behind this was not meant for those who were named before.
   */
  whisper(participant: Participant, slots: readonly number[], turn: Turn): Failure | null {
    const others: Participant[] = [];
    for (const slot of new Set(slots)) {
      const other = this.#bySlot.get(slot);
      if (!other) {
        this.#whisperTo(participant, NOBODY, turn);
        return {
          code: 'participant-unknown',
          detail: `nobody has slot ${slot}, expected one of the lobby's`,
        };
      }
      if (other !== participant) others.push(other);
    }
    this.#whisperTo(participant, others, turn);
    return null;
  }

  /** Everyone but `participant`, as its welcome lists them. */
  infoFor(participant: Participant): ReturnType<typeof infoFor>[] {
    const info: ReturnType<typeof infoFor>[] = [];
    for (const other of this.#bySlot.values())
      if (other !== participant) info.push(infoFor(participant, other));
    return info;
  }

  tellOthers(participant: Participant, message: RelayMessageToWrite, turn: Turn): void {
    const connections: ConnectionId[] = [];
    for (const other of this.#bySlot.values()) {
      if (other !== participant && other.connection !== null) connections.push(other.connection);
    }
    turn.tell(connections, message);
  }

  /** Its connection hears nothing any more. */
  #unsubscribe(participant: Participant, turn: Turn): void {
    const { connection, topics } = participant;
    participant.topics = NO_TOPICS;
    if (connection === null) return;
    for (const topic of topics) turn.push({ kind: 'unsubscribe', connection, topic });
  }

  #refreshTopics(participant: Participant, turn: Turn): void {
    const { connection, topics: before } = participant;
    if (connection === null) return;
    const after = this.#topicsOf(participant);
    participant.topics = after;
    // As sets: everyone in a lobby may whisper to the same one.
    const [was, is] = [new Set(before), new Set(after)];
    for (const topic of was) if (!is.has(topic)) turn.push({ kind: 'unsubscribe', connection, topic });
    for (const topic of is) if (!was.has(topic)) turn.push({ kind: 'subscribe', connection, topic });
  }

  /** What they may hear. */
  #topicsOf(listener: Participant): readonly string[] {
    if (!listener.rights.mayListen || listener.deafened) return NO_TOPICS;
    const topics = [this.topic];
    for (const { topic } of listener.channels) topics.push(topic);
    for (const whisperer of listener.whisperedBy) topics.push(this.#whisperTopic(whisperer));
    return topics;
  }

  #whisperTo(participant: Participant, others: readonly Participant[], turn: Turn): void {
    const before = participant.whisperTo;
    if (participant.speakingTo === Target.whisper) this.setSpeaking(participant, null, turn);
    participant.whisperTo = others;
    // Those alone for whom it changes: with everyone whispering to the same ones, all of them would be too many.
    for (const other of before) {
      if (others.includes(other)) continue;
      other.whisperedBy = other.whisperedBy.filter((it) => it !== participant);
      this.#refreshTopics(other, turn);
    }
    for (const other of others) {
      if (before.includes(other)) continue;
      other.whisperedBy = [...other.whisperedBy, participant];
      this.#refreshTopics(other, turn);
    }
  }

  /** The connections that are told of their speaking: who is where their frames go, deafened or not. */
  #audience(speaker: Participant): readonly ConnectionId[] {
    const connections: ConnectionId[] = [];
    for (const other of this.#bySlot.values()) {
      if (other === speaker || other.connection === null) continue;
      if (speaksTo(speaker, other)) connections.push(other.connection);
    }
    return connections;
  }

  /** Who begins to hear a channel, or ceases to, is told of those who speak there. */
  #tellOfSpeakers(
    listener: Participant,
    channels: readonly Channel[],
    what: 'speaking' | 'silent',
    turn: Turn,
  ): void {
    if (listener.connection === null) return;
    for (const channel of channels) {
      for (const { slot, speakingTo } of channel.members) {
        if (slot === listener.slot || speakingTo !== channel.number) continue;
        const message = { type: 'speaking', slot, speaking: what === 'speaking' } as const;
        turn.tell([listener.connection], message);
      }
    }
  }

  #tellChanged(participant: Participant, turn: Turn): void {
    this.#tellAll({ type: 'changed', participant: stateOf(participant) }, turn);
  }

  #tellAll(message: RelayMessageToWrite, turn: Turn): void {
    const connections: ConnectionId[] = [];
    for (const { connection } of this.#bySlot.values()) if (connection !== null) connections.push(connection);
    turn.tell(connections, message);
  }

  #whisperTopic({ slot }: Participant): string {
    return `${this.topic}/w${slot}`;
  }

  #channel(name: string, now: Milliseconds): Channel {
    const number = this.#numbers.take(now);
    if (number === null) throw new RangeError(`Cannot make channel ${name}: all numbers are taken`);
    const channel = {
      number,
      name,
      topic: `${this.topic}/c${number}`,
      members: new Set<Participant>(),
      relaySequence: 0,
    };
    this.#channels.set(name, channel);
    this.#byNumber.set(number, channel);
    return channel;
  }

  #endEmptyChannels(channels: readonly Channel[], turn: Turn): void {
    for (const { number, name, members } of channels) {
      if (members.size > 0 || this.plan?.channels.includes(name)) continue;
      this.#channels.delete(name);
      this.#byNumber.delete(number);
      this.#numbers.free(number, turn.now);
      this.#tellAll({ type: 'channel-ended', number }, turn);
    }
  }
}

const NOBODY: readonly Participant[] = [];
const NO_CHANNELS: readonly Channel[] = [];
const NO_TOPICS: readonly string[] = [];
