/**
 * One WebSocket of the package ws. What it sends within one turn of the event loop leaves in one write, as uWebSockets does it: a write is a
 * system call, and costs more than everything else here.
 */

import type { Duplex } from 'node:stream';
import WebSocket from 'ws';
import type { RelaySocket, SocketHandlers } from '../layer.js';
import { frameOf } from './frame.js';
import type { Topics } from './topics.js';

/** What a connection may still send after its close frame, in bytes. Beyond, it is cut. */
const MAX_LATE_BYTES = 1024 * 1024;
const NOTHING = new Uint8Array(0);

/**
 * The WebSocket of ws, which also tells that it is closing. ws calls `close` with the code and reason of the other side's close frame, or without
 * both; and with a code alone when the other side broke the protocol. That connection is cut without a close frame, as uWebSockets does it.
 */
export class TellingWebSocket extends WebSocket {
  /** Set as soon as it is open. */
  owner: Pick<WsSocket<unknown>, 'cut' | 'flush' | 'closing'> | null = null;

  override close(code?: number, reason?: string | Buffer): void {
    if (code !== undefined && reason === undefined) {
      this.owner?.cut();
      return;
    }
    this.owner?.flush();
    super.close(code, reason);
    this.owner?.closing();
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
  /** Looks in a row that found nothing received. */
  #idleLooks = 0;
  readonly #peer: string;
  readonly #ws: TellingWebSocket;
  readonly #stream: Duplex & { readonly bytesRead: number };
  readonly #shared: Shared<Data>;
  /** Frames of this turn. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #bytesSeen = 0;
  /** What was received when it closed. */
  #bytesAtEnd = 0;
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
      if (this.#isOpen()) handlers.message(this, message, isBinary ? 'binary' : 'text');
    });
    ws.on('ping', (payload: Buffer) => {
      if (!this.#isOpen()) return;
      this.#queue(frameOf(payload, 'pong'));
      handlers.heartbeat(this);
    });
    ws.on('pong', () => {
      if (this.#isOpen()) handlers.heartbeat(this);
    });
    // What follows an error is the end.
    ws.on('error', () => this.#finish());
    ws.on('close', () => this.#finish());
    // With nobody at the other end, what waits could wait for ever.
    stream.once('end', () => {
      if (this.#state === 'open') this.cut();
    });
    ws.owner = this;
  }

  send(text: string): 'sent' | 'dropped' {
    if (this.#state !== 'open') return 'sent';
    return this.#queue(frameOf(Buffer.from(text), 'text'));
  }

  publish(topic: string, bytes: Uint8Array): void {
    if (this.#state !== 'open') return;
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
    if (this.#state === 'open') this.#ws.close(code, reason);
  }

  /** The close frame is sent. */
  closing(): void {
    this.#stream.end();
    this.#finish();
  }

  cut(): void {
    this.#stream.destroy();
    this.#finish();
  }

  /** Writes what waits since the beginning of the turn. */
  flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    const bytes = this.#waitingBytes;
    this.#waiting = [];
    this.#waitingBytes = 0;
    // A slice of a pooled buffer would keep all of it for as long as the other side does not read.
    const isKept = this.#stream.writableLength > 0;
    if (waiting.length === 1 && !isKept) {
      this.#stream.write(waiting[0]);
      return;
    }
    const all = isKept ? Buffer.allocUnsafeSlow(bytes) : Buffer.allocUnsafe(bytes);
    let at = 0;
    for (const frame of waiting) {
      all.set(frame, at);
      at += frame.length;
    }
    this.#stream.write(all);
  }

  /** Called at a regular interval. Cuts the connection at the `most`th look in a row that finds nothing received; asks for a sign of life at half of that. */
  look(most: number): void {
    const { bytesRead } = this.#stream;
    this.#idleLooks = bytesRead === this.#bytesSeen ? this.#idleLooks + 1 : 0;
    this.#bytesSeen = bytesRead;
    if (this.#idleLooks >= most) this.cut();
    else if (this.#idleLooks === most >> 1) this.#queue(frameOf(NOTHING, 'ping'));
  }

  /** After its end, also cuts a connection that goes on sending. */
  #isOpen(): boolean {
    if (this.#state === 'open') return true;
    if (this.#stream.bytesRead - this.#bytesAtEnd > MAX_LATE_BYTES) this.#stream.destroy();
    return false;
  }

  #queue(frame: Buffer): 'sent' | 'dropped' {
    const { maxUnsentBytes } = this.#shared;
    if (this.#stream.writableLength + this.#waitingBytes > maxUnsentBytes) {
      // The kernel may take it.
      this.flush();
      if (this.#stream.writableLength > maxUnsentBytes) return 'dropped';
    }
    if (this.#waiting.length === 0) this.#shared.flushLater(this);
    this.#waiting.push(frame);
    this.#waitingBytes += frame.length;
    return 'sent';
  }

  /** It is closed as a WebSocket; its TCP connection may still be open. */
  #finish(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#bytesAtEnd = this.#stream.bytesRead;
    const { topics, handlers } = this.#shared;
    topics.leave(this);
    this.#shared.closed(this);
    handlers.webSocketClosed(this.#peer);
    handlers.close(this);
  }
}
