/**
 * A relay and the model of it, driven together: each operation is done to both, and whatever the relay answers, tells,
 * subscribes or forwards is held against what the model says. What differs is a fault.
 */

import type { AdminCommand, Moderation } from '../../../../relay/core/administration.js';
import type { RelayOutput } from '../../../../relay/core/io.js';
import { type RelayPolicy, STRICT_POLICY } from '../../../../relay/core/joining/hello.js';
import type { RelayLimits } from '../../../../relay/core/limits.js';
import type { AddressShares } from '../../../../relay/core/lobby/shares.js';
import type { Relay } from '../../../../relay/core/relay.js';
import { holdsAny, type Sanction, type SanctionKind, type Until } from '../../../../relay/core/sanctions.js';
import {
  type ClientMessage,
  type RelayMessageToWrite,
  readRelayMessage,
  writeMessage,
} from '../../../../voice/control.js';
import { writeVoiceFrame } from '../../../../voice/wire.js';
import { admittedOf, Bench, bytesOf, fields, helloOf, packetBy, steamIdOf, TOKEN } from '../../kit.js';
import { Belief, stateKey } from './belief.js';
import { keyOf, type Member, Model, type ModelLobby, type ModelRights } from './model.js';

/** A socket's side of a connection: what it is subscribed to and what its client believes. */
interface Client {
  readonly topics: Set<string>;
  readonly belief: Belief;
  readonly connectedAt: number;
  readonly address: string | null;
}

export interface WorldOptions {
  readonly limits?: Partial<RelayLimits>;
  readonly policy?: Partial<RelayPolicy>;
  /** Another relay than ours: a broken one. */
  readonly relay?: typeof Relay;
  /** What an address may take; with it two of three connections come from two addresses. Default: addresses are not counted. */
  readonly shares?: AddressShares;
  /** Whether messages are written and read as on the wire. Default `not`. */
  readonly wire?: 'read' | 'not';
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
  readonly clients = new Map<number, Client>();
  /** What was to be kept, as a file would have it. */
  readonly kept = new Map<string, Sanction>();
  /** How often each outcome was had. */
  readonly reached = new Map<string, number>();
  readonly #wire: 'read' | 'not';
  readonly #startedAt: number;
  readonly #unixAtStart: number;
  readonly #limits: RelayLimits;
  readonly #policy: RelayPolicy;
  readonly #countsAddresses: boolean;
  #connectionsMade = 0;

  constructor({ limits = {}, policy = {}, relay, shares, wire = 'not' }: WorldOptions = {}) {
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
    this.#wire = wire;
  }

  connect(): number {
    const connection = this.#connectionsMade++;
    const at = connection % 3;
    const address = this.#countsAddresses && at > 0 ? `address ${at}` : null;
    const connectedAt = this.bench.now;
    this.clients.set(connection, { topics: new Set(), belief: new Belief(), connectedAt, address });
    this.#carryOut(this.bench.connect(connection, address));
    return connection;
  }

  /** The connection breaks, and the relay is told. */
  drop(connection: number): void {
    this.clients.delete(connection);
    const member = this.model.byConnection.get(connection);
    if (member) this.model.goAway(member);
    this.#carryOut(this.bench.close(connection));
  }

  /** The numbers of all that ever were. */
  everyConnection(): readonly number[] {
    return Array.from({ length: this.#connectionsMade }, (_, connection) => connection);
  }

  /** Says hello with a credential that is good, or with none. */
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
    const hello = { ...helloOf(account, lobby), name };
    const address = this.clients.get(connection)?.address ?? null;
    const ownerSteamId = proof === 'proven' && owner !== null ? steamIdOf(owner) : null;
    if (proof === 'proven') {
      const judge = bench.text(connection, cachedBytes({ ...hello, token: TOKEN }));
      if (judge.length !== 1 || judge[0]?.kind !== 'judge') this.fault('a credential is not judged first');
      this.#carryOut(
        bench.judged(connection, admittedOf(account, { lobby, ...rights, expiresAt, ownerSteamId })),
      );
    } else if (proof === 'guest') {
      const { steamId: _, ...nobody } = hello;
      this.#carryOut(bench.text(connection, nobody));
    } else {
      this.#carryOut(bench.text(connection, hello));
    }
    const belief = this.clients.get(connection)?.belief;
    const client = belief ?? this.#lastClosed;
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
    const wrong = model.join(entrant, {
      slot: belief.slot,
      connection,
      resumeSecret: belief.resumeSecret,
      name,
      // As long after it as clocks may differ.
      expiresAt: ends ? bench.now + 1000 * (expiresAt + 5 - bench.unixSeconds) : Number.POSITIVE_INFINITY,
    });
    if (wrong) this.fault(wrong);
  }

