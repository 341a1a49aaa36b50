/** The parts of a relay, made from its options before anything listens. A mistake in the options shows here. */

import { randomBytes } from 'node:crypto';
import { isMainThread } from 'node:worker_threads';
import { readHost } from './addresses/host.js';
import { TrustedProxies } from './addresses/trusted_proxies.js';
import type { CredentialJudge } from './admission/judges.js';
import { STEAM_AT_ONCE, type SteamWebTickets } from './admission/steam_web/tickets.js';
import { type RelayLimits, relayLimits } from './core/limits.js';
import { Relay } from './core/relay.js';
import { areAppTicketsTrusted, checkAdmission, openJudge, policyOf } from './credentials.js';
import { openSanctionsFile, type SanctionsFile } from './moderation_store/sanctions_file.js';
import { RELAY_OPTIONS, type RelayOptions } from './options.js';
import { AddressLimits, tcpLimits } from './port/address_limits.js';
import { ConnectionAdmission } from './port/connection_admission.js';
import { mostConnections, openFilesAllowed } from './port/open_files.js';
import { Site, type SiteEntry } from './port/page/site.js';
import { type ChosenSockets, chooseSockets, socketsWanted, thisPlace } from './port/sockets/choose.js';
import { checkPort } from './port/start_error.js';
import { voicePath } from './port/voice_path.js';
import type { EventToTell, RiskEvent } from './running_relay.js';
import { monotonicMs, unixSeconds } from './system/clock.js';
import { AT_ONCE } from './webhooks/line.js';
import { Webhooks } from './webhooks/webhooks.js';

/** Where the voice port is to listen. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

export interface RelayParts {
  readonly place: Place;
  readonly sockets: ChosenSockets;
  /** Null when no page is served. */
  readonly site: Site | null;
  readonly relay: Relay;
  readonly judge: CredentialJudge;
  readonly addresses: AddressLimits;
  readonly admission: ConnectionAdmission;
  /** Null for a service that is off. */
  readonly webTickets: SteamWebTickets | null;
  readonly webhooks: Webhooks | null;
  readonly sanctionsFile: SanctionsFile | null;
}

/** Debuggers stop processes, and a developer's machine is busy: whoever stands still for seconds still hears and is heard. */
const DEVELOPMENT_LIMITS: Partial<RelayLimits> = { staleAfterMs: 10_000 };

const FORGEABLE: RiskEvent = {
  kind: 'at-risk',
  code: 'app-tickets-forgeable',
  detail: 'app tickets admit players without other proof: any player of the game can join as any other',
};

/**
 * Makes the parts. The file of mutes and bans is opened, and nothing else needs closing if the start fails later.
 *
 * @throws as `startRelay`.
 */
export async function makeParts(
  options: RelayOptions,
  onEvent: (event: EventToTell) => void,
): Promise<RelayParts> {
  const place = readPlace(options);
  const startedAtUnixSeconds = unixSeconds();
  const limits = relayLimits(options.dev ? { ...DEVELOPMENT_LIMITS, ...options.limits } : options.limits);
  const webhooks = options.webhooks?.length ? new Webhooks(options.webhooks, onEvent) : null;
  const { judge, webTickets } = await openJudge(options);
  if (areAppTicketsTrusted(options)) onEvent(FORGEABLE);
  const addresses = new AddressLimits(options.addressLimits);
  const admission = admissionOf(options, limits, addresses);
  const wanted = socketsWanted(options.sockets, process.env);
  const { page = RELAY_OPTIONS.page.default } = options;
  const site = page ? Site.load({ path: place.path, entry: entryOf(options) }) : null;
  const sockets = await chooseSockets(wanted, thisPlace(isMainThread, page));
  const sanctionsFile =
    options.sanctionsFile === undefined
      ? null
      : await openSanctionsFile(options.sanctionsFile, {
          unixSeconds: startedAtUnixSeconds,
          most: limits.sanctions,
          onEvent,
        });
  const relay = new Relay({
    limits,
    addressShares: addresses.shares,
    policy: policyOf(options),
    startedAt: monotonicMs(),
    random: (bytes) => randomBytes(bytes),
    sanctions: sanctionsFile?.sanctions ?? [],
  });
  return { place, sockets, site, relay, judge, addresses, admission, webTickets, webhooks, sanctionsFile };
}

/** Who can join by the page. */
function entryOf({ dev = false, guests = RELAY_OPTIONS.guests.default }: RelayOptions): SiteEntry {
  if (dev) return 'anyone';
  return guests === 'refuse' ? 'tokens' : guests === 'speak' ? 'guests' : 'listeners';
}

function readPlace(options: RelayOptions): Place {
  const { host = RELAY_OPTIONS.host.default, port = RELAY_OPTIONS.port.default } = options;
  const path = voicePath(options.path);
  checkAdmission(options, host);
  checkPort('port', port);
  return { host: readHost(host), port, path };
}

function admissionOf(
  options: RelayOptions,
  limits: RelayLimits,
  addresses: AddressLimits,
): ConnectionAdmission {
  const {
    dev = false,
    origins = [],
    trustedProxies = [],
    addressLimits,
    page = RELAY_OPTIONS.page.default,
    tls,
    webhooks = [],
    webTickets,
  } = options;
  return new ConnectionAdmission({
    dev,
    origins,
    ownPage: page && tls ? 'may' : 'as-listed',
    addresses,
    tcpAddresses: new AddressLimits(tcpLimits(addressLimits)),
    mostConnections: mostConnections(openFilesAllowed(), limits.connections, {
      ports: [options.operations, options.admin].filter(Boolean).length,
      webhooks: webhooks.reduce((sum, { atOnce = AT_ONCE.fallback }) => sum + atOnce, 0),
      steam: webTickets ? (webTickets.atOnce ?? STEAM_AT_ONCE) : 0,
    }),
    trustedProxies: new TrustedProxies(trustedProxies),
  });
}
