/** Servers of the addon itself, without the layer, and clients of them. */

import { once } from 'node:events';
import net from 'node:net';
import type { Test } from 'tap';
import WebSocket from 'ws';
import {
  type AddonHandlers,
  type AddonServerOptions,
  loadSocketsAddon,
  type ServerId,
  type SocketId,
  type SocketsAddon,
} from '../../../../../relay/port/sockets/addon/binding.js';
import { upgradeRequest } from '../kit.js';

/** The addon, or why it does not load here. */
export function addonHere(): { readonly addon: SocketsAddon } | { readonly skip: string } {
  try {
    return { addon: loadSocketsAddon() };
  } catch (thrown) {
    return { skip: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

/** A server that notes what it is called with. */
export class Server {
  readonly addon: SocketsAddon;
  readonly id: ServerId;
  readonly port: number;
  /** Names of handlers, in the order of their calls, each with its first argument. */
  readonly calls: string[] = [];
  readonly sockets: SocketId[] = [];

  constructor(
    t: Test,
    addon: SocketsAddon,
    handlers: Partial<AddonHandlers> = {},
    changed: Partial<AddonServerOptions> = {},
  ) {
    this.addon = addon;
    const note = (name: string, about: unknown) => this.calls.push(`${name} ${about}`);
    this.id = addon.open({
      ...OPTIONS,
      ...changed,
      handlers: {
        admit: (peer) => {
          note('admit', peer);
          return handlers.admit?.(peer) ?? true;
        },
        release: (peer) => {
          note('release', peer);
          handlers.release?.(peer);
        },
        upgrade: (peer, proxiedPeer, headers) => {
          note('upgrade', peer);
          return handlers.upgrade?.(peer, proxiedPeer, headers) ?? null;
        },
        open: (socket) => {
          note('open', socket);
          this.sockets.push(socket);
          handlers.open?.(socket);
        },
        message: (socket, buffer, length, isText) => {
          note('message', socket);
          handlers.message?.(socket, buffer, length, isText);
        },
        heartbeat: (socket) => {
          note('heartbeat', socket);
          handlers.heartbeat?.(socket);
        },
        dropped: (count) => {
          note('dropped', count);
          handlers.dropped?.(count);
        },
        close: (socket) => {
          note('close', socket);
          handlers.close?.(socket);
        },
        page: handlers.page ?? null,
      },
    });
    this.port = addon.listen(this.id, '127.0.0.1', 0);
    t.teardown(() => addon.close(this.id));
  }

  async join(): Promise<WebSocket> {
    const client = new WebSocket(`ws://127.0.0.1:${this.port}/`);
    client.on('error', () => undefined);
    await once(client, 'open');
    return client;
  }

  /** Sends a request for a WebSocket, and when it is answered the rest; resolves when the connection is closed. */
  async send(...rest: readonly Uint8Array[]): Promise<void> {
    const wire = net.connect(this.port, '127.0.0.1');
    const closed = new Promise((resolve) => wire.once('close', resolve));
    wire.on('error', () => undefined);
    wire.once('data', () => wire.end(Buffer.concat(rest)));
    wire.write(upgradeRequest());
    await closed;
  }

  /** How often a handler was called. */
  count(name: string): number {
    return this.calls.filter((call) => call.startsWith(`${name} `)).length;
  }
}

export const OPTIONS: Omit<AddonServerOptions, 'handlers'> = {
  path: '/',
  maxMessageBytes: 1024,
  maxUnsentBytes: 64 * 1024,
  idleTimeoutS: 16,
  healthy: ['200 OK', 'ok\n'],
  notFound: ['404 Not Found', 'not found\n'],
  certificate: null,
};
