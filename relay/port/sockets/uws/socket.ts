/** One WebSocket of uWebSockets. */

import type * as UWebSockets from 'uWebSockets.js';
import type { RelaySocket } from '../layer.js';

/** What uWebSockets keeps for us with each of its sockets: it copies the properties, so there is only this one. */
export interface Kept<Data> {
  readonly own: UwsSocket<Data>;
}

/** What `send` returns for a message that it neither sent nor buffered. */
const SEND_DROPPED = 2;

/** Sends to all subscribers of the topic in every app but that of the socket. */
export type PublishElsewhere = (own: UWebSockets.TemplatedApp, topic: string, bytes: Uint8Array) => void;

export class UwsSocket<Data> implements RelaySocket<Data> {
  readonly data: Data;
  /** The other end of its TCP connection, as text. */
  readonly peer: string;
  readonly #app: UWebSockets.TemplatedApp;
  readonly #publishElsewhere: PublishElsewhere;
  /** Null until it is open, and after it is closed: uWebSockets throws for a socket that is closed. */
  #socket: UWebSockets.WebSocket<Kept<Data>> | null = null;

  constructor(data: Data, peer: string, app: UWebSockets.TemplatedApp, publishElsewhere: PublishElsewhere) {
    this.data = data;
    this.peer = peer;
    this.#app = app;
    this.#publishElsewhere = publishElsewhere;
  }

  opened(socket: UWebSockets.WebSocket<Kept<Data>>): void {
    this.#socket = socket;
  }

  closed(): void {
    this.#socket = null;
  }

  send(text: string): 'sent' | 'dropped' {
    return this.#socket?.send(bytesOf(text), false) === SEND_DROPPED ? 'dropped' : 'sent';
  }

  publish(topic: string, bytes: Uint8Array): void {
    const socket = this.#socket;
    if (!socket) return;
    // A socket that is not subscribed, of a participant who does not listen, cannot publish; nor would it hear itself. One that is alone in the
    // topic has nobody to publish to.
    if (!socket.publish(topic, bytes, true) && !socket.isSubscribed(topic)) {
      this.#app.publish(topic, bytes, true);
    }
    this.#publishElsewhere(this.#app, topic, bytes);
  }

  subscribe(topic: string): void {
    this.#socket?.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    this.#socket?.unsubscribe(topic);
  }

  end(code: number, reason: string): void {
    this.#socket?.end(code, reason);
  }

  cut(): void {
    this.#socket?.close();
  }
}

/**
 * As bytes: uWebSockets.js on Node 24 sends a string such as 'ä' as Latin-1, which is not UTF-8, and clients close. The same text goes to many
 * sockets one after the other, and is encoded once.
 */
function bytesOf(text: string): Buffer {
  if (text !== last.text) last = { text, bytes: Buffer.from(text) };
  return last.bytes;
}

let last = { text: '', bytes: Buffer.alloc(0) };
