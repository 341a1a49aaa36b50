/**
 * What the relay counts, as text that Prometheus reads. Pure: the figures are given for each text, nothing is
 * read from the process or the clock here.
 *
 * Every label's value comes from a closed set of ours; nothing that a client says can become one.
 */

import { Counter, Gauge, Registry } from 'prom-client';
import type { RelayCounts, RelayState } from '../port/counts.js';
import type { ProcessFigures } from './process_figures.js';
import type { ServiceCounts } from './service_counts.js';

/** What ran when the figures were taken. */
export interface BuildFigures {
  /** Of Hotmic, such as `0.1.0`. */
  readonly version: string;
  /** Of Node, such as `20.20.2`. */
  readonly node: string;
}

/** Everything that one text tells. */
export interface MetricFigures {
  readonly counts: RelayCounts;
  readonly state: RelayState;
  readonly process: ProcessFigures;
  /** Left out where none of them runs. */
  readonly services?: ServiceCounts;
}

/** Null where there is nothing to tell: the metric has no sample. */
type Figure = (figures: MetricFigures) => number | null;
type Figures = (figures: MetricFigures) => Readonly<Record<string, number>>;

/** Name, help, and where the value comes from. Names are a contract with dashboards: append only. */
const GAUGES: readonly (readonly [name: string, help: string, figure: Figure])[] = [
  ['hotmic_connections', 'Connections to the voice port, joined or not.', ({ counts }) => counts.connections],
  [
    'hotmic_tcp_connections',
    'TCP connections to the voice port, WebSockets among them.',
    ({ counts }) => counts.tcp.connections,
  ],
  [
    'hotmic_tcp_connections_closing',
    'WebSockets closed in the last 20 s, whose TCP connections may still be open.',
    ({ counts }) => counts.tcp.closing,
  ],
  [
    'hotmic_tcp_connections_max',
    'TCP connections that the voice port may have at once, by the open files that the process may have.',
    ({ counts }) => counts.tcp.most,
  ],
  ['hotmic_participants', 'Participants of all lobbies.', ({ counts }) => counts.participants],
  [
    'hotmic_participants_away',
    'Of those, the ones who are away and may be back.',
    ({ counts }) => counts.away,
  ],
  [
    'hotmic_sanctioned',
    'People who are muted, deafened or banned somewhere.',
    ({ counts }) => counts.sanctions,
  ],
  [
    'hotmic_sanctioned_limit',
    'What there may be of them: limits.sanctions.',
    ({ counts }) => counts.sanctionsMost,
  ],
  [
    'hotmic_sanctioned_by_moderators',
    'Of those, the ones whom moderators sanctioned, and not administrators.',
    ({ counts }) => counts.sanctionsByModerators,
  ],
  [
    'hotmic_sanctioned_by_moderators_limit',
    "What there may be of these: nine tenths; the rest is the administrators'.",
    ({ counts }) => counts.sanctionsByModeratorsMost,
  ],
  [
    'hotmic_addresses',
    'Addresses remembered, with connections or without.',
    ({ counts }) => counts.addresses.addresses,
  ],
  [
    'hotmic_lobbies',
    'Lobbies: those with participants, and those that an administrator made.',
    ({ counts }) => counts.lobbies,
  ],
  ['hotmic_ready', '1 when it takes connections, else 0.', ({ state }) => (state === 'listening' ? 1 : 0)],
  ['hotmic_draining', '1 while it drains, else 0.', ({ state }) => (state === 'draining' ? 1 : 0)],
  [
    'process_resident_memory_bytes',
    'Resident memory of the process.',
    ({ process }) => process.residentBytes,
  ],
  [
    'process_start_time_seconds',
    'When the process started, in unix time.',
    ({ process }) => process.startedAtUnixSeconds,
  ],
  ['nodejs_heap_size_total_bytes', "V8's heap.", ({ process }) => process.heapTotalBytes],
  ['nodejs_heap_size_used_bytes', "What is used of V8's heap.", ({ process }) => process.heapUsedBytes],
  [
    'nodejs_external_memory_bytes',
    "Memory that V8's objects hold outside.",
    ({ process }) => process.externalBytes,
  ],
  [
    'nodejs_eventloop_lag_p50_seconds',
    'Median lateness of the event loop since the scrape before.',
    ({ process }) => process.loopLag.p50Seconds,
  ],
  [
    'nodejs_eventloop_lag_p99_seconds',
    '99th percentile of the same.',
    ({ process }) => process.loopLag.p99Seconds,
  ],
  ['nodejs_eventloop_lag_max_seconds', 'Most of the same.', ({ process }) => process.loopLag.maxSeconds],
  [
    'hotmic_tls_certificate_expires_seconds',
    'When the certificate in use expires, in unix time; without TLS there is none.',
    ({ counts }) => counts.certificate?.expiresUnixSeconds ?? null,
  ],
  [
    'hotmic_webhooks_waiting',
    'Webhooks that are not taken yet; without receivers there is none.',
    ({ services }) => services?.webhooks?.waiting ?? null,
  ],
  [
    'hotmic_sanctions_unkept',
    'Changes of mutes and bans that are not on the disk; without a file there is none.',
    ({ services }) => services?.sanctionsFile?.waiting ?? null,
  ],
  [
    'hotmic_steam_requests_in_day',
    'Requests to the Steam web API in the last 24 hours; without web tickets there is none.',
    ({ services }) => services?.steam?.requestsInDay ?? null,
  ],
  [
    'hotmic_steam_requests_per_day',
    'The most that they may be: tickets.web.requestsPerDay.',
    ({ services }) => services?.steam?.requestsPerDay ?? null,
  ],
];

