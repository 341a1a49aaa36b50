/**
 * The relay on a port. With voice_port.ts and listening.ts beneath it, the only file that knows uWebSockets: it reads
 * the clock, hands bytes to relay.ts and carries out what comes back.
 *
 * The voice path lies inside the message handler: uWebSockets lends the buffer until the handler returns, the
 * relay's fields are written into it, and one publish hands it to everyone else in the lobby.
 */

import type * as UWebSockets from 'uWebSockets.js';
import { randomBytes } from 'node:crypto';
import { MAX_CONTROL_BYTES, writeMessage } from '../voice/control.js';
import { SHUTDOWN_CLOSE_CODE } from '../voice/control_codes.js';
import { HotmicError } from '../voice/error.js';
import type { Milliseconds } from '../voice/units.js';
import { MAX_VOICE_FRAME_BYTES, stampVoiceFrame } from '../voice/wire.js';
import { admitOrigin, admitPeer, admitStart } from './admission.js';
import type { ConnectionId, RelayOutput } from './io.js';
import { CredentialJudge } from './judges.js';
import { loadUWebSockets } from './listening.js';
import { Relay } from './relay.js';
import type {
  CertificateEvent,
  RelayCounts,
  RelayOptions,
  RelayState,
  RunningRelay,
} from './running_relay.js';
import { TokenVerifier } from './tokens.js';
import { type PortData, VoicePort } from './voice_port.js';

interface SocketData extends PortData {
  id: ConnectionId;
}
type Socket = UWebSockets.WebSocket<SocketData>;

/** What `send` returns for a message that it neither sent nor kept. */
const SEND_DROPPED = 2;
const TICK_MS = 100;
/** Of voice that waits for one listener in our own memory; its kernel holds more. */
const MAX_BACKPRESSURE_BYTES = 64 * 1024;
/**
 * Without a sign of life for this long a connection is closed; pings ask for one before. Longer than a 20 s
 * stall.
 */
const IDLE_TIMEOUT_S = 32;
const MAX_DRAIN_MS = 86_400_000;
/** Of the seconds that a client refused in a drain is told to wait: another relay may take its place before. */
const MAX_RETRY_AFTER_S = 60;
/** How long clients have to read the close code before their sockets go. */
const CLOSE_GRACE_MS = 250;

/**
 * Starts a relay and resolves when it listens.
 *
 * ```ts
 * const relay = await startRelay({ dev: true, port: 9000 });
 * ```
 *
 * @throws HotmicError `ERR_HOTMIC_ADMISSION` without `dev` or `tokens`, with `dev` on a host that is not loopback, or for
 *   keys that are none;
 *   `ERR_HOTMIC_RELAY_MISSING` when uWebSockets is not installed or does not load; `ERR_HOTMIC_PORT_IN_USE`;
 *   `ERR_HOTMIC_LISTEN` when it cannot listen for another reason; `ERR_HOTMIC_TLS` for a certificate that cannot be
 *   used. RangeError or TypeError for a port or a
 *   limit that is none.
 */
