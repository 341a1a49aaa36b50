/**
 * One lobby: who joins and leaves it, where its voice goes, and what its participants hear about it.
 *
 * Bounded: participants and channels by the limits, and a few moderators beyond; slots by four times the places.
 */

import type { HearingUpdate } from '../../../voice/control.js';
import type { Milliseconds } from '../../../voice/units.js';
import { Target } from '../../../voice/wire.js';
import type { Rights } from '../credential.js';
import type { RelayLimits } from '../limits.js';
import type { Failure } from '../refusal.js';
import type { Sanctioned } from '../sanctions.js';
import type { Turn } from '../turn.js';
import { Channels } from './channels.js';
import { HEADCOUNT_MS, type Headcounts } from './headcounts.js';
import { tellWelcomed } from './hearing.js';
import { HearingSets, type HearingUse } from './hearing_sets.js';
import { listingFor, PLACES_FOR_MODERATORS } from './listing.js';
import {
  type Channel,
  type Joiner,
  type Listing,
  type LobbyIdentity,
  type Member,
  newMember,
  type Profile,
} from './member.js';
import { infoFor, stateOf } from './member_info.js';
import { type Arrival, arrive, detach, lose, mayHear, refreshTopics } from './presence.js';
import { RecentTalkers } from './recent_talkers.js';
import { Roster } from './roster.js';
import { setSpeaking, silence } from './speaking.js';
import { marksFor, tellMarks } from './stream_marks.js';
import { nextSequence } from './streams.js';
import { newTopic, type Topic } from './topics.js';
import { endWhispers, whisper } from './whispers.js';

/** Listeners of one lobby who are listed only because they record. Everyone gets a list with all of them. */
export const MOST_RECORDERS = 100;

/** Someone in a lobby, with the lobby. */
export interface Participant extends Member {
  readonly lobby: Lobby;
}

/** Where a voice frame goes. */
export interface Destination {
  /** Of everyone at this target; null when nobody is subscribed to it. */
  readonly topic: Topic | null;
  /** Of this speaker's listeners at this target; null when nobody is subscribed to it. */
  readonly ownTopic: Topic | null;
  readonly relaySequence: number;
}

/** How an administrator made a lobby; it is kept while it is empty. */
export interface LobbyPlan {
  readonly capacity: number;
  /** Listeners who are counted and not listed. */
  readonly unlisted: number;
  /** Channels that exist while nobody is in them. */
  readonly channels: readonly string[];
}