const COUNTERS: readonly (readonly [
  name: string,
  help: string,
  figure: (figures: MetricFigures) => number,
])[] = [
  [
    'hotmic_voice_frames_published_total',
    'Voice frames that went out, each counted once however many hear it.',
    ({ counts }) => counts.publishedFrames,
  ],
  [
    'hotmic_voice_bytes_published_total',
    'Bytes of those frames, each counted once.',
    ({ counts }) => counts.publishedBytes,
  ],
  [
    'hotmic_not_admitted_total',
    'Connections that did not become a WebSocket: not admitted, or refused in a drain.',
    ({ counts }) => counts.notAdmitted,
  ],
  [
    'hotmic_backpressure_drops_total',
    'Times that a listener with too much unsent was passed over.',
    ({ counts }) => counts.backpressureDrops,
  ],
  [
    'hotmic_listeners_cut_total',
    'Listeners closed because a control message did not fit either.',
    ({ counts }) => counts.listenersCut,
  ],
  ['hotmic_resumes_total', 'Places that somebody came back to.', ({ counts }) => counts.resumes],
  [
    'process_cpu_user_seconds_total',
    'CPU time of the process in user mode.',
    ({ process }) => process.cpuUserSeconds,
  ],
  [
    'process_cpu_system_seconds_total',
    'CPU time of the process in the kernel.',
    ({ process }) => process.cpuSystemSeconds,
  ],
  [
    'process_cpu_seconds_total',
    'CPU time of the process, both together.',
    ({ process }) => process.cpuUserSeconds + process.cpuSystemSeconds,
  ],
  [
    'hotmic_webhook_attempts_failed_total',
    'Attempts to hand a webhook over that failed.',
    ({ services }) => services?.webhooks?.failedAttempts ?? 0,
  ],
  [
    'hotmic_sanctions_writes_failed_total',
    'Times that mutes and bans could not be written to their file.',
    ({ services }) => services?.sanctionsFile?.failures ?? 0,
  ],
  [
    'hotmic_steam_requests_total',
    'Requests to the Steam web API, retries included.',
    ({ services }) => services?.steam?.requests ?? 0,
  ],
  [
    'hotmic_steam_over_budget_total',
    'Web tickets not judged because the budget of requests to Steam was spent.',
    ({ services }) => services?.steam?.overBudget ?? 0,
  ],
];

