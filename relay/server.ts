/**
 * Starts and stops a relay: its core, its judges, its ports. With listening.ts, voice_port.ts and switchboard.ts, the only file that
 * knows uWebSockets; it alone reads the clocks.
 */

import type * as UWebSockets from 'uWebSockets.js';
import { randomBytes } from 'node:crypto';
import { isMainThread } from 'node:worker_threads';
import { MAX_CONTROL_BYTES } from '../voice/control.js';
import { HotmicError } from '../voice/error.js';
import type { Milliseconds } from '../voice/units.js';
import { MAX_VOICE_FRAME_BYTES } from '../voice/wire.js';
import { TrustedProxies } from './addresses/trusted_proxies.js';
import { admitStart } from './admission/admission.js';
import { AppTickets } from './admission/app_tickets.js';
import { CredentialJudge } from './admission/judges.js';
import { STEAM_AT_ONCE, SteamWebTickets } from './admission/steam_web/tickets.js';
import { readModerators } from './admission/ticket_grant.js';
import { TokenVerifier } from './admission/tokens.js';
import { TOKEN_CLOCK_TOLERANCE_S } from './core/credential.js';
import { relayLimits } from './core/limits.js';
import { Relay } from './core/relay.js';
import { EventGate, keyOfPeer } from './event_gate.js';
import { openSanctionsFile } from './moderation_store/sanctions_file.js';
import type { AdminApi } from './operations/admin/api.js';
import type { OperatorPort } from './operations/operator_port.js';
import { AddressLimits, doorstepLimits } from './port/address_limits.js';
import type { RelayCounts, RelayState } from './port/counts.js';
import { Doorman } from './port/doorman.js';
import { type ConnectionCounter, peerOf } from './port/last_answer.js';
import { loadUWebSockets } from './port/listening.js';
import { mostConnections, openFilesAllowed } from './port/open_files.js';
import { threadError } from './port/start_error.js';
import { type SocketData, Switchboard } from './port/switchboard.js';
import { voicePath } from './port/voice_path.js';
import { VoicePort, type VoicePortOptions } from './port/voice_port.js';
import type { RelayOptions, RunningRelay } from './running_relay.js';
import { AT_ONCE } from './webhooks/line.js';
import { Webhooks } from './webhooks/webhooks.js';

const TICK_MS = 100;
/** Of voice that waits for one listener in our own memory; its kernel holds more. */
const MAX_BACKPRESSURE_BYTES = 64 * 1024;
/**
 * Without a sign of life for this long a connection is closed; pings ask for one before. Longer than a 20 s
 * stall.
 */
const IDLE_TIMEOUT_S = 32;
const MAX_DRAIN_MS = 86_400_000;
/** How long clients have to read the close code before their sockets go. */
const CLOSE_GRACE_MS = 250;
/** How long what is to be told to backends may take at the end. */
const WEBHOOKS_CLOSE_MS = 5000;

/**
 * Starts a relay and resolves when it listens.
 *
 * ```ts
 * const relay = await startRelay({ dev: true, port: 9000 });
 * ```
 *
 * @throws HotmicError `ERR_HOTMIC_ADMISSION` without `dev` and without anything to judge people by, with `dev` on a host that is
 *   not loopback, or for keys that are none;
 *   `ERR_HOTMIC_RELAY_MISSING` when uWebSockets is not installed or does not load; `ERR_HOTMIC_PORT_IN_USE`;
 *   `ERR_HOTMIC_LISTEN` when it cannot listen for another reason; `ERR_HOTMIC_TLS` for a certificate that cannot be
 *   used; `ERR_HOTMIC_THREAD` in a worker thread. RangeError or TypeError for a port, a limit or another option that is none.
 */