export async function startRelay(options: RelayOptions): Promise<RunningRelay> {
  const { host: wantedHost = '127.0.0.1', port: wantedPort = 0, tokens, origins = [] } = options;
  const dev = options.dev === true;
  const admission = admitStart({ dev, tokens: tokens !== undefined, host: wantedHost });
  if (admission.kind === 'refused') {
    throw new HotmicError('ERR_HOTMIC_ADMISSION', `Cannot start the relay: ${admission.detail}`);
  }
  if (!Number.isInteger(wantedPort) || wantedPort < 0 || wantedPort > 0xffff) {
    throw new RangeError(`Cannot start the relay: port is ${wantedPort}, wants 0 to 65535`);
  }
  const host = wantedHost.toLowerCase() === 'localhost' ? '127.0.0.1' : wantedHost.replace(/^\[|\]$/g, '');
  const verifier = tokens
    ? await TokenVerifier.create({ keys: tokens.keys, audience: tokens.audience ?? 'hotmic' })
    : null;
  const judges = new CredentialJudge({
    tokens: verifier,
    webTickets: null,
    appTickets: null,
    development: dev,
  });
  const relay = new Relay({
    limits: options.limits ?? {},
    policy: {
      unproven: dev ? 'admit' : 'refuse',
      guests: options.guests ?? 'refuse',
      secondJoin: options.secondJoin ?? 'replace',
      lobbies: options.lobbies ?? 'on-join',
      atExpiry: tokens?.atExpiry ?? 'close',
    },
    startedAt: monotonicMs(),
    random: (bytes) => randomBytes(bytes),
  });
  const uws = await loadUWebSockets();

  let state: RelayState = 'starting';
  const counts = (): RelayCounts => ({
    ...relay.counts(),
    notAdmitted,
    backpressureDrops,
    listenersCut,
    certificate: voicePort?.certificate ?? null,
  });
  let voicePort: VoicePort<SocketData> | null = null;
  const sockets = new Map<ConnectionId, Socket>();
  const behind = new Set<Socket>();
  let cutting = false;
  let connectionsMade = 0;
  let notAdmitted = 0;
  let backpressureDrops = 0;
  let listenersCut = 0;
  let lastGoneAt: Milliseconds = Number.NEGATIVE_INFINITY;
  let drainEndsAt: Milliseconds = 0;
  let endDrain: (() => void) | null = null;

  const perform = (outputs: readonly RelayOutput[]): void => {
    for (const output of outputs) performOne(output);
    // Only now, and one after the other: a cut makes outputs of its own, which come after those under way.
    if (cutting) return;
    cutting = true;
    for (const socket of behind) {
      behind.delete(socket);
      listenersCut += 1;
      socket.close();
    }
    cutting = false;
  };

  const performOne = (output: RelayOutput): void => {
    switch (output.kind) {
      case 'tell': {
        const text = writeMessage(output.message);
        for (const id of output.connections) {
          const socket = sockets.get(id);
          if (socket?.send(text) === SEND_DROPPED) behind.add(socket);
        }
        return;
      }
      case 'judge':
        void judge(output);
        return;
      case 'subscribe':
        sockets.get(output.connection)?.subscribe(output.topic);
        return;
      case 'unsubscribe':
        sockets.get(output.connection)?.unsubscribe(output.topic);
        return;
      case 'close':
        sockets.get(output.connection)?.end(output.code, output.reason);
        return;
      case 'keep':
        return;
      case 'event':
        options.onEvent?.(output.event);
        return;
    }
  };

  /** At most one a connection is under way; whoever goes meanwhile is ignored when the verdict comes. */
  const judge = async ({
    connection,
    credential,
    steamId,
  }: Extract<RelayOutput, { kind: 'judge' }>): Promise<void> => {
    const verdict = await judges.judge(credential, steamId, unixSeconds());
    perform(relay.handle({ kind: 'judged', connection, verdict, unixSeconds: unixSeconds() }, monotonicMs()));
  };

  // Before voice: once voice listens, nothing can fail any more. Loaded only where it is wanted.
  const operations = options.operations
    ? await (await import('./operations.js')).startOperations(options.operations, {
        state: () => state,
        counts,
      })
    : null;
  const voice: UWebSockets.WebSocketBehavior<SocketData> = {
    compression: uws.DISABLED,
    maxPayloadLength: Math.max(MAX_VOICE_FRAME_BYTES, MAX_CONTROL_BYTES),
    maxBackpressure: MAX_BACKPRESSURE_BYTES,
    idleTimeout: IDLE_TIMEOUT_S,
    sendPingsAutomatically: true,
    upgrade(response, request, context) {
      if (state !== 'listening') {
        notAdmitted += 1;
        const detail = 'the relay drains and takes no new connections';
        options.onEvent?.({ kind: 'not-admitted', reason: 'draining', detail });
        const seconds = Math.ceil((drainEndsAt - monotonicMs()) / 1000);
        response
          .writeStatus('503 Service Unavailable')
          .writeHeader('retry-after', String(Math.min(Math.max(seconds, 1), MAX_RETRY_AFTER_S)))
          .writeHeader('content-type', 'text/plain')
          .end(`Cannot admit this connection (draining): ${detail}\n`);
        return;
      }
      const headers: [string, string][] = [];
      request.forEach((name, value) => {
        headers.push([name, value]);
      });
      const peer = textOf(response.getRemoteAddressAsText());
      const proxiedPeer = textOf(response.getProxiedRemoteAddressAsText());
      const admitted = dev ? admitPeer({ peer, proxiedPeer, headers }) : admitOrigin(headers, origins);
      if (admitted.kind === 'refused') {
        notAdmitted += 1;
        const { reason, detail } = admitted;
        options.onEvent?.({ kind: 'not-admitted', reason, detail });
        response
          .writeStatus('403 Forbidden')
          .writeHeader('content-type', 'text/plain')
          .end(`Cannot admit this connection (${reason}): ${detail}\n`);
        return;
      }
      const key = request.getHeader('sec-websocket-key');
      response.upgrade<SocketData>({ id: connectionsMade++, app: null }, key, '', '', context);
    },
    open(socket) {
      const connection = socket.getUserData().id;
      sockets.set(connection, socket);
      perform(relay.handle({ kind: 'connected', connection }, monotonicMs()));
    },
    message(socket, message, isBinary) {
      const now = monotonicMs();
      const connection = socket.getUserData().id;
      const bytes = new Uint8Array(message);
      if (!isBinary) {
        perform(relay.handle({ kind: 'text', connection, bytes, unixSeconds: unixSeconds() }, now));
        return;
      }
      const verdict = relay.handleVoice(connection, bytes, now);
      if (verdict.kind === 'forward') {
        stampVoiceFrame(bytes, verdict);
        voicePort?.publish(socket, verdict.topic, message);
        options.onStage?.(verdict.slot, verdict.sequence, now);
      }
      if (verdict.outputs.length > 0) perform(verdict.outputs);
    },
    close(socket) {
      const connection = socket.getUserData().id;
      sockets.delete(connection);
      behind.delete(socket);
      perform(relay.handle({ kind: 'closed', connection }, monotonicMs()));
      lastGoneAt = monotonicMs();
      if (sockets.size === 0) endDrain?.();
    },
    // Not in the package's types. Control messages that are dropped are seen where they are sent.
    ...{
      dropped(_socket: Socket, _message: ArrayBuffer, isBinary: boolean): void {
        if (isBinary) backpressureDrops += 1;
      },
    },
  };
  const { tls = null } = options;
  const onEvent = (event: CertificateEvent) => options.onEvent?.(event);
  try {
    voicePort = await VoicePort.open({
      uws,
      host,
      port: wantedPort,
      tls,
      voice,
      onEvent,
      now: monotonicMs,
      unixSeconds,
    });
  } catch (thrown) {
    await operations?.close();
    throw thrown;
  }
  const port = voicePort;
  const ticker = setInterval(
    () => perform(relay.handle({ kind: 'tick', unixSeconds: unixSeconds() }, monotonicMs())),
    TICK_MS,
  );

  state = 'listening';

  const shutDown = async (): Promise<void> => {
    state = 'closing';
    endDrain?.();
    clearInterval(ticker);
    port.stopListening();
    // Emptied first: nobody is told that everybody leaves.
    const open = [...sockets.values()];
    sockets.clear();
    for (const socket of open) socket.end(SHUTDOWN_CLOSE_CODE, 'shutdown');
    // Whoever left just now has its close code still on the way.
    const isQuiet = open.length === 0 && monotonicMs() - lastGoneAt > CLOSE_GRACE_MS;
    if (!isQuiet) await new Promise((resolve) => setTimeout(resolve, CLOSE_GRACE_MS));
    port.close();
    // Last: whoever looks sees that it closes.
    await operations?.close();
  };
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= shutDown();
    return closing;
  };

  const drainFor = async (withinMs: Milliseconds): Promise<void> => {
    if (closing) return closing;
    state = 'draining';
    drainEndsAt = monotonicMs() + withinMs;
    if (sockets.size > 0) {
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

  return {
    port: port.port,
    url: `${tls ? 'wss' : 'ws'}://${host.includes(':') ? `[${host}]` : host}:${port.port}/`,
    operationsUrl: operations?.url ?? null,
    counts,
    reloadCertificate: () => port.reload(),
    drain: (withinMs) => {
      if (!(withinMs >= 0 && withinMs <= MAX_DRAIN_MS)) {
        throw new RangeError(`Cannot drain the relay: withinMs is ${withinMs}, wants 0 to ${MAX_DRAIN_MS}`);
      }
      drained ??= drainFor(withinMs);
      return drained;
    },
    close,
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