  resume(connection: number, secret: string): void {
    const member = [...this.model.members()].find((it) => it.resumeSecret === secret);
    this.#carryOut(this.bench.text(connection, cachedBytes({ type: 'resume', versions: [1], secret })));
    const belief = this.clients.get(connection)?.belief;
    this.#outcome('resume', member ? null : 'resume-refused', belief ?? this.#lastClosed);
    if (!member || !belief) return;
    if (belief.resumeSecret === secret) this.fault('a resume secret is given twice');
    if (belief.slot !== member.slot) this.fault('a resume gives another slot');
    this.model.comeBack(member, connection, belief.resumeSecret);
  }

  /** One voice frame, of their own SteamID or of another's. The check of the mute rule is here. */
  say(
    connection: number,
    target: number,
    { as = null, end = 'more' }: { as?: number | null; end?: 'terminator' | 'more' } = {},
  ): void {
    const { model } = this;
    const speaker = model.byConnection.get(connection);
    const steamId = as === null ? (speaker?.steamId ?? steamIdOf(1)) : steamIdOf(as);
    const verdict = this.bench.voice(connection, cachedFrame(steamId, target, end));
    this.count(`voice ${verdict.kind === 'drop' ? verdict.reason : 'forward'}`);
    if (!speaker) {
      if (verdict.kind !== 'drop') this.fault('a frame went out of a connection that is in no lobby');
      this.#carryOut(verdict.outputs);
      return;
    }
    const wanted = model.verdict(speaker, target, steamId);
    const found = verdict.kind === 'drop' ? verdict.reason : 'forward';
    if (wanted !== found) this.fault(`a frame to ${target} of ${speaker.steamId}: ${found}, wants ${wanted}`);
    if (verdict.kind !== 'forward') {
      this.#carryOut(verdict.outputs);
      return;
    }
    if (model.isMuted(speaker)) this.fault(`${steamId} is muted and was heard`);
    if (verdict.slot !== speaker.slot) this.fault('a frame under a slot not its own');
    const heard = [...this.clients].flatMap(([id, it]) =>
      id !== connection && it.topics.has(verdict.topic) ? [id] : [],
    );
    const audience = model.hearers(speaker, target);
    if (sorted(heard) !== sorted(audience)) this.fault(`heard by ${heard}, wants ${audience}`);
    if (wanted === 'forward') {
      const { topic, relaySequence } = model.sent(speaker, target, end);
      if (topic !== verdict.topic) this.fault(`went to ${verdict.topic}, wants ${topic}`);
      if (relaySequence !== verdict.relaySequence) this.fault('the relay sequence has a gap');
    }
    this.#carryOut(verdict.outputs);
  }

  leave(connection: number): void {
    const member = this.model.byConnection.get(connection);
    if (member) this.model.leave(member);
    this.#text(connection, { type: 'leave' });
    if (this.clients.has(connection)) this.fault('who left is still connected');
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

  /** By a participant, who may be no moderator. */
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
      this.#carryOut(outputs);
    };
    let wanted: string | null = null;
    switch (command.kind) {
      case 'open-lobby':
        if (model.lobbies.has(command.lobby)) wanted = 'lobby-exists';
        else if (model.lobbies.size >= this.#limits.lobbies) wanted = 'relay-full';
        else model.openLobby(command.lobby, command.capacity ?? null, command.channels ?? []);
        administer();
        break;
      case 'close-lobby': {
        const lobby = model.lobbies.get(command.lobby);
        if (lobby) model.closeLobby(lobby);
        else wanted = 'lobby-unknown';
        administer();
        break;
      }
      case 'moderate':
        wanted = this.#moderated(command.lobby, command.moderation, 'admin', administer);
        break;
    }
    this.count(`admin ${command.kind} ${wanted ?? 'done'}`);
    if (found !== wanted) this.fault(`${command.kind} comes to ${found}, wants ${wanted}`);
  }

  /** Time passes, and the relay is told. */
  pass(ms: number): void {
    const { bench, model } = this;
    const now = bench.now + ms;
    bench.unixSeconds = this.#unixAtStart + Math.floor((now - this.#startedAt) / 1000);
    model.pass(now, bench.unixSeconds);
    this.#carryOut(bench.tickAt(now));
  }

