/**
 * What a relay ought to do, written a second time and as plainly as possible: who is in which lobby, under which sanctions, who may speak
 * to whom and who hears it. No messages, no incremental updates, no secrets: everything is worked out from the current state.
 *
 * Whatever the relay is free to choose (slots, numbers of channels, resume secrets) is an argument, and checked.
 */

import type { RelayPolicy } from '../../../../relay/core/joining/hello.js';
import type { RelayLimits } from '../../../../relay/core/limits.js';
import type { AddressShares } from '../../../../relay/core/lobby/shares.js';
import type { SanctionKind, Until } from '../../../../relay/core/sanctions.js';
import type { DropReason } from '../../../../relay/core/voice/drop_reason.js';
import type { HearingUpdate } from '../../../../voice/control.js';
import type { FailureCode, RefusalCode } from '../../../../voice/control_codes.js';
import { ModelHearing, type ModelPeople } from './model_hearing.js';
import type { ModelReading } from './model_reading.js';
import { ModelSanctions } from './model_sanctions.js';
import type { Entrant, Member, ModelListing, ModelLobby, Person } from './model_state.js';

export class Model {
  readonly lobbies = new Map<string, ModelLobby>();
  readonly sanctions: ModelSanctions;
  readonly byConnection = new Map<number, Member>();
  readonly #limits: RelayLimits;
  readonly #policy: RelayPolicy;
  readonly #shares: AddressShares;
  now: number;
  unixSeconds: number;
  lobbiesMade = 0;

  constructor(
    limits: RelayLimits,
    policy: RelayPolicy,
    shares: AddressShares,
    now: number,
    unixSeconds: number,
  ) {
    this.#limits = limits;
    this.#shares = shares;
    this.#policy = policy;
    this.now = now;
    this.unixSeconds = unixSeconds;
    this.sanctions = new ModelSanctions(limits.sanctions);
  }

  *members(): IterableIterator<Member> {
    for (const { members } of this.lobbies.values()) yield* members.values();
  }

  holds(kind: SanctionKind, lobby: string, steamId: string): boolean {
    return this.sanctions.holds(kind, lobby, steamId, this.unixSeconds);
  }

  /** The same, including the sanctions of the account that owns their game. */
  holdsFor(kind: SanctionKind, lobby: string, { steamId, ownerSteamId }: Person): boolean {
    return (
      this.holds(kind, lobby, steamId) || (ownerSteamId !== null && this.holds(kind, lobby, ownerSteamId))
    );
  }

  isMuted(member: Member): boolean {
    return this.holdsFor('muted', member.lobby.name, member);
  }

  isDeafened(member: Member): boolean {
    return this.holdsFor('deafened', member.lobby.name, member);
  }

  /** The others whom these frames reach, whether they can hear or not. */
  reached(speaker: Member, target: number): readonly Member[] {
    return [...speaker.lobby.members.values()].filter((other) => {
      if (other === speaker || !this.isWithin(other, speaker)) return false;
      if (target === 0) return true;
      if (target === 255) return speaker.whispers.has(other);
      return [...other.channels].some((name) => other.lobby.channels.get(name)!.number === target);
    });
  }

  /** Whether the hearing set of this listener, if there is one, has this speaker. */
  isWithin(listener: Member, speaker: Member): boolean {
    return listener.lobby.hearing.of(listener.steamId)?.has(speaker.steamId) ?? true;
  }

  /** Whom their hearing set lets them hear, of those who are there and may speak; null without a set. */
  heardOf(listener: Member): readonly Member[] | null {
    const { members, hearing } = listener.lobby;
    const people = hearing.of(listener.steamId);
    if (!people) return null;
    return [...members.values()].filter(
      (it) => it !== listener && it.rights.maySpeak && people.has(it.steamId),
    );
  }

  /** The connections that receive these frames. */
  hearers(speaker: Member, target: number): readonly number[] {
    return this.reached(speaker, target).flatMap((other) =>
      other.connection !== null && !other.reading?.isParked && this.#mayHear(other) ? [other.connection] : [],
    );
  }

  /** Those whom it would reach if they were not parked, by their connections. */
  passedOver(speaker: Member, target: number): readonly number[] {
    return this.reached(speaker, target).flatMap((other) =>
      other.connection !== null && other.reading?.isParked && this.#mayHear(other) ? [other.connection] : [],
    );
  }

