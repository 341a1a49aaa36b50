/**
 * The port of voice, plain or with TLS, and how its certificate changes without anybody's connection ending.
 *
 * uWebSockets reads a certificate once an app, and can change it later only for clients that send a server name. So
 * each certificate has an app of its own. A new one listens beside the old one, which then stops listening; whoever
 * is connected stays where they are. Topics belong to an app: what is published goes to each that has connections.
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

/** What every socket of the port carries for it. */
export interface PortData {
  /** Null until it is open. */
  app: UWebSockets.TemplatedApp | null;
  /** The other end of its TCP connection, as text; empty until it is open. */
  peer: string;
}

export interface VoicePortOptions<Data extends PortData> {
  readonly uws: typeof UWebSockets;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Where WebSockets are, as `voicePath` has it. */
  readonly path: string;
  /** Null for a plain port. */
  readonly tls: RelayTls | null;
  /** For WebSockets at `path`. */
  readonly voice: Omit<UWebSockets.WebSocketBehavior<Data>, 'upgrade'>;
  /** Whether a request for a WebSocket gets one, and what it carries; or what is answered. */
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
/** Certificates with connections at once, the newest included; then no other is taken. */
const MAX_IN_USE = 8;

const HEALTHY: HttpAnswer = { status: '200 OK', body: 'ok\n' };

/** An app, and how it listens: null when it does not. */
interface Listener {
  readonly app: UWebSockets.TemplatedApp;
  listening: UWebSockets.us_listen_socket | null;
  connections: number;
}

export class VoicePort<Data extends PortData> {
  readonly #options: VoicePortOptions<Data>;
  /** The newest, and those that have connections. */
  readonly #inUse = new Set<Listener>();
  /** All that ever were: uWebSockets cannot free one. */
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
   * @throws HotmicError `ERR_HOTMIC_TLS`, `ERR_HOTMIC_PORT_IN_USE` or `ERR_HOTMIC_LISTEN`; RangeError for a
   *   `lookEveryMs` that is none.
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
      throw new RangeError(`Cannot start the relay: lookEveryMs is ${lookEveryMs}, wants 10 to 3600000`);
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
   * Sends the bytes to all that are subscribed to the topic but the socket itself, whatever certificate they came by.
   * Real-time: copied once for each certificate in use, mostly one.
   */
  publish(socket: UWebSockets.WebSocket<Data>, topic: string, bytes: ArrayBuffer): void {
    const { app: own } = socket.getUserData();
    // A socket that is subscribed to nothing, of somebody who does not listen, cannot publish; nor would it hear itself.
    if (!socket.publish(topic, bytes, true)) own?.publish(topic, bytes, true);
    if (this.#inUse.size === 1) return;
    for (const { app } of this.#inUse) if (app !== own) app.publish(topic, bytes, true);
  }

  /**
   * Reads the files again, and has connections from now on get the certificate that they hold. While it is under way,
   * the same.
   *
   * @throws HotmicError `ERR_HOTMIC_TLS` or `ERR_HOTMIC_LISTEN`; what was there before goes on. `ERR_HOTMIC_CLOSED`.
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

  /** Ends everything. */
  close(): void {
    this.stopListening();
    for (const app of this.#apps) app.close();
  }

  /** What is behind every certificate alike. */
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
        // A handshake may have begun before the listening ended.
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
    const nothingHere = { status: '404 Not Found', body: `Nothing here. Voice is a WebSocket at ${path}.\n` };
    app.any('/*', (response) => answerAndClose(response, nothingHere, counter));
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

  /** uWebSockets reads the files itself: read before and behind it, they have to be the same. */
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
        // A connection that is still, as most are, then holds no buffers.
        ssl_prefer_low_memory_usage: true,
        ...(passphrase !== null && { passphrase }),
      });
    } catch {
      throw refusedByServer(tls);
    }
    if (readCertificate(tls, unixSeconds()).identity !== certificate.identity) {
      throw refusal(tls.certFile, 'it changed while it was read, wants to be whole');
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
        const wanted = 'the relay has none, wants a relay that was started with TLS';
        throw new HotmicError('ERR_HOTMIC_TLS', `Cannot reload the certificate: ${wanted}`);
      }
      if (this.#state === 'closed') {
        throw new HotmicError('ERR_HOTMIC_CLOSED', 'Cannot reload the certificate: the relay closes');
      }
      if (readCertificate(tls, unixSeconds()).identity === this.#certificate?.identity) return 'unchanged';
      if (this.#inUse.size >= MAX_IN_USE) {
        const why = `connections hang on ${this.#inUse.size} older ones, wants less than ${MAX_IN_USE}`;
        throw refusal(tls.certFile, why);
      }
      const { app, certificate } = this.#secureApp(tls);
      const before = this.#newest;
      await this.#listen(this.#prepare(app), this.#port, 'shared');
      this.#certificate = certificate;
      this.#loaded += 1;
      // Whom the system queued for the old one is taken from there first: closing it would reset them. Each turn
      // takes them all.
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
        // Said once: it is tried again every minute.
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

/** How the files look now. */
function marksOf({ certFile, keyFile, passphraseFile }: RelayTls): Promise<string[]> {
  const files = [certFile, keyFile, ...(passphraseFile === undefined ? [] : [passphraseFile])];
  return Promise.all(
    files.map((file) => promises.stat(file, { bigint: true }).then(markOf, () => markOf(null))),
  );
}