  /** Everything that anybody can see is as the model says. */
  check(): void {
    const { model, bench } = this;
    const { relay } = bench;
    const counts = relay.counts();
    const members = [...model.members()];
    this.#same('connections', counts.connections, this.clients.size);
    this.#same('participants', counts.participants, members.length);
    this.#same('away', counts.away, members.filter(({ connection }) => connection === null).length);
    this.#same('lobbies', counts.lobbies, model.lobbies.size);
    this.#same('sanctions', counts.sanctions, model.sanctions.size);
    for (const { lobby, steamId, by, ...holds } of relay.sanctions()) {
      const key = keyOf(lobby, steamId);
      this.#same(`sanctions of ${steamId}`, holds, model.sanctions.get(key));
      this.#same(`who sanctioned ${steamId}`, by, model.sanctionedBy.get(key)?.by);
      const { muted, deafened, banned } = this.kept.get(key) ?? {};
      const kept = { muted: this.#left(muted), deafened: this.#left(deafened), banned: this.#left(banned) };
      this.#same(`what is kept of ${steamId}`, kept, holds);
    }
    const keptAndHolding = [...this.kept.values()].filter((it) => holdsAny(it, bench.unixSeconds));
    this.#same('what is kept', keptAndHolding.length, counts.sanctions);
    const byModerators = [...model.sanctionedBy.values()].filter(({ by }) => by !== 'admin').length;
    this.#same('sanctions by moderators', counts.sanctionsByModerators, byModerators);
    for (const lobby of model.lobbies.values()) this.#checkLobby(lobby);
    for (const [connection, { topics, belief, connectedAt }] of this.clients) {
      for (const fault of belief.faults) this.fault(`${connection}: ${fault}`);
      const { lobby, steamId } = belief;
      const member = model.byConnection.get(connection);
      const ownerSteamId = member?.ownerSteamId ?? null;
      if (lobby !== null && steamId !== null && model.holdsFor('banned', lobby, { steamId, ownerSteamId })) {
        this.fault(`${steamId} is banned and in`);
      }
      if (!member) {
        if (belief.slot !== null) this.fault(`${connection} believes to be in`);
        if (bench.now - connectedAt >= this.#limits.helloWithinMs) this.fault(`${connection} waits for ever`);
        if (topics.size > 0) this.fault(`${connection} is in no lobby and hears ${[...topics]}`);
        continue;
      }
      const audible = model.topicsOf(member);
      if (sorted(topics) !== sorted(audible))
        this.fault(`${connection} hears ${[...topics]}, wants ${audible}`);
      this.#checkBelief(member, belief);
    }
  }

  /** As the file has it, ended sanctions stay for a day. */
  #left(until: Until = 'not'): Until {
    return typeof until === 'number' && until <= this.bench.unixSeconds ? 'not' : until;
  }

  fault(text: string): void {
    this.faults.push(`${text} (at ${this.bench.now})`);
  }

  count(outcome: string): void {
    this.reached.set(outcome, (this.reached.get(outcome) ?? 0) + 1);
  }

  #checkLobby(lobby: ModelLobby): void {
    const state = this.bench.relay.lobby(lobby.name);
    const members = [...lobby.members.values()];
    const wanted = members.map((member) => {
      const whispers = [...member.whispers].map(({ slot }) => slot);
      return `${this.#stateOf(member)} > ${member.speakingTo} ~ ${sorted(whispers)}`;
    });
    const found = state?.members.map((it) => `${stateKey(it)} > ${it.speakingTo} ~ ${sorted(it.whisperTo)}`);
    this.#same(`lobby ${lobby.name}`, found?.sort().join(', '), wanted.sort().join(', '));
    const channels = state?.channels.map(({ number, name }) => `${number} ${name}`).sort();
    this.#same(`channels of ${lobby.name}`, channels?.join(), channelsOf(lobby));
  }

  #checkBelief(member: Member, belief: Belief): void {
    const { lobby } = member;
    const who = member.steamId;
    if (belief.you !== this.#stateOf(member)) this.fault(`${who} believes to be ${belief.you}`);
    if (belief.others.size !== lobby.members.size - 1)
      this.fault(`${who} believes in ${belief.others.size} others`);
    for (const other of lobby.members.values()) {
      if (other === member) continue;
      const believed = belief.others.get(other.slot);
      const state = this.#stateOf(other);
      if (believed?.state !== state) this.fault(`${who} believes ${believed?.state}, so is ${state}`);
      const speaks =
        other.speakingTo !== null && this.model.reached(other, other.speakingTo).includes(member);
      if (believed && believed.speaking !== speaks) this.fault(`${who} believes ${state} speaks: ${!speaks}`);
    }
    const channels = [...belief.channels].map(([number, name]) => `${number} ${name}`).sort();
    this.#same(`channels that ${who} believes in`, channels.join(), channelsOf(lobby));
  }