  #mayHear(member: Member): boolean {
    return member.rights.mayListen && !this.isDeafened(member);
  }

  /** The topics that their connection should be subscribed to, under the relay's names. */
  topicsOf(member: Member): readonly string[] {
    if (member.connection === null || member.reading?.isParked || !this.#mayHear(member)) return [];
    const { topic, channels, members } = member.lobby;
    const heard = this.heardOf(member);
    if (heard) {
      return heard.flatMap(({ slot, channels: entered, whispers }) => [
        `${topic}/s${slot}`,
        ...[...entered]
          .filter((name) => member.channels.has(name))
          .map((name) => `${topic}/s${slot}/c${channels.get(name)!.number}`),
        ...(whispers.has(member) ? [`${topic}/w${slot}`] : []),
      ]);
    }
    const topics = [topic];
    for (const name of member.channels) topics.push(`${topic}/c${channels.get(name)!.number}`);
    for (const other of members.values())
      if (other.whispers.has(member)) topics.push(`${topic}/w${other.slot}`);
    return topics;
  }

  /** The verdict on a well-formed frame of theirs with this SteamID. */
  verdict(speaker: Member, target: number, steamId: string): 'forward' | DropReason {
    if (steamId !== speaker.steamId) return 'steam-id-mismatch';
    if (!speaker.rights.maySpeak) return 'not-allowed';
    if (this.isMuted(speaker)) return 'muted';
    if (target === 0) return 'forward';
    if (target === 255) return speaker.whispers.size > 0 ? 'forward' : 'target-unknown';
    const isIn = [...speaker.channels].some((name) => speaker.lobby.channels.get(name)!.number === target);
    return isIn ? 'forward' : 'target-unknown';
  }

  /** Whether these frames reach this listener, who is there and may hear. A listener in a channel does before the speaker enters it. */
  hears(listener: Member, speaker: Member, target: number): boolean {
    if (listener === speaker || listener.connection === null) return false;
    if (!this.#mayHear(listener)) return false;
    return this.reached(speaker, target).includes(listener);
  }

  /** A frame of theirs was forwarded. Returns the relay sequence that it should have. */
  sent(speaker: Member, target: number, end: 'terminator' | 'more'): number {
    if (speaker.speakingTo !== target) speaker.speakingTo = this.#isTold(speaker) ? target : null;
    if (end === 'terminator') speaker.speakingTo = null;
    speaker.heardAt = this.now;
    const sequence = speaker.sent.get(target) ?? 0;
    speaker.sent.set(target, sequence + 1);
    return sequence & 0xffff;
  }

  /** The topics at which frames to this target are published, under the relay's names: those to which somebody is subscribed. */
  topicsFor({ lobby, slot }: Member, target: number): readonly string[] {
    const { topic, members } = lobby;
    const all =
      target === 0
        ? [topic, `${topic}/s${slot}`]
        : target === 255
          ? [`${topic}/w${slot}`]
          : [`${topic}/c${target}`, `${topic}/s${slot}/c${target}`];
    const subscribed = new Set([...members.values()].flatMap((member) => this.topicsOf(member)));
    return all.filter((name) => subscribed.has(name));
  }

  whyNot(entrant: Entrant): RefusalCode | null {
    const { lobby: name, steamId, proof } = entrant;
    if (this.holdsFor('banned', name, entrant)) return 'banned';
    const lobby = this.lobbies.get(name);
    const before = lobby?.members.get(steamId);
    if (before) {
      const mayReplace = proof === 'proven' && this.#policy.secondJoin === 'replace';
      if (before.connection !== null && !mayReplace) return 'steam-id-in-use';
      const listing = this.listingOf(entrant);
      if (!listing) return 'lobby-full';
      if (before.address === entrant.address) return null;
      const endsWithThem = lobby!.members.size === 1 && lobby!.plan === null;
      return this.#whyNotShare(entrant, endsWithThem ? undefined : lobby, listing);
    }
    if (!lobby) {
      if (this.#policy.lobbies === 'by-admin') return 'lobby-unknown';
      if (this.lobbies.size >= this.#limits.lobbies) return 'relay-full';
    }
    const listing = this.listingOf(entrant);
    if (!listing) return 'lobby-full';
    if ([...this.members()].length >= this.#limits.participants) return 'relay-full';
    return this.#whyNotShare(entrant, lobby, listing);
  }

  /** The kind of place that they would get; null when they find no place. */
  listingOf({ lobby: name, steamId, rights }: Entrant): ModelListing | null {
    const { participantsPerLobby, unlistedPerLobby, listenerPlacesPercent } = this.#limits;
    const lobby = this.lobbies.get(name);
    const members = [...(lobby?.members.values() ?? [])];
    const before = lobby?.members.get(steamId);
    if (before?.listing === 'listed') return 'listed';
    if (before && !rights.maySpeak) return 'unlisted';
    const capacity = lobby?.capacity ?? participantsPerLobby;
    const listed = members.filter((it) => it.listing === 'listed');
    const mostUnlisted = lobby?.mostUnlisted ?? unlistedPerLobby;
    const hasPlace = listed.length < capacity + (rights.moderator ? 4 : 0);
    if (rights.maySpeak || mostUnlisted === 0) return hasPlace ? 'listed' : null;
    const listeners = listed.filter((it) => !it.rights.maySpeak).length;
    const isInShare = listeners < Math.floor(capacity * (listenerPlacesPercent / 100));
    if (hasPlace && (rights.moderator || isInShare)) return 'listed';
    return members.length - listed.length < mostUnlisted ? 'unlisted' : null;
  }

  /** Guests are limited to their share, and each address to a number. */
  #whyNotShare(
    { kind, address }: Entrant,
    lobby: ModelLobby | undefined,
    listing: ModelListing,
  ): RefusalCode | null {
    const { lobbies, participants, participantsPerLobby, unlistedPerLobby } = this.#limits;
    const { guestLobbiesPercent, guestPlacesPercent } = this.#limits;
    const members = [...this.members()];
    const made = [...this.lobbies.values()];
    if (kind === 'guest') {
      const guests = members.filter((it) => it.kind === 'guest');
      const places = (whole: number) => Math.max(1, Math.floor(whole * (guestPlacesPercent / 100)));
      const mostLobbies = Math.max(1, Math.floor(lobbies * (guestLobbiesPercent / 100)));
      const isFull =
        (!lobby && made.filter(({ maker }) => maker?.kind === 'guest').length >= mostLobbies) ||
        guests.filter((it) => it.lobby === lobby && (it.listing === 'listed') === (listing === 'listed'))
          .length >=
          places(
            listing === 'listed'
              ? (lobby?.capacity ?? participantsPerLobby)
              : (lobby?.mostUnlisted ?? unlistedPerLobby),
          ) ||
        guests.length >= places(participants);
      if (isFull) return 'guests-full';
    }
    if (address === null) return null;
    const isFull =
      members.filter((it) => it.address === address).length >= this.#shares.participants ||
      (!lobby && made.filter(({ maker }) => maker?.address === address).length >= this.#shares.lobbies);
    return isFull ? 'address-full' : null;
  }

  /** @returns What is wrong with the slot, or null. */
  join(
    entrant: Entrant,
    chosen: Pick<Member, 'slot' | 'connection' | 'resumeSecret' | 'name' | 'expiresAt' | 'reading'>,
  ): string | null {
    const before = this.lobbies.get(entrant.lobby)?.members.get(entrant.steamId);
    const listing = this.listingOf(entrant)!;
    if (before) this.leave(before);
    const lobby = this.lobbies.get(entrant.lobby) ?? this.openLobby(entrant.lobby, null, null, entrant);
    const taken = new Set([...lobby.members.values()].map(({ slot }) => slot));
    const [first, count] =
      listing === 'listed' ? [0, 4 * lobby.capacity + 4] : [4 * lobby.capacity + 4, 4 * lobby.mostUnlisted];
    const wrong = this.#wrongNumber('slot', chosen.slot, first, count, taken, lobby.slotFreedAt);
    const member: Member = {
      ...chosen,
      lobby,
      steamId: entrant.steamId,
      ownerSteamId: entrant.ownerSteamId,
      kind: entrant.kind,
      address: entrant.address,
      rights: entrant.rights,
      listing,
      recording: false,
      headcount: 0,
      awayAt: this.now,
      priority: entrant.rights.priority,
      channels: new Set(),
      whispers: new Set(),
      speakingTo: null,
      heardAt: this.now,
      talkspurts: 2000,
      talkspurtsAt: this.now,
      sent: new Map(),
    };
    lobby.members.set(entrant.steamId, member);
    lobby.hearing.joined(entrant.steamId);
    if (listing === 'unlisted') lobby.isRecounted = true;
    member.headcount = this.unlisted(lobby);
    this.byConnection.set(chosen.connection!, member);
    return wrong;
  }

  leave(member: Member): void {
    const { lobby, steamId, slot } = member;
    if (member.connection !== null) this.byConnection.delete(member.connection);
    lobby.members.delete(steamId);
    lobby.slotFreedAt.set(slot, this.now);
    lobby.hearing.left(steamId, member.kind);
    if (member.listing === 'unlisted') lobby.isRecounted = true;
    for (const other of lobby.members.values()) {
      if (!other.whispers.delete(member)) continue;
      if (other.speakingTo === 255) other.speakingTo = null;
    }
    this.endChannels(lobby);
    if (lobby.members.size === 0 && lobby.plan === null) this.lobbies.delete(lobby.name);
  }

  goAway(member: Member): void {
    this.byConnection.delete(member.connection!);
    member.connection = null;
    member.speakingTo = null;
    member.awayAt = this.now;
    if (this.#limits.resumeWithinMs === 0 || member.kind === 'guest') this.leave(member);
  }

  resume(
    member: Member,
    connection: number,
    resumeSecret: string | null,
    reading: ModelReading | null,
  ): void {
    member.reading = reading;
    if (member.connection !== null) this.byConnection.delete(member.connection);
    member.connection = connection;
    member.speakingTo = null;
    member.resumeSecret = resumeSecret;
    member.headcount = this.unlisted(member.lobby);
    this.byConnection.set(connection, member);
  }

  /** How many members are counted and not listed. */
  unlisted(lobby: ModelLobby): number {
    return [...lobby.members.values()].filter(({ listing }) => listing === 'unlisted').length;
  }

  record(member: Member, recording: boolean): FailureCode | null {
    if (recording && member.listing === 'unlisted') {
      const { lobby } = member;
      const recorders = [...lobby.members.values()].filter(({ listing }) => listing === 'recorder').length;
      if (recorders >= 100) return 'recorders-full';
      member.listing = 'recorder';
      lobby.isRecounted = true;
    }
    member.recording = recording;
    return null;
  }

  whisper(member: Member, slots: readonly number[]): FailureCode | null {
    if (!member.rights.maySpeak) return null;
    const others = slots.map((slot) =>
      [...member.lobby.members.values()].find((it) => it.slot === slot && it.listing !== 'unlisted'),
    );
    const isUnknown = others.includes(undefined);
    if (member.speakingTo === 255) member.speakingTo = null;
    member.sent.delete(255);
    member.whispers = new Set(isUnknown ? [] : others.filter((it) => it !== member)) as Set<Member>;
    return isUnknown ? 'participant-unknown' : null;
  }

  /** Whether they may be in these channels; if so, `moveTo` has to follow. */
  whyNotChannels({ lobby }: Member, names: readonly string[]): FailureCode | null {
    const missing = names.filter((name) => !lobby.channels.has(name)).length;
    return lobby.channels.size + missing > this.#limits.channelsPerLobby ? 'channels-full' : null;
  }

  whyNotEnter(member: Member, names: readonly string[]): FailureCode | null {
    const { channels: open } = member.rights;
    const isClosed = (name: string) => open !== 'any' && !open.includes(name) && !member.channels.has(name);
    const makesOne = names.some((name) => !member.lobby.channels.has(name));
    if (names.some(isClosed) || (makesOne && member.listing === 'unlisted')) return 'channel-not-allowed';
    return this.whyNotChannels(member, names);
  }

  /** @returns What is wrong with the numbers of new channels, or null. */
  moveTo(member: Member, names: readonly string[], numbers: ReadonlyMap<string, number>): string | null {
    const { lobby } = member;
    let wrong: string | null = null;
    for (const name of names) {
      if (lobby.channels.has(name)) continue;
      const number = numbers.get(name) ?? Number.NaN;
      const taken = new Set([...lobby.channels.values()].map((it) => it.number));
      wrong ??= this.#wrongNumber('channel', number, 1, 127, taken, lobby.numberFreedAt);
      lobby.channels.set(name, { number });
    }
    const spokenTo = [...member.channels].find((it) => lobby.channels.get(it)!.number === member.speakingTo);
    if (spokenTo !== undefined && !names.includes(spokenTo)) member.speakingTo = null;
    member.channels = new Set(names);
    this.endChannels(lobby);
    return wrong;
  }

  openLobby(
    name: string,
    capacity: number | null,
    plan: readonly string[] | null,
    maker: ModelLobby['maker'] = null,
    unlisted: number | null = null,
  ): ModelLobby {
    const members = new Map<string, Member>();
    const lobby: ModelLobby = {
      name,
      topic: `lobby/${this.lobbiesMade++}`,
      capacity: capacity ?? this.#limits.participantsPerLobby,
      mostUnlisted: unlisted ?? this.#limits.unlistedPerLobby,
      plan,
      maker,
      members,
      hearing: new ModelHearing(this.#limits, (steamId) => members.has(steamId)),
      channels: new Map((plan ?? []).map((channel, at) => [channel, { number: at + 1 }])),
      slotFreedAt: new Map(),
      numberFreedAt: new Map(),
      isRecounted: false,
      headcountAt: Number.NEGATIVE_INFINITY,
    };
    this.lobbies.set(name, lobby);
    return lobby;
  }

  closeLobby(lobby: ModelLobby): void {
    for (const member of [...lobby.members.values()]) this.leave(member);
    this.lobbies.delete(lobby.name);
  }

  /** Whom these listeners hear, by SteamID or slot. */
  hear(lobby: ModelLobby, updates: readonly HearingUpdate[]): FailureCode | null {
    const steamIdOf = (person: string | number) =>
      typeof person === 'string'
        ? person
        : [...lobby.members.values()].find(({ slot }) => slot === person)?.steamId;
    const wanted = new Map<string, ModelPeople>();
    for (const { listener, hears } of updates) {
      const steamId = steamIdOf(listener);
      if (steamId === undefined) continue;
      wanted.set(steamId, hears && new Set(hears.flatMap((person) => steamIdOf(person) ?? [])));
    }
    const others = [...this.lobbies.values()].filter((it) => it !== lobby);
    const elsewhere = others.reduce((sum, { hearing }) => sum + hearing.entries, 0);
    return lobby.hearing.update(wanted, this.now, elsewhere);
  }

  /** Sets one kind of sanction; participants whom it bans leave. */
  sanction(
    lobby: string | null,
    steamId: string,
    kind: SanctionKind,
    until: Until,
    by: string,
  ): FailureCode | null {
    const failure = this.sanctions.set(lobby, steamId, kind, until, by);
    if (!failure) this.#applySanctions();
    return failure;
  }

  /** Time has passed: places, talkspurts and sanctions end. */
  pass(now: number, unixSeconds: number): void {
    this.now = now;
    this.unixSeconds = unixSeconds;
    for (const member of [...this.members()]) {
      const isGone = member.connection === null && now - member.awayAt >= this.#limits.resumeWithinMs;
      if (isGone || now >= member.expiresAt) this.leave(member);
      else if (now - member.heardAt >= this.#limits.speakingHangoverMs) member.speakingTo = null;
    }
    for (const { hearing } of this.lobbies.values()) hearing.pass(now);
    for (const lobby of this.lobbies.values()) {
      if (!lobby.isRecounted || now - lobby.headcountAt < 1000) continue;
      lobby.isRecounted = false;
      lobby.headcountAt = now;
      for (const member of lobby.members.values()) {
        if (member.connection !== null) member.headcount = this.unlisted(lobby);
      }
    }
    this.sanctions.pass(unixSeconds);
  }

  endChannels(lobby: ModelLobby): void {
    for (const [name, { number }] of lobby.channels) {
      if (lobby.plan?.includes(name)) continue;
      if ([...lobby.members.values()].some(({ channels }) => channels.has(name))) continue;
      lobby.channels.delete(name);
      lobby.numberFreedAt.set(number, this.now);
    }
  }

  #isTold(speaker: Member): boolean {
    speaker.talkspurts = Math.min(2000, speaker.talkspurts + this.now - speaker.talkspurtsAt);
    speaker.talkspurtsAt = this.now;
    if (speaker.talkspurts < 200) return false;
    speaker.talkspurts -= 200;
    return true;
  }

  #applySanctions(): void {
    for (const member of [...this.members()]) {
      if (this.holdsFor('banned', member.lobby.name, member)) this.leave(member);
      else if (this.isMuted(member)) member.speakingTo = null;
    }
  }

  /** A number must be free, within its range, and rested if any number is. */
  #wrongNumber(
    what: string,
    number: number,
    first: number,
    count: number,
    taken: ReadonlySet<number>,
    freedAt: ReadonlyMap<number, number>,
  ): string | null {
    if (!(number >= first && number < first + count)) return `${what} ${number} is out of its range`;
    if (taken.has(number)) return `${what} ${number} is in use`;
    const rested = (it: number) => this.now - (freedAt.get(it) ?? Number.NEGATIVE_INFINITY);
    if (rested(number) >= this.#limits.slotRestMs) return null;
    for (let other = first; other < first + count; other++) {
      if (!taken.has(other) && rested(other) > rested(number)) return `${what} ${number} has not rested`;
    }
    return null;
  }
}
