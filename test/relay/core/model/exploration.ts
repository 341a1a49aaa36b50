/**
 * Every order of operations on a few people in a relay, breadth first: each state is kept by the shortest sequence that leads to
 * it, and reached again by replaying that sequence, or by operations that undo the last one. The world's checks run in every state and on
 * every way into it; the first sequence that fails one is returned.
 *
 * Two states are one when nobody could tell them apart but by the numbers that were drawn: slots, numbers of channels and
 * connections, resume secrets. What is seen of the relay makes the fingerprint (its lobbies and sanctions), and beside it what it keeps
 * to itself: how long somebody has been away, and which resume secrets are out. Where two seats are alike, a state and its mirror image
 * are visited once and counted as two: what holds in one holds in the other, by the other name.
 */

import type { Moderation } from '../../../../relay/core/administration.js';
import { steamIdOf } from '../../kit.js';
import type { Member, ModelRights } from './model_state.js';
import { World, type WorldOptions } from './world.js';

/** One person's place in one lobby. */
export interface Seat {
  readonly account: number;
  readonly lobby: string;
  readonly rights?: ModelRights;
}

export interface Plan {
  readonly seats: readonly Seat[];
  readonly operations: readonly Operation[];
  /** Two seats that differ in nothing but their account. */
  readonly alike?: readonly [number, number];
  /** Of the longest sequence. */
  readonly depth: number;
  readonly relay?: WorldOptions['relay'];
  /** Limits that differ from those of all explorations. */
  readonly limits?: WorldOptions['limits'];
  /** Whether the clients acknowledge what they read, when they do. Default: they cannot. */
  readonly acknowledges?: boolean;
  /** The faults that count. Default all. */
  readonly faults?: RegExp;
}

export interface Explored {
  readonly states: number;
  readonly transitions: number;
  /** Of the longest sequence that led to a new state. */
  readonly depth: number;
  /** Whether no operation in any state leads to another state. */
  readonly isWhole: boolean;
  readonly violation: { readonly faults: readonly string[]; readonly sequence: readonly string[] } | null;
}

export interface Operation {
  readonly name: string;
  /** Does it, or says that it cannot be done in this state. */
  run(walk: Walk): 'done' | 'impossible';
}

/** The length of a step in time: a resume window and a short mute outlast one, but not two. */
export const STEP_MS = 10_000;
const MUTE_S = 15;
const LIMITS = {
  participantsPerLobby: 4,
  resumeWithinMs: 15_000,
  slotRestMs: 15_001,
  helloWithinMs: 60_000,
  controlBurst: 10_000,
  hearingBurst: 10_000,
};

/** A world on its way, and the resume secrets that each seat's clients were given. */
export class Walk {
  readonly world: World;
  readonly seats: readonly Seat[];
  /** The names of the operations so far. */
  readonly history: string[] = [];
  readonly #secrets: string[][];

  constructor({
    seats,
    relay,
    limits,
    acknowledges = false,
  }: Pick<Plan, 'seats' | 'relay' | 'limits' | 'acknowledges'>) {
    this.world = new World({
      limits: { ...LIMITS, ...limits },
      acknowledges: () => acknowledges,
      ...(relay && { relay }),
    });
    this.seats = seats;
    this.#secrets = seats.map(() => []);
  }

  member(at: number): Member | undefined {
    const { lobby, account } = this.seats[at]!;
    return this.world.model.lobbies.get(lobby)?.members.get(steamIdOf(account));
  }

  /** The `back`-th resume secret before the last one; undefined when there were fewer. */
  resumeSecret(at: number, back: number): string | undefined {
    return this.#secrets[at]!.at(-1 - back);
  }

  run(operation: Operation): 'done' | 'impossible' {
    if (operation.run(this) === 'impossible') return 'impossible';
    this.history.push(operation.name);
    for (const [at, given] of this.#secrets.entries()) {
      const secret = this.member(at)?.resumeSecret;
      if (secret != null && given.at(-1) !== secret) given.push(secret);
    }
    return 'done';
  }

