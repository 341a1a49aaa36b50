/**
 * Every setting of `hotmic relay`, named once: what it holds, its default, and what it is for. Where it stands in the file is its
 * place in this table; its environment variable and its flag follow from that. The file's JSON Schema, the example, the table in
 * docs/operating.md and the help are made from it.
 */

import { APP_TICKET_CLOCK_TOLERANCE_S } from '../../relay/admission/app_tickets.js';
import { STEAM_BUDGET } from '../../relay/admission/steam_web/tickets.js';
import { TOKEN_CLOCK_TOLERANCE_S } from '../../relay/core/credential.js';
import { type LimitRanges, RELAY_LIMIT_RANGES, type RelayLimits } from '../../relay/core/limits.js';
import { ADDRESS_LIMIT_RANGES, type AddressLimitOptions } from '../../relay/port/address_limits.js';
import { AT_ONCE } from '../../relay/webhooks/line.js';
import { WEBHOOK_KINDS } from '../../relay/webhooks/webhooks.js';
import { LOG_FORMS, LOG_LEVELS } from './log.js';
import type { AnyKind, Kind, ListKind } from './setting_kinds.js';
import * as kinds from './setting_kinds.js';

/** One value; `T` is what the settings hold of it. */
export interface Setting<T> {
  readonly type: 'setting';
  readonly kind: AnyKind;
  /** Undefined: there is no default, it is wanted where its section is. */
  readonly fallback: T | undefined;
  /** A whole sentence. */
  readonly help: string;
  /** Instead of the flag that follows from its place. */
  readonly flag?: string;
  /** In YAML, where the default is none. */
  readonly example?: string;
}

/** Settings that belong together. `optional`: all of them or none; null unless one of them is given. */
export interface Section<Members, Presence extends 'always' | 'optional'> {
  readonly type: 'section';
  readonly presence: Presence;
  readonly help: string;
  readonly members: Members;
  /** One flag for all of its members, given as name=value, and again for another. */
  readonly flag?: string;
}

/** Any number of such sections; in the file alone. */
export interface Sections<Members> {
  readonly type: 'sections';
  readonly help: string;
  readonly members: Members;
  readonly max: number;
}

// biome-ignore lint/suspicious/noExplicitAny: of any value; what it is is known where the table is written.
export type AnySetting = Setting<any>;
export type Node = AnySetting | Section<Members, 'always' | 'optional'> | Sections<Members>;
export interface Members {
  readonly [name: string]: Node;
}

/** What the settings hold of a part of the table. */
export type ValueOf<N> =
  N extends Setting<infer T>
    ? T
    : N extends Section<infer M, infer Presence>
      ? { readonly [K in keyof M]: ValueOf<M[K]> } | (Presence extends 'optional' ? null : never)
      : N extends Sections<infer M>
        ? readonly { readonly [K in keyof M]: ValueOf<M[K]> }[]
        : never;

interface More {
  readonly flag?: string;
  readonly example?: string;
}

function setting<T>(kind: Kind<T>, fallback: T, help: string, more: More = {}): Setting<T> {
  return { type: 'setting', kind, fallback, help, ...more };
}

function optional<T>(kind: Kind<T>, example: string, help: string, more: More = {}): Setting<T | null> {
  return { type: 'setting', kind, fallback: null, help, example, ...more };
}

function required<T>(kind: Kind<T>, example: string, help: string, more: More = {}): Setting<T> {
  return { type: 'setting', kind, fallback: undefined, help, example, ...more };
}

function list<T>(kind: ListKind<T>, example: string, help: string, more: More = {}): Setting<readonly T[]> {
  return { type: 'setting', kind, fallback: [], help, example, ...more };
}

function section<M>(help: string, members: M): Section<M, 'always'> {
  return { type: 'section', presence: 'always', help, members };
}

function optionalSection<M>(help: string, members: M): Section<M, 'optional'> {
  return { type: 'section', presence: 'optional', help, members };
}

