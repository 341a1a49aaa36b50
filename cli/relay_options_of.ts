/** The settings of `hotmic relay` as options of a relay: the one place where the one becomes the other. */

import type { RelayOptions } from '../relay/running_relay.js';
import { HotmicError } from '../voice/error.js';
import type { RelayConfig } from './relay_config.js';
import { NAMED_SETTINGS, type RelaySettings } from './relay_settings.js';
import type { Secret } from './secret.js';

/**
 * Settings, or whole sections, that the relay does not follow yet. One that differs from its default is an error: nobody is to
 * believe that they are protected by what does nothing.
 */
export const NOT_WIRED: readonly string[] = ['webhooks'];

/**
 * The options; events and stages are the caller's to add. Reads the files of secrets.
 *
 * @throws HotmicError ERR_HOTMIC_CONFIG for settings that are not followed yet; ERR_HOTMIC_FILE for a secret's file.
 */
export function relayOptionsOf(config: RelayConfig): RelayOptions {
  refuseNotWired(config);
  const { settings } = config;
  const {
    dev,
    host,
    port,
    tls,
    tokens,
    tickets,
    moderators,
    trustedProxies,
    addressLimits,
    origins,
    operations,
    guests,
    secondJoin,
    lobbies,
    limits,
    admin,
    sanctionsFile,
  } = settings;
  return {
    dev,
    host,
    port,
    ...(tokens.keysFile && {
      tokens: {
        keys: readKeys(tokens.keysFile),
        audience: tokens.audience,
      },
    }),
    ...(tls && {
      tls: {
        certFile: tls.certFile,
        keyFile: tls.keyFile,
        ...(tls.passphraseFile && { passphraseFile: tls.passphraseFile }),
      },
    }),
    ...(tickets.web && { webTickets: webTicketsOf(tickets.web) }),
    ...(tickets.app && {
      appTickets: { appId: tickets.app.appId, keys: linesOf(tickets.app.keyFile) },
    }),
    moderators,
    trustedProxies,
    addressLimits,
    origins,
    guests,
    secondJoin,
    lobbies,
    atExpiry: settings.atTokenExpiry,
    limits,
    ...(operations && { operations }),
    ...(admin && { admin: { host: admin.host, port: admin.port, tokens: admin.tokenFile } }),
    ...(sanctionsFile && { sanctionsFile }),
  };
}

function webTicketsOf({
  appId,
  publisherKeyFile,
  identity,
  baseUrl,
  vacBanned,
}: NonNullable<RelaySettings['tickets']['web']>): NonNullable<RelayOptions['webTickets']> {
  return { appId, key: publisherKeyFile.read(), identity, baseUrl, vacBanned };
}

function linesOf(secret: Secret): readonly string[] {
  return secret
    .read()
    .split(/\s+/)
    .filter((line) => line !== '');
}

function refuseNotWired({ settings, origins }: RelayConfig): void {
  const isCovered = (path: string) =>
    NOT_WIRED.some((known) => path === known || path.startsWith(`${known}.`));
  const given = [...origins].filter(([path]) => isCovered(path) && differs(settings, path));
  if (given.length === 0) return;
  const names = given.map(([path, { name }]) => `${path} (${name})`).join(', ');
  throw new HotmicError(
    'ERR_HOTMIC_CONFIG',
    `Cannot configure the relay: it does not follow ${names} yet, wants a configuration without`,
  );
}

function differs(settings: RelaySettings, path: string): boolean {
  let value: unknown = settings;
  for (const name of path.split('.')) value = (value as Readonly<Record<string, unknown>>)[name];
  const named = NAMED_SETTINGS.find((known) => known.path === path);
  // A list of sections has no name of its own, and is empty without.
  return JSON.stringify(value) !== JSON.stringify(named ? (named.setting.fallback ?? null) : []);
}

function readKeys(secret: Secret): unknown {
  const text = secret.read();
  try {
    return JSON.parse(text);
  } catch {
    // Without the cause: its message quotes the text, in which there may be a secret.
    throw new HotmicError(
      'ERR_HOTMIC_FILE',
      `Cannot read ${secret.from}: it is no JSON, wants a JSON Web Key Set`,
    );
  }
}
