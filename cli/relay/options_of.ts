/** The settings of `hotmic relay` as options of a relay: secrets are read, and a few names differ. */

import type { RelayOptions } from '../../relay/options.js';
import { HotmicError } from '../../voice/error.js';
import type { Secret } from '../secret.js';
import type { RelayConfig } from './config.js';
import type { RelaySettings } from './settings.js';

/**
 * The options, to which the caller adds events and stages. Reads the files of secrets.
 *
 * @throws HotmicError ERR_HOTMIC_FILE for a secret's file; ERR_HOTMIC_CONFIG for an empty one.
 */
export function relayOptionsOf({ settings }: Pick<RelayConfig, 'settings'>): RelayOptions {
  const { tls, tokens, tickets, admin, webhooks, operations, sanctionsFile, ...others } = settings;
  const { drain: _, log: __, atTokenExpiry: atExpiry, ...same } = others;
  const { keysFile, ...tokenRules } = tokens;
  return {
    ...same,
    // Someone who tries the relay out should have something to open.
    page: same.page || same.dev,
    atExpiry,
    ...(tls && { tls: tlsOf(tls) }),
    ...(keysFile && { tokens: { ...tokenRules, keys: readKeys(keysFile) } }),
    ...(tickets.web && { webTickets: webTicketsOf(tickets.web) }),
    ...(tickets.app && { appTickets: appTicketsOf(tickets.app) }),
    ...(sanctionsFile && { sanctionsFile }),
    ...(operations && { operations }),
    ...(admin && { admin: adminOf(admin) }),
    webhooks: webhooks.map(({ secretFile, ...rules }) => ({ ...rules, secret: secretFile })),
  };
}

type Given<K extends keyof RelaySettings> = NonNullable<RelaySettings[K]>;
type GivenTickets<K extends keyof RelaySettings['tickets']> = NonNullable<RelaySettings['tickets'][K]>;

function tlsOf({ passphraseFile, ...files }: Given<'tls'>): RelayOptions['tls'] & object {
  return { ...files, ...(passphraseFile && { passphraseFile }) };
}

function webTicketsOf({
  publisherKeyFile,
  ...rules
}: GivenTickets<'web'>): RelayOptions['webTickets'] & object {
  return { ...rules, key: publisherKeyFile.read() };
}

function appTicketsOf({ keyFile, ...rules }: GivenTickets<'app'>): RelayOptions['appTickets'] & object {
  const lines = keyFile.read().split(/\s+/);
  return { ...rules, keys: lines.filter((line) => line !== '') };
}

function adminOf({ tokenFile, ...port }: Given<'admin'>): RelayOptions['admin'] & object {
  return { ...port, tokens: tokenFile };
}

function readKeys(secret: Secret): unknown {
  const text = secret.read();
  try {
    return JSON.parse(text);
  } catch {
    // Without the cause: its message quotes the text, which may contain a secret.
    throw new HotmicError(
      'ERR_HOTMIC_FILE',
      `Cannot read ${secret.from}: it is not JSON, expected a JSON Web Key Set`,
    );
  }
}
