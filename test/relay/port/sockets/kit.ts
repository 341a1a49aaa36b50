/** A port of a socket layer without a relay behind it, and clients of it. */

import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import WebSocket from 'ws';
import { chooseSockets, thisPlace } from '../../../../relay/port/sockets/choose.js';
import type {
  RelaySocket,
  SocketBounds,
  SocketHandlers,
  SocketLayer,
  SocketServer,
  SocketServerOptions,
  UpgradeRequest,
} from '../../../../relay/port/sockets/layer.js';
import { type Certificate, readCertificate } from '../../../../relay/port/tls.js';
import type { Issued } from '../../../kit/certificates.js';

/** A watchdog, in ms. */
const WITHIN_MS = 120_000;

export const BOUNDS: SocketBounds = { maxMessageBytes: 8208, maxUnsentBytes: 64 * 1024, idleTimeoutS: 16 };

/** What holds sockets, and the options of `chooseSockets` that take it. */
export const LIBRARIES = [
  { library: 'uWebSockets.js', layer: 'uws', uwsBy: 'package' },
  { library: 'addon', layer: 'uws', uwsBy: 'addon' },
  { library: 'ws', layer: 'ws', uwsBy: undefined },
] as const;

/**
 * Runs the sentences on each library, or on those alone that HOTMIC_RELAY_SOCKETS and HOTMIC_UWS leave; and skips those of one that does not
 * load here.
 */
export async function eachLayer(
  t: Test,
  sentences: (t: Test, layer: SocketLayer) => Promise<void>,
): Promise<void> {
  const { HOTMIC_RELAY_SOCKETS: wanted } = process.env;
  const place = thisPlace(true);
  for (const { library, layer, uwsBy } of LIBRARIES) {
    if (wanted && wanted !== 'auto' && wanted !== layer) continue;
    if (layer === 'uws' && place.uwsBy && place.uwsBy !== uwsBy) continue;
    const chosen = await chooseSockets(layer, { ...place, uwsBy }).catch((thrown: Error) => thrown);
    const skip = chosen instanceof Error ? chosen.message : false;
    await t.test(library, { skip }, async (t) => {
      if (!(chosen instanceof Error)) await sentences(t, chosen.layer);
    });
  }
}

