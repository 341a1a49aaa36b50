/**
 * The layer of the package uWebSockets.js.
 *
 * uWebSockets reads a certificate once per app, and can change it later only for clients that send a server name. So
 * each certificate has a separate app. A new one listens beside the old one, which then stops listening and keeps its
 * connections. Topics belong to an app: a frame is published to each app with connections.
 */

import type * as UWebSockets from 'uWebSockets.js';
import { type Certificate, readCertificate, refusal, TLS_CIPHERS } from '../../tls.js';
import {
  HEALTHY,
  notFound,
  type SocketLayer,
  type SocketServer,
  type SocketServerOptions,
} from '../layer.js';
import { answerAndClose, countConnections, peerOf, proxiedPeerOf } from './http.js';
import { listenAt, portFor } from './listening.js';
import { type Kept, UwsSocket } from './socket.js';

/** Most certificates with connections at once, the newest included. Beyond, no new one is loaded. */
const MAX_IN_USE = 8;

/** An app, and its listening socket; null when it does not listen. */
interface Listener {
  readonly app: UWebSockets.TemplatedApp;
  listening: UWebSockets.us_listen_socket | null;
  connections: number;
}

/** The layer of a loaded uWebSockets. */
export function uwsLayer(uws: typeof UWebSockets): SocketLayer {
  return {
    name: 'uws',
    library: 'uWebSockets.js',
    open: async (options) => {
      const server = new UwsServer(uws, options);
      await server.start();
      return server;
    },
  };
}

class UwsServer<Data> implements SocketServer {
  readonly #uws: typeof UWebSockets;
  readonly #options: SocketServerOptions<Data>;
  /** The newest, and those that have connections. */
  readonly #inUse = new Set<Listener>();
  /** All apps since the start: uWebSockets cannot free one. */
  readonly #apps: UWebSockets.TemplatedApp[] = [];
  #newest: Listener | null = null;
  #port = 0;

  constructor(uws: typeof UWebSockets, options: SocketServerOptions<Data>) {
    this.#uws = uws;
    this.#options = options;
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    const { host, port, certificate } = this.#options;
    if (certificate) {
      const app = this.#secureApp(certificate);
      this.#port = await portFor(host, port);
      await this.#listen(this.#prepare(app), this.#port, 'shared');
    } else {
      const listening = await this.#listen(this.#prepare(this.#uws.App()), port, 'alone');
      this.#port = this.#uws.us_socket_local_port(listening);
    }
  }

  async replaceCertificate(certificate: Certificate): Promise<void> {
    if (this.#inUse.size >= MAX_IN_USE) {
      const why = `connections still use ${this.#inUse.size} older ones, expected fewer than ${MAX_IN_USE}`;
      throw refusal(certificate.files.certFile, why);
    }
    const before = this.#newest;
    await this.#listen(this.#prepare(this.#secureApp(certificate)), this.#port, 'shared');
    // Connections that the system queued for the old one are accepted first: closing it would reset them. Each turn
    // accepts all of them.
    await nextTurn();
    await nextTurn();
    if (before) this.#stop(before);
  }

