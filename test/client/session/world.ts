/**
 * Sessions and a relay's core on one simulated clock, and between them connections that are cut, hang, are refused or deliver what is long
 * over. All choices come from one seed. No sockets and no waiting: an hour takes seconds.
 *
 * A connection delivers in order, as TCP does, until it is cut: then what is under way is lost, and each end notices at another time.
 */

import { NO_CLOSE_FRAME } from '../../../client/session/endings.js';
import { Session } from '../../../client/session/session.js';
import type { SessionInput, SessionOutput, SessionSettings } from '../../../client/session/session_io.js';
import type { RelayEvent, RelayOutput } from '../../../relay/core/io.js';
import type { RelayPolicy } from '../../../relay/core/joining/hello.js';
import { Relay } from '../../../relay/core/relay.js';
import type { ForwardVerdict } from '../../../relay/core/voice/verdict.js';
import { writeMessage } from '../../../voice/control.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { stampVoiceFrame } from '../../../voice/wire.js';
import { SeededRandom } from '../../kit/random.js';

/** How long the clients' transport takes to notice that nothing comes any more, and the relay, at most. */
const CLIENT_NOTICES_MS = 15_000;
const RELAY_NOTICES_MS = 16_000;

const TICK_MS = 100;
const UNIX_AT_START = 2_000_000_000;

/** Calls functions at instants, in order; at the same instant, in the order in which they were given. */
class Agenda {
  now = 0;
  /** A heap: the earliest first. */
  readonly #heap: { readonly at: number; readonly order: number; readonly call: () => void }[] = [];
  #order = 0;

  after(ms: number, call: () => void): void {
    this.at(this.now + ms, call);
  }

  at(at: number, call: () => void): void {
    const heap = this.#heap;
    heap.push({ at, order: this.#order++, call });
    for (let child = heap.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#isBefore(child, parent)) break;
      this.#swap(child, parent);
      child = parent;
    }
  }

  runUntil(end: number): void {
    const heap = this.#heap;
    while (heap.length > 0 && heap[0]!.at <= end) {
      const due = heap[0]!;
      const last = heap.pop()!;
      if (heap.length > 0) {
        heap[0] = last;
        this.#sink();
      }
      this.now = due.at;
      due.call();
    }
    this.now = end;
  }

  #sink(): void {
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#heap.length && this.#isBefore(child, least)) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one]!, this.#heap[other]!];
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #swap(one: number, other: number): void {
    [this.#heap[one], this.#heap[other]] = [this.#heap[other]!, this.#heap[one]!];
  }
}

/** One connection. */
class Pipe {
  state: 'up' | 'cut' | 'closed' = 'up';
  readonly connection: number;
  readonly player: Player;
  readonly attempt: number;
  /** When the last message of each direction arrives. */
  readonly arrivals = { up: 0, down: 0 };

  constructor(connection: number, player: Player, attempt: number) {
    this.connection = connection;
    this.player = player;
    this.attempt = attempt;
  }
}

/** A session with its network. */
export class Player {
  readonly account: number;
  readonly session: Session;
  /** Whether connections to the relay work. A person's later sessions have the same one. */
  readonly link: { state: 'up' | 'down' };
  pipe: Pipe | null = null;
  /** The connection beside it. */
  beside: Pipe | null = null;
  ended = false;

  constructor(account: number, link: Player['link'], settings: SessionSettings) {
    this.account = account;
    this.link = link;
    this.session = new Session(settings);
  }
}

export interface WorldHooks {
  /** Somebody heard this frame. */
  onVoice?(listener: Player, output: Extract<SessionOutput, { kind: 'voice' }>): void;
  /** An output that is reported to the application, but for voice. */
  onTold?(player: Player, output: SessionOutput): void;
  /** Any output. */
  onOutput?(player: Player, output: SessionOutput): void;
  /** The player's newest connection, or the one beside it, closed, and the session will know. */
  onClosed?(player: Player, attempt: number): void;
  onRelayEvent?(event: RelayEvent): void;
  /** The relay passed a frame of this account on. */
  onForwarded?(account: number, sequence: number): void;
}

export class World {
  readonly agenda = new Agenda();
  readonly random: SeededRandom;
  /** Whether the application's credentials come at once, or late and sometimes not at all. */
  credentials: 'prompt' | 'troubled' = 'prompt';
  /** Whether the clients' transports see that they have reached the relay's machine: not in browsers. */
  seesConnects = true;
  readonly players: Player[] = [];
  relay: Relay;
  readonly #hooks: WorldHooks;
  readonly #policy: Partial<RelayPolicy>;
  readonly #pipes = new Map<number, Pipe>();
  readonly #topics = new Map<string, Set<number>>();
  #connections = 0;
  #drawn = 0;
  #relayRunsAt = 0;

  constructor(seed: number, hooks: WorldHooks = {}, policy: Partial<RelayPolicy> = {}) {
    this.random = new SeededRandom(seed);
    this.#hooks = hooks;
    this.#policy = { unproven: 'admit', ...policy };
    this.relay = this.#newRelay();
    const tick = () => {
      this.#whenRelayRuns(() => {
        this.perform(this.relay.handle({ kind: 'tick', unixSeconds: this.unixSeconds }, this.agenda.now));
        this.agenda.after(TICK_MS, tick);
      });
    };
    tick();
  }