export async function startRelay(options: RelayOptions): Promise<RunningRelay> {
  if (!isMainThread) throw threadError();
  const { host: wantedHost = '127.0.0.1', port: wantedPort = 0, origins = [], tls = null } = options;
  const { tokens, webTickets, appTickets, guests = 'refuse' } = options;
  const dev = options.dev === true;
  const clockToleranceS = tokens?.clockToleranceS ?? TOKEN_CLOCK_TOLERANCE_S;
  const path = voicePath(options.path);
  const areAppTicketsTrusted = appTickets?.alone === 'trust-forgeable';
  const isCredentialTaken = tokens || webTickets || areAppTicketsTrusted;
  const isPlayerAdmitted = isCredentialTaken || dev;
  const judges = isCredentialTaken || guests !== 'refuse' ? 'some' : appTickets ? 'unproven-only' : 'none';
  const admission = admitStart({ dev, judges, host: wantedHost });
  if (admission.kind === 'refused') {
    throw new HotmicError('ERR_HOTMIC_ADMISSION', `Cannot start the relay: ${admission.detail}`);
  }
  if (!Number.isInteger(wantedPort) || wantedPort < 0 || wantedPort > 0xffff) {
    throw new RangeError(`Cannot start the relay: port is ${wantedPort}, wants 0 to 65535`);
  }
  const host = wantedHost.toLowerCase() === 'localhost' ? '127.0.0.1' : wantedHost.replace(/^\[|\]$/g, '');
  const now = unixSeconds();
  const limits = relayLimits(options.limits);
  const webhooks = options.webhooks?.length
    ? new Webhooks(options.webhooks, (event) => options.onEvent?.(event))
    : null;
  const asked = webTickets ? new SteamWebTickets(webTickets) : null;
  const judge = new CredentialJudge({
    tokens: tokens
      ? await TokenVerifier.create({
          keys: tokens.keys,
          audience: tokens.audience ?? 'hotmic',
          clockToleranceS,
        })
      : null,
    webTickets: asked,
    appTickets: appTickets ? new AppTickets(appTickets) : null,
    development: dev,
    moderators: readModerators(options.moderators ?? []),
  });
  if (areAppTicketsTrusted) {
    options.onEvent?.({
      kind: 'at-risk',
      code: 'app-tickets-forgeable',
      detail: 'app tickets admit players without other proof: any player of the game can join as any other',
    });
  }
  const addresses = new AddressLimits(options.addressLimits);
  const trustedProxies = new TrustedProxies(options.trustedProxies ?? []);
  const doorstep = new AddressLimits(doorstepLimits(options.addressLimits));
  const most = mostConnections(openFilesAllowed(), limits.connections, {
    ports: (options.operations ? 1 : 0) + (options.admin ? 1 : 0),
    webhooks: (options.webhooks ?? []).reduce((sum, { atOnce = AT_ONCE.fallback }) => sum + atOnce, 0),
    steam: webTickets ? (webTickets.atOnce ?? STEAM_AT_ONCE) : 0,
  });
  const doorman = new Doorman({ dev, origins, addresses, doorstep, mostConnections: most, trustedProxies });
  const gate = new EventGate((event) => options.onEvent?.(event));
  const uws = await loadUWebSockets();
  const kept =
    options.sanctionsFile === undefined
      ? null
      : await openSanctionsFile(options.sanctionsFile, {
          unixSeconds: now,
          most: limits.sanctions,
          onEvent: (event) => options.onEvent?.(event),
        });
  const relay = new Relay({
    limits,
    addressShares: addresses.shares,
    policy: {
      unproven: dev ? 'admit' : 'refuse',
      guests,
      guestsTake: isPlayerAdmitted ? 'a-share' : 'everything',
      appTickets: dev || appTickets ? 'judged' : 'nobody',
      secondJoin: options.secondJoin ?? 'replace',
      lobbies: options.lobbies ?? 'on-join',
      atExpiry: options.atExpiry ?? 'close',
      clockToleranceS,
    },
    startedAt: monotonicMs(),
    random: (bytes) => randomBytes(bytes),
    sanctions: kept?.sanctions ?? [],
  });

  let state: RelayState = 'starting';
  let port: VoicePort<SocketData> | null = null;
  let connectionsMade = 0;
  let endDrain: (() => void) | null = null;
  const switchboard = new Switchboard({
    relay,
    judge,
    addresses,
    now: monotonicMs,
    unixSeconds,
    publish: (socket, topic, bytes) => port?.publish(socket, topic, bytes),
    keep: (sanction) => kept?.keep(sanction),
    onEvent: (event, address) => {
      if (gate.take(event, address, monotonicMs()) === 'told') webhooks?.publish(event);
    },
    onStage: options.onStage ?? null,
    onEmpty: () => endDrain?.(),
  });
  const counts = (): RelayCounts => ({
    ...relay.counts(),
    notAdmitted: doorman.refused,
    tcp: doorman.tcp(monotonicMs()),
    backpressureDrops: switchboard.backpressureDrops,
    listenersCut: switchboard.listenersCut,
    certificate: port?.certificate ?? null,
    addresses: addresses.counts(),
    addressFaults: doorman.addressFaults,
  });

  const voice: Omit<UWebSockets.WebSocketBehavior<SocketData>, 'upgrade'> = {
    compression: uws.DISABLED,
    maxPayloadLength: Math.max(MAX_VOICE_FRAME_BYTES, MAX_CONTROL_BYTES),
    maxBackpressure: MAX_BACKPRESSURE_BYTES,
    idleTimeout: IDLE_TIMEOUT_S,
    sendPingsAutomatically: true,
    open: (socket) => switchboard.open(socket),
    message: (socket, message, isBinary) =>
      switchboard.receive(socket, message, isBinary ? 'binary' : 'text'),
    ping: (socket) => switchboard.heartbeat(socket),
    pong: (socket) => switchboard.heartbeat(socket),
    close: (socket) => switchboard.closed(socket),
    // Not in the package's types.
    ...{
      dropped(_socket: unknown, _message: ArrayBuffer, isBinary: boolean): void {
        switchboard.noteDropped(isBinary ? 'binary' : 'text');
      },
    },
  };
  const admits = (
    response: UWebSockets.HttpResponse,
    request: UWebSockets.HttpRequest,
  ): ReturnType<VoicePortOptions<SocketData>['admits']> => {
    const headers: [string, string][] = [];
    request.forEach((name, value) => {
      headers.push([name, value]);
    });
    const peer = peerOf(response);
    const proxiedPeer = textOf(response.getProxiedRemoteAddressAsText());
    const admitted = doorman.admit({ peer, proxiedPeer, headers }, monotonicMs());
    if (admitted.kind === 'admitted') {
      const { address } = admitted;
      return { kind: 'admitted', data: { id: connectionsMade++, address, app: null, peer } };
    }
    const { status, reason, detail, retryAfterS, address } = admitted;
    gate.take({ kind: 'not-admitted', reason, detail }, address ?? keyOfPeer(peer), monotonicMs());
    const answer = {
      status,
      headers: [
        ...(retryAfterS === null ? [] : [['retry-after', String(retryAfterS)] as const]),
        ['content-type', 'text/plain'] as const,
      ],
      body: `Cannot admit this connection (${reason}): ${detail}\n`,
    };
    return { kind: 'refused', answer };
  };
  const counter: ConnectionCounter = {
    came: (peer) => {
      const answer = doorman.came(peer, monotonicMs());
      if (answer.kind === 'stays') return 'stays';
      const { reason, detail, address } = answer;
      gate.take({ kind: 'not-admitted', reason, detail }, address ?? keyOfPeer(peer), monotonicMs());
      return 'goes';
    },
    gone: (peer) => doorman.gone(peer, monotonicMs()),
    closed: (peer) => doorman.closed(peer, monotonicMs()),
  };
  let operations: OperatorPort | null = null;
  let admin: AdminApi | null = null;
  /** What closes after the port of voice: whoever looks there sees that it closes. */
  const closeOthers = async (): Promise<void> => {
    asked?.close();
    // Who can still have somebody muted or banned goes before the file that keeps it.
    const closeKept = async () => {
      await admin?.close();
      await kept?.close();
    };
    await Promise.all([closeKept(), webhooks?.close(WEBHOOKS_CLOSE_MS)]);
    await operations?.close();
  };
  let voicePort: VoicePort<SocketData>;
  try {
    // Voice comes last: once it listens, nothing can fail any more. The others are loaded only where they are wanted.
    if (options.operations) {
      const { startOperations } = await import('./operations/operations.js');
      operations = await startOperations(options.operations, {
        state: () => state,
        counts,
        services: () => ({
          admin: admin?.counts() ?? null,
          webhooks: webhooks?.counts() ?? null,
          sanctionsFile: kept?.counts() ?? null,
          steam: asked?.counts() ?? null,
          closedConnections: {
            ...(operations && { operations: operations.closedConnections() }),
            ...(admin && { admin: admin.closedConnections() }),
          },
        }),
      });
    }
    if (options.admin) {
      const { startAdminApi } = await import('./operations/admin/api.js');
      const { host: adminHost = '127.0.0.1', port: adminPort, tokens: adminTokens } = options.admin;
      admin = await startAdminApi(
        {
          host: adminHost,
          port: adminPort,
          tokens: adminTokens,
          onEvent: (event) => void gate.take(event, keyOfPeer(event.peer), monotonicMs()),
        },
        {
          administer: (command) => switchboard.administer(command),
          lobbies: () => relay.lobbies(),
          lobby: (name) => relay.lobby(name),
          sanctions: () => relay.sanctions(),
          counts: () => relay.counts(),
          drain: (withinMs, goTo) => void drain(withinMs, goTo),
        },
      );
    }
    voicePort = await VoicePort.open({
      uws,
      host,
      port: wantedPort,
      path,
      tls,
      voice,
      admits,
      counter,
      onEvent: (event) => options.onEvent?.(event),
      now: monotonicMs,
      unixSeconds,
    });
  } catch (thrown) {
    await closeOthers();
    throw thrown;
  }
  port = voicePort;
  const ticker = setInterval(() => {
    switchboard.tick();
    doorman.tick(monotonicMs());
    gate.tick(monotonicMs());
  }, TICK_MS);

  state = 'listening';

  const shutDown = async (): Promise<void> => {
    state = 'closing';
    endDrain?.();
    clearInterval(ticker);
    voicePort.stopListening();
    doorman.drain(monotonicMs());
    const open = switchboard.shutDown();
    // Whoever left just now has its close code still on the way.
    const isQuiet = open === 0 && monotonicMs() - switchboard.lastGoneAt > CLOSE_GRACE_MS;
    if (!isQuiet) await new Promise((resolve) => setTimeout(resolve, CLOSE_GRACE_MS));
    voicePort.close();
    await closeOthers();
    gate.close();
  };
  let closing: Promise<void> | null = null;
  let tellEnded: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    tellEnded = resolve;
  });
  const close = (): Promise<void> => {
    closing ??= shutDown().finally(tellEnded);
    return closing;
  };

  const drainFor = async (withinMs: Milliseconds, goTo: string | null): Promise<void> => {
    if (closing) return closing;
    state = 'draining';
    doorman.drain(monotonicMs() + withinMs);
    switchboard.announceDrain(withinMs, goTo);
    if (switchboard.connections > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, withinMs);
        endDrain = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return close();
  };
  let drained: Promise<void> | null = null;
  const drain = (withinMs: Milliseconds, goTo: string | null = null): Promise<void> => {
    if (!(withinMs >= 0 && withinMs <= MAX_DRAIN_MS)) {
      throw new RangeError(`Cannot drain the relay: withinMs is ${withinMs}, wants 0 to ${MAX_DRAIN_MS}`);
    }
    drained ??= drainFor(withinMs, goTo);
    return drained;
  };

  return {
    port: voicePort.port,
    url: `${tls ? 'wss' : 'ws'}://${host.includes(':') ? `[${host}]` : host}:${voicePort.port}${path}`,
    operationsUrl: operations?.url ?? null,
    adminUrl: admin?.url ?? null,
    counts,
    reloadCertificate: () => voicePort.reload(),
    reloadSecrets: () => {
      try {
        admin?.reload();
      } finally {
        webhooks?.reload();
      }
    },
    drain,
    close,
    ended,
  };
}

function monotonicMs(): Milliseconds {
  return Number(process.hrtime.bigint()) / 1e6;
}

function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

function textOf(buffer: ArrayBuffer): string {
  return Buffer.from(buffer).toString('latin1');
}
