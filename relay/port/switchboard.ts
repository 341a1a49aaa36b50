/**
 * Connects the sockets of a relay with its core: passes messages to the core, and carries out its outputs in order.
 *
 * The voice path is inside the message handler: the socket layer lends the buffer until the handler returns, the
 * relay's fields are written into it, and one publish sends it to all listeners.
 */

import { writeMessage } from '../../voice/control.js';
import { SHUTDOWN_CLOSE_CODE } from '../../voice/control_codes.js';
import type { Milliseconds } from '../../voice/units.js';
import { stampVoiceFrame } from '../../voice/wire.js';
import type { CredentialJudge } from '../admission/judges.js';
import type { AddressKey } from '../core/address_key.js';
import type { AdminCommand, AdminResult } from '../core/administration.js';
import type { CredentialVerdict, Denied } from '../core/credential.js';
import type { ConnectionId, RelayEvent, RelayOutput } from '../core/io.js';
import type { Relay } from '../core/relay.js';
import type { Sanction } from '../core/sanctions.js';
import type { ForwardVerdict } from '../core/voice/verdict.js';
import type { SetTimer } from '../system/alarm.js';
import type { AddressLimits } from './address_limits.js';
import { CoalescingWindow } from './coalescing_window.js';
import { HeldFrames } from './held_frames.js';
import type { RelaySocket } from './sockets/layer.js';

/** The data of each socket. */
export interface SocketData {
  readonly id: ConnectionId;
  /** The address that its connection counts for; null where addresses are not counted. */
  readonly address: AddressKey | null;
}

export type Socket = RelaySocket<SocketData>;

export interface SwitchboardOptions {
  readonly relay: Relay;
  readonly judge: CredentialJudge;
  readonly addresses: AddressLimits;
  /** Never goes back. */
  readonly now: () => Milliseconds;
  readonly unixSeconds: () => number;
  /** Stores a mute or a ban, so that it survives the relay. */
  readonly keep: (sanction: Sanction) => void;
  /** `address` is where a refused connection comes from; null when that is unknown. */
  readonly onEvent: (event: RelayEvent, address: AddressKey | null) => void;
  readonly onStage: ((slot: number, sequence: number, receivedAtMs: Milliseconds) => void) | null;
  /** The share of its time that the event loop was busy lately, 0 to 1. Real-time, but for one allocation now and then. */
  readonly load: (now: Milliseconds) => number;
  readonly setTimer: SetTimer;
  /** Calls back once, when what was published in this turn of the event loop has been sent. */
  readonly afterTurn: (callback: () => void) => void;
  /** The last connection is gone. */
  readonly onEmpty: () => void;
  /** Called after each input, with the deadline from then on. Real-time. */
  readonly onDeadline: (deadline: Milliseconds) => void;
}

const ADDRESS_BUSY: Denied = {
  kind: 'denied',
  code: 'admission-unavailable',
  reason: 'address-busy',
  wanted: 'fewer credentials per second from one address',
};

export class Switchboard {
  readonly #options: SwitchboardOptions;
  readonly #sockets = new Map<ConnectionId, Socket>();
  readonly #held = new HeldFrames();
  readonly #window = new CoalescingWindow();
  /** Listeners for whom a control message was dropped. */
  readonly #behind = new Set<Socket>();
  /** Outputs of voice frames that were published in this turn. */
  #later: RelayOutput[] = [];
  /** Outputs to carry out after the current ones; null while none are under way. */
  #next: RelayOutput[] | null = null;
  #isShut = false;
  #listenersCut = 0;
  #backpressureDrops = 0;
  #lastGoneAt: Milliseconds = Number.NEGATIVE_INFINITY;

  constructor(options: SwitchboardOptions) {
    this.#options = options;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  get listenersCut(): number {
    return this.#listenersCut;
  }

  get backpressureDrops(): number {
    return this.#backpressureDrops;
  }

