/**
 * A relay and its model, driven together: every operation is done to both, and the relay's answers, messages, subscriptions and forwarded
 * frames are compared with what the model says. Every difference is a fault.
 */

import type { AdminCommand, Moderation } from '../../../../relay/core/administration.js';
import { type RelayPolicy, STRICT_POLICY } from '../../../../relay/core/joining/hello.js';
import type { RelayLimits } from '../../../../relay/core/limits.js';
import type { AddressShares } from '../../../../relay/core/lobby/shares.js';
import type { Relay } from '../../../../relay/core/relay.js';
import type { SanctionKind, Until } from '../../../../relay/core/sanctions.js';
import { writeAcknowledgement } from '../../../../voice/acknowledgement.js';
import type { ClientMessage, HearingUpdate } from '../../../../voice/control.js';
import { admittedOf, Bench, helloOf, steamIdOf, TOKEN } from '../../kit.js';
import { Belief } from './belief.js';
import { cachedBytes, cachedFrame } from './cached_messages.js';
import { type Client, Clients } from './clients.js';
import { Comparison, sorted } from './comparison.js';
import { Losses } from './losses.js';
import { Model } from './model.js';
import { ModelReading } from './model_reading.js';
import { keyOf, type Member, type ModelRights } from './model_state.js';

export interface WorldOptions {
  readonly limits?: Partial<RelayLimits>;
  readonly policy?: Partial<RelayPolicy>;
  /** A broken relay instead of ours. */
  readonly relay?: typeof Relay;
  /** The shares of an address; two of three connections then come from two addresses. Default: addresses are not counted. */
  readonly shares?: AddressShares;
  /** Whether messages are written and read as on the wire. Default `not`. */
  readonly wire?: 'read' | 'not';
  /** Which connections acknowledge, and measure staleness. Default: none do. */
  readonly acknowledges?: (connection: number) => boolean;
  /** Whether the next frame to a listener is lost. Default: none is. */
  readonly loses?: () => boolean;
}

const FULL: ModelRights = {
  maySpeak: true,
  mayListen: true,
  moderator: false,
  priority: false,
  channels: 'any',
};
const MONTH_S = 30 * 86_400;

export class World {
  readonly bench: Bench;
  readonly model: Model;
  readonly faults: string[] = [];
  /** How often each outcome occurred. */
  readonly reached = new Map<string, number>();
  readonly #clients: Clients;
  readonly #comparison: Comparison;
  readonly #startedAt: number;
  readonly #unixAtStart: number;
  readonly #limits: RelayLimits;
  readonly #policy: RelayPolicy;
  readonly #countsAddresses: boolean;
  readonly #acknowledges: (connection: number) => boolean;
  readonly #loses: (() => boolean) | null;
  #connectionsMade = 0;