function limits<L>(
  help: string,
  flag: string,
  ranges: LimitRanges<L>,
  texts: Readonly<Record<keyof L, string>>,
): Section<{ readonly [K in keyof L]: Setting<number> }, 'always'> {
  const members = Object.fromEntries(
    (Object.entries(ranges) as [keyof L & string, readonly [number, number, number]][]).map(
      ([name, [fallback, min, max]]) => [name, setting(kinds.wholeNumber(min, max), fallback, texts[name])],
    ),
  );
  return { type: 'section', presence: 'always', help, flag, members: members as never };
}

const PORT = kinds.wholeNumber(0, 65_535);
const APP_ID = kinds.wholeNumber(1, 4_294_967_295);

const LIMIT_TEXTS: Readonly<Record<keyof RelayLimits, string>> = {
  connections: 'Connections at once, joined or not.',
  lobbies: 'Lobbies at once.',
  participants: 'Participants of all lobbies, those among them who are away.',
  participantsPerLobby: 'Participants of one lobby.',
  guestLobbiesPercent: 'Lobbies that guests may make, in percent of all.',
  guestPlacesPercent: 'Places that guests may take, in percent of each lobby and of all.',
  channelsPerLobby: 'Channels of one lobby at once.',
  sanctions: 'People who are muted, deafened or banned somewhere, present or not.',
  helloWithinMs: 'How long a connection may take to say hello, in ms.',
  speakingHangoverMs: 'Without a voice frame for this long, in ms, a participant no longer speaks.',
  resumeWithinMs: 'How long the place is kept of somebody whose connection broke, in ms; 0 is not at all.',
  slotRestMs: 'How long a slot rests after its participant left, in ms; more than resumeWithinMs.',
  controlPerSecond: 'Control messages of one connection a second.',
  controlBurst: 'Control messages of one connection that may come at once.',
  framesPerSecond: 'Voice frames of one participant a second.',
  frameBurst: 'Voice frames of one participant that may come at once.',
  bytesPerSecond: 'Bytes of voice frames of one participant a second.',
  byteBurst: 'Bytes of voice frames of one participant that may come at once.',
  soundMsPerSecond: 'Sound of one participant, in ms a second.',
  soundBurstMs: 'Sound of one participant that may come at once, in ms.',
};

const ADDRESS_LIMIT_TEXTS: Readonly<Record<keyof AddressLimitOptions, string>> = {
  connections: 'Connections of one address at once.',
  connectionsPerSecond: 'New connections of one address a second.',
  connectionBurst: 'New connections of one address that may come at once.',
  credentialsPerSecond: 'Tokens and tickets of one address judged a second.',
  credentialBurst: 'Tokens and tickets of one address that may come at once.',
  addresses: 'Addresses remembered at once.',
  participants: 'Participants of one address at once, those among them who are away.',
  lobbies: 'Lobbies at once that were made from one address.',
};

