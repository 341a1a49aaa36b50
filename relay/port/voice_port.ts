/**
 * The voice port, plain or with TLS. Its certificate can change without closing any connection.
 *
 * uWebSockets reads a certificate once per app, and can change it later only for clients that send a server name. So
 * each certificate has a separate app. A new one listens beside the old one, which then stops listening and keeps its
 * connections. Topics belong to an app: a frame is published to each app with connections.
 */

import type * as UWebSockets from 'uWebSockets.js';
import { promises } from 'node:fs';
import { codeOf, HotmicError, messageOf } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';
import { CertificateWatch, markOf } from './certificate_watch.js';
import {
  answerAndClose,
  type ConnectionCounter,
  countConnections,
  type HttpAnswer,
  peerOf,
} from './http_answer.js';
import { listenAt, portFor } from './listening.js';
import {
  type Certificate,
  type CertificateCounts,
  type CertificateEvent,
  type RelayTls,
  readCertificate,
  refusal,
  refusedByServer,
  TLS_CIPHERS,
} from './tls.js';

/** The port's own data of each socket. */
export interface PortData {
  /** Null until it is open. */
  app: UWebSockets.TemplatedApp | null;
  /** The other end of its TCP connection, as text; empty until it is open. */
  peer: string;
}

export interface VoicePortOptions<Data extends PortData> {
  readonly uws: typeof UWebSockets;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** The path of WebSockets, as `voicePath` returns it. */
  readonly path: string;
  /** Null for a plain port. */
  readonly tls: RelayTls | null;
  /** For WebSockets at `path`. */
  readonly voice: Omit<UWebSockets.WebSocketBehavior<Data>, 'upgrade'>;
  /** Whether a request for a WebSocket gets one, and the data of its socket; or the HTTP answer. */
  readonly upgrade: (
    response: UWebSockets.HttpResponse,
    request: UWebSockets.HttpRequest,
  ) =>
    | { readonly kind: 'admitted'; readonly data: Data }
    | { readonly kind: 'refused'; readonly answer: HttpAnswer };
  /** Counts TCP connections, WebSockets among them. */
  readonly counter: ConnectionCounter;
  readonly onEvent: (event: CertificateEvent) => void;
  /** Never goes back. */
  readonly now: () => Milliseconds;
  readonly unixSeconds: () => number;
}

const LOOK_EVERY_MS = 5000;
/** Most certificates with connections at once, the newest included. Beyond, no new one is loaded. */
const MAX_IN_USE = 8;

const HEALTHY: HttpAnswer = { status: '200 OK', body: 'ok\n' };

/** An app, and its listening socket; null when it does not listen. */
interface Listener {
  readonly app: UWebSockets.TemplatedApp;
  listening: UWebSockets.us_listen_socket | null;
  connections: number;
}

export class VoicePort<Data extends PortData> {
  readonly #options: VoicePortOptions<Data>;
  /** The newest, and those that have connections. */
  readonly #inUse = new Set<Listener>();
  /** All apps since the start: uWebSockets cannot free one. */
  readonly #apps: UWebSockets.TemplatedApp[] = [];
  #newest: Listener | null = null;
  #certificate: Certificate | null = null;
  #port = 0;
  #loaded = 0;
  #refused = 0;
  #reloading: Promise<'loaded' | 'unchanged'> | null = null;
  #looks: NodeJS.Timeout | null = null;
  #state: 'open' | 'closed' = 'open';

  /**
   * Opens the port.
   *
   * @throws HotmicError `ERR_HOTMIC_TLS`, `ERR_HOTMIC_PORT_IN_USE` or `ERR_HOTMIC_LISTEN`; RangeError for an
   *   invalid `lookEveryMs`.
   */
  static async open<Data extends PortData>(options: VoicePortOptions<Data>): Promise<VoicePort<Data>> {
    const { tls, host, port: wanted, uws } = options;
    const port = new VoicePort(options);
    if (!tls) {
      const listening = await port.#listen(port.#prepare(uws.App()), wanted, 'alone');
      port.#port = uws.us_socket_local_port(listening);
      return port;
    }
    const { lookEveryMs = LOOK_EVERY_MS } = tls;
    if (!(lookEveryMs >= 10 && lookEveryMs <= 3_600_000)) {
      throw new RangeError(`Cannot start the relay: lookEveryMs is ${lookEveryMs}, expected 10 to 3600000`);
    }
    const watch = new CertificateWatch(await marksOf(tls));
    const { app, certificate } = port.#secureApp(tls);
    port.#port = await portFor(host, wanted);
    await port.#listen(port.#prepare(app), port.#port, 'shared');
    port.#certificate = certificate;
    port.#lookEvery(lookEveryMs, tls, watch);
    return port;
  }

