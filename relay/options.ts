/**
 * Every option of a relay, defined once. `RelayOptions`, which `startRelay` takes, is derived from these definitions. So are the settings
 * of `hotmic relay`: flags, environment variables, the file with its schema and its example, and the documents.
 */

import type { Milliseconds } from '../voice/units.js';
import { APP_TICKET_CLOCK_TOLERANCE_S, type AppTicketOptions } from './admission/app_tickets.js';
import type { SecretText } from './admission/secret_text.js';
import { STEAM_BUDGET, type SteamWebTicketOptions } from './admission/steam_web/tickets.js';
import { TOKEN_CLOCK_TOLERANCE_S } from './core/credential.js';
import { RELAY_LIMITS } from './core/limits.js';
import type { OperationsOptions } from './operations/operations.js';
import {
  group,
  groupOf,
  groupsOf,
  limits,
  list,
  type OptionsOf,
  option,
  optional,
  required,
  secret,
} from './option.js';
import * as types from './option_types.js';
import { ADDRESS_LIMITS } from './port/address_limits.js';
import type { RelayTls } from './port/tls.js';
import type { EventToTell } from './running_relay.js';
import { AT_ONCE } from './webhooks/line.js';
import { WEBHOOK_KINDS, type WebhookOptions } from './webhooks/webhooks.js';

const { perSecond, perDay } = STEAM_BUDGET;