export const RELAY_SETTINGS = section('The settings of hotmic relay.', {
  dev: setting(kinds.bool, false, 'Admit anyone who connects from this machine, and nobody else.'),
  host: setting(kinds.host, '127.0.0.1', 'Address to listen at.'),
  port: setting(PORT, 7800, 'Port to listen at; 0 takes a free one.'),
  path: setting(kinds.voicePath, '/', "Path of players' URL, where a proxy passes one on."),
  tls: optionalSection('TLS on that port: players connect to wss://.', {
    certFile: required(
      kinds.path,
      '/etc/hotmic/fullchain.pem',
      'Certificate, and behind it those of its issuers, in PEM; read again when it changes.',
      { flag: '--tls-cert' },
    ),
    keyFile: required(kinds.path, '/etc/hotmic/privkey.pem', 'Its private key, in PEM.', {
      flag: '--tls-key',
    }),
    passphraseFile: optional(
      kinds.path,
      '/etc/hotmic/passphrase',
      "The key's passphrase, on the first line of a file.",
    ),
  }),
  origins: list(
    kinds.listOf(kinds.origin, 100),
    '[https://game.example]',
    'Web pages that may connect. Programs that are no browsers are not asked.',
    { flag: '--origin' },
  ),
  trustedProxies: list(
    kinds.listOf(kinds.proxy, 1000),
    '[10.0.0.0/8]',
    'Proxies whose word on an address is taken: X-Forwarded-For, Forwarded, PROXY protocol.',
    { flag: '--trusted-proxy' },
  ),
  tokens: section("Tokens that the game's backend signs.", {
    keysFile: optional(kinds.secret, '/etc/hotmic/relay-keys.json', 'JSON Web Key Set to judge tokens by.', {
      flag: '--token-keys',
    }),
    audience: setting(kinds.label, 'hotmic', 'What a token has to name as its audience.', {
      flag: '--audience',
    }),
    clockToleranceS: setting(
      kinds.wholeNumber(0, 300),
      TOKEN_CLOCK_TOLERANCE_S,
      "How far the backend's clock and this machine's may differ, in seconds.",
    ),
  }),
  tickets: section('Tickets of Steam.', {
    web: optionalSection('Web tickets: Steam is asked about each.', {
      appId: required(APP_ID, '480', "The game's app id."),
      publisherKeyFile: required(kinds.secret, '/etc/hotmic/publisher.key', "The publisher's web API key."),
      identity: setting(kinds.label, 'hotmic', 'What the game hands to getAuthTicketForWebApi.'),
      baseUrl: setting(
        kinds.url(['https', 'http'], 'a URL such as https://partner.steam-api.com'),
        'https://partner.steam-api.com',
        "Where Steam's web API is.",
      ),
      vacBanned: setting(kinds.oneOf('refuse', 'admit'), 'refuse', 'People whom VAC banned from the game.'),
      requestsPerSecond: setting(
        kinds.wholeNumber(STEAM_BUDGET.perSecond.min, STEAM_BUDGET.perSecond.max),
        STEAM_BUDGET.perSecond.fallback,
        'Requests to Steam a second, from all players together.',
      ),
      requestsPerDay: setting(
        kinds.wholeNumber(STEAM_BUDGET.perDay.min, STEAM_BUDGET.perDay.max),
        STEAM_BUDGET.perDay.fallback,
        'Requests to Steam in any 24 hours, from all players together.',
      ),
    }),
    app: optionalSection(
      'Encrypted app tickets: a check beside a token or a web ticket. They prove nothing alone.',
      {
        appId: required(APP_ID, '480', "The game's app id."),
        keyFile: required(
          kinds.secret,
          '/etc/hotmic/app.key',
          "The app's key, 64 hexadecimal digits; its former ones on further lines.",
        ),
        alone: setting(
          kinds.oneOf('refuse', 'trust-forgeable'),
          'refuse',
          'App tickets without a token or web ticket: refuse them, or admit their players although any player can forge one and join as another.',
        ),
        clockToleranceS: setting(
          kinds.wholeNumber(0, 300),
          APP_TICKET_CLOCK_TOLERANCE_S,
          "How far Steam's clock may be ahead of this machine's, in seconds.",
        ),
      },
    ),
  }),
  guests: setting(
    kinds.oneOf('refuse', 'listen', 'speak'),
    'refuse',
    'People without a SteamID: refused, let in to listen, or to speak too.',
  ),
  secondJoin: setting(
    kinds.oneOf('replace', 'refuse'),
    'replace',
    'A SteamID that is in the lobby already takes its own place, or is refused.',
  ),
  atTokenExpiry: setting(
    kinds.oneOf('close', 'keep'),
    'close',
    'Whose token or ticket expires is closed out, or stays until they leave.',
  ),
  lobbies: setting(
    kinds.oneOf('on-join', 'by-admin'),
    'on-join',
    'A lobby that is not there is made by who joins first, or by an administrator alone.',
  ),
  moderators: list(
    kinds.listOf(kinds.steamId, 10_000),
    '["76561197960265729"]',
    'SteamIDs that moderate in every lobby. With --dev, only players who join by a token or web ticket.',
    { flag: '--moderator' },
  ),
  sanctionsFile: optional(
    kinds.path,
    '/var/lib/hotmic/sanctions.json',
    'Where mutes and bans are kept; without, a restart forgets them.',
  ),
  operations: optionalSection(
    'A port for operators: /metrics, /healthz, /readyz. It asks nobody who they are.',
    {
      host: setting(kinds.host, '127.0.0.1', 'Address of that port.'),
      port: required(PORT, '9464', 'The port; 0 takes a free one.'),
    },
  ),
  admin: optionalSection('A port for the admin API.', {
    host: setting(kinds.host, '127.0.0.1', 'Address of that port.'),
    port: required(PORT, '9465', 'The port; 0 takes a free one.'),
    tokenFile: required(kinds.secret, '/etc/hotmic/admin.token', 'What every request has to bring.'),
  }),
  webhooks: {
    type: 'sections',
    help: 'Who is told what happens, over HTTP.',
    max: 16,
    members: {
      url: required(
        kinds.url(['https', 'http'], 'a URL such as https://game.example/hotmic'),
        'https://game.example/hotmic',
        'Where it is posted to.',
      ),
      secretFile: required(kinds.secret, '/etc/hotmic/webhook.key', 'What the posts are signed with.'),
      events: list(
        kinds.listOf(kinds.oneOf(...WEBHOOK_KINDS), 64),
        '[]',
        'Events to tell; all but refused when there are none.',
      ),
      atOnce: setting(
        kinds.wholeNumber(AT_ONCE.min, AT_ONCE.max),
        AT_ONCE.fallback,
        'Posts under way at once. With 1 they arrive in order, with more, one can overtake another.',
      ),
    },
  } satisfies Sections<Members>,
  drain: section('What happens when the relay is stopped.', {
    seconds: setting(kinds.anyNumber(0, 86_400), 0, 'Wait this long for people to leave.', {
      flag: '--drain',
    }),
    goTo: optional(
      kinds.url(['wss', 'ws'], 'a URL such as wss://other.example'),
      'wss://other.example',
      'The relay that they are told to go to.',
    ),
  }),
  log: section('What the relay says while it runs.', {
    form: setting(kinds.oneOf(...LOG_FORMS), 'text', 'How to log: lines for people, or JSON.', {
      flag: '--log',
    }),
    level: setting(kinds.oneOf(...LOG_LEVELS), 'info', 'What to log at least.'),
  }),
  limits: limits('Bounds of the relay.', '--limit', RELAY_LIMIT_RANGES, LIMIT_TEXTS),
  addressLimits: limits(
    'Bounds of one address: an IPv4 address, or the /64 of an IPv6 one. Without effect with --dev.',
    '--address-limit',
    ADDRESS_LIMIT_RANGES,
    ADDRESS_LIMIT_TEXTS,
  ),
});

