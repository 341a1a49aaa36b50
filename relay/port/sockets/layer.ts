/**
 * What the relay needs from the library that holds its players' sockets. There are two such layers with the same behaviour: uWebSockets, and
 * the package ws on Node's own sockets, in `ws/`. uWebSockets itself comes in two ways: as uWebSockets.js, in `uws/`, and by our own addon over the same
 * library, in `addon/`.
 */

import type { Milliseconds } from '../../../voice/units.js';
import type { Certificate } from '../tls.js';

/** The names of the layers, as the option `sockets` has them. */
export type SocketLayerName = 'uws' | 'ws';

/** One WebSocket. After it is closed, its methods do nothing. */
export interface RelaySocket<Data> {
  readonly data: Data;
  /**
   * Sends one text message. `dropped`: it is not sent, because more than `maxUnsentBytes` wait already; the handler `dropped` is not called.
   */
  send(text: string): 'sent' | 'dropped';
  /**
   * Sends one binary message to all other sockets that are subscribed to the topic. Listeners for whom more than `maxUnsentBytes` wait already
   * are left out, each with a call of the handler `dropped`. Real-time; `bytes` may be overwritten when it returns.
   */
  publish(topic: string, bytes: Uint8Array): void;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  /** Sends a close frame after what is already sent, and ends the connection. The handler `close` is called before this returns. */
  end(code: number, reason: string): void;
  /** Cuts the connection. The handler `close` is called before this returns. */
  cut(): void;
}

/** A request for a WebSocket. */
export interface UpgradeRequest {
  /** The other end of the TCP connection, as text. */
  readonly peer: string;
  /** The address that a PROXY protocol preamble names, as text; empty without one. */
  readonly proxiedPeer: string;
  /** Every header, names in lower case, in the order in which they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** The answer to a request. */
export interface HttpAnswer {
  /** Such as `404 Not Found`. */
  readonly status: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Bytes are not copied, and must not change. */
  readonly body: string | Uint8Array;
}

/** A request that is not for a WebSocket. */
export interface PlainRequest {
  /** Without a query. */
  readonly path: string;
  /** The headers of these names; empty without one. */
  readonly acceptEncoding: string;
  readonly ifNoneMatch: string;
}

/**
 * The page's answers for one connection before it is closed: the page and its parts are fewer. uWebSockets.js cannot say which connection is which
 * after an answer, so its layer closes each after one.
 */
export const MAX_PAGE_ANSWERS = 16;

/** What a layer calls, always from the event loop, and from within a call of `send`, `end` or `cut` only as stated there. */
export interface SocketHandlers<Data> {
  /** A TCP connection was accepted. If it may stay, it counts until `release` or `webSocketClosed`, of which exactly one follows. */
  admit(peer: string): 'admitted' | 'refused';
  /** An admitted connection is closed, or will be as soon as its answer is sent. */
  release(peer: string): void;
  /** An admitted connection that became a WebSocket is closed as such; its TCP connection may still be open. */
  webSocketClosed(peer: string): void;
  /** Whether a request for a WebSocket gets one, and the data of its socket. Called at most once for each connection. */
  upgrade(
    request: UpgradeRequest,
  ):
    | { readonly kind: 'admitted'; readonly data: Data }
    | { readonly kind: 'refused'; readonly answer: HttpAnswer };
  open(socket: RelaySocket<Data>): void;
  /** A whole message. `bytes` are lent until the call returns, and may be overwritten. */
  message(socket: RelaySocket<Data>, bytes: Uint8Array, kind: 'binary' | 'text'): void;
  /** A ping, which is answered already, or a pong. */
  heartbeat(socket: RelaySocket<Data>): void;
  /** A published message was not sent to one listener. */
  dropped(): void;
  /** Called once for each opened socket. */
  close(socket: RelaySocket<Data>): void;
}

/** The limits that both layers keep. */
export interface SocketBounds {
  /** Longest message, in bytes. A longer one closes the connection. */
  readonly maxMessageBytes: number;
  /** With more than this in the process's own memory, in bytes, a socket gets no further message; the kernel holds more. */
  readonly maxUnsentBytes: number;
  /** A connection without a sign of life for this long is cut; after half of that time, a ping asks for one. 16 to 960 s. */
  readonly idleTimeoutS: number;
}

export interface SocketServerOptions<Data> {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** The path of WebSockets, as `voicePath` returns it. */
  readonly path: string;
  /** Null for a plain port. */
  readonly certificate: Certificate | null;
  readonly bounds: SocketBounds;
  readonly handlers: SocketHandlers<Data>;
  /** The answer to a GET that is not for a WebSocket; null for a path that is not served. Left out: there is no page. */
  readonly page?: ((request: PlainRequest) => HttpAnswer | null) | undefined;
  /** Never goes back. */
  readonly now: () => Milliseconds;
  readonly unixSeconds: () => number;
}

/** A port with its sockets. */
export interface SocketServer {
  /** The TCP port that it listens on. */
  readonly port: number;
  /**
   * New connections get this certificate; open ones stay. Resolves when no connection gets the previous one any more. Only for a server with a
   * certificate, and not while another call is under way.
   *
   * @throws HotmicError `ERR_HOTMIC_TLS` or `ERR_HOTMIC_LISTEN`, and the previous certificate stays in use.
   */
  replaceCertificate(certificate: Certificate): Promise<void>;
  /** Connections stay. */
  stopListening(): void;
  /** Closes all connections. */
  close(): void;
}

/** A library that holds sockets. */
export interface SocketLayer {
  readonly name: SocketLayerName;
  /** Which of our three this is. Both `uWebSockets.js` and `addon` are called `uws`: users need not tell them apart. */
  readonly library: 'uWebSockets.js' | 'addon' | 'ws';
  /**
   * Opens a port. Resolves when it listens.
   *
   * @throws HotmicError `ERR_HOTMIC_TLS`, `ERR_HOTMIC_PORT_IN_USE` or `ERR_HOTMIC_LISTEN`.
   */
  open<Data>(options: SocketServerOptions<Data>): Promise<SocketServer>;
}

/** A request for `/healthz` on the voice port. */
export const HEALTHY: HttpAnswer = { status: '200 OK', body: 'ok\n' };

/** Any other request. `path` is that of WebSockets. */
export function notFound(path: string): HttpAnswer {
  return { status: '404 Not Found', body: `Not found. The voice WebSocket is at ${path}.\n` };
}