  private constructor(options: VoicePortOptions<Data>) {
    this.#options = options;
  }

  get port(): number {
    return this.#port;
  }

  /** Null for a plain port. */
  get certificate(): CertificateCounts | null {
    if (!this.#certificate) return null;
    const { expiresUnixSeconds } = this.#certificate;
    return { expiresUnixSeconds, loaded: this.#loaded, refused: this.#refused };
  }

  /**
   * Sends the bytes to all subscribers of the topic except the socket itself, whichever certificate they connected with.
   * Real-time: copied once for each certificate in use, usually one.
   */
  publish(socket: UWebSockets.WebSocket<Data>, topic: string, bytes: ArrayBuffer): void {
    const { app: own } = socket.getUserData();
    // A socket without subscriptions, of a participant who does not listen, cannot publish; nor would it hear itself.
    if (!socket.publish(topic, bytes, true)) own?.publish(topic, bytes, true);
    if (this.#inUse.size === 1) return;
    for (const { app } of this.#inUse) if (app !== own) app.publish(topic, bytes, true);
  }

  /**
   * Reads the files again; new connections get the certificate in them. A call while a reload is under way joins it.
   *
   * @throws HotmicError `ERR_HOTMIC_TLS` or `ERR_HOTMIC_LISTEN`, and the previous certificate stays in use; `ERR_HOTMIC_CLOSED`.
   */
  async reload(): Promise<'loaded' | 'unchanged'> {
    try {
      const outcome = await this.#reloadOnce();
      if (outcome === 'unchanged') this.#options.onEvent({ kind: 'certificate-unchanged' });
      return outcome;
    } catch (thrown) {
      this.#tellRefused(thrown);
      throw thrown;
    }
  }

  /** Connections stay. */
  stopListening(): void {
    this.#state = 'closed';
    if (this.#looks) clearInterval(this.#looks);
    for (const listener of this.#inUse) this.#stop(listener);
  }

  /** Closes all connections. */
  close(): void {
    this.stopListening();
    for (const app of this.#apps) app.close();
  }

  /** Sets up an app, the same for every certificate. */
  #prepare(app: UWebSockets.TemplatedApp): Listener {
    const { path, voice, upgrade, counter } = this.#options;
    const listener: Listener = { app, listening: null, connections: 0 };
    this.#apps.push(app);
    countConnections(app, counter);
    const behavior: UWebSockets.WebSocketBehavior<Data> = {
      ...voice,
      upgrade: (response, request, context) => {
        const admitted = upgrade(response, request);
        if (admitted.kind === 'refused') {
          answerAndClose(response, admitted.answer, counter);
          return;
        }
        const key = request.getHeader('sec-websocket-key');
        response.upgrade<Data>(admitted.data, key, '', '', context);
      },
      open: (socket) => {
        const data = socket.getUserData();
        data.app = app;
        data.peer = peerOf(socket);
        listener.connections += 1;
        // The handshake may have begun before the app stopped listening.
        this.#inUse.add(listener);
        return voice.open?.(socket);
      },
      close: (socket, code, message) => {
        counter.webSocketClosed(socket.getUserData().peer);
        listener.connections -= 1;
        if (listener.connections === 0 && listener !== this.#newest) this.#inUse.delete(listener);
        voice.close?.(socket, code, message);
      },
    };
    app.ws<Data>(path, behavior);
    if (path !== '/') app.ws<Data>(`${path}/`, behavior);
    app.get('/healthz', (response) => answerAndClose(response, HEALTHY, counter));
    const notFound = { status: '404 Not Found', body: `Not found. The voice WebSocket is at ${path}.\n` };
    app.any('/*', (response) => answerAndClose(response, notFound, counter));
    return listener;
  }

  async #listen(
    listener: Listener,
    port: number,
    how: 'alone' | 'shared',
  ): Promise<UWebSockets.us_listen_socket> {
    const { uws, host } = this.#options;
    listener.listening = await listenAt(uws, listener.app, host, port, how);
    this.#newest = listener;
    this.#inUse.add(listener);
    return listener.listening;
  }

  #stop(listener: Listener): void {
    if (listener.listening) this.#options.uws.us_listen_socket_close(listener.listening);
    listener.listening = null;
    if (listener.connections === 0 && listener !== this.#newest) this.#inUse.delete(listener);
  }

  /** uWebSockets reads the files itself. We read them before and after it, and they have to be the same. */
  #secureApp(tls: RelayTls): { app: UWebSockets.TemplatedApp; certificate: Certificate } {
    const { uws, unixSeconds } = this.#options;
    const certificate = readCertificate(tls, unixSeconds());
    const { passphrase } = certificate;
    let app: UWebSockets.TemplatedApp;
    try {
      app = uws.SSLApp({
        cert_file_name: tls.certFile,
        key_file_name: tls.keyFile,
        ssl_ciphers: TLS_CIPHERS,
        // Then a silent connection, as most are, has no buffers.
        ssl_prefer_low_memory_usage: true,
        ...(passphrase !== null && { passphrase }),
      });
    } catch {
      throw refusedByServer(tls);
    }
    if (readCertificate(tls, unixSeconds()).identity !== certificate.identity) {
      throw refusal(tls.certFile, 'it changed while it was read');
    }
    return { app, certificate };
  }

  #reloadOnce(): Promise<'loaded' | 'unchanged'> {
    this.#reloading ??= this.#reload().finally(() => {
      this.#reloading = null;
    });
    return this.#reloading;
  }

  async #reload(): Promise<'loaded' | 'unchanged'> {
    const { tls, onEvent, unixSeconds } = this.#options;
    try {
      if (!tls) {
        const reason = 'the relay was started without TLS';
        throw new HotmicError('ERR_HOTMIC_TLS', `Cannot reload the certificate: ${reason}`);
      }
      if (this.#state === 'closed') {
        throw new HotmicError('ERR_HOTMIC_CLOSED', 'Cannot reload the certificate: the relay is closing');
      }
      if (readCertificate(tls, unixSeconds()).identity === this.#certificate?.identity) return 'unchanged';
      if (this.#inUse.size >= MAX_IN_USE) {
        const why = `connections still use ${this.#inUse.size} older ones, expected fewer than ${MAX_IN_USE}`;
        throw refusal(tls.certFile, why);
      }
      const { app, certificate } = this.#secureApp(tls);
      const before = this.#newest;
      await this.#listen(this.#prepare(app), this.#port, 'shared');
      this.#certificate = certificate;
      this.#loaded += 1;
      // Connections that the system queued for the old one are accepted first: closing it would reset them. Each turn
      // accepts all of them.
      await nextTurn();
      await nextTurn();
      if (before) this.#stop(before);
      const { names, expiresUnixSeconds } = certificate;
      onEvent({ kind: 'certificate-loaded', names, expiresUnixSeconds });
      return 'loaded';
    } catch (thrown) {
      this.#refused += 1;
      throw thrown;
    }
  }

  #tellRefused(thrown: unknown): void {
    const code = codeOf(thrown) ?? 'ERR_HOTMIC_INTERNAL';
    this.#options.onEvent({ kind: 'certificate-refused', code, detail: messageOf(thrown) });
  }

  #lookEvery(everyMs: Milliseconds, tls: RelayTls, watch: CertificateWatch): void {
    const { now } = this.#options;
    let looking = false;
    let lastDetail = '';
    const look = async (): Promise<void> => {
      const marks = await marksOf(tls);
      if (this.#state === 'closed' || !watch.isDue(marks, now())) return;
      try {
        watch.done(marks, await this.#reloadOnce(), now());
        lastDetail = '';
      } catch (thrown) {
        watch.done(marks, 'refused', now());
        const detail = messageOf(thrown);
        // Reported once, although it is retried every minute.
        if (detail !== lastDetail) this.#tellRefused(thrown);
        lastDetail = detail;
      }
    };
    this.#looks = setInterval(() => {
      if (looking) return;
      looking = true;
      void look().finally(() => {
        looking = false;
      });
    }, everyMs);
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The current marks of the files, as `markOf` makes them. */
function marksOf({ certFile, keyFile, passphraseFile }: RelayTls): Promise<string[]> {
  const files = [certFile, keyFile, ...(passphraseFile === undefined ? [] : [passphraseFile])];
  return Promise.all(
    files.map((file) => promises.stat(file, { bigint: true }).then(markOf, () => markOf(null))),
  );
}