export type RelaySettings = ValueOf<typeof RELAY_SETTINGS>;

/** A setting and all its names. */
export interface NamedSetting {
  /** In the file, such as `tls.certFile`. */
  readonly path: string;
  readonly setting: AnySetting;
  /** Such as `HOTMIC_RELAY_TLS_CERT_FILE`. */
  readonly variable: string;
  /** In which a secret itself may stand: without `_FILE`. Null for what is no secret. */
  readonly secretVariable: string | null;
  /** Such as `--tls-cert`, or `--limit lobbies=` for one that is given by name. */
  readonly flag: string;
  /** What it is listed under in the help. */
  readonly heading: string;
}

/** All but those in lists of sections, in the table's order. */
export const NAMED_SETTINGS: readonly NamedSetting[] = named(
  RELAY_SETTINGS.members,
  '',
  'Settings:',
  undefined,
);

export const CONFIG_VARIABLE = 'HOTMIC_RELAY_CONFIG';

function named(members: Members, prefix: string, heading: string, flag: string | undefined): NamedSetting[] {
  return Object.entries(members).flatMap(([name, node]) => {
    const path = prefix + name;
    if (node.type === 'sections') return [];
    if (node.type === 'section')
      return named(node.members, `${path}.`, node.help.replace(/\.$/, ':'), node.flag);
    const variable = `HOTMIC_RELAY_${path.replace(/[A-Z]/g, '_$&').replaceAll('.', '_').toUpperCase()}`;
    const isSecret = node.kind.shape === 'one' && node.kind.use === 'secret';
    const ownFlag = node.flag ?? `--${path.replace(/[A-Z]/g, '-$&').replaceAll('.', '-').toLowerCase()}`;
    return [
      {
        path,
        setting: node,
        variable,
        secretVariable: isSecret ? variable.replace(/_FILE$/, '') : null,
        flag: flag ? `${flag} ${name}=` : ownFlag,
        heading,
      },
    ];
  });
}
