/**
 * Starts and stops a relay: makes its parts, wires them to each other, and runs them as services.
 */

import type { Milliseconds } from '../voice/units.js';
import { hostInUrl } from './addresses/host.js';
import { EventGate, keyOfPeer } from './event_gate.js';
import { Lifecycle } from './lifecycle.js';
import type { AdminTarget } from './operations/admin/routes.js';
import { AdminService, OperationsService } from './operator_services.js';
import type { RelayOptions } from './options.js';
import { makeParts, type RelayParts } from './parts.js';
import type { RelayCounts } from './port/counts.js';
import { Switchboard } from './port/switchboard.js';
import { Upgrades } from './port/upgrades.js';
import type { RunningRelay } from './running_relay.js';
import { type Service, ServiceList } from './service_list.js';
import { Alarm, nodeTimer } from './system/alarm.js';
import { monotonicMs, unixSeconds } from './system/clock.js';
import { LoopLoad } from './system/loop_load.js';
import { VoiceService } from './voice_service.js';

/** How long the webhooks that still wait at the end are sent. */
const WEBHOOKS_CLOSE_MS: Milliseconds = 5000;

/**
 * Starts a relay and resolves when it listens.
 *
 * ```ts
 * const relay = await startRelay({ dev: true, port: 9000 });
 * ```
 *
 * @throws HotmicError `ERR_HOTMIC_ADMISSION` without `dev` and without anything to judge players by, with `dev` on a host that is
 *   not loopback, or for unusable keys;
 *   `ERR_HOTMIC_RELAY_MISSING` with `sockets: 'uws'` when uWebSockets is not installed or does not load; `ERR_HOTMIC_PORT_IN_USE`;
 *   `ERR_HOTMIC_LISTEN` when it cannot listen for another reason; `ERR_HOTMIC_TLS` for a certificate that cannot be
 *   used; `ERR_HOTMIC_FILE` for a file that cannot be used; `ERR_HOTMIC_THREAD` with `sockets: 'uws'` in a worker thread. RangeError or TypeError for a port, a
 *   limit or another option that is out of range or malformed.
 */
export async function startRelay(options: RelayOptions): Promise<RunningRelay> {
  const gate = new EventGate(
    (event) => options.onEvent?.(event),
    (deadline) => alarm.wakeAt(deadline),
  );
  const parts = await makeParts(options, (event) => options.onEvent?.(event));
  const { voice, switchboard, alarm } = wireVoice(options, parts, gate, () => lifecycle.lastConnectionGone());
  const counts = (): RelayCounts => ({
    ...parts.relay.counts(),
    notAdmitted: parts.admission.refused,
    tcp: parts.admission.tcp(monotonicMs()),
    backpressureDrops: switchboard.backpressureDrops,
    coalescingMs: switchboard.coalescingMs,
    listenersCut: switchboard.listenersCut,
    certificate: voice.certificate,
    addresses: parts.addresses.counts(),
    addressFaults: parts.admission.addressFaults,
  });
  const lifecycle = new Lifecycle({
    announceDrain: (withinMs, goTo) => {
      parts.admission.drain(monotonicMs() + withinMs);
      switchboard.announceDrain(withinMs, goTo);
      services.drain();
    },
    connections: () => switchboard.connections,
    shutDown: async () => {
      await services.close();
      gate.close();
    },
  });
  const operations = options.operations
    ? new OperationsService(options.operations, {
        state: () => lifecycle.state,
        counts,
        services: () => services.counts(),
      })
    : null;
  const admin = options.admin
    ? new AdminService(
        options.admin,
        adminTarget(parts, switchboard, lifecycle),
        (event) => void gate.take(event, keyOfPeer(event.peer), monotonicMs()),
      )
    : null;
  const services: ServiceList = new ServiceList(stagesOf(parts, { operations, admin, voice }));

  await services.start();
  lifecycle.listening();
  const { host, path } = parts.place;
  return {
    port: voice.port,
    sockets: { layer: parts.sockets.layer.name, why: parts.sockets.why },
    url: `${options.tls ? 'wss' : 'ws'}://${hostInUrl(host)}:${voice.port}${path}`,
    operationsUrl: operations?.url ?? null,
    adminUrl: admin?.url ?? null,
    counts,
    reloadCertificate: () => voice.reloadCertificate(),
    reloadSecrets: () => services.reload(),
    drain: (withinMs, goTo = null) => lifecycle.drain(withinMs, goTo),
    close: () => lifecycle.close(),
    ended: lifecycle.ended,
  };
}

