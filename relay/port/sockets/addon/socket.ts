/** One WebSocket of the addon. */

import type { RelaySocket } from '../layer.js';
import type { SocketId, SocketsAddon } from './binding.js';

/** A number that no socket has. */
const CLOSED: SocketId = 0xffff_ffff;

export class AddonSocket<Data> implements RelaySocket<Data> {
  readonly data: Data;
  /** The other end of its TCP connection, as text. */
  readonly peer: string;
  readonly #addon: SocketsAddon;
  #id: SocketId;

  constructor(addon: SocketsAddon, id: SocketId, data: Data, peer: string) {
    this.#addon = addon;
    this.#id = id;
    this.data = data;
    this.peer = peer;
  }

  /** Its number may be another's from now on. */
  closed(): void {
    this.#id = CLOSED;
  }

  send(text: string): 'sent' | 'dropped' {
    return this.#addon.send(this.#id, text) ? 'sent' : 'dropped';
  }

  publish(topic: string, bytes: Uint8Array): void {
    this.#addon.publish(this.#id, topic, bytes);
  }

  subscribe(topic: string): void {
    this.#addon.subscribe(this.#id, topic);
  }

  unsubscribe(topic: string): void {
    this.#addon.unsubscribe(this.#id, topic);
  }

  end(code: number, reason: string): void {
    this.#addon.end(this.#id, code, reason);
  }

  cut(): void {
    this.#addon.cut(this.#id);
  }
}
