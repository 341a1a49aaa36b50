/**
 * One WebSocket of the package ws. What it sends within one turn of the event loop leaves in one write, as uWebSockets does it: a write is a
 * system call, and costs more than everything else here.
 */

import type { Duplex } from 'node:stream';
import WebSocket from 'ws';
import type { RelaySocket, SocketHandlers } from '../layer.js';
import { frameOf } from './frame.js';
import type { Topics } from './topics.js';

/** The WebSocket of ws, which also tells that it is closing: ws calls `close` when the other side closed it, or broke the protocol. */
export class TellingWebSocket extends WebSocket {
  onClosing: () => void = () => undefined;

  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason);
    this.onClosing();
  }
}

/** What the sockets of one server share. */
export interface Shared<Data> {
  readonly handlers: SocketHandlers<Data>;
  readonly maxUnsentBytes: number;
  readonly topics: Topics<WsSocket<Data>>;
  /** Calls `flush` of this socket at the end of the turn. */
  flushLater(socket: WsSocket<Data>): void;
  closed(socket: WsSocket<Data>): void;
}

export class WsSocket<Data> implements RelaySocket<Data> {
  readonly data: Data;
  readonly topics = new Set<string>();
  /** Looks at it in a row that found nothing received. */
  idleLooks = 0;
  readonly #peer: string;
  readonly #ws: TellingWebSocket;
  readonly #stream: Duplex & { readonly bytesRead: number };
  readonly #shared: Shared<Data>;
  /** Frames of this turn. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #bytesSeen = 0;
  #state: 'open' | 'closed' = 'open';

  constructor(
    data: Data,
    peer: string,
    ws: TellingWebSocket,
    stream: Duplex & { readonly bytesRead: number },
    shared: Shared<Data>,
  ) {
    this.data = data;
    this.#peer = peer;
    this.#ws = ws;
    this.#stream = stream;
    this.#shared = shared;
    const { handlers } = shared;
    ws.on('message', (message: Buffer, isBinary: boolean) => {
      if (this.#state === 'open') handlers.message(this, message, isBinary ? 'binary' : 'text');
    });
    const heartbeat = () => {
      if (this.#state === 'open') handlers.heartbeat(this);
    };
    ws.on('ping', heartbeat);
    ws.on('pong', heartbeat);
    // Of the connection or of the protocol; the end follows.
    ws.on('error', () => this.#finish());
    ws.on('close', () => this.#finish());
    ws.onClosing = () => {
      this.#stream.end();
      this.#finish();
    };
  }

  send(text: string): 'sent' | 'dropped' {
    if (this.#state !== 'open') return 'sent';
    return this.#queue(frameOf(Buffer.from(text), 'text'));
  }

  publish(topic: string, bytes: Uint8Array): void {
    const { topics, handlers } = this.#shared;
    const frame = frameOf(bytes, 'binary');
    for (const listener of topics.of(topic)) {
      if (listener !== this && listener.#queue(frame) === 'dropped') handlers.dropped();
    }
  }

  subscribe(topic: string): void {
    if (this.#state === 'open') this.#shared.topics.subscribe(this, topic);
  }

  unsubscribe(topic: string): void {
    this.#shared.topics.unsubscribe(this, topic);
  }

  end(code: number, reason: string): void {
    if (this.#state !== 'open') return;
    this.flush();
    this.#ws.close(code, reason);
  }

  cut(): void {
    this.#stream.destroy();
    this.#finish();
  }

  /** Writes what waits since the beginning of the turn. */
  flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#stream.write(waiting.length === 1 ? waiting[0] : Buffer.concat(waiting));
  }

  /** Called at a regular interval. Cuts the connection at the `most`th look in a row that finds nothing received; asks for a sign of life at half of that. */
  look(most: number): void {
    const { bytesRead } = this.#stream;
    this.idleLooks = bytesRead === this.#bytesSeen ? this.idleLooks + 1 : 0;
    this.#bytesSeen = bytesRead;
    if (this.idleLooks >= most) this.cut();
    else if (this.idleLooks === most >> 1) this.#ws.ping();
  }

  #queue(frame: Buffer): 'sent' | 'dropped' {
    const unsent = this.#stream.writableLength + this.#waitingBytes;
    if (unsent + frame.length > this.#shared.maxUnsentBytes) return 'dropped';
    if (this.#waiting.length === 0) this.#shared.flushLater(this);
    this.#waiting.push(frame);
    this.#waitingBytes += frame.length;
    return 'sent';
  }

  /** It is closed as a WebSocket; its TCP connection may still be open. */
  #finish(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    const { topics, handlers } = this.#shared;
    topics.leave(this);
    this.#shared.closed(this);
    handlers.webSocketClosed(this.#peer);
    handlers.close(this);
  }
}
