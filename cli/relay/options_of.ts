/** The settings of `hotmic relay` as options of a relay: the one place where the one becomes the other. */

import type { RelayOptions } from '../../relay/running_relay.js';
import { HotmicError } from '../../voice/error.js';
import type { Secret } from '../secret.js';
import type { RelayConfig } from './config.js';
import type { RelaySettings } from './settings.js';

/**
 * The options; events and stages are the caller's to add. Reads the files of secrets.
 *
 * @throws HotmicError ERR_HOTMIC_FILE for a secret's file; ERR_HOTMIC_CONFIG for an empty one.
 */
export function relayOptionsOf({ settings }: Pick<RelayConfig, 'settings'>): RelayOptions {
  const {
    dev,
    host,
    port,
    path,
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
    webhooks,
  } = settings;
  return {
    dev,
    host,
    port,
    path,
    ...(tokens.keysFile && {
      tokens: {
        keys: readKeys(tokens.keysFile),
        audience: tokens.audience,
        clockToleranceS: tokens.clockToleranceS,
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
      appTickets: {
        appId: tickets.app.appId,
        keys: linesOf(tickets.app.keyFile),
        alone: tickets.app.alone,
        clockToleranceS: tickets.app.clockToleranceS,
      },
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
    webhooks: webhooks.map(({ url, secretFile, events, atOnce }) => ({
      url,
      secret: secretFile,
      atOnce,
      ...(events.length > 0 && { events }),
    })),
  };
}

function webTicketsOf({
  publisherKeyFile,
  ...others
}: NonNullable<RelaySettings['tickets']['web']>): NonNullable<RelayOptions['webTickets']> {
  return { ...others, key: publisherKeyFile.read() };
}

function linesOf(secret: Secret): readonly string[] {
  return secret
    .read()
    .split(/\s+/)
    .filter((line) => line !== '');
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