  /** @param order The order to describe the seats in; two states with equal prints are mirror images. */
  fingerprint(order: readonly number[] = [...this.seats.keys()]): string {
    const { relay, unixSeconds, now } = this.world.bench;
    const seats = order.map((at) => ({ at, ...this.seats[at]! }));
    /** A person by the first seat that is theirs, whatever their account. */
    const whoIs = (steamId: string | undefined) =>
      seats.findIndex(({ account }) => steamIdOf(account) === steamId);
    const parts: string[] = [];
    const lobbies = new Map(relay.lobbies().map(({ name }) => [name, relay.lobby(name)]));
    for (const { at, lobby, account } of seats) {
      const steamId = steamIdOf(account);
      const state = lobbies.get(lobby);
      const everyone = state ? [...state.members, ...(relay.unlisted(lobby) ?? [])] : [];
      const it = everyone.find((member) => member.steamId === steamId);
      const secrets = Math.min(2, this.#secrets[at]!.length);
      parts.push(`${lobby} ${secrets}`);
      if (!it || !state) continue;
      const nameOf = (number: number) => state.channels.find((channel) => channel.number === number)?.name;
      const whispers = it.whisperTo.map((slot) =>
        whoIs(everyone.find((member) => member.slot === slot)?.steamId),
      );
      const channels = (it.channels ?? []).map(nameOf).sort();
      const awayMs = it.away ? now - (this.member(at)?.awayAt ?? 0) : '';
      const speaks = it.speakingTo === null ? '' : (nameOf(it.speakingTo) ?? it.speakingTo);
      const name = it.name === `player ${account}` ? 'own' : it.name;
      const listing = `${it.unlisted} ${it.recordingSince !== undefined} ${this.member(at)?.listing}`;
      parts.push(
        `${name} ${listing} ${it.muted} ${it.deafened} ${awayMs} ${channels} ${speaks} ${whispers.sort()}`,
      );
    }
    const sanctions = relay.sanctions().map(({ lobby, steamId, muted, deafened, banned }) => {
      const left = [muted, deafened, banned].map((until) =>
        // Without an end that comes within the walk, all are the same.
        typeof until === 'number' ? Math.min(100, until - unixSeconds) : until,
      );
      return `${lobby} ${whoIs(steamId)} ${left}`;
    });
    // The model's state, too: a broken relay may forget it.
    const { model } = this.world;
    const meant = seats.map(({ at, lobby, account }) => {
      const isHere = this.member(at)?.connection !== null;
      const reading = this.member(at)?.reading;
      const people = model.lobbies.get(lobby)?.hearing.of(steamIdOf(account));
      const heard = people ? [...people].map(whoIs).sort().join() : 'all';
      const spokeAt = this.member(at)?.heardAt;
      const reads =
        isHere && reading
          ? `${reading.isParked} ${reading.owes} ${reading.wouldOwe(now)} ${spokeAt === now}`
          : '';
      return `${isHere} ${reads} ${model.holds('muted', lobby, steamIdOf(account))} ${heard}`;
    });
    return `${parts.join('; ')} | ${sanctions.sort().join('; ')} | ${meant}`;
  }

  /** Everybody tries to be heard, on all targets and under every SteamID. This ends the walk. */
  tryVoices(): void {
    const { world, seats } = this;
    for (const connection of world.everyConnection()) {
      const speaker = world.model.byConnection.get(connection);
      for (const { account } of seats) {
        const isSpeaker = speaker?.steamId === steamIdOf(account);
        const targets = isSpeaker ? this.targets(speaker) : [0];
        for (const target of targets) world.say(connection, target, { as: account });
      }
    }
  }

  targets({ lobby }: Member): readonly number[] {
    return [0, ...[...lobby.channels.values()].map(({ number }) => number), 255];
  }
}

export function explore({
  seats,
  operations,
  alike,
  depth,
  relay,
  limits,
  acknowledges = false,
  faults = /^/,
}: Plan): Explored {
  const plan = { seats, acknowledges, ...(relay && { relay }), ...(limits && { limits }) };
  /** Each state's number, and from it where its operations lead, as far as they were tried. */
  const seen = new Map<string, number>();
  const ways: Map<number, number>[] = [];
  /** What undid each operation last. */
  const undone = new Map<number, readonly number[]>();
  let states = 0;
  let transitions = 0;
  let deepest = 0;
  const order = [...seats.keys()];
  const mirrored = alike && order.map((at) => (at === alike[0] ? alike[1] : at === alike[1] ? alike[0] : at));

  /** What a state and its mirror image have in common, and how many of the two there are. */
  const pairOf = (walk: Walk, print: string): { readonly pair: string; readonly size: number } => {
    const image = mirrored ? walk.fingerprint(mirrored) : print;
    return { pair: image < print ? image : print, size: image === print ? 1 : 2 };
  };
  const note = ({ pair, size }: ReturnType<typeof pairOf>): number => {
    const state = seen.size;
    seen.set(pair, state);
    states += size;
    ways.push(new Map());
    return state;
  };
  const replay = (sequence: readonly number[]): Walk => {
    const walk = new Walk(plan);
    for (const at of sequence) walk.run(operations[at]!);
    return walk;
  };
  const isFaulty = ({ world }: Walk) => world.faults.some((fault) => faults.test(fault));
  /** By the shortest way, if that violates as well; else by all that the walk did. */
  const violationOf = (walk: Walk, shortest: readonly number[]): NonNullable<Explored['violation']> => {
    const again = replay(shortest);
    again.world.check();
    if (!isFaulty(again)) again.tryVoices();
    const { world, history } = isFaulty(again) ? again : walk;
    return { faults: world.faults.filter((fault) => faults.test(fault)), sequence: history };
  };
  const ended = (isWhole: boolean, violation: Explored['violation']): Explored => {
    return { states, transitions, depth: deepest, isWhole, violation };
  };

  const start = new Walk(plan);
  note(pairOf(start, start.fingerprint()));
  let layer: (readonly number[])[] = [[]];
  for (let length = 0; length < depth && layer.length > 0; length++) {
    const next: (readonly number[])[] = [];
    for (const sequence of layer) {
      let walk = replay(sequence);
      const before = walk.fingerprint();
      const here = seen.get(pairOf(walk, before).pair)!;
      for (const [at, operation] of operations.entries()) {
        if (walk.run(operation) === 'impossible') continue;
        transitions += 1;
        walk.world.check();
        const after = walk.fingerprint();
        if (after === before) {
          if (isFaulty(walk)) return ended(false, violationOf(walk, [...sequence, at]));
          continue;
        }
        const pair = pairOf(walk, after);
        const known = seen.get(pair.pair);
        const there = known ?? note(pair);
        ways[here]!.set(there, at);
        if (known === undefined) {
          next.push([...sequence, at]);
          deepest = length + 1;
          walk.tryVoices();
        }
        if (isFaulty(walk)) return ended(false, violationOf(walk, [...sequence, at]));
        // Back to the state before this operation: by undoing operations where they are known, otherwise by a full replay.
        const back = known === undefined ? null : (wayBack(ways, there, here) ?? undone.get(at) ?? null);
        for (const step of back ?? []) walk.run(operations[step]!);
        if (isFaulty(walk)) return ended(false, violationOf(walk, [...sequence, at, ...(back ?? [])]));
        if (back !== null && walk.fingerprint() === before) {
          undone.set(at, back);
          continue;
        }
        walk = replay(sequence);
      }
    }
    layer = next;
  }
  return ended(layer.length === 0, null);
}

/** Up to three operations that lead from one state to another; null where none are known. */
function wayBack(
  ways: readonly ReadonlyMap<number, number>[],
  from: number,
  to: number,
): readonly number[] | null {
  const direct = ways[from]!.get(to);
  if (direct !== undefined) return [direct];
  for (const [over, first] of ways[from]!) {
    const last = ways[over]!.get(to);
    if (last !== undefined) return [first, last];
  }
  for (const [over, first] of ways[from]!) {
    for (const [then, second] of ways[over]!) {
      const last = ways[then]!.get(to);
      if (last !== undefined) return [first, second, last];
    }
  }
  return null;
}

/** What each seat and its moderator can do. */
export const OPERATIONS = {
  /** With a credential, whether they are out, away, or in already. */
  join: seatOperation('joins', (walk, at) => {
    const { account, lobby, rights } = walk.seats[at]!;
    walk.world.enter(walk.world.connect(), account, lobby, rights ? { rights } : {});
  }),
  leave: hereOperation('leaves', (walk, _at, connection) => walk.world.leave(connection)),
  drop: hereOperation('drops', (walk, _at, connection) => walk.world.drop(connection)),
  resume: secretOperation('resumes', 0),
  resumeByOld: secretOperation('resumes by an old secret', 1),
  speak: hereOperation('speaks', (walk, _at, connection) => walk.world.say(connection, 0)),
  speakToChannel: hereOperation('speaks to red', (walk, at, connection) => {
    const channel = walk.member(at)?.lobby.channels.get('red');
    if (!channel) return 'impossible';
    return walk.world.say(connection, channel.number);
  }),
  speakInWhisper: hereOperation('whispers', (walk, _at, connection) => walk.world.say(connection, 255)),
  enterChannel: hereOperation('enters red', (walk, _at, connection) =>
    walk.world.channels(connection, ['red']),
  ),
  leaveChannel: hereOperation('leaves red', (walk, _at, connection) => walk.world.channels(connection, [])),
  whisperTo: hereOperation('names whom it whispers to', (walk, _at, connection) => {
    const { lobby } = walk.world.model.byConnection.get(connection)!;
    walk.world.whisper(
      connection,
      [...lobby.members.values()].map(({ slot }) => slot),
    );
  }),
  whisperToNobody: hereOperation('whispers to nobody', (walk, _at, connection) => {
    walk.world.whisper(connection, []);
  }),
  acknowledge: hereOperation('acknowledges', (walk, _at, connection) => walk.world.acknowledge(connection)),
  rename: hereOperation('takes the name b', (walk, _at, connection) => walk.world.rename(connection, 'b')),
  mute: moderation('is muted for a while', { action: 'mute', seconds: MUTE_S }),
  unmute: moderation('is unmuted', { action: 'unmute' }),
  deafen: moderation('is deafened', { action: 'deafen' }),
  undeafen: moderation('is undeafened', { action: 'undeafen' }),
  ban: moderation('is banned', { action: 'ban' }),
  unban: moderation('is unbanned', { action: 'unban' }),
  kick: moderation('is kicked', { action: 'kick' }),
  moveIn: moderation('is moved to red', { action: 'move', channels: ['red'] }),
  moveOut: moderation('is moved out of red', { action: 'move', channels: [] }),
  hearLast: hearing('hears the last seat alone', (seats) => [seats.at(-1)!]),
  hearOthers: hearing('hears all but the last seat', (seats) => seats.slice(0, -1)),
  hearEveryone: hearing('hears everyone', () => null),
  muteEverywhere: everywhere('is muted everywhere for a while', { action: 'mute', seconds: MUTE_S }),
  unmuteEverywhere: everywhere('is unmuted everywhere', { action: 'unmute' }),
} as const;

/** What changes whether a listener is listed. */
export const RECORDING = {
  record: hereOperation('records', (walk, _at, connection) => walk.world.recording(connection, true)),
  recordNoMore: hereOperation('records no more', (walk, _at, connection) =>
    walk.world.recording(connection, false),
  ),
} as const;

/** Time passes. */
export const WAIT: Operation = {
  name: 'time passes',
  run: ({ world }) => {
    world.pass(STEP_MS);
    return 'done';
  },
};

export type OperationName = keyof typeof OPERATIONS | keyof typeof RECORDING;

type OfSeat = (at: number) => Operation;

/** These operations for each seat, and time. */
export function operationsOf(seats: readonly Seat[], names: readonly OperationName[]): Operation[] {
  return [
    ...seats.flatMap((_seat, at) => names.map((name) => ({ ...OPERATIONS, ...RECORDING })[name](at))),
    WAIT,
  ];
}

function seatOperation(what: string, run: (walk: Walk, at: number) => unknown): OfSeat {
  return (at) => ({
    name: `${at} ${what}`,
    run: (walk) => (run(walk, at) === 'impossible' ? 'impossible' : 'done'),
  });
}

/** Of a seat that is in and not away. */
function hereOperation(what: string, run: (walk: Walk, at: number, connection: number) => unknown): OfSeat {
  return seatOperation(what, (walk, at) => {
    const connection = walk.member(at)?.connection ?? null;
    return connection === null ? 'impossible' : run(walk, at, connection);
  });
}

function secretOperation(what: string, back: number): OfSeat {
  return seatOperation(what, (walk, at) => {
    const secret = walk.resumeSecret(at, back);
    if (secret === undefined) return 'impossible';
    return walk.world.resume(walk.world.connect(), secret);
  });
}

/** By seat 0 where it is a moderator and in, otherwise by the administrator. */
function moderation(what: string, action: ActionOnly<Moderation>): OfSeat {
  return seatOperation(what, ({ world, seats }, at) => {
    const { account, lobby } = seats[at]!;
    const steamId = steamIdOf(account);
    const moderator = world.model.lobbies.get(lobby)?.members.get(steamIdOf(seats[0]!.account));
    if (moderator?.rights.moderator && moderator.connection !== null) {
      world.moderate(moderator.connection, { steamId, ...action } as Moderation);
    } else {
      world.admin({ kind: 'moderate', lobby, moderation: { steamId, ...action } as Moderation });
    }
  });
}

function everywhere(what: string, action: ActionOnly<Moderation>): OfSeat {
  return seatOperation(what, ({ world, seats }, at) => {
    const steamId = steamIdOf(seats[at]!.account);
    world.admin({ kind: 'moderate', lobby: null, moderation: { steamId, ...action } as Moderation });
  });
}

/** By seat 0 where it is a moderator and in, otherwise by the administrator; by slot where that is known, otherwise by SteamID. */
function hearing(what: string, heard: (seats: readonly Seat[]) => readonly Seat[] | null): OfSeat {
  return seatOperation(what, ({ world, seats }, at) => {
    const { account, lobby } = seats[at]!;
    const members = world.model.lobbies.get(lobby)?.members;
    const personOf = (steamId: string) => members?.get(steamId)?.slot ?? steamId;
    const hears = heard(seats)?.map((seat) => personOf(steamIdOf(seat.account))) ?? null;
    const sets = [{ listener: steamIdOf(account), hears }];
    const moderator = members?.get(steamIdOf(seats[0]!.account));
    if (moderator?.rights.moderator && moderator.connection !== null) {
      world.hearing(moderator.connection, sets);
    } else {
      world.admin({ kind: 'hear', lobby, sets });
    }
  });
}

type ActionOnly<T> = T extends unknown ? Omit<T, 'steamId'> : never;