export const RELAY_OPTIONS = {
  /**
   * For development: admit anyone who connects from this machine, and nobody else. Default false; then `tokens`, `webTickets` or
   * `guests` is required. A credential that a player shows is judged all the same.
   */
  dev: option(types.bool, false, 'Admit anyone who connects from this machine, and nobody else.'),
  /**
   * Address to bind, or `localhost`, which means 127.0.0.1; in development it must be a loopback address. Default 127.0.0.1.
   */
  host: option(types.host, '127.0.0.1', 'Address to bind.'),
  /** Port to listen on, 0 to 65535; 0 picks a free one. Default 0. */
  port: option(types.port, 0, 'Port to listen on; 0 picks a free one.'),
  /** Path of the players' URL, such as `/voice`, behind a proxy that passes it on. Default `/`. */
  path: option(types.voicePath, '/', "Path of the players' URL, if a proxy passes one on."),
  /**
   * What holds the players' sockets: uWebSockets, the package ws, or uWebSockets where it loads and otherwise ws. Both behave alike; ws takes more
   * processor time. Default `auto`, which the environment variable HOTMIC_RELAY_SOCKETS overrides.
   */
  sockets: option(
    types.oneOf('layer', ['auto', 'uws', 'ws'] as const),
    'auto',
    "What holds the players' sockets: uWebSockets, which costs less, or ws, which runs everywhere.",
  ),
  /**
   * Whether the page is served at `/`: a lobby is then a link. It may connect if the port has `tls`, and in
   * development. Behind a proxy that ends TLS, its origin has to be in `origins`. Default false; `hotmic relay --dev` serves it.
   */
  page: option(types.bool, false, 'Serve the page at /, so that a lobby is a link.'),
  /** Certificate and key: players connect to `wss:`, TLS 1.2 or newer. Default none: the port is plain. */
  tls: groupOf<RelayTls>()('TLS on that port: players connect to wss://.', {
    certFile: required(
      types.file,
      '/etc/hotmic/fullchain.pem',
      'Certificate followed by its issuers, in PEM; read again when it changes.',
      { flag: '--tls-cert' },
    ),
    keyFile: required(types.file, '/etc/hotmic/privkey.pem', 'Private key of the certificate, in PEM.', {
      flag: '--tls-key',
    }),
    passphraseFile: optional(
      types.file,
      '/etc/hotmic/passphrase',
      'File with the passphrase of the key on its first line.',
    ),
  }),
  /**
   * Web pages that may connect, as browsers name them in Origin: `https://game.example`, at most 100 from the command line. Default none.
   * Clients other than browsers send no Origin and are not checked. In development pages from this machine may connect, and no others.
   */
  origins: list(
    types.listOf(types.origin, 100),
    '[https://game.example]',
    'Web pages that may connect. Clients other than browsers are not checked.',
    { flag: '--origin' },
  ),
  /**
   * Proxies that are trusted to name a client's address, as addresses and CIDR blocks: `10.0.0.0/8`, at most 1000. Default none.
   */
  trustedProxies: list(
    types.listOf(types.proxy, 1000),
    '[10.0.0.0/8]',
    "Proxies trusted to name a client's address: X-Forwarded-For, Forwarded, PROXY protocol.",
    { flag: '--trusted-proxy' },
  ),
  /** Admits players with tokens that the game's backend signs. docs/tokens.md describes them. */
  tokens: group("Tokens that the game's backend signs.", {
    /** A JSON Web Key Set, parsed: public keys, or secrets for HS256, each with `kid` and `alg`. */
    keys: secret<unknown>(
      '/etc/hotmic/relay-keys.json',
      'File with the JSON Web Key Set that tokens are verified with.',
      {
        flag: '--token-keys',
      },
    ),
    /** Audience that a token has to name, 1 to 64 characters. Default `hotmic`. */
    audience: option(types.label, 'hotmic', 'Audience that a token has to name.', { flag: '--audience' }),
    /** How far the clocks of the relay and the backend may differ, in seconds, 0 to 300. Default 5. */
    clockToleranceS: option(
      types.integer(0, 300, 'seconds'),
      TOKEN_CLOCK_TOLERANCE_S,
      "How far this machine's clock and the backend's may differ, in seconds.",
    ),
  }),
  /** Admits players with Steam's web tickets: the relay asks Steam about each. */
  webTickets: groupOf<SteamWebTicketOptions>()('Web tickets: the relay asks Steam about each.', {
    appId: required(types.appId, '480', "The game's app id."),
    key: secret<string>('/etc/hotmic/publisher.key', "File with the publisher's web API key."),
    identity: option(types.label, 'hotmic', 'Identity that the game passes to getAuthTicketForWebApi.'),
    baseUrl: option(
      types.url(['https', 'http'], 'https://partner.steam-api.com'),
      'https://partner.steam-api.com',
      "URL of Steam's web API.",
    ),
    vacBanned: option(
      types.oneOf('policy', ['refuse', 'admit'] as const),
      'refuse',
      'What to do with players whom VAC banned from the game.',
    ),
    requestsPerSecond: option(
      types.integer(perSecond.min, perSecond.max, 'count'),
      perSecond.fallback,
      'Requests to Steam per second, for all players together.',
    ),
    requestsPerDay: option(
      types.integer(perDay.min, perDay.max, 'count'),
      perDay.fallback,
      'Requests to Steam in any 24 hours, for all players together.',
    ),
  }),
  /**
   * Reads Steam's encrypted app tickets with the app's key. They prove nothing: each has to accompany a token or a web ticket of the same
   * player, unless `alone` says otherwise.
   */
  appTickets: groupOf<AppTicketOptions>()(
    'Encrypted app tickets: checked beside a token or a web ticket. They prove nothing alone.',
    {
      appId: required(types.appId, '480', "The game's app id."),
      keys: secret<readonly string[]>(
        '/etc/hotmic/app.key',
        "File with the app's key, 64 hexadecimal digits; former keys on further lines.",
      ),
      alone: option(
        types.oneOf('policy', ['refuse', 'trust-forgeable'] as const),
        'refuse',
        'App tickets without a token or web ticket: refuse them, or admit their players although any player can forge one and join as another.',
      ),
      clockToleranceS: option(
        types.integer(0, 300, 'seconds'),
        APP_TICKET_CLOCK_TOLERANCE_S,
        "How far Steam's clock may be ahead of this machine's, in seconds.",
      ),
    },
  ),
  /** What players without a SteamID may do: nothing, listen, or speak too. Default `refuse`. */
  guests: option(
    types.oneOf('policy', ['refuse', 'listen', 'speak'] as const),
    'refuse',
    'What players without a SteamID may do: nothing, listen, or speak too.',
  ),
  /** What to do when a player joins a lobby they are in already: replace the earlier connection, or refuse. Default `replace`. */
  secondJoin: option(
    types.oneOf('policy', ['replace', 'refuse'] as const),
    'replace',
    'What to do when a player joins a lobby they are in already: replace the earlier connection, or refuse.',
  ),
  /** What happens when a player's token or ticket expires: close the connection, or keep it until they leave. Default `close`. */
  atExpiry: option(
    types.oneOf('policy', ['close', 'keep'] as const),
    'close',
    "What happens when a player's token or ticket expires: close the connection, or keep it until they leave.",
  ),
  /** Who opens a lobby: the first player who joins it, or only an administrator. Default `on-join`. */
  lobbies: option(
    types.oneOf('policy', ['on-join', 'by-admin'] as const),
    'on-join',
    'Who opens a lobby: the first player who joins it, or only an administrator.',
  ),
  /**
   * SteamIDs, in decimal, that moderate in every lobby, however they prove who they are; an app ticket alone does not prove it. At most
   * 10000. Default none.
   */
  moderators: list(
    types.listOf(types.steamId, 10_000),
    '["76561197960265729"]',
    'SteamIDs that moderate in every lobby. With --dev, only players who join with a token or web ticket.',
    { flag: '--moderator' },
  ),
  /** File that keeps mutes and bans; created if missing. Default none: they end with the relay. */
  sanctionsFile: optional(
    types.file,
    '/var/lib/hotmic/sanctions.json',
    'File that keeps mutes and bans; without one, a restart forgets them.',
  ),
  /** A second port, for operators: `/metrics`, `/healthz` and `/readyz` over plain HTTP, without names of players. Off by default. */
  operations: groupOf<OperationsOptions>()(
    'A port for operators: /metrics, /healthz, /readyz, without authentication.',
    {
      host: option(types.host, '127.0.0.1', 'Address to bind.'),
      port: required(types.port, '9464', 'Port to listen on; 0 picks a free one.'),
    },
  ),
  /** A port for administrators: docs/admin.md. Off by default. */
  admin: group('A port for the admin API.', {
    /** Address to bind, or `localhost`, which means 127.0.0.1. Default 127.0.0.1. It is plain HTTP: the token is sent in the clear. */
    host: option(types.host, '127.0.0.1', 'Address to bind.'),
    /** Port to listen on, 0 to 65535; 0 picks a free one. */
    port: required(types.port, '9465', 'Port to listen on; 0 picks a free one.'),
    /** Tokens, one per line, each at least 32 characters. `reloadSecrets` reads them again. */
    tokens: secret<SecretText>(
      '/etc/hotmic/admin.token',
      'File with the tokens that requests are authorized with, one per line.',
    ),
  }),
  /** Receivers of events, over HTTP: docs/admin.md. At most 16. Default none. */
  webhooks: groupsOf<WebhookOptions>()('Receivers of events, over HTTP.', 16, {
    url: required(
      types.url(['https', 'http'], 'https://game.example/hotmic'),
      'https://game.example/hotmic',
      'URL that events are posted to.',
    ),
    secret: secret<SecretText>('/etc/hotmic/webhook.key', 'File with the secret that posts are signed with.'),
    events: list(
      types.listOf(types.oneOf('event', WEBHOOK_KINDS), 64),
      '[]',
      'Events to post; if empty, all except refused.',
    ),
    atOnce: option(
      types.integer(AT_ONCE.min, AT_ONCE.max, 'count'),
      AT_ONCE.fallback,
      'Posts in flight at once. With 1 they arrive in order; with more, one can overtake another.',
    ),
  }),
  /** Bounds of the relay that differ from their defaults. */
  limits: limits('Bounds of the relay.', '--limit', RELAY_LIMITS),
  /** Bounds of one address that differ from their defaults. In development addresses are not counted. */
  addressLimits: limits(
    'Bounds of one address: an IPv4 address, or the /64 of an IPv6 one. No effect with --dev.',
    '--address-limit',
    ADDRESS_LIMITS,
  ),
};

/** What a relay is started with. */
export interface RelayOptions extends OptionsOf<typeof RELAY_OPTIONS> {
  /**
   * Latency's side channel, off by default: called for each voice frame that was published, with its speaker's slot, the speaker's
   * sequence and when it arrived, in ms on CLOCK_MONOTONIC. On the frame path: return soon, never throw.
   */
  readonly onStage?: (slot: number, sequence: number, receivedAtMs: Milliseconds) => void;
  /** Called for each event, for a log. Must not throw. */
  readonly onEvent?: (event: EventToTell) => void;
}

/** How tokens are judged. */
export type RelayTokens = NonNullable<RelayOptions['tokens']>;

/** Where the administrators' port is, and who may use it. */
export type AdminOptions = NonNullable<RelayOptions['admin']>;