  constructor({
    limits = {},
    policy = {},
    relay,
    shares,
    wire = 'not',
    acknowledges = () => false,
    loses,
  }: WorldOptions = {}) {
    this.#acknowledges = acknowledges;
    this.#loses = loses ?? null;
    this.#policy = { ...STRICT_POLICY, ...policy };
    this.bench = new Bench(limits, this.#policy, [], { relay, ...(shares && { addressShares: shares }) });
    this.#countsAddresses = shares !== undefined;
    this.#limits = this.bench.relay.limits;
    this.#startedAt = this.bench.now;
    this.#unixAtStart = this.bench.unixSeconds;
    this.model = new Model(
      this.#limits,
      this.#policy,
      shares ?? { participants: Number.POSITIVE_INFINITY, lobbies: Number.POSITIVE_INFINITY },
      this.bench.now,
      this.bench.unixSeconds,
    );
    this.#clients = new Clients(this, wire);
    this.#comparison = new Comparison(this.bench, this.model, this.#clients, this);
  }

  get clients(): ReadonlyMap<number, Client> {
    return this.#clients.byConnection;
  }

  connect(): number {
    const connection = this.#connectionsMade++;
    const at = connection % 3;
    const address = this.#countsAddresses && at > 0 ? `address ${at}` : null;
    const connectedAt = this.bench.now;
    this.#clients.byConnection.set(connection, {
      topics: new Set(),
      belief: new Belief(),
      losses: new Losses((fault) => this.fault(`${connection}: ${fault}`)),
      connectedAt,
      address,
    });
    this.#clients.carryOut(this.bench.connect(connection, address));
    return connection;
  }

  /** The connection breaks, and the relay notices. */
  drop(connection: number): void {
    this.#clients.byConnection.delete(connection);
    const member = this.model.byConnection.get(connection);
    if (member) this.model.goAway(member);
    this.#clients.carryOut(this.bench.close(connection));
  }

  /** The numbers of all connections ever made. */
  everyConnection(): readonly number[] {
    return Array.from({ length: this.#connectionsMade }, (_, connection) => connection);
  }

  /** Sends a hello, with a good credential or without any. */
  enter(
    connection: number,
    account: number,
    lobby: string,
    {
      name = `player ${account}`,
      proof = 'proven',
      rights = FULL,
      expiresAt = null,
      owner = null,
    }: {
      name?: string;
      proof?: 'proven' | 'unproven' | 'guest';
      rights?: ModelRights | undefined;
      expiresAt?: number | null;
      /** The account that owns the game, with a credential. */
      owner?: number | null;
    } = {},
  ): void {
    const { model, bench } = this;
    const hello = { ...helloOf(account, lobby), name, ...this.#capabilities(connection) };
    const address = this.clients.get(connection)?.address ?? null;
    const ownerSteamId = proof === 'proven' && owner !== null ? steamIdOf(owner) : null;
    if (proof === 'proven') {
      const judge = bench.text(connection, cachedBytes({ ...hello, token: TOKEN }));
      if (judge.length !== 1 || judge[0]?.kind !== 'judge') this.fault('a credential is not judged first');
      this.#clients.carryOut(
        bench.judged(connection, admittedOf(account, { lobby, ...rights, expiresAt, ownerSteamId })),
      );
    } else if (proof === 'guest') {
      const { steamId: _, ...nobody } = hello;
      this.#clients.carryOut(bench.text(connection, nobody));
    } else {
      this.#clients.carryOut(bench.text(connection, hello));
    }
    const belief = this.clients.get(connection)?.belief;
    const client = belief ?? this.#clients.lastClosed;
    const steamId = proof === 'guest' ? (belief?.steamId ?? '') : steamIdOf(account);
    const entrant = {
      lobby,
      steamId,
      proof: proof === 'proven' ? 'proven' : 'unproven',
      kind: proof === 'guest' ? 'guest' : 'player',
      ownerSteamId,
      address,
      rights:
        proof === 'guest' ? { ...FULL, maySpeak: this.#policy.guests === 'speak', channels: [] } : rights,
    } as const;
    const wanted = model.whyNot(entrant);
    this.#outcome('hello', wanted, client);
    if (wanted !== null || !belief || belief.slot === null) return;
    const ends = proof === 'proven' && expiresAt !== null && this.#policy.atExpiry === 'close';
    this.count(`place ${model.listingOf(entrant)}`);
    const wrong = model.join(entrant, {
      slot: belief.slot,
      connection,
      resumeSecret: belief.resumeSecret,
      reading: this.#reading(connection),
      name,
      // Later by the tolerance between clocks.
      expiresAt: ends ? bench.now + 1000 * (expiresAt + 5 - bench.unixSeconds) : Number.POSITIVE_INFINITY,
    });
    if (wrong) this.fault(wrong);
  }

  resume(connection: number, secret: string): void {
    const member = [...this.model.members()].find((it) => it.resumeSecret === secret);
    this.#clients.carryOut(
      this.bench.text(
        connection,
        cachedBytes({ type: 'resume', versions: [1], secret, ...this.#capabilities(connection) }),
      ),
    );
    const belief = this.clients.get(connection)?.belief;
    this.#outcome('resume', member ? null : 'resume-refused', belief ?? this.#clients.lastClosed);
    if (!member || !belief) return;
    if (belief.resumeSecret === secret) this.fault('the same resume secret twice');
    if (belief.slot !== member.slot) this.fault('another slot after a resume');
    this.model.resume(member, connection, belief.resumeSecret, this.#reading(connection));
  }

  /** Sends one voice frame, with their own SteamID or another. Checks the mute rule. */
  say(
    connection: number,
    target: number,
    { as = null, end = 'more' }: { as?: number | null; end?: 'terminator' | 'more' } = {},
  ): void {
    const { model } = this;
    const speaker = model.byConnection.get(connection);
    const steamId = as === null ? (speaker?.steamId ?? steamIdOf(1)) : steamIdOf(as);
    const verdict = this.bench.voice(connection, cachedFrame(steamId, target, end, this.bench.now));
    this.count(`voice ${verdict.kind === 'drop' ? verdict.reason : 'forward'}`);
    if (!speaker) {
      if (verdict.kind !== 'drop')
        this.fault('a frame was forwarded from a connection that is not in a lobby');
      this.#clients.carryOut(verdict.outputs);
      return;
    }
    const wanted = model.verdict(speaker, target, steamId);
    const found = verdict.kind === 'drop' ? verdict.reason : 'forward';
    if (wanted !== found)
      this.fault(`a frame to ${target} of ${speaker.steamId}: ${found}, expected ${wanted}`);
    if (verdict.kind !== 'forward') {
      this.#clients.carryOut(verdict.outputs);
      return;
    }
    if (model.isMuted(speaker)) this.fault(`${steamId} is muted and was heard`);
    if (verdict.slot !== speaker.slot) this.fault('a frame under the wrong slot');
    const topics = [verdict.topic, verdict.ownTopic].filter((topic) => topic !== null);
    const heard = [...this.clients].flatMap(([id, it]) =>
      id !== connection && topics.some((topic) => it.topics.has(topic)) ? [id] : [],
    );
    const audience = model.hearers(speaker, target);
    if (sorted(heard) !== sorted(audience)) this.fault(`heard by ${heard}, expected ${audience}`);
    if (wanted === 'forward') {
      const wantedTopics = model.topicsFor(speaker, target);
      if (sorted(topics) !== sorted(wantedTopics)) this.fault(`went to ${topics}, expected ${wantedTopics}`);
      if (model.sent(speaker, target, end) !== verdict.relaySequence)
        this.fault('the relay sequence has a gap');
    }
    const { slot, relaySequence } = verdict;
    for (const id of model.passedOver(speaker, target)) this.clients.get(id)?.losses.lost(slot, target);
    for (const id of heard) {
      if (verdict.acknowledge) model.byConnection.get(id)?.reading?.sent(this.bench.now);
      if (this.#loses?.() === true) this.clients.get(id)?.losses.lost(slot, target);
      else this.clients.get(id)?.losses.arrived(slot, target, relaySequence);
    }
    this.#clients.carryOut(verdict.outputs);
  }

  /** The client has read everything that was sent to it. */
  acknowledge(connection: number): void {
    const { bench, model } = this;
    const member = model.byConnection.get(connection);
    const reading = member?.reading ?? null;
    const { outputs } = bench.voice(connection, writeAcknowledgement(bench.now - this.#startedAt));
    reading?.acknowledge(bench.now, bench.now);
    this.count(reading?.isParked ? 'live' : 'acknowledged');
    if (reading?.isParked) reading.unpark(bench.now);
    this.#clients.carryOut(outputs);
  }

  leave(connection: number): void {
    const member = this.model.byConnection.get(connection);
    if (member) this.model.leave(member);
    this.#text(connection, { type: 'leave' });
    if (this.clients.has(connection)) this.fault('still connected after leaving');
  }

  rename(connection: number, name: string): void {
    const member = this.#member(connection);
    member.name = name;
    this.#text(connection, { type: 'rename', name });
  }

  channels(connection: number, names: readonly string[]): void {
    const member = this.#member(connection);
    const wanted = this.model.whyNotEnter(member, names);
    this.#text(connection, { type: 'channels', channels: [...names] });
    this.#failure('channels', wanted, connection);
    if (wanted === null) this.#moved(member, names);
  }

  whisper(connection: number, slots: readonly number[]): void {
    const wanted = this.model.whisper(this.#member(connection), slots);
    this.#text(connection, { type: 'whisper', slots: [...slots] });
    this.#failure('whisper', wanted, connection);
  }

  recording(connection: number, recording: boolean): void {
    const wanted = this.model.record(this.#member(connection), recording);
    this.#text(connection, { type: 'recording', recording });
    this.#failure('recording', wanted, connection);
  }

  /** By a moderator. */
  hearing(connection: number, sets: readonly HearingUpdate[]): void {
    const { lobby, rights } = this.#member(connection);
    const wanted = rights.moderator ? this.model.hear(lobby, sets) : 'not-moderator';
    this.#text(connection, { type: 'hearing', sets: [...sets] });
    this.#failure('hearing', wanted, connection);
  }

  /** By a participant, with or without a moderator's rights. */
  moderate(connection: number, moderation: Moderation): void {
    const by = this.#member(connection);
    const { lobby } = by;
    const text = () => this.#text(connection, { type: 'moderate', ...moderation } as ClientMessage);
    if (!by.rights.moderator) {
      text();
      this.#failure('moderate', 'not-moderator', connection);
      return;
    }
    const wanted = this.#moderated(lobby.name, moderation, by.steamId, text);
    if (this.clients.has(connection)) this.#failure('moderate', wanted, connection);
  }

  admin(command: AdminCommand): void {
    const { bench, model } = this;
    let found: string | null = null;
    const administer = () => {
      const { result, outputs } = bench.relay.administer(command, bench.now, bench.unixSeconds);
      found = result.kind === 'failed' ? result.code : null;
      this.#clients.carryOut(outputs);
    };
    let wanted: string | null = null;
    switch (command.kind) {
      case 'open-lobby':
        if (model.lobbies.has(command.lobby)) wanted = 'lobby-exists';
        else if (model.lobbies.size >= this.#limits.lobbies) wanted = 'relay-full';
        else {
          const { lobby, capacity = null, unlisted = null, channels = [] } = command;
          model.openLobby(lobby, capacity, channels, null, unlisted);
        }
        administer();
        break;
      case 'close-lobby': {
        const lobby = model.lobbies.get(command.lobby);
        if (lobby) model.closeLobby(lobby);
        else wanted = 'lobby-unknown';
        administer();
        break;
      }
      case 'hear': {
        const lobby = model.lobbies.get(command.lobby);
        wanted = lobby ? model.hear(lobby, command.sets) : 'lobby-unknown';
        administer();
        break;
      }
      case 'moderate':
        wanted = this.#moderated(command.lobby, command.moderation, 'admin', administer);
        break;
    }
    this.count(`admin ${command.kind} ${wanted ?? 'done'}`);
    if (found !== wanted) this.fault(`${command.kind} comes to ${found}, expected ${wanted}`);
  }

  /** Time passes, and the relay gets a tick. */
  pass(ms: number): void {
    const { bench, model } = this;
    for (const { hearing } of model.lobbies.values()) if (hearing.waits) this.count('hearing waits');
    const now = bench.now + ms;
    bench.unixSeconds = this.#unixAtStart + Math.floor((now - this.#startedAt) / 1000);
    model.pass(now, bench.unixSeconds);
    const outputs = bench.tickAt(now);
    for (const output of outputs) {
      if (output.kind !== 'tell' || output.message.type !== 'parked') continue;
      for (const connection of output.connections) this.#parked(connection);
    }
    this.#clients.carryOut(outputs);
    for (const { reading, steamId, connection } of model.members()) {
      if (connection !== null && reading && !reading.isParked && reading.mustPark(now))
        this.fault(`${steamId} is behind and hears`);
    }
  }

  #parked(connection: number): void {
    const reading = this.model.byConnection.get(connection)?.reading;
    this.count('parked');
    if (!reading?.mayPark(this.bench.now)) this.fault(`${connection} is parked and not behind`);
    if (reading) reading.isParked = true;
  }

  #capabilities(connection: number): { capabilities?: string[] } {
    return this.#acknowledges(connection) ? { capabilities: ['stale'] } : {};
  }

  #reading(connection: number): ModelReading | null {
    return this.#acknowledges(connection) ? new ModelReading(this.bench.now) : null;
  }

  /** Notes every difference between the relay, its clients and the model as a fault. */
  check(): void {
    this.#comparison.check();
  }

  fault(text: string): void {
    this.faults.push(`${text} (at ${this.bench.now})`);
  }

  count(outcome: string): void {
    this.reached.set(outcome, (this.reached.get(outcome) ?? 0) + 1);
  }

  /** The expected outcome; `act` makes the relay do it. */
  #moderated(lobby: string | null, moderation: Moderation, by: string, act: () => void): string | null {
    const { model } = this;
    const { steamId, action } = moderation;
    const found = [...model.members()].filter(
      (it) => it.steamId === steamId && (lobby === null || it.lobby.name === lobby),
    );
    const seconds = 'seconds' in moderation ? moderation.seconds : undefined;
    act();
    const kept = this.#clients.kept.get(keyOf(lobby, steamId));
    /** Unix time is in whole seconds: a sanction may last up to one longer, and never ends early. */
    const until = (kind: SanctionKind): number => {
      const least = model.unixSeconds + (seconds ?? MONTH_S);
      return kept?.[kind] === least + 1 ? least + 1 : least;
    };
    const set = (kind: SanctionKind, end: Until) => model.sanction(lobby, steamId, kind, end, by);
    switch (action) {
      case 'mute':
        return set('muted', until('muted'));
      case 'deafen':
        return set('deafened', until('deafened'));
      case 'ban':
        return set('banned', seconds === undefined && by === 'admin' ? 'always' : until('banned'));
      case 'unmute':
        return set('muted', 'not');
      case 'undeafen':
        return set('deafened', 'not');
      case 'unban':
        return set('banned', 'not');
      default:
    }
    if (found.length === 0) return 'participant-unknown';
    for (const member of found) {
      if (action === 'kick') model.leave(member);
      else if (action === 'prioritize') member.priority = true;
      else if (action === 'unprioritize') member.priority = false;
      else if (action === 'move') {
        const wrong = model.whyNotChannels(member, moderation.channels);
        if (wrong) return wrong;
        this.#moved(member, moderation.channels);
      }
    }
    return null;
  }

  #moved(member: Member, names: readonly string[]): void {
    const state = this.bench.relay.lobby(member.lobby.name);
    const numbers = new Map(state?.channels.map(({ number, name }) => [name, number]));
    const wrong = this.model.moveTo(member, names, numbers);
    if (wrong) this.fault(wrong);
  }

  #member(connection: number): Member {
    const member = this.model.byConnection.get(connection);
    if (!member) throw new Error(`connection ${connection} is not in a lobby`);
    return member;
  }

  #text(connection: number, message: ClientMessage): void {
    const belief = this.clients.get(connection)?.belief;
    if (belief) belief.failed = null;
    this.#clients.carryOut(this.bench.text(connection, cachedBytes(message)));
  }

  #outcome(what: string, wanted: string | null, belief: Belief | null): void {
    this.count(`${what} ${wanted ?? 'done'}`);
    const found = belief?.refused ?? (belief?.slot === null ? 'nothing' : null);
    if (found !== wanted) this.fault(`${what} comes to ${found}, expected ${wanted}`);
  }

  #failure(what: string, wanted: string | null, connection: number): void {
    this.count(`${what} ${wanted ?? 'done'}`);
    const found = this.clients.get(connection)?.belief.failed ?? null;
    if (found !== wanted) this.fault(`${what} comes to ${found}, expected ${wanted}`);
  }
}