/** Waits until it is so. */
export async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + WITHIN_MS;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`not within ${WITHIN_MS} ms: ${isSo}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export type Message = string | number[];
type Socket = RelaySocket<null>;
/** A TCP connection that collects what comes. */
type RawWire = net.Socket & { heard: string };

export class Port {
  readonly server: SocketServer;
  readonly port: number;
  readonly url: string;
  readonly counts = { admitted: 0, released: 0, webSocketsClosed: 0 };
  readonly peers: string[] = [];
  readonly requests: UpgradeRequest[] = [];
  readonly sockets: Socket[] = [];
  readonly closed: Socket[] = [];
  messages = 0;
  dropped = 0;
  heartbeats = 0;
  onOpen: (socket: Socket) => void = () => undefined;
  /** Default: keeps it for `Client.said`. */
  onMessage: (socket: Socket, message: Message) => void = (socket, message) => {
    this.#said.get(socket)?.push(message);
  };
  onClose: (socket: Socket) => void = () => undefined;
  readonly #said = new Map<Socket, Message[]>();
  readonly #scheme: 'ws' | 'wss';

  /** Closed with the test. */
  static async open(
    t: Test,
    layer: SocketLayer,
    handlers: Partial<Pick<SocketHandlers<null>, 'admit' | 'upgrade'>> = {},
    options: Partial<SocketServerOptions<null>> = {},
  ): Promise<Port> {
    const all: { port: Port | null } = { port: null };
    const of = () => all.port!;
    const counted: SocketHandlers<null> = {
      admit: (peer) => {
        of().peers.push(peer);
        const answer = handlers.admit?.(peer) ?? 'admitted';
        if (answer === 'admitted') of().counts.admitted += 1;
        return answer;
      },
      release: () => {
        of().counts.released += 1;
      },
      webSocketClosed: () => {
        of().counts.webSocketsClosed += 1;
      },
      upgrade: (request) => {
        of().requests.push(request);
        return handlers.upgrade?.(request) ?? { kind: 'admitted', data: null };
      },
      open: (socket) => {
        of().#said.set(socket, []);
        of().sockets.push(socket);
        of().onOpen(socket);
      },
      message: (socket, bytes, kind) => {
        of().messages += 1;
        of().onMessage(socket, kind === 'text' ? Buffer.from(bytes).toString() : [...bytes]);
      },
      heartbeat: () => {
        of().heartbeats += 1;
      },
      dropped: () => {
        of().dropped += 1;
      },
      close: (socket) => {
        of().closed.push(socket);
        of().onClose(socket);
      },
    };
    const server = await layer.open<null>({
      host: '127.0.0.1',
      port: 0,
      path: '/',
      certificate: null,
      bounds: BOUNDS,
      handlers: counted,
      now: () => performance.now(),
      unixSeconds: () => Date.now() / 1000,
      ...options,
    });
    const port = new Port(server, options.certificate ? 'wss' : 'ws');
    all.port = port;
    t.teardown(() => server.close());
    return port;
  }

  private constructor(server: SocketServer, scheme: 'ws' | 'wss') {
    this.server = server;
    this.port = server.port;
    this.url = `${scheme}://127.0.0.1:${server.port}/`;
    this.#scheme = scheme;
  }

  /** Connects a client. @param ca The authority to trust, in PEM. */
  async join(ca: string | null = null): Promise<Client> {
    const client = new WebSocket(
      this.url,
      this.#scheme === 'wss' && ca !== null
        ? ({ ca, servername: 'relay.test' } as WebSocket.ClientOptions)
        : {},
    );
    const index = this.sockets.length;
    await once(client, 'open');
    const socket = await this.opened(index + 1);
    return new Client(client, socket, this.#said.get(socket)!);
  }

  /** The socket that opened as the `count`th. */
  async opened(count: number): Promise<Socket> {
    await until(() => this.sockets.length >= count);
    return this.sockets[count - 1]!;
  }

  /** A TCP connection, for bytes that no library sends. */
  async wire(options: Partial<net.TcpNetConnectOpts> = {}): Promise<RawWire> {
    const wire = Object.assign(
      net.connect({ host: '127.0.0.1', port: this.port, allowHalfOpen: true, ...options }),
      { heard: '' },
    );
    wire.on('error', () => undefined);
    wire.on('data', (bytes) => {
      wire.heard += bytes.toString('latin1');
    });
    // The other side waits for it before it closes.
    wire.on('end', () => wire.end());
    await once(wire, 'connect');
    return wire;
  }
}

export class Client {
  readonly client: WebSocket;
  /** The relay's end. */
  readonly socket: Socket;
  /** What it heard and nobody took. */
  readonly heard: Message[] = [];
  readonly ended: Promise<{ code: number; reason: string }>;
  readonly #said: Message[];

  constructor(client: WebSocket, socket: Socket, said: Message[]) {
    this.client = client;
    this.socket = socket;
    this.#said = said;
    client.on('error', () => undefined);
    client.on('message', (data: Buffer, isBinary) => {
      this.heard.push(isBinary ? [...data] : data.toString());
    });
    this.ended = once(client, 'close').then(([code, reason]) => ({ code, reason: String(reason) }));
  }

  /** The next messages that it hears. */
  async next(count: number): Promise<Message[]> {
    await until(() => this.heard.length >= count);
    return this.heard.splice(0, count);
  }

  /** The next message that the relay's end got from it. */
  async said(): Promise<Message> {
    await until(() => this.#said.length > 0);
    return this.#said.shift()!;
  }
}

/** A request for a WebSocket, as a client writes it. */
export function upgradeRequest(target = '/', lines: readonly string[] = []): string {
  const usual = [
    `GET ${target} HTTP/1.1`,
    'Host: relay.test',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
  ];
  return `${[...usual, ...lines].join('\r\n')}\r\n\r\n`;
}

/** A frame with a mask of zeros. `first` is its first byte; at most 125 bytes of Latin-1. */
export function maskedFrame(first: number, payload: string): Buffer {
  return Buffer.concat([Buffer.of(first, 0x80 | payload.length, 0, 0, 0, 0), Buffer.from(payload, 'latin1')]);
}

/** As the relay reads it from its files. */
export function certificateOf(t: Test, { chain, key }: Issued): Certificate {
  const folder = t.testdir({ 'chain.pem': chain, 'key.pem': key });
  const files = { certFile: join(folder, 'chain.pem'), keyFile: join(folder, 'key.pem') };
  return readCertificate(files, Date.now() / 1000);
}