  /** How long frames wait at most to be sent together, in ms. */
  get coalescingMs(): Milliseconds {
    return this.#window.ms;
  }

  /** When a connection last closed. */
  get lastGoneAt(): Milliseconds {
    return this.#lastGoneAt;
  }

  open(socket: Socket): void {
    const { id, address } = socket.data;
    const { relay, now } = this.#options;
    this.#sockets.set(id, socket);
    this.#perform(relay.handle({ kind: 'connected', connection: id, address }, now()));
    this.#noteDeadline();
  }

  /** `bytes` are read, and overwritten, before the call returns. */
  receive(socket: Socket, bytes: Uint8Array, kind: 'binary' | 'text'): void {
    const { relay, onStage, unixSeconds } = this.#options;
    const now = this.#options.now();
    const connection = socket.data.id;
    if (kind === 'text') {
      this.#perform(relay.handle({ kind: 'text', connection, bytes, unixSeconds: unixSeconds() }, now));
      this.#noteDeadline();
      return;
    }
    const verdict = relay.handleVoice(connection, bytes, now);
    if (verdict.kind === 'forward') {
      stampVoiceFrame(bytes, verdict);
      this.#publish(socket, bytes, verdict, now);
      onStage?.(verdict.slot, verdict.sequence, now);
    }
    if (verdict.outputs.length > 0) {
      if (verdict.kind === 'forward') this.#performLater(verdict.outputs);
      else this.#perform(verdict.outputs);
    }
    this.#noteDeadline();
  }

  /** A ping or a pong came. The socket layer has answered it; it is charged nevertheless. */
  heartbeat(socket: Socket): void {
    const { relay, now } = this.#options;
    const outputs = relay.handleHeartbeat(socket.data.id, now());
    if (outputs.length > 0) this.#perform(outputs);
  }

  /** A voice frame to one listener was dropped. */
  noteDropped(): void {
    this.#backpressureDrops += 1;
  }