export class Lobby implements LobbyIdentity {
  readonly name: string;
  readonly topic: Topic;
  /** Null when it was made by the first participant who joined. */
  readonly plan: LobbyPlan | null;
  readonly #limits: RelayLimits;
  readonly #roster: Roster<Participant>;
  readonly #channels: Channels;
  readonly #hearing: HearingSets;
  readonly #headcounts: Headcounts;
  readonly #talkers = new RecentTalkers();
  /** Of the last frame. */
  readonly #destination: { -readonly [Field in keyof Destination]: Destination[Field] } = {
    topic: null,
    ownTopic: null,
    relaySequence: 0,
  };
  #headcountDueAt: Milliseconds = Number.NEGATIVE_INFINITY;

  constructor(
    { name, topic }: { readonly name: string; readonly topic: string },
    plan: LobbyPlan | null,
    limits: RelayLimits,
    headcounts: Headcounts,
    hearing: HearingUse,
  ) {
    this.name = name;
    this.topic = newTopic(topic);
    this.plan = plan;
    this.#limits = limits;
    this.#headcounts = headcounts;
    const places = { listed: this.capacity, spare: PLACES_FOR_MODERATORS, unlisted: this.mostUnlisted };
    this.#roster = new Roster(places, limits.slotRestMs);
    this.#channels = new Channels(this, this.#roster, limits, plan?.channels ?? []);
    this.#hearing = new HearingSets(this.#roster, limits, hearing);
  }

  get size(): number {
    return this.#roster.size;
  }

  /** The most listeners who are counted and not listed. */
  get mostUnlisted(): number {
    return this.plan?.unlisted ?? this.#limits.unlistedPerLobby;
  }

  get capacity(): number {
    return this.plan?.capacity ?? this.#limits.participantsPerLobby;
  }

  /** How many listeners are counted and not listed. */
  get unlisted(): number {
    return this.#roster.occupancy.unlisted;
  }

  /** How somebody with these rights would be listed; null when there is no room for them. */
  placeFor(rights: Rights): Listing | null {
    const { capacity, mostUnlisted } = this;
    const { listenerPlacesPercent } = this.#limits;
    return listingFor(rights, this.#roster.occupancy, { capacity, mostUnlisted, listenerPlacesPercent });
  }

  /** The same for somebody who takes over from one of its participants: they keep the kind of place, unless now they may speak. */
  placeInsteadOf({ listing }: Participant, rights: Rights): Listing | null {
    if (listing === 'listed') return 'listed';
    return rights.maySpeak ? this.placeFor(rights) : 'unlisted';
  }

  /** All of them, listed or not. */
  get participants(): IterableIterator<Participant> {
    return this.#roster.all;
  }

  /** Those whom the others know. */
  get shown(): ReadonlySet<Participant> {
    return this.#roster.shown;
  }

  get channels(): IterableIterator<Channel> {
    return this.#channels.all;
  }

  withSteamId(steamId: string): Participant | undefined {
    return this.#roster.withSteamId(steamId);
  }

  /** Adds a participant; telling them and the others is up to the caller. Needs a place, and the SteamID not to be in the lobby. */
  join(joiner: Joiner, listing: Listing, sanctioned: Sanctioned, now: Milliseconds): Participant {
    const slot = this.#roster.takeSlot(listing, now);
    if (slot === null || this.#roster.withSteamId(joiner.steamId)) {
      const state = `SteamID is ${joiner.steamId}, ${this.size} participants`;
      throw new RangeError(`Cannot join ${this.name}: ${state}, expected a free slot, and each SteamID once`);
    }
    const participant = newMember(this, { slot, listing }, joiner, sanctioned, this.#limits, now);
    this.#roster.add(participant);
    if (listing === 'unlisted') this.#headcounts.changed(this);
    this.#hearing.join(participant);
    return participant;
  }

  /** Removes a participant; their slot begins to rest. */
  leave(participant: Participant, turn: Turn): void {
    // A participant who leaves gets no more messages. `left` also tells the others that they no longer speak.
    silence(participant);
    detach(participant, turn.now, turn);
    this.#roster.remove(participant, turn.now);
    this.#roster.tellOthers(participant, { type: 'left', slot: participant.slot }, turn);
    if (participant.listing === 'unlisted') this.#headcounts.changed(this);
    endWhispers(this.#roster, participant, turn);
    this.#hearing.leave(participant, turn);
    this.#channels.leave(participant, turn);
  }

  /** They have a connection, the first or another one: it hears what they may hear. Sending the welcome is up to the caller. */
  arrive(participant: Participant, connection: Arrival, turn: Turn): void {
    arrive(participant, connection, this.#limits.staleAfterMs, turn);
  }

  /** They are behind: they get no voice until they have acknowledged this relay time. */
  park(participant: Participant, relayTimeMs: number, turn: Turn): void {
    const { presence } = participant;
    if (presence.kind !== 'here' || !presence.reading) return;
    presence.reading.park(turn.now);
    turn.tell([presence.connection], { type: 'parked', relayTimeMs });
    refreshTopics(participant, turn);
  }

  /** They have caught up. */
  unpark(participant: Participant, turn: Turn): void {
    const { presence } = participant;
    if (presence.kind !== 'here' || !presence.reading) return;
    const spoken = marksFor(this.#roster, participant, presence.reading.parkedAt ?? turn.now);
    tellMarks(participant, { until: spoken, next: spoken }, turn);
    presence.reading.unpark(turn.now);
    turn.tell([presence.connection], { type: 'live' });
    refreshTopics(participant, turn);
  }

  /** Their connection is gone, and their place is kept for a while. */
  goAway(participant: Participant, turn: Turn): void {
    this.setSpeaking(participant, null, turn);
    lose(participant, turn.now + this.#limits.resumeWithinMs);
    this.tellOthersOfChange(participant, turn);
  }

  /** Their connection is gone, and their place is not kept; tells nobody yet. */
  lose(participant: Participant, now: Milliseconds): void {
    lose(participant, now);
  }

  /** Another connection will take over from theirs, which is still there. */
  detach(participant: Participant, turn: Turn): void {
    this.setSpeaking(participant, null, turn);
    detach(participant, turn.now + this.#limits.resumeWithinMs, turn);
  }

  /** Where a frame of this speaker to this target goes, valid until the next call; null when they have no such target. Real-time: no allocation. */
  destination(speaker: Participant, target: number): Destination | null {
    const stream = speaker.streams.get(target);
    if (!stream || !this.reaches(speaker, target)) return null;
    const shared = this.#sharedTopic(speaker, target);
    const destination = this.#destination;
    destination.topic = shared && ifHeard(shared);
    destination.ownTopic = ifHeard(stream.topic);
    destination.relaySequence = nextSequence(stream);
    return destination;
  }

  /** A frame of this speaker is published: whether others speak at the same time. Real-time. */
  noteTalker(speaker: Participant, now: Milliseconds): 'one' | 'several' {
    return this.#talkers.note(speaker, now);
  }

  /** Whether `destination` is not null. Real-time. */
  reaches(speaker: Participant, target: number): boolean {
    if (target === Target.lobby) return true;
    if (target === Target.whisper) return speaker.whisper.to.length > 0;
    for (const { number } of speaker.channels) if (number === target) return true;
    return false;
  }

  /** They speak to this target now, or to nobody. */
  setSpeaking(participant: Participant, target: number | null, turn: Turn): void {
    setSpeaking(this.#roster, participant, target, turn);
  }

  rename(participant: Participant, name: string, turn: Turn): void {
    const profile: Profile = participant.profile;
    if (profile.name === name) return;
    profile.name = name;
    this.#tellChanged(participant, turn);
  }

  /** They record what they hear, or no longer do. Saying it again changes nothing: it counts since the first time. */
  setRecording(participant: Participant, recording: 'recording' | 'not', turn: Turn): Failure | null {
    const profile: Profile = participant.profile;
    if ((profile.recordingSince !== null) === (recording === 'recording')) return null;
    const isToBeListed = participant.listing === 'unlisted';
    if (isToBeListed && this.#roster.occupancy.recorder >= MOST_RECORDERS) {
      const detail = `${MOST_RECORDERS} unlisted listeners record already, expected no more`;
      return { code: 'recorders-full', detail };
    }
    profile.recordingSince = recording === 'recording' ? turn.unixSeconds : null;
    if (isToBeListed) {
      // Everyone has to know who records.
      this.#roster.list(participant);
      this.#headcounts.changed(this);
      this.tellOthersOfJoining(participant, turn);
      const { presence } = participant;
      if (presence.kind === 'here')
        turn.tell([presence.connection], { type: 'changed', participant: stateOf(participant) });
    } else {
      this.#tellChanged(participant, turn);
    }
    return null;
  }

  setPriority(participant: Participant, priority: 'priority' | 'none', turn: Turn): void {
    const profile: Profile = participant.profile;
    if (profile.priority === (priority === 'priority')) return;
    profile.priority = priority === 'priority';
    this.#tellChanged(participant, turn);
  }

  /** The sanctions that apply to them from now on. */
  sanction(participant: Participant, sanctioned: Sanctioned, turn: Turn): void {
    const own: { sanctioned: Sanctioned } = participant;
    const { muted, deafened } = sanctioned;
    if (own.sanctioned.muted === muted && own.sanctioned.deafened === deafened) return;
    const heard = marksFor(this.#roster, participant);
    const didHear = mayHear(participant);
    own.sanctioned = sanctioned;
    if (muted) this.setSpeaking(participant, null, turn);
    const hears = mayHear(participant);
    if (didHear && !hears) tellMarks(participant, { until: heard }, turn);
    if (!didHear && hears) this.tellMarks(participant, turn);
    refreshTopics(participant, turn);
    this.#tellChanged(participant, turn);
  }

  /** The first of these channels that does not exist. */
  firstWithout(names: readonly string[]): string | undefined {
    return names.find((name) => !this.#channels.has(name));
  }

  enterChannels(participant: Participant, names: readonly string[], turn: Turn): Failure | null {
    return this.#channels.enter(participant, names, turn);
  }

  whisper(participant: Participant, slots: readonly number[], turn: Turn): Failure | null {
    return whisper(this.#roster, participant, slots, turn);
  }

  /** Everyone who is listed but `participant`, as their welcome lists them. */
  infoFor(participant: Participant): ReturnType<typeof infoFor>[] {
    const info: ReturnType<typeof infoFor>[] = [];
    for (const other of this.#roster.shown) if (other !== participant) info.push(infoFor(participant, other));
    return info;
  }

  /** Tells everyone else that they are there now. */
  tellOthersOfJoining(participant: Participant, turn: Turn): void {
    this.#roster.tellOthers(participant, { type: 'joined', participant: stateOf(participant) }, turn);
    this.#hearing.introduce(participant, turn);
  }

  /** Tells everyone else how they are now. */
  tellOthersOfChange(participant: Participant, turn: Turn): void {
    this.#roster.tellOthers(participant, { type: 'changed', participant: stateOf(participant) }, turn);
  }

  /** When everyone may hear again how many are not listed. */
  get headcountDueAt(): Milliseconds {
    return this.#headcountDueAt;
  }

  /** Tells everyone how many are not listed, unless they heard it within the last second. */
  tellHeadcount(turn: Turn): 'told' | 'later' {
    if (turn.now < this.#headcountDueAt) return 'later';
    this.#headcountDueAt = turn.now + HEADCOUNT_MS;
    this.#roster.tellAll({ type: 'unlisted', count: this.unlisted }, turn);
    return 'told';
  }

  /** Tells somebody who begins to hear where everything stands that they hear. */
  tellMarks(participant: Participant, turn: Turn): void {
    tellMarks(participant, { next: marksFor(this.#roster, participant) }, turn);
  }

  /** The same for somebody who has just been welcomed, with whom they hear. */
  tellWelcomed(participant: Participant, turn: Turn): void {
    tellWelcomed(this.#roster, participant, turn);
  }

  /** Whom these listeners hear from now on. */
  updateHearing(updates: readonly HearingUpdate[], turn: Turn): Failure | null {
    return this.#hearing.update(updates, turn);
  }

  /** It has ended, and is empty. */
  end(): void {
    this.#hearing.end();
  }

  /** Where everyone at this target hears this speaker. Whispers have a topic for each speaker already. */
  #sharedTopic({ channels }: Participant, target: number): Topic | null {
    if (target === Target.lobby) return this.topic;
    for (const { number, topic } of channels) if (number === target) return topic;
    return null;
  }

  #tellChanged(participant: Participant, turn: Turn): void {
    this.#roster.tellOf(participant, { type: 'changed', participant: stateOf(participant) }, turn);
  }
}

function ifHeard(topic: Topic): Topic | null {
  return topic.listeners > 0 ? topic : null;
}