  /** The relay's process stands still for this long. Its machine takes connections and data meanwhile. */
  pauseRelay(ms: number): void {
    this.#relayRunsAt = Math.max(this.#relayRunsAt, this.agenda.now + ms);
  }

  #whenRelayRuns(call: () => void): void {
    if (this.agenda.now >= this.#relayRunsAt) call();
    else this.agenda.at(this.#relayRunsAt, () => this.#whenRelayRuns(call));
  }

  get unixSeconds(): number {
    return UNIX_AT_START + Math.floor(this.agenda.now / 1000);
  }

  /** From `from` up to `to`, in ms. */
  between(from: number, to: number): number {
    return from + (this.random.next() / 2 ** 32) * (to - from);
  }

  /** Somebody joins; `link` is that of their earlier sessions. */
  add(
    account: number,
    settings: Partial<SessionSettings> = {},
    link: Player['link'] = { state: 'up' },
  ): Player {
    const player = new Player(account, link, {
      lobby: 'den',
      name: `player ${account}`,
      steamId: personSteamId(account),
      url: new URL('ws://relay'),
      rejoin: 'may',
      random: () => this.random.next() / 2 ** 32,
      ...settings,
    });
    this.players.push(player);
    this.input(player, { kind: 'join' });
    return player;
  }

  /** Gives a session an input, and carries out what it says. */
  input(player: Player, input: SessionInput): readonly SessionOutput[] {
    if (input.kind === 'closed') {
      const isOurs = [player.pipe, player.beside].some((pipe) => pipe?.attempt === input.attempt);
      if (isOurs) this.#hooks.onClosed?.(player, input.attempt);
    }
    const due = player.session.deadline();
    const outputs = player.session.handle(input, this.agenda.now);
    for (const output of outputs) this.#carryOut(player, output);
    const deadline = player.session.deadline();
    const isDue = input.kind === 'time' && due !== null && due <= this.agenda.now;
    if (isDue && deadline === due && outputs.length === 0) {
      throw new Error('a deadline passed and nothing came of it');
    }
    if (deadline !== null) {
      this.agenda.after(Math.max(0, deadline - this.agenda.now), () => {
        if (player.session.deadline() === deadline) this.input(player, { kind: 'time' });
      });
    }
    return outputs;
  }

  /** Cuts the player's network for this long. Each end notices later, or not before it is back. */
  cut(player: Player, ms: number): void {
    player.link.state = 'down';
    const { pipe, beside } = player;
    for (const one of [pipe, beside]) {
      if (one?.state !== 'up') continue;
      one.state = 'cut';
      this.agenda.after(this.between(0, CLIENT_NOTICES_MS), () => this.#break(one, 'client'));
      this.agenda.after(this.between(0, RELAY_NOTICES_MS), () => this.#break(one, 'relay'));
    }
    this.agenda.after(ms, () => {
      player.link.state = 'up';
    });
  }

  /** The relay ends and starts again, with no memory but its sanctions. */
  restart(): void {
    const sanctions = this.relay.sanctions();
    for (const pipe of [...this.#pipes.values()]) {
      this.#pipes.delete(pipe.connection);
      if (pipe.state === 'up') pipe.state = 'cut';
      this.agenda.after(this.between(0, 200), () => this.#break(pipe, 'client'));
    }
    this.#topics.clear();
    this.relay = this.#newRelay(sanctions);
  }

  /** Carries out outputs of the relay. */
  perform(outputs: readonly RelayOutput[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case 'tell': {
          const text = writeMessage(output.message);
          for (const connection of output.connections) this.#down(connection, { kind: 'text', text });
          break;
        }
        case 'subscribe':
          this.#topic(output.topic).add(output.connection);
          break;
        case 'unsubscribe':
          this.#topic(output.topic).delete(output.connection);
          break;
        case 'close': {
          const { connection, code, reason } = output;
          this.#forget(connection);
          this.#down(connection, { kind: 'closed', code, reason });
          this.#pipes.delete(connection);
          break;
        }
        case 'event':
          this.#hooks.onRelayEvent?.(output.event);
      }
    }
  }

  #newRelay(sanctions: ReturnType<Relay['sanctions']> = []): Relay {
    const random = (bytes: number) => {
      this.#drawn += 1;
      const drawn = new Uint8Array(bytes);
      new DataView(drawn.buffer).setUint32(0, this.#drawn);
      return drawn;
    };
    return new Relay({ policy: this.#policy, startedAt: this.agenda.now, random, sanctions });
  }

  #topic(name: string): Set<number> {
    const topic = this.#topics.get(name) ?? new Set();
    this.#topics.set(name, topic);
    return topic;
  }

  #forget(connection: number): void {
    for (const topic of this.#topics.values()) topic.delete(connection);
  }

  #carryOut(player: Player, output: SessionOutput): void {
    this.#hooks.onOutput?.(player, output);
    switch (output.kind) {
      case 'ask-credential': {
        const { attempt } = output;
        // Now and then it never comes, or fails.
        const fate = this.credentials === 'prompt' ? 20 : this.random.below(20);
        if (fate === 0) return;
        this.agenda.after(fate > 5 ? 0 : this.between(0, 8000), () => {
          if (fate === 1 && player.session.state === 'reconnecting') {
            this.input(player, { kind: 'no-credential', attempt, thrown: new Error('no token') });
          } else {
            this.input(player, { kind: 'credential', attempt, credential: { kind: 'none' } });
          }
        });
        break;
      }
      case 'open':
        this.#open(player, output.attempt, output.beside ? 'beside' : 'present');
        break;
      case 'abandon':
        this.#close(player.beside);
        player.beside = null;
        break;
      case 'switch':
        this.#close(player.pipe);
        player.pipe = player.beside;
        player.beside = null;
        break;
      case 'send':
        this.#up(player.pipe, output.data);
        break;
      case 'close':
        this.#close(player.pipe);
        break;
      case 'voice':
        this.#hooks.onVoice?.(player, output);
        break;
      case 'ended':
      case 'join-failed':
        player.ended = true;
        this.#hooks.onTold?.(player, output);
        break;
      default:
        this.#hooks.onTold?.(player, output);
    }
  }

  #open(player: Player, attempt: number, place: 'present' | 'beside'): void {
    const pipe = new Pipe(this.#connections++, player, attempt);
    if (place === 'present') player.pipe = pipe;
    else player.beside = pipe;
    if (player.link.state === 'down') {
      pipe.state = 'cut';
      // It hangs, or the system says at some time that there is no way.
      if (this.random.below(3) > 0)
        this.agenda.after(this.between(0, 6000), () => this.#break(pipe, 'client'));
      return;
    }
    const { connection } = pipe;
    this.#pipes.set(connection, pipe);
    this.agenda.after(this.between(5, 60), () => {
      if (pipe.state !== 'up' || !this.#pipes.has(connection)) return;
      if (this.seesConnects) this.input(player, { kind: 'connected', attempt });
      this.#whenRelayRuns(() => {
        if (pipe.state !== 'up' || !this.#pipes.has(connection)) return;
        this.perform(this.relay.handle({ kind: 'connected', connection }, this.agenda.now));
        this.#down(connection, { kind: 'opened' });
      });
    });
  }

  /** One end notices that the connection is cut. */
  #break(pipe: Pipe, end: 'client' | 'relay'): void {
    const { player, attempt, connection } = pipe;
    if (end === 'relay') {
      this.#forget(connection);
      this.#pipes.delete(connection);
      this.perform(this.relay.handle({ kind: 'closed', connection }, this.agenda.now));
      return;
    }
    const failure = this.random.below(2) === 0 ? new Error('read ECONNRESET') : null;
    this.input(player, { kind: 'closed', attempt, code: NO_CLOSE_FRAME, reason: '', failure });
  }

  /** The client closes it. What the relay sent before still arrives, and is of an earlier attempt. */
  #close(pipe: Pipe | null): void {
    if (!pipe || pipe.state === 'closed') return;
    const wasUp = pipe.state === 'up';
    pipe.state = 'closed';
    const { connection, player, attempt } = pipe;
    this.agenda.after(this.between(5, 60), () => {
      if (wasUp) this.#break(pipe, 'relay');
      this.input(player, { kind: 'closed', attempt, code: wasUp ? 1000 : NO_CLOSE_FRAME, reason: '' });
      this.#pipes.delete(connection);
    });
  }

  #up(pipe: Pipe | null, data: string | Uint8Array): void {
    if (!pipe || pipe.state === 'closed') return;
    const { connection, arrivals } = pipe;
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data.slice();
    arrivals.up = Math.max(arrivals.up, this.agenda.now + this.between(5, 60));
    const arrive = () => {
      if (!this.#pipes.has(connection)) return;
      const { unixSeconds } = this;
      if (typeof data !== 'string') this.#voice(connection, pipe.player, bytes);
      else this.perform(this.relay.handle({ kind: 'text', connection, bytes, unixSeconds }, this.agenda.now));
    };
    this.agenda.after(arrivals.up - this.agenda.now, () => {
      if (pipe.state !== 'cut') this.#whenRelayRuns(arrive);
    });
  }

  #voice(connection: number, speaker: Player, frame: Uint8Array): void {
    const verdict = this.relay.handleVoice(connection, frame, this.agenda.now);
    if (verdict.kind === 'forward') {
      stampVoiceFrame(frame, verdict);
      this.#hooks.onForwarded?.(speaker.account, verdict.sequence);
      for (const listener of this.#listeners(verdict)) {
        if (listener !== connection) this.#down(listener, { kind: 'voice', frame: frame.slice() });
      }
    }
    this.perform(verdict.outputs);
  }

  #listeners({ topic, ownTopic }: ForwardVerdict): readonly number[] {
    return [topic, ownTopic].flatMap((it) => (it === null ? [] : [...this.#topic(it)]));
  }

  /** Something for the client of this connection, unless it is cut before it arrives. */
  #down(
    connection: number,
    input:
      | { readonly kind: 'opened' }
      | { readonly kind: 'text'; readonly text: string }
      | { readonly kind: 'voice'; readonly frame: Uint8Array }
      | { readonly kind: 'closed'; readonly code: number; readonly reason: string },
  ): void {
    const pipe = this.#pipes.get(connection);
    if (!pipe) return;
    const { arrivals, attempt, player } = pipe;
    arrivals.down = Math.max(arrivals.down, this.agenda.now + this.between(5, 60));
    this.agenda.after(arrivals.down - this.agenda.now, () => {
      if (pipe.state === 'cut') return;
      this.input(player, { ...input, attempt });
    });
  }
}