const LABELLED_COUNTERS: readonly (readonly [name: string, label: string, help: string, figures: Figures])[] =
  [
    [
      'hotmic_voice_frames_dropped_total',
      'reason',
      'Voice frames that went no further, by why.',
      ({ counts }) => counts.drops,
    ],
    [
      'hotmic_refusals_total',
      'code',
      'Connections closed with a refusal, by its code.',
      ({ counts }) => counts.refusals,
    ],
    [
      'hotmic_failures_total',
      'code',
      'Requests of participants that were not done, by why.',
      ({ counts }) => counts.failures,
    ],
    [
      'hotmic_address_refusals_total',
      'reason',
      "Connections and credentials refused by their address's limits, by why.",
      ({ counts }) => counts.addresses.refused,
    ],
    [
      'hotmic_tcp_refusals_total',
      'reason',
      'TCP connections to the voice port that were closed before they asked for anything, by why.',
      ({ counts }) => counts.tcp.refused,
    ],
    [
      'hotmic_address_faults_total',
      'fault',
      'Connections whose own address was not to be had, by why; they are counted for the proxy.',
      ({ counts }) => counts.addressFaults,
    ],
    [
      'hotmic_tls_certificates_total',
      'outcome',
      'New certificates: loaded, or refused and the one before kept; without TLS there are none.',
      ({ counts: { certificate } }) =>
        certificate ? { loaded: certificate.loaded, refused: certificate.refused } : {},
    ],
    [
      'hotmic_admin_requests_total',
      'outcome',
      'Requests to the admin API: done, failed, refused without a token, or limited because too many were.',
      ({ services }) => ({ ...services?.admin }),
    ],
    [
      'hotmic_operator_connections_closed_total',
      'port',
      'Connections to the operations and admin ports closed to make room for others, or because there was none.',
      ({ services }) => ({ ...services?.closedConnections }),
    ],
    [
      'hotmic_webhooks_total',
      'fate',
      'Webhooks: delivered, dropped because too many waited, given-up, rejected by the receiver, or unsent at an end.',
      ({ services }) => ({ ...services?.webhooks?.fates }),
    ],
  ];

/** The metrics of one relay, in a registry of their own: several relays in a process do not meet. */
export class RelayMetrics {
  readonly #registry = new Registry();
  readonly #set: readonly ((figures: MetricFigures) => void)[];

  constructor({ version, node }: BuildFigures) {
    const registers = [this.#registry];
    const build = new Gauge({
      name: 'hotmic_build_info',
      help: 'Always 1; what runs is in the labels.',
      labelNames: ['version', 'node'],
      registers,
    });
    build.set({ version, node }, 1);
    const gauges = GAUGES.map(([name, help, figure]) => {
      const gauge = new Gauge({ name, help, registers });
      return (figures: MetricFigures) => {
        const value = figure(figures);
        if (value === null) gauge.remove();
        else gauge.set(value);
      };
    });
    const counters = COUNTERS.map(([name, help, figure]) => {
      const counter = new Counter({ name, help, registers });
      return (figures: MetricFigures) => {
        counter.reset();
        counter.inc(figure(figures));
      };
    });
    const labelled = LABELLED_COUNTERS.map(([name, label, help, valuesOf]) => {
      const counter = new Counter({ name, help, labelNames: [label], registers });
      return (figures: MetricFigures) => {
        counter.reset();
        for (const [key, count] of Object.entries(valuesOf(figures))) counter.inc({ [label]: key }, count);
      };
    });
    this.#set = [...gauges, ...counters, ...labelled];
  }

  /** The media type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics with these figures, in Prometheus' text format 0.0.4. */
  text(figures: MetricFigures): Promise<string> {
    for (const set of this.#set) set(figures);
    return this.#registry.metrics();
  }
}