  closed(socket: Socket): void {
    const { relay, addresses, now, onEmpty, onDeadline } = this.#options;
    const { id, address } = socket.data;
    this.#sockets.delete(id);
    this.#behind.delete(socket);
    if (address !== null) {
      addresses.release(address, now());
      onDeadline(addresses.deadline());
    }
    this.#perform(relay.handle({ kind: 'closed', connection: id }, now()));
    this.#noteDeadline();
    this.#lastGoneAt = now();
    if (this.#sockets.size === 0) onEmpty();
  }

  /** When to call `tick` next; infinite when not at all. */
  deadline(): Milliseconds {
    return this.#options.relay.deadline();
  }

  tick(now: Milliseconds): void {
    const { relay, unixSeconds } = this.#options;
    const load = this.#options.load(now);
    this.#perform(relay.handle({ kind: 'tick', unixSeconds: unixSeconds(), load }, now));
  }

  administer(command: AdminCommand): AdminResult {
    const { relay, now, unixSeconds } = this.#options;
    const { result, outputs } = relay.administer(command, now(), unixSeconds());
    this.#perform(outputs);
    this.#noteDeadline();
    return result;
  }

  /** Tells everybody that the relay will end. */
  announceDrain(withinMs: Milliseconds, goTo: string | null): void {
    this.#perform(this.#options.relay.handle({ kind: 'drain', withinMs, goTo }, this.#options.now()));
  }

  /** Closes all connections, without messages or events about everybody leaving. Returns how many there were. */
  shutDown(): number {
    this.#isShut = true;
    const open = [...this.#sockets.values()];
    this.#sockets.clear();
    for (const socket of open) socket.end(SHUTDOWN_CLOSE_CODE, 'shutdown');
    return open.length;
  }

  /** Sends a frame to its listeners, at once or together with others that come within the window. */
  #publish(socket: Socket, bytes: Uint8Array, verdict: ForwardVerdict, now: Milliseconds): void {
    const { topic, ownTopic, lobby } = verdict;
    if (this.#window.isDue(now)) this.#window.step(this.#options.load(now), now);
    if (verdict.talkers === 'several' && this.#window.ms > 0 && verdict.outputs.length === 0) {
      const begins = this.#held.isEmpty;
      if (this.#held.hold(lobby, socket, topic, ownTopic, bytes)) {
        if (begins) this.#options.setTimer(() => this.#held.releaseAll(), Math.ceil(this.#window.ms));
        return;
      }
    }
    this.#held.release(lobby);
    if (topic !== null) socket.publish(topic, bytes);
    if (ownTopic !== null) socket.publish(ownTopic, bytes);
  }

  /** Text and voice share one order: what waits to be sent goes first. */
  #perform(outputs: readonly RelayOutput[]): void {
    if (this.#later.length > 0) this.#performDue();
    if (outputs.length > 0 && !this.#held.isEmpty) this.#held.releaseAll();
    this.#performNow(outputs);
  }

  /**
   * The listeners learn who speaks when the frames of this turn are sent: a message to each listener takes as long as the frame itself, and all other
   * voice would wait for it. Bounded by the frames of a turn.
   */
  #performLater(outputs: readonly RelayOutput[]): void {
    const isFirst = this.#later.length === 0;
    for (const output of outputs) this.#later.push(output);
    if (isFirst) this.#options.afterTurn(() => this.#performDue());
  }

  #performDue(): void {
    const outputs = this.#later;
    this.#later = [];
    this.#performNow(outputs);
  }

  /**
   * A socket reports that it is closed while we close it. The outputs of that, and of listeners that are cut, are carried out
   * after the current ones, in the order in which the core was asked.
   */
  #performNow(outputs: readonly RelayOutput[]): void {
    if (this.#next) {
      for (const output of outputs) this.#next.push(output);
      return;
    }
    const next: RelayOutput[] = [];
    this.#next = next;
    try {
      for (const output of outputs) this.#performOne(output);
      for (;;) {
        // It grows during the iteration.
        for (const output of next) this.#performOne(output);
        next.length = 0;
        const [behind] = this.#behind;
        if (!behind) return;
        this.#behind.delete(behind);
        this.#listenersCut += 1;
        behind.cut();
      }
    } finally {
      this.#next = null;
    }
  }

  #performOne(output: RelayOutput): void {
    switch (output.kind) {
      case 'tell': {
        const text = writeMessage(output.message);
        for (const id of output.connections) {
          const socket = this.#sockets.get(id);
          if (socket?.send(text) === 'dropped') this.#behind.add(socket);
        }
        return;
      }
      case 'judge':
        void this.#judge(output);
        return;
      case 'subscribe':
        this.#sockets.get(output.connection)?.subscribe(output.topic);
        return;
      case 'unsubscribe':
        this.#sockets.get(output.connection)?.unsubscribe(output.topic);
        return;
      case 'close':
        this.#sockets.get(output.connection)?.end(output.code, output.reason);
        return;
      case 'keep':
        this.#options.keep(output.sanction);
        return;
      case 'event':
        if (!this.#isShut) this.#options.onEvent(output.event, output.address ?? null);
        return;
    }
  }

  /** At most one per connection is under way. The core ignores the verdict for a connection that has closed. */
  async #judge({ connection, credential, steamId }: Extract<RelayOutput, { kind: 'judge' }>): Promise<void> {
    const { relay, judge, addresses, now, unixSeconds } = this.#options;
    const address = this.#sockets.get(connection)?.data.address ?? null;
    const isBusy = address !== null && addresses.judge(address, now()) === 'address-busy';
    const verdict: CredentialVerdict = isBusy
      ? await Promise.resolve(ADDRESS_BUSY)
      : await judge.judge(credential, steamId, unixSeconds());
    this.#perform(relay.handle({ kind: 'judged', connection, verdict, unixSeconds: unixSeconds() }, now()));
    this.#noteDeadline();
  }

  #noteDeadline(): void {
    this.#options.onDeadline(this.#options.relay.deadline());
  }
}
