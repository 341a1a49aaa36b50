/**
 * The addon over the library uWebSockets, `src/`: its functions, and how it is found.
 *
 * JavaScript names sockets and servers by small integers. The number of a closed socket means nothing until a socket that opens gets it again.
 */

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Of an open server. */
export type ServerId = number;
/** Of an open socket, of any server. */
export type SocketId = number;

/** A certificate and its key, already checked. */
export interface AddonCertificate {
  /** PEM: the certificate, followed by those of its issuers. */
  readonly chain: string;
  /** PEM. */
  readonly key: string;
  /** Empty if the key is not encrypted. */
  readonly passphrase: string;
  /** Suites of TLS 1.2, in OpenSSL's form. Those of TLS 1.3 are OpenSSL's own. */
  readonly ciphers: string;
  /** In OpenSSL's form. */
  readonly groups: string;
  /** At most 32 bytes of ASCII. A session can be resumed only under a certificate with the same identity. */
  readonly identity: string;
}

/** An HTTP answer: status, body, and then the names and values of its headers. */
export type AddonAnswer = readonly [status: string, body: string, ...headers: string[]];

/** The same; bytes are not copied, and must not change. */
export type AddonPageAnswer = readonly [status: string, body: string | Uint8Array, ...headers: string[]];

/** What the addon calls: from the event loop, and `close` and `release` also from within `end`, `cut` and `close`. */
export interface AddonHandlers {
  /** A TCP connection was accepted: whether it stays. If so, `release` or `close` of its socket follows. */
  admit(peer: string): boolean;
  /** An admitted connection that is not a WebSocket was answered, or has closed. */
  release(peer: string): void;
  /** A request for a WebSocket. Null admits it: `open` follows at once. `headers`: name, value, name, value, … */
  upgrade(peer: string, proxiedPeer: string, headers: readonly string[]): AddonAnswer | null;
  open(socket: SocketId): void;
  /** The message is at the start of `buffer`, which the next one overwrites. */
  message(socket: SocketId, buffer: ArrayBuffer, length: number, isText: boolean): void;
  heartbeat(socket: SocketId): void;
  /** So many published messages were each not sent to one listener, since the last call. In the turn after they were dropped. */
  dropped(count: number): void;
  /** A GET that is not for a WebSocket. Null: not found. After an answer the connection stays open, up to 16 times. Null without a page. */
  readonly page:
    | ((path: string, acceptEncoding: string, ifNoneMatch: string) => AddonPageAnswer | null)
    | null;
  /** Once for each socket that opened. When it returns, the number is free. */
  close(socket: SocketId): void;
}

export interface AddonServerOptions {
  readonly path: string;
  /** 1 to 16777216. */
  readonly maxMessageBytes: number;
  /** 1 to 1073741824. */
  readonly maxUnsentBytes: number;
  /** 8 to 960. */
  readonly idleTimeoutS: number;
  /** To GET /healthz. */
  readonly healthy: AddonAnswer;
  /** To anything else that is no request for a WebSocket at `path`. */
  readonly notFound: AddonAnswer;
  /** Null for a plain port. */
  readonly certificate: AddonCertificate | null;
  readonly handlers: AddonHandlers;
}

/**
 * The addon's functions. Arguments of the wrong kind are a TypeError; a number of no open socket does nothing, as does `close` of a closed server.
 * What a handler throws becomes an uncaught exception of the process.
 */
export interface SocketsAddon {
  /** A server that does not listen yet. @throws Error for a certificate that OpenSSL does not accept; TypeError outside of the main thread. */
  open(options: AddonServerOptions): ServerId;
  /** Its port, or 0 if it cannot listen there. `port` 0 stands for any free one. Once for each server. */
  listen(server: ServerId, host: string, port: number): number;
  /** Connections stay. */
  stopListening(server: ServerId): void;
  /** New connections get it; those that have another keep it. @throws Error if OpenSSL does not accept it. */
  replaceCertificate(server: ServerId, certificate: AddonCertificate): void;
  /** Closes all its connections, and frees it. */
  close(server: ServerId): void;
  /** False if it was dropped. */
  send(socket: SocketId, text: string): boolean;
  /** To all other sockets of its server that are subscribed to the topic. `bytes` are copied. */
  publish(socket: SocketId, topic: string, bytes: Uint8Array): void;
  subscribe(socket: SocketId, topic: string): void;
  unsubscribe(socket: SocketId, topic: string): void;
  /** Calls `close` before it returns. */
  end(socket: SocketId, code: number, reason: string): void;
  /** Calls `close` before it returns. */
  cut(socket: SocketId): void;
}

/** The folder of `prebuilds/`, from the compiled file of this one. */
const FOLDER = new URL('../../../../../relay/port/sockets/addon/', import.meta.url);

/**
 * Why the addon must not be loaded in a program with these versions, or null. It calls the event loop and the OpenSSL of the program, and a
 * program that has others than Node's, such as Bun or Electron, would load it all the same and end in it. Pure.
 */
export function unfitReason(versions: Readonly<Record<string, string | undefined>>): string | null {
  for (const other of ['bun', 'deno', 'electron', 'nw']) {
    if (versions[other] !== undefined) return `it is for Node only, and this is ${other} ${versions[other]}`;
  }
  const { openssl = 'none', uv = 'none' } = versions;
  if (!openssl.startsWith('3.')) return `it needs OpenSSL 3 in Node, and this one has ${openssl}`;
  if (!uv.startsWith('1.')) return `it needs libuv 1 in Node, and this one has ${uv}`;
  return null;
}

/**
 * Loads the addon: the prebuilt one, or the file that HOTMIC_SOCKETS_ADDON names. Once loaded, it stays.
 *
 * @throws Error when there is no addon for this system, or it does not load.
 */
export function loadSocketsAddon(): SocketsAddon {
  const unfit = unfitReason(process.versions);
  if (unfit !== null) throw new Error(unfit);
  const require = createRequire(import.meta.url);
  const { HOTMIC_SOCKETS_ADDON: file } = process.env;
  if (file) return require(file) as SocketsAddon;
  const load = require('node-gyp-build') as (folder: string) => SocketsAddon;
  return load(fileURLToPath(FOLDER));
}
