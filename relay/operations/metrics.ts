/**
 * The relay's counts as text for Prometheus. Pure: the figures are an argument, and nothing is
 * read from the process or the clock here.
 *
 * Every label's value comes from a closed set of ours; nothing that a client sends can become one.
 */

import { Counter, Gauge, Registry } from 'prom-client';
import type { RelayCounts, RelayState } from '../port/counts.js';
import type { ProcessFigures } from './process_figures.js';
import type { ServiceCounts } from './service_counts.js';

/** The versions that run. */
export interface BuildFigures {
  /** Hotmic's, such as `0.1.0`. */
  readonly version: string;
  /** Node's, such as `20.20.2`. */
  readonly node: string;
}

/** Everything that one text contains. */
export interface MetricFigures {
  readonly counts: RelayCounts;
  readonly state: RelayState;
  readonly process: ProcessFigures;
  /** Absent where none of them runs. */
  readonly services?: ServiceCounts;
}

/** Null for a metric without a sample. */
type Figure = (figures: MetricFigures) => number | null;
type Figures = (figures: MetricFigures) => Readonly<Record<string, number>>;

/** Name, help, and source of the value. Names are a contract with dashboards: append only. */
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
    'Most TCP connections that the voice port accepts at once, limited by the open files of the process.',
    ({ counts }) => counts.tcp.most,
  ],
  ['hotmic_participants', 'Participants in all lobbies.', ({ counts }) => counts.participants],
  [
    'hotmic_participants_unlisted',
    'Listeners among them who are counted in their lobby and not listed.',
    ({ counts }) => counts.unlisted,
  ],
  ['hotmic_participants_away', 'Participants who are away and may resume.', ({ counts }) => counts.away],
  [
    'hotmic_coalescing_seconds',
    'How long frames wait at most to be sent together, where several people speak.',
    ({ counts }) => counts.coalescingMs / 1000,
  ],
  [
    'hotmic_sanctioned',
    'Players who are muted, deafened or banned somewhere.',
    ({ counts }) => counts.sanctions,
  ],
  [
    'hotmic_sanctioned_limit',
    'Most sanctioned players: limits.sanctions.',
    ({ counts }) => counts.sanctionsMost,
  ],
  [
    'hotmic_sanctioned_by_moderators',
    'Players sanctioned by moderators, not by administrators.',
    ({ counts }) => counts.sanctionsByModerators,
  ],
  [
    'hotmic_sanctioned_by_moderators_limit',
    'Most players sanctioned by moderators: nine tenths of all; the rest is reserved for administrators.',
    ({ counts }) => counts.sanctionsByModeratorsMost,
  ],
  [
    'hotmic_addresses',
    'Remembered addresses, with or without connections.',
    ({ counts }) => counts.addresses.addresses,
  ],
  [
    'hotmic_lobbies',
    'Lobbies with participants, and lobbies created by an administrator.',
    ({ counts }) => counts.lobbies,
  ],
  ['hotmic_hearing_sets', 'Listeners with a hearing set.', ({ counts }) => counts.hearingSets],
  [
    'hotmic_hearing_people',
    'People in all hearing sets, each set counting as one more.',
    ({ counts }) => counts.hearingEntries,
  ],
  [
    'hotmic_ready',
    '1 when the relay accepts connections, else 0.',
    ({ state }) => (state === 'listening' ? 1 : 0),
  ],
  ['hotmic_draining', '1 while the relay drains, else 0.', ({ state }) => (state === 'draining' ? 1 : 0)],
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
  ['nodejs_heap_size_total_bytes', "Size of V8's heap.", ({ process }) => process.heapTotalBytes],
  ['nodejs_heap_size_used_bytes', "Used part of V8's heap.", ({ process }) => process.heapUsedBytes],
  [
    'nodejs_external_memory_bytes',
    "Memory outside V8's heap that its objects use.",
    ({ process }) => process.externalBytes,
  ],
  [
    'nodejs_eventloop_lag_p50_seconds',
    'Median lateness of the event loop since the previous scrape.',
    ({ process }) => process.loopLag.p50Seconds,
  ],
  [
    'nodejs_eventloop_lag_p99_seconds',
    '99th percentile of the lateness since the previous scrape.',
    ({ process }) => process.loopLag.p99Seconds,
  ],
  [
    'nodejs_eventloop_lag_max_seconds',
    'Maximum lateness since the previous scrape.',
    ({ process }) => process.loopLag.maxSeconds,
  ],
  [
    'hotmic_tls_certificate_expires_seconds',
    'Expiry of the certificate in use, in unix time; absent without TLS.',
    ({ counts }) => counts.certificate?.expiresUnixSeconds ?? null,
  ],
  [
    'hotmic_webhooks_waiting',
    'Webhooks not delivered yet; absent without receivers.',
    ({ services }) => services?.webhooks?.waiting ?? null,
  ],
  [
    'hotmic_sanctions_unkept',
    'Changes of mutes and bans that are not on the disk yet; absent without a file.',
    ({ services }) => services?.sanctionsFile?.waiting ?? null,
  ],
  [
    'hotmic_steam_requests_in_day',
    'Requests to the Steam web API in the last 24 hours; absent without web tickets.',
    ({ services }) => services?.steam?.requestsInDay ?? null,
  ],
  [
    'hotmic_steam_requests_per_day',
    'Most requests to the Steam web API in 24 hours: tickets.web.requestsPerDay.',
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
    'Published voice frames, each counted once however many hear it.',
    ({ counts }) => counts.publishedFrames,
  ],
  [
    'hotmic_voice_bytes_published_total',
    'Bytes of the published voice frames, each frame counted once.',
    ({ counts }) => counts.publishedBytes,
  ],
  [
    'hotmic_acknowledgements_total',
    'Acknowledgements of listeners that were taken.',
    ({ counts }) => counts.acknowledgements,
  ],
  [
    'hotmic_parks_total',
    'Times that a listener who was behind got no more voice.',
    ({ counts }) => counts.parks,
  ],
  [
    'hotmic_unparks_total',
    'Times that such a listener had caught up and got voice again.',
    ({ counts }) => counts.unparks,
  ],
  [
    'hotmic_not_admitted_total',
    'Connections that did not become a WebSocket: not admitted, or refused in a drain.',
    ({ counts }) => counts.notAdmitted,
  ],
  [
    'hotmic_backpressure_drops_total',
    'Times that a listener with too much unsent data was skipped.',
    ({ counts }) => counts.backpressureDrops,
  ],
  [
    'hotmic_listeners_cut_total',
    'Listeners closed because a control message did not fit either.',
    ({ counts }) => counts.listenersCut,
  ],
  ['hotmic_resumes_total', 'Sessions that were resumed.', ({ counts }) => counts.resumes],
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
    'CPU time of the process, user mode and kernel together.',
    ({ process }) => process.cpuUserSeconds + process.cpuSystemSeconds,
  ],
  [
    'hotmic_webhook_attempts_failed_total',
    'Failed attempts to deliver a webhook.',
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
      'Voice frames that were dropped, by reason.',
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
      'Requests of participants that failed, by code.',
      ({ counts }) => counts.failures,
    ],
    [
      'hotmic_address_refusals_total',
      'reason',
      "Connections and credentials refused by their address's limits, by reason.",
      ({ counts }) => counts.addresses.refused,
    ],
    [
      'hotmic_tcp_refusals_total',
      'reason',
      'TCP connections to the voice port that were closed before they sent a request, by reason.',
      ({ counts }) => counts.tcp.refused,
    ],
    [
      'hotmic_address_faults_total',
      'fault',
      'Connections whose own address could not be determined, by reason; they count for the proxy.',
      ({ counts }) => counts.addressFaults,
    ],
    [
      'hotmic_tls_certificates_total',
      'outcome',
      'New certificates: loaded, or refused while the previous one stays in use; absent without TLS.',
      ({ counts: { certificate } }) =>
        certificate ? { loaded: certificate.loaded, refused: certificate.refused } : {},
    ],
    [
      'hotmic_admin_requests_total',
      'outcome',
      'Requests to the admin API, and updates of its streams: done, failed, refused without a token, or limited because there were too many.',
      ({ services }) => ({ ...services?.admin }),
    ],
    [
      'hotmic_operator_connections_closed_total',
      'port',
      'Connections to the operations and admin ports closed to make room for others, or because there was no room.',
      ({ services }) => ({ ...services?.closedConnections }),
    ],
    [
      'hotmic_webhooks_total',
      'fate',
      'Webhooks: delivered, dropped because too many waited, given-up, rejected by the receiver, or unsent when the receiver or the relay ended.',
      ({ services }) => ({ ...services?.webhooks?.fates }),
    ],
  ];

/** The metrics of one relay, in a separate registry: several relays in one process do not share any. */
export class RelayMetrics {
  readonly #registry = new Registry();
  readonly #set: readonly ((figures: MetricFigures) => void)[];

  constructor({ version, node }: BuildFigures) {
    const registers = [this.#registry];
    const build = new Gauge({
      name: 'hotmic_build_info',
      help: 'Always 1; the labels are the versions that run.',
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

  /** All metrics with these figures, in the Prometheus text format 0.0.4. */
  text(figures: MetricFigures): Promise<string> {
    for (const set of this.#set) set(figures);
    return this.#registry.metrics();
  }
}