  /** As everybody is to be told of them. */
  #stateOf(member: Member): string {
    const { slot, steamId, name, lobby, rights, kind } = member;
    return stateKey({
      slot,
      steamId,
      name,
      channels: [...member.channels].map((it) => lobby.channels.get(it)!.number),
      muted: this.model.isMuted(member),
      deafened: this.model.isDeafened(member),
      away: member.connection === null,
      priority: member.priority,
      moderator: rights.moderator,
      guest: kind === 'guest',
      spectator: !rights.maySpeak,
    });
  }

  /** What is to come of it; `act` has the relay do it. */
  #moderated(lobby: string | null, moderation: Moderation, by: string, act: () => void): string | null {
    const { model } = this;
    const { steamId, action } = moderation;
    const found = [...model.members()].filter(
      (it) => it.steamId === steamId && (lobby === null || it.lobby.name === lobby),
    );
    const seconds = 'seconds' in moderation ? moderation.seconds : undefined;
    act();
    const kept = this.kept.get(keyOf(lobby, steamId));
    /** Whole seconds of unix time: it may hold for up to one more, and never for less. */
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
    if (!member) throw new Error(`connection ${connection} is in no lobby`);
    return member;
  }

  #text(connection: number, message: ClientMessage): void {
    const belief = this.clients.get(connection)?.belief;
    if (belief) belief.failed = null;
    this.#carryOut(this.bench.text(connection, cachedBytes(message)));
  }

  #outcome(what: string, wanted: string | null, belief: Belief | null): void {
    this.count(`${what} ${wanted ?? 'done'}`);
    const found = belief?.refused ?? (belief?.slot === null ? 'nothing' : null);
    if (found !== wanted) this.fault(`${what} comes to ${found}, wants ${wanted}`);
  }

  #failure(what: string, wanted: string | null, connection: number): void {
    this.count(`${what} ${wanted ?? 'done'}`);
    const found = this.clients.get(connection)?.belief.failed ?? null;
    if (found !== wanted) this.fault(`${what} comes to ${found}, wants ${wanted}`);
  }

  #same(what: string, found: unknown, wanted: unknown): void {
    if (found === wanted) return;
    const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)];
    if (one !== other) this.fault(`${what}: ${one}, wants ${other}`);
  }

  #lastClosed: Belief | null = null;

  #carryOut(outputs: readonly RelayOutput[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case 'tell':
          this.#tell(output.connections, output.message);
          break;
        case 'subscribe': {
          const topics = this.clients.get(output.connection)?.topics;
          if (!topics || topics.has(output.topic)) this.fault(`cannot subscribe ${output.connection}`);
          topics?.add(output.topic);
          break;
        }
        case 'unsubscribe':
          if (!this.clients.get(output.connection)?.topics.delete(output.topic)) {
            this.fault(`cannot unsubscribe ${output.connection} from ${output.topic}`);
          }
          break;
        case 'close': {
          const closed = this.clients.get(output.connection);
          if (!closed) this.fault(`closed ${output.connection} twice`);
          for (const fault of closed?.belief.faults ?? []) this.fault(`${output.connection}: ${fault}`);
          this.#lastClosed = closed?.belief ?? null;
          this.clients.delete(output.connection);
          this.count(`close ${output.reason}`);
          break;
        }
        case 'keep': {
          const { sanction } = output;
          const key = keyOf(sanction.lobby, sanction.steamId);
          const { muted, deafened, banned } = sanction;
          if ([muted, deafened, banned].every((until) => until === 'not')) this.kept.delete(key);
          else this.kept.set(key, sanction);
          break;
        }
        case 'judge':
          this.fault('a credential is judged that nobody gave');
          break;
        case 'event':
          break;
      }
    }
  }

  #tell(connections: readonly number[], message: RelayMessageToWrite): void {
    if (connections.length === 0) this.fault('nobody is told');
    if (new Set(connections).size !== connections.length) this.fault('told twice');
    let told = message;
    if (this.#wire === 'read') {
      const read = readRelayMessage(writeMessage(message));
      if ('type' in read) told = read;
      else this.fault(`a message that is none: ${read.detail}`);
    }
    for (const connection of connections) {
      const client = this.clients.get(connection);
      if (client) client.belief.hear(told);
      else this.fault(`told ${connection} of ${message.type}, which is gone`);
    }
  }
}

const sorted = (items: Iterable<string | number>): string => {
  const list = [...items];
  return list.length > 1 ? list.sort().join() : String(list[0] ?? '');
};

const channelsOf = ({ channels }: ModelLobby): string =>
  [...channels]
    .map(([name, { number }]) => `${number} ${name}`)
    .sort()
    .join();

const frames = new Map<string, Uint8Array>();

/** Most frames are said again and again. */
function cachedFrame(steamId: string, target: number, end: 'terminator' | 'more'): Uint8Array {
  const key = `${steamId} ${target} ${end}`;
  let frame = frames.get(key);
  if (!frame) {
    frame = writeVoiceFrame(fields({ target, terminator: end === 'terminator' }), packetBy(BigInt(steamId)));
    frames.set(key, frame);
  }
  return frame;
}

const texts = new Map<string, Uint8Array>();

function cachedBytes(message: ClientMessage): Uint8Array {
  const text = writeMessage(message);
  let bytes = texts.get(text);
  if (!bytes) {
    bytes = bytesOf(text);
    texts.set(text, bytes);
  }
  return bytes;
}
