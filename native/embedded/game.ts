/**
 * The old ways to tell Steam about a game server: advertiseGame, and game connections with their blob.
 */

import { NONCE_BYTES, sealWebTicket } from '../../tickets/web_ticket.js';
import type { EmbeddedSetup } from './options.js';
import { WEB_TICKET_SECONDS } from './tickets.js';

/** Addresses are IPv4 in host order. */
export interface GameServer {
  readonly serverSteamId: bigint;
  readonly ip: number;
  readonly port: number;
}

/** What the embedded Steam was told about games. */
export interface GameState {
  /** Null when nothing is advertised. */
  readonly advertised: GameServer | null;
  /** Those not terminated, by when they began. */
  readonly connections: readonly (GameServer & { readonly security: 'secure' | 'insecure' })[];
}

/** The most game connections at once. */
const MAX_CONNECTIONS = 256;

export class EmbeddedGame {
  readonly #setup: EmbeddedSetup;
  readonly #connections = new Map<string, GameState['connections'][number]>();
  #advertised: GameServer | null = null;

  constructor(setup: EmbeddedSetup) {
    this.#setup = setup;
  }

  get state(): GameState {
    return { advertised: this.#advertised, connections: [...this.#connections.values()] };
  }

  /** Without an address or port, nothing is advertised any more. */
  advertise(server: GameServer): void {
    this.#advertised = server.ip === 0 || server.port === 0 ? null : server;
  }

  /**
   * The blob: a ticket in the layout of web tickets, sealed with a separate key, for `game server` and its SteamID. Null when there
   * are 256 connections already.
   */
  connect(server: GameServer, security: 'secure' | 'insecure'): Uint8Array | null {
    const place = `${server.ip}:${server.port}`;
    if (this.#connections.size >= MAX_CONNECTIONS && !this.#connections.has(place)) return null;
    this.#connections.set(place, { ...server, security });
    const { steamId, appId, unixTime, random, keys } = this.#setup;
    const issuedAt = unixTime();
    const times = { issuedAt, expiresAt: issuedAt + WEB_TICKET_SECONDS };
    const identity = `game server ${server.serverSteamId}`;
    return sealWebTicket(
      { steamId, appId, identity, ...times, nonce: random(NONCE_BYTES) },
      keys.gameConnection,
    );
  }

  terminate(ip: number, port: number): void {
    this.#connections.delete(`${ip}:${port}`);
  }
}
