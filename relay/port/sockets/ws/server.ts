/**
 * The layer of the package ws, on Node's own sockets: for systems where uWebSockets has no binary that loads.
 *
 * Each TCP connection is accepted by a net.Server, so that it counts from there. With TLS it goes through a tls.Server; what comes out is read by
 * an http.Server, which hands a request for a WebSocket to ws.
 */

import { constants } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { type Server, WebSocketServer } from 'ws';
import type { Milliseconds } from '../../../../voice/units.js';
import { listenError } from '../../start_error.js';
import { type Certificate, TLS_CIPHERS, TLS_GROUPS } from '../../tls.js';
import {
  HEALTHY,
  type HttpAnswer,
  notFound,
  type SocketLayer,
  type SocketServer,
  type SocketServerOptions,
} from '../layer.js';
import { Connection, type Stream } from './connection.js';
import { type Shared, TellingWebSocket, WsSocket } from './socket.js';
import { Topics } from './topics.js';

/** As many as uWebSockets asks for. */
const BACKLOG = 512;
/** From accept until the request is whole; with TLS the handshake is part of it. */
const REQUEST_WITHIN_MS: Milliseconds = 10_000;
const MAX_HEADER_BYTES = 8192;
/** How often deadlines are looked at, and how often idle WebSockets. */
const LOOK_EVERY_MS: Milliseconds = 1000;
const LOOKS_PER_IDLE_LOOK = 4;
/** How long the other side of a closed WebSocket may keep the TCP connection open. After that it is cut. */
const CLOSE_WITHIN_MS: Milliseconds = 16_000;

/** Frames of one message: each part takes some hundred bytes of memory until the message is whole. */
const MAX_FRAGMENTS = 256;
/** Parts in which one frame may arrive, each of which takes the same. */
const MAX_CHUNKS = 256;

/** The suites of TLS 1.3, which Node would turn off without them, and those of TLS 1.2. */
const CIPHERS = `TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:${TLS_CIPHERS}`;

const BAD_REQUEST: HttpAnswer = { status: '400 Bad Request', body: 'Bad request.\n' };
const TOO_LONG: HttpAnswer = {
  status: '431 Request Header Fields Too Large',
  body: `Expected at most ${MAX_HEADER_BYTES} bytes of headers.\n`,
};
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** The layer of ws. */
export const WS_LAYER: SocketLayer = {
  name: 'ws',
  library: 'ws',
  open: async (options) => {
    const server = new WsServer(options);
    await server.start();
    return server;
  },
};

class WsServer<Data> implements SocketServer {
  readonly #options: SocketServerOptions<Data>;
  readonly #server: net.Server;
  readonly #tls: tls.Server | null;
  readonly #http: http.Server;
  readonly #upgrader: Server<typeof TellingWebSocket>;
  readonly #shared: Shared<Data>;
  /** All TCP connections. */
  readonly #raws = new Set<net.Socket>();
  /** Those before a WebSocket, the oldest first. */
  readonly #connections = new Set<Connection>();
  /** By the other end, until the TLS handshake is done. */
  readonly #inHandshake = new Map<string, Connection>();
  readonly #byStream = new WeakMap<Stream, Connection>();
  readonly #sockets = new Set<WsSocket<Data>>();
  /** Those that have something to write at the end of the turn. */
  #toFlush: WsSocket<Data>[] = [];
  #looks: NodeJS.Timeout | null = null;
  #look = 0;

