/**
 * Every setting of `hotmic relay`: the relay's options in the order and the sections of its file, and what only the command has. Names
 * in the environment and flags follow from a setting's place here. The file's JSON Schema, the example, the table in docs/operating.md
 * and the help are derived from it.
 */

import {
  type Group,
  type Groups,
  type Option,
  option,
  optional,
  type Presence,
  type SecretOption,
} from '../../relay/option.js';
import * as types from '../../relay/option_types.js';
import { RELAY_OPTIONS } from '../../relay/options.js';
import type { Secret } from '../secret.js';
import { LOG_FORMS, LOG_LEVELS } from './log.js';

// biome-ignore lint/suspicious/noExplicitAny: of any value, which is known where the setting is defined.
export type Setting = Option<any> | SecretOption<any>;
export type Node = Setting | Section<Members> | Sections<Members>;
export interface Members {
  readonly [name: string]: Node;
}

/** Settings that belong together. `optional`: all of them or none; null unless one of them is given. */
export interface Section<M, P extends 'always' | 'optional' = 'always' | 'optional'> {
  readonly node: 'section';
  readonly presence: P;
  readonly description: string;
  readonly members: M;
  /** One flag for all of its members, given as name=value; repeatable. */
  readonly flag?: string;
}

/** Any number of such sections; only in the file. */
export interface Sections<M> {
  readonly node: 'sections';
  readonly description: string;
  readonly members: M;
  readonly max: number;
}

type OrNull<P extends Presence> = P extends 'optional' ? null : never;

/** The value of a part of the table. */
export type ValueOf<N> =
  N extends SecretOption<infer _, infer P>
    ? Secret | OrNull<P>
    : N extends Option<infer T, infer P>
      ? T | OrNull<P>
      : N extends Section<infer M, infer P>
        ? { readonly [K in keyof M]: ValueOf<M[K]> } | (P extends 'optional' ? null : never)
        : N extends Sections<infer M>
          ? readonly { readonly [K in keyof M]: ValueOf<M[K]> }[]
          : never;

function section<M>(description: string, members: M): Section<M, 'always'> {
  return { node: 'section', presence: 'always', description, members };
}

function optionalSection<M>({ description }: Group<unknown, unknown>, members: M): Section<M, 'optional'> {
  return { node: 'section', presence: 'optional', description, members };
}

function bounds<M>({ description, members, flag }: Group<M, unknown>): Section<M, 'always'> {
  return { node: 'section', presence: 'always', description, members, ...(flag && { flag }) };
}

function sections<M>({ description, max }: Groups<unknown, unknown>, members: M): Sections<M> {
  return { node: 'sections', description, max, members };
}

const { tls, tokens, webTickets, appTickets, operations, admin, webhooks } = RELAY_OPTIONS;
const { keys: tokenKeys, ...tokenRules } = tokens.members;
const { appId: webAppId, key: publisherKey, ...webRules } = webTickets.members;
const { appId, keys: appKeys, ...appRules } = appTickets.members;
const { tokens: adminTokens, ...adminPort } = admin.members;
const { url, secret: webhookSecret, ...webhookRules } = webhooks.members;

export const RELAY_SETTINGS = section('The settings of hotmic relay.', {
  dev: RELAY_OPTIONS.dev,
  host: RELAY_OPTIONS.host,
  port: option(types.port, 7800, RELAY_OPTIONS.port.description),
  path: RELAY_OPTIONS.path,
  sockets: RELAY_OPTIONS.sockets,
  page: option(types.bool, false, `${RELAY_OPTIONS.page.description} --dev serves it, too.`),
  tls: optionalSection(tls, tls.members),
  origins: RELAY_OPTIONS.origins,
  trustedProxies: RELAY_OPTIONS.trustedProxies,
  tokens: section(tokens.description, {
    keysFile: { ...tokenKeys, presence: 'optional' as const },
    ...tokenRules,
  }),
  tickets: section('Tickets of Steam.', {
    web: optionalSection(webTickets, { appId: webAppId, publisherKeyFile: publisherKey, ...webRules }),
    app: optionalSection(appTickets, { appId, keyFile: appKeys, ...appRules }),
  }),
  guests: RELAY_OPTIONS.guests,
  secondJoin: RELAY_OPTIONS.secondJoin,
  atTokenExpiry: RELAY_OPTIONS.atExpiry,
  lobbies: RELAY_OPTIONS.lobbies,
  moderators: RELAY_OPTIONS.moderators,
  sanctionsFile: RELAY_OPTIONS.sanctionsFile,
  operations: optionalSection(operations, operations.members),
  admin: optionalSection(admin, { ...adminPort, tokenFile: adminTokens }),
  webhooks: sections(webhooks, { url, secretFile: webhookSecret, ...webhookRules }),
  drain: section('What happens when the relay is stopped.', {
    seconds: option(
      types.number(0, 86_400, 'seconds'),
      0,
      'How long to wait for players to leave, in seconds.',
      {
        flag: '--drain',
      },
    ),
    goTo: optional(
      types.url(['wss', 'ws'], 'wss://other.example'),
      'wss://other.example',
      'URL of the relay that players are sent to.',
    ),
  }),
  log: section('What the relay logs.', {
    form: option(types.oneOf('form', LOG_FORMS), 'text', 'Format of the log: lines for people, or JSON.', {
      flag: '--log',
    }),
    level: option(types.oneOf('level', LOG_LEVELS), 'info', 'Least severity that is logged.'),
  }),
  limits: bounds(RELAY_OPTIONS.limits),
  addressLimits: bounds(RELAY_OPTIONS.addressLimits),
});