/** The voice port, the switchboard between its sockets and the core, and the alarm that ticks what waits for an instant. */
function wireVoice(
  options: RelayOptions,
  { place, sockets, site, relay, judge, addresses, admission, webhooks, sanctionsFile }: RelayParts,
  gate: EventGate,
  onEmpty: () => void,
): { readonly voice: VoiceService; readonly switchboard: Switchboard; readonly alarm: Alarm } {
  const loopLoad = new LoopLoad(monotonicMs());
  const switchboard = new Switchboard({
    relay,
    judge,
    addresses,
    now: monotonicMs,
    unixSeconds,
    keep: (sanction) => sanctionsFile?.keep(sanction),
    onEvent: (event, address) => {
      if (gate.take(event, address, monotonicMs()) === 'told') webhooks?.publish(event);
    },
    onStage: options.onStage ?? null,
    load: (now) => loopLoad.read(now),
    setTimer: nodeTimer,
    afterTurn: setImmediate,
    onEmpty,
    onDeadline: (deadline) => alarm.wakeAt(deadline),
  });
  const alarm = new Alarm([switchboard, addresses, admission, gate], monotonicMs);
  const upgrades = new Upgrades({
    admission,
    now: monotonicMs,
    onRefused: (reason, detail, from) =>
      void gate.take({ kind: 'not-admitted', reason, detail }, from, monotonicMs()),
  });
  const voice = new VoiceService({
    ...place,
    sockets: sockets.layer,
    tls: options.tls ?? null,
    page: site ? (request) => site.answer(request) : undefined,
    switchboard,
    admission,
    upgrades,
    onEvent: (event) => options.onEvent?.(event),
    alarm,
    now: monotonicMs,
    unixSeconds,
  });
  return { voice, switchboard, alarm };
}

/** What the admin API may do. */
function adminTarget({ relay }: RelayParts, switchboard: Switchboard, lifecycle: Lifecycle): AdminTarget {
  return {
    administer: (command) => switchboard.administer(command),
    lobbies: () => relay.lobbies(),
    lobby: (name) => relay.lobby(name),
    unlisted: (name) => relay.unlisted(name),
    sanctions: () => relay.sanctions(),
    counts: () => relay.counts(),
    drain: (withinMs, goTo) => void lifecycle.drain(withinMs, goTo),
  };
}

/**
 * The services in the order of their start. The voice port is the last: once it listens, nothing can fail any more. It closes first, and the
 * operations port last, so that its probes show the whole shutdown. The admin API closes before the file that keeps its mutes and bans.
 */
function stagesOf(
  { webhooks, sanctionsFile, webTickets }: RelayParts,
  {
    operations,
    admin,
    voice,
  }: { operations: OperationsService | null; admin: AdminService | null; voice: VoiceService },
): Service[][] {
  const webhookService = webhooks && {
    close: () => webhooks.close(WEBHOOKS_CLOSE_MS),
    counts: () => ({ webhooks: webhooks.counts() }),
    reload: () => webhooks.reload(),
  };
  const fileService = sanctionsFile && {
    close: () => sanctionsFile.close(),
    counts: () => ({ sanctionsFile: sanctionsFile.counts() }),
  };
  const steamService = webTickets && {
    close: async () => webTickets.close(),
    counts: () => ({ steam: webTickets.counts() }),
  };
  return [[operations], [webhookService, fileService], [admin], [steamService], [voice]].map((stage) =>
    stage.filter((service) => service !== null),
  );
}