  constructor(options: SocketServerOptions<Data>) {
    this.#options = options;
    const { bounds, handlers, certificate } = options;
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (raw) => this.#accept(raw));
    this.#tls = certificate && this.#tlsServer(certificate);
    this.#http = this.#httpServer();
    this.#upgrader = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: bounds.maxMessageBytes,
      WebSocket: TellingWebSocket,
      // Pongs wait with what else is sent, and for no longer.
      autoPong: false,
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_CHUNKS,
      // Not in the package's types.
      ...{ closeTimeout: CLOSE_WITHIN_MS },
    });
    this.#shared = {
      handlers,
      maxUnsentBytes: bounds.maxUnsentBytes,
      topics: new Topics(),
      flushLater: (socket) => {
        if (this.#toFlush.length === 0) setImmediate(() => this.#flush());
        this.#toFlush.push(socket);
      },
      closed: (socket) => void this.#sockets.delete(socket),
    };
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  async start(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      // Also later, when no open file is left for a connection: there may be one for the next.
      this.#server.on('error', (thrown) => reject(listenError(thrown, host, port)));
      this.#server.listen({ host, port, exclusive: true, backlog: BACKLOG }, resolve);
    });
    this.#looks = setInterval(() => this.#lookAtAll(), LOOK_EVERY_MS);
  }

  async replaceCertificate(certificate: Certificate): Promise<void> {
    this.#tls?.setSecureContext(secureOptions(certificate));
  }

  stopListening(): void {
    this.#server.close();
  }

  close(): void {
    this.stopListening();
    if (this.#looks) clearInterval(this.#looks);
    for (const socket of this.#sockets) socket.cut();
    for (const raw of this.#raws) raw.destroy();
  }

  #accept(raw: net.Socket): void {
    const { handlers, now } = this.#options;
    // Its end is handled where it closes.
    raw.on('error', () => undefined);
    // Without an address, the other side has closed it already; it counts all the same.
    const { remoteAddress: peer = '' } = raw;
    if (handlers.admit(peer) === 'refused') {
      raw.destroy();
      return;
    }
    const connection = new Connection(raw, peer, now() + REQUEST_WITHIN_MS);
    const end = endOf(raw);
    this.#raws.add(raw);
    this.#connections.add(connection);
    raw.once('close', () => {
      this.#raws.delete(raw);
      // The other end may have used its port again since.
      if (this.#inHandshake.get(end) === connection) this.#inHandshake.delete(end);
      this.#connections.delete(connection);
      if (connection.state !== 'websocket') handlers.release(peer);
    });
    if (this.#tls) {
      this.#inHandshake.set(end, connection);
      this.#tls.emit('connection', raw);
    } else {
      this.#read(connection, raw);
    }
  }

  #tlsServer(certificate: Certificate): tls.Server {
    const server = tls.createServer({ ...secureOptions(certificate), allowHalfOpen: true, noDelay: true });
    server.on('secureConnection', (stream) => {
      const end = endOf(stream);
      const connection = this.#inHandshake.get(end);
      if (!connection) {
        stream.destroy();
        return;
      }
      this.#inHandshake.delete(end);
      stream.disableRenegotiation();
      stream.on('error', () => undefined);
      this.#read(connection, stream);
    });
    return server;
  }

  /** Has the HTTP server read what comes after a preamble. */
  #read(connection: Connection, stream: Stream): void {
    this.#byStream.set(stream, connection);
    connection.skipPreamble(stream, () => this.#http.emit('connection', stream));
  }

  #httpServer(): http.Server {
    const server = http.createServer({ maxHeaderSize: MAX_HEADER_BYTES });
    // Beyond about a thousand, Node would leave out the last ones, which are those of a trusted proxy.
    server.maxHeadersCount = 0;
    const { path } = this.#options;
    const answer = (request: http.IncomingMessage): void => {
      this.#byStream.get(request.socket)?.answer(request.socket, answerTo(request, path), request.method);
    };
    server.on('request', (request) => {
      if (!this.#answerByPage(request)) answer(request);
    });
    server.on('checkContinue', answer);
    server.on('checkExpectation', answer);
    server.on('connect', answer);
    server.on('upgrade', (request, _socket, head) => this.#upgrade(request, head));
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const stream = socket as Stream;
      const connection = this.#byStream.get(stream);
      if (!connection || !stream.writable) stream.destroy();
      else connection.answer(stream, error.code === 'HPE_HEADER_OVERFLOW' ? TOO_LONG : BAD_REQUEST);
    });
    return server;
  }

  /** False when there is no page, or it does not have what is asked for. */
  #answerByPage(request: http.IncomingMessage): boolean {
    const { page, now } = this.#options;
    const { method, url, headers, socket, httpVersion } = request;
    const connection = this.#byStream.get(socket);
    if (!page || !connection || method !== 'GET' || pathOf(url) === '/healthz') return false;
    const acceptEncoding = [headers['accept-encoding']].flat().join();
    const answer = page({ path: pathOf(url), acceptEncoding, ifNoneMatch: headers['if-none-match'] ?? '' });
    if (!answer) return false;
    const mayStay =
      httpVersion === '1.1' && !/\bclose\b/i.test(headers.connection ?? '') && !hasBody(headers);
    connection.answerPage(socket, answer, mayStay ? 'may' : 'never', () => {
      // The one with the oldest deadline stays the first.
      this.#connections.delete(connection);
      connection.deadline = now() + REQUEST_WITHIN_MS;
      if (connection.state === 'open' && !socket.destroyed) this.#connections.add(connection);
    });
    return true;
  }

  #upgrade(request: http.IncomingMessage, head: Buffer): void {
    const { path, handlers } = this.#options;
    const { method, url, headers, socket: stream } = request;
    const connection = this.#byStream.get(stream);
    if (connection?.state !== 'open') {
      stream.destroy();
      return;
    }
    const { peer, proxiedPeer } = connection;
    const wanted = pathOf(url);
    const isVoice = method === 'GET' && (wanted === path || (path !== '/' && wanted === `${path}/`));
    const isWebSocket =
      headers.upgrade?.toLowerCase() === 'websocket' &&
      headers['sec-websocket-version'] === '13' &&
      KEY.test(headers['sec-websocket-key'] ?? '') &&
      !hasBody(headers);
    // A client that has ended its side already cannot answer.
    if (!isVoice || !isWebSocket || !stream.readable || !stream.writable) {
      connection.answer(stream, answerTo(request, path), method);
      return;
    }
    const admitted = handlers.upgrade({ peer, proxiedPeer, headers: headersOf(request) });
    if (admitted.kind === 'refused') {
      connection.answer(stream, admitted.answer);
      return;
    }
    // No subprotocol is chosen, as with uWebSockets.
    delete headers['sec-websocket-protocol'];
    connection.state = 'websocket';
    this.#connections.delete(connection);
    this.#upgrader.handleUpgrade(request, stream, head, (ws) => {
      const socket = new WsSocket(admitted.data, peer, ws, stream, this.#shared);
      this.#sockets.add(socket);
      handlers.open(socket);
    });
  }

  #flush(): void {
    const sockets = this.#toFlush;
    this.#toFlush = [];
    for (const socket of sockets) socket.flush();
  }

  #lookAtAll(): void {
    const now = this.#options.now();
    for (const connection of this.#connections) {
      if (connection.deadline > now) break;
      connection.raw.destroy();
    }
    this.#look += 1;
    if (this.#look % LOOKS_PER_IDLE_LOOK !== 0) return;
    const most = Math.ceil(
      (this.#options.bounds.idleTimeoutS * 1000) / (LOOK_EVERY_MS * LOOKS_PER_IDLE_LOOK),
    );
    for (const socket of this.#sockets) socket.look(most);
  }
}

function secureOptions({ chainPem, keyPem, passphrase }: Certificate): tls.SecureContextOptions {
  return {
    cert: chainPem,
    key: keyPem,
    ...(passphrase !== null && { passphrase }),
    ciphers: CIPHERS,
    ecdhCurve: TLS_GROUPS,
    minVersion: 'TLSv1.2',
    // With disableRenegotiation alone, the first one is still done.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/** The other end of a connection, which no other open connection to this port has. */
function endOf({ remoteAddress, remotePort }: Stream): string {
  return `${remoteAddress} ${remotePort}`;
}

/** The answer to what does not become a WebSocket. */
function answerTo({ method, url }: http.IncomingMessage, path: string): HttpAnswer {
  return method === 'GET' && pathOf(url) === '/healthz' ? HEALTHY : notFound(path);
}

/** A WebSocket's request has none; where the frames behind one begin depends on the version of Node. */
function hasBody(headers: http.IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
}

function pathOf(url = ''): string {
  return url.split('?', 1)[0]!;
}

function headersOf({ rawHeaders }: http.IncomingMessage): [string, string][] {
  const headers: [string, string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    headers.push([rawHeaders[at]!.toLowerCase(), rawHeaders[at + 1]!]);
  }
  return headers;
}