  stopListening(): void {
    for (const listener of this.#inUse) this.#stop(listener);
  }

  close(): void {
    this.stopListening();
    for (const app of this.#apps) app.close();
  }

  /** Sets up an app, the same for every certificate. */
  #prepare(app: UWebSockets.TemplatedApp): Listener {
    const { path, handlers, page } = this.#options;
    const listener: Listener = { app, listening: null, connections: 0 };
    this.#apps.push(app);
    countConnections(app, handlers);
    const behavior = this.#behaviorOf(listener);
    app.ws<Kept<Data>>(path, behavior);
    if (path !== '/') app.ws<Kept<Data>>(`${path}/`, behavior);
    app.get('/healthz', (response) => answerAndClose(response, HEALTHY, handlers));
    if (page) {
      app.get('/*', (response, request) => {
        const asked = {
          path: request.getUrl(),
          acceptEncoding: request.getHeader('accept-encoding'),
          ifNoneMatch: request.getHeader('if-none-match'),
        };
        answerAndClose(response, page(asked) ?? notFound(path), handlers);
      });
    }
    app.any('/*', (response) => answerAndClose(response, notFound(path), handlers));
    return listener;
  }

  #behaviorOf(listener: Listener): UWebSockets.WebSocketBehavior<Kept<Data>> {
    const { bounds, handlers } = this.#options;
    return {
      compression: this.#uws.DISABLED,
      maxPayloadLength: bounds.maxMessageBytes,
      maxBackpressure: bounds.maxUnsentBytes,
      idleTimeout: bounds.idleTimeoutS,
      sendPingsAutomatically: true,
      upgrade: (response, request, context) => this.#upgrade(listener, response, request, context),
      open: (socket) => {
        const { own } = socket.getUserData();
        own.opened(socket);
        listener.connections += 1;
        // The handshake may have begun before the app stopped listening.
        this.#inUse.add(listener);
        handlers.open(own);
      },
      message: (socket, message, isBinary) =>
        handlers.message(socket.getUserData().own, new Uint8Array(message), isBinary ? 'binary' : 'text'),
      ping: (socket) => handlers.heartbeat(socket.getUserData().own),
      pong: (socket) => handlers.heartbeat(socket.getUserData().own),
      close: (socket) => {
        const { own } = socket.getUserData();
        own.closed();
        handlers.webSocketClosed(own.peer);
        listener.connections -= 1;
        if (listener.connections === 0 && listener !== this.#newest) this.#inUse.delete(listener);
        handlers.close(own);
      },
      // Not in the package's types. It is also called for what `send` reports to its caller.
      ...{
        dropped(_socket: unknown, _message: ArrayBuffer, isBinary: boolean): void {
          if (isBinary) handlers.dropped();
        },
      },
    };
  }

  #upgrade(
    { app }: Listener,
    response: UWebSockets.HttpResponse,
    request: UWebSockets.HttpRequest,
    context: UWebSockets.us_socket_context_t,
  ): void {
    const { handlers } = this.#options;
    const headers: [string, string][] = [];
    request.forEach((name, value) => {
      headers.push([name, value]);
    });
    const peer = peerOf(response);
    const admitted = handlers.upgrade({ peer, proxiedPeer: proxiedPeerOf(response), headers });
    if (admitted.kind === 'refused') {
      answerAndClose(response, admitted.answer, handlers);
      return;
    }
    const own = new UwsSocket(admitted.data, peer, app, this.#publishElsewhere);
    response.upgrade<Kept<Data>>({ own }, request.getHeader('sec-websocket-key'), '', '', context);
  }

  readonly #publishElsewhere = (own: UWebSockets.TemplatedApp, topic: string, bytes: Uint8Array): void => {
    if (this.#inUse.size === 1) return;
    for (const { app } of this.#inUse) if (app !== own) app.publish(topic, bytes, true);
  };

  async #listen(
    listener: Listener,
    port: number,
    how: 'alone' | 'shared',
  ): Promise<UWebSockets.us_listen_socket> {
    listener.listening = await listenAt(this.#uws, listener.app, this.#options.host, port, how);
    this.#newest = listener;
    this.#inUse.add(listener);
    return listener.listening;
  }

  #stop(listener: Listener): void {
    if (listener.listening) this.#uws.us_listen_socket_close(listener.listening);
    listener.listening = null;
    if (listener.connections === 0 && listener !== this.#newest) this.#inUse.delete(listener);
  }

  /** uWebSockets reads the files itself. They were read before it, and are read again after it: they have to be the same. */
  #secureApp({ files, identity, passphrase }: Certificate): UWebSockets.TemplatedApp {
    const { unixSeconds } = this.#options;
    let app: UWebSockets.TemplatedApp;
    try {
      app = this.#uws.SSLApp({
        cert_file_name: files.certFile,
        key_file_name: files.keyFile,
        ssl_ciphers: TLS_CIPHERS,
        // Then a silent connection, as most are, has no buffers.
        ssl_prefer_low_memory_usage: true,
        ...(passphrase !== null && { passphrase }),
      });
    } catch {
      throw refusal(
        files.certFile,
        `uWebSockets does not accept it with the key in ${files.keyFile}; ` +
          'expected RSA, P-256, P-384 or P-521, and an encrypted key without scrypt',
      );
    }
    if (readCertificate(files, unixSeconds()).identity !== identity) {
      throw refusal(files.certFile, 'it changed while it was read');
    }
    return app;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