export type RelaySettings = ValueOf<typeof RELAY_SETTINGS>;

/** A setting and all its names. */
export interface NamedSetting {
  /** In the file, such as `tls.certFile`. */
  readonly path: string;
  readonly setting: Setting;
  /** Such as `HOTMIC_RELAY_TLS_CERT_FILE`. */
  readonly variable: string;
  /** The variable for the secret itself: without `_FILE`. Null for a setting that is not a secret. */
  readonly secretVariable: string | null;
  /** Such as `--tls-cert`, or `--limit lobbies=` for one that is given by name. */
  readonly flag: string;
  /** What it is listed under in the help. */
  readonly heading: string;
}

/** What the help lists a setting under, by the longest part of its path that is here. */
const HEADINGS: Readonly<Record<string, string>> = {
  '': 'Where it listens',
  tls: 'TLS',
  origins: 'Who may connect',
  trustedProxies: 'Who may connect',
  tokens: "Tokens signed by the game's backend",
  'tickets.web': 'Steam web tickets',
  'tickets.app': 'Steam encrypted app tickets, which prove nothing alone',
  guests: 'Players and lobbies',
  secondJoin: 'Players and lobbies',
  atTokenExpiry: 'Players and lobbies',
  lobbies: 'Players and lobbies',
  moderators: 'Players and lobbies',
  sanctionsFile: 'Players and lobbies',
  operations: 'Port for operators: /metrics, /healthz, /readyz, without authentication',
  admin: 'Port for the admin API',
  drain: 'Stopping',
  log: 'Logging',
};

/** All but those in lists of sections, in the table's order. */
export const NAMED_SETTINGS: readonly NamedSetting[] = named(RELAY_SETTINGS.members, '', undefined);

export const CONFIG_VARIABLE = 'HOTMIC_RELAY_CONFIG';

/** The type of its text. */
export function typeOf(setting: Setting): types.AnyType {
  return setting.node === 'secret' ? types.secretFile : setting.type;
}

/** Undefined if it is required, null if it is off by default. */
export function defaultOf(setting: Setting): unknown {
  if (setting.node === 'option') return setting.default;
  return setting.presence === 'required' ? undefined : null;
}

function headingOf(path: string): string {
  const parent = path.slice(0, Math.max(path.lastIndexOf('.'), 0));
  return HEADINGS[path] ?? (path === '' ? '' : headingOf(parent));
}

function named(members: Members, prefix: string, flag: string | undefined): NamedSetting[] {
  return Object.entries(members).flatMap(([name, node]) => {
    const path = prefix + name;
    if (node.node === 'sections') return [];
    if (node.node === 'section') return named(node.members, `${path}.`, node.flag);
    const variable = `HOTMIC_RELAY_${path.replace(/[A-Z]/g, '_$&').replaceAll('.', '_').toUpperCase()}`;
    const ownFlag = node.flag ?? `--${path.replace(/[A-Z]/g, '-$&').replaceAll('.', '-').toLowerCase()}`;
    return [
      {
        path,
        setting: node,
        variable,
        secretVariable: node.node === 'secret' ? variable.replace(/_FILE$/, '') : null,
        flag: flag ? `${flag} ${name}=` : ownFlag,
        heading: headingOf(path),
      },
    ];
  });
}
