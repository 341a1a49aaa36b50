/**
 * The channels of a lobby: made when somebody enters, gone with the last member unless the lobby's plan has them.
 *
 * Bounded by `channelsPerLobby`.
 */

import { MAX_CHANNEL } from '../../../voice/control.js';
import type { Milliseconds } from '../../../voice/units.js';
import type { RelayLimits } from '../limits.js';
import type { Failure } from '../refusal.js';
import type { Turn } from '../turn.js';
import type { Channel, LobbyIdentity, Member } from './member.js';
import { stateOf } from './member_info.js';
import { refreshTopics, refreshTopicsOf } from './presence.js';
import { RestingNumbers } from './resting_numbers.js';
import type { Roster } from './roster.js';
import { setSpeaking, tellOfSpeakers } from './speaking.js';
import { channelMarks, tellMarks } from './stream_marks.js';
import { openStream } from './streams.js';
import { newTopic } from './topics.js';

/** A channel as this file writes it. */
interface OwnChannel extends Channel {
  readonly members: Set<Member>;
}

export class Channels {
  readonly #lobby: LobbyIdentity;
  readonly #roster: Roster;
  readonly #most: number;
  readonly #planned: readonly string[];
  readonly #byName = new Map<string, OwnChannel>();
  readonly #byNumber = new Map<number, OwnChannel>();
  readonly #numbers: RestingNumbers;

  /** @param planned The names of channels that exist while nobody is in them. */
  constructor(
    lobby: LobbyIdentity,
    roster: Roster,
    { channelsPerLobby, slotRestMs }: Pick<RelayLimits, 'channelsPerLobby' | 'slotRestMs'>,
    planned: readonly string[],
  ) {
    this.#lobby = lobby;
    this.#roster = roster;
    this.#most = channelsPerLobby;
    this.#planned = planned;
    this.#numbers = new RestingNumbers(1, MAX_CHANNEL, slotRestMs);
    for (const name of planned) this.#make(name, 0);
  }

  get all(): IterableIterator<Channel> {
    return this.#byNumber.values();
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** They are in these channels, which are made where they are missing, and in no others. All of it is done, or nothing. */
  enter(member: Member, names: readonly string[], turn: Turn): Failure | null {
    const missing = names.filter((name) => !this.#byName.has(name));
    // A channel that is left may end, but only afterwards: frames under way still have its number, so no new one may take it.
    if (this.#byName.size + missing.length > this.#most) {
      const detail = `${this.#byName.size} channels exist, expected at most ${this.#most}`;
      return { code: 'channels-full', detail };
    }
    const before = member.channels;
    const after: OwnChannel[] = [];
    for (const name of names) {
      const known = this.#byName.get(name);
      const channel = known ?? this.#make(name, turn.now);
      if (!known) this.#roster.tellAll({ type: 'channel', channel: { number: channel.number, name } }, turn);
      after.push(channel);
    }
    const left = before.filter((channel) => !after.some((it) => it === channel));
    const entered = after.filter((channel) => !before.includes(channel));
    if (left.length === 0 && entered.length === 0) return null;

    if (left.some(({ number }) => number === member.speech.target)) {
      setSpeaking(this.#roster, member, null, turn);
    }
    tellOfSpeakers(member, left, 'silent', turn);
    const until = channelMarks(this.#roster, member, left);
    const next = channelMarks(this.#roster, member, entered);
    tellMarks(member, { next, until }, turn);
    this.#removeFrom(left, member);
    for (const channel of entered) {
      channel.members.add(member);
      openStream(member, channel.number);
    }
    setChannels(member, after);
    refreshTopics(member, turn);
    for (const listener of member.heardBy) refreshTopicsOf(listener, member, turn);
    this.#roster.tellOf(member, { type: 'changed', participant: stateOf(member) }, turn);
    tellOfSpeakers(member, entered, 'speaking', turn);
    this.#endEmpty(left, turn);
    return null;
  }

  /** A member has left the lobby. */
  leave(member: Member, turn: Turn): void {
    const { channels } = member;
    this.#removeFrom(channels, member);
    this.#endEmpty(channels, turn);
    setChannels(member, []);
  }

  #make(name: string, now: Milliseconds): OwnChannel {
    const number = this.#numbers.take(now);
    if (number === null) throw new RangeError(`Cannot make channel ${name}: all numbers are in use`);
    const channel: OwnChannel = {
      number,
      name,
      topic: newTopic(`${this.#lobby.topic.name}/c${number}`),
      members: new Set<Member>(),
    };
    this.#byName.set(name, channel);
    this.#byNumber.set(number, channel);
    return channel;
  }

  #removeFrom(channels: readonly Channel[], member: Member): void {
    for (const { number } of channels) this.#byNumber.get(number)?.members.delete(member);
  }

  #endEmpty(channels: readonly Channel[], turn: Turn): void {
    for (const { number, name, members } of channels) {
      if (members.size > 0 || this.#planned.includes(name)) continue;
      this.#byName.delete(name);
      this.#byNumber.delete(number);
      this.#numbers.free(number, turn.now);
      this.#roster.tellAll({ type: 'channel-ended', number }, turn);
    }
  }
}

function setChannels(member: Member, channels: readonly Channel[]): void {
  const own: { channels: readonly Channel[] } = member;
  own.channels = channels;
}
