/** The text that Prometheus reads, from figures that are given: no process, clock or socket. */

import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { ADDRESS_FAULTS, type AddressFault } from '../../../relay/addresses/client_address.js';
import { Relay } from '../../../relay/core/relay.js';
import { DROP_REASONS } from '../../../relay/core/voice/drop_reason.js';
import { type MetricFigures, RelayMetrics } from '../../../relay/operations/metrics.js';
import { LagMeter, QUIET_TICK_MS, TICK_MS } from '../../../relay/operations/process_figures.js';
import { AddressLimits } from '../../../relay/port/address_limits.js';
import { WEBHOOK_FATES, type WebhookFate } from '../../../relay/webhooks/line.js';
import { CloseCode } from '../../../voice/control_codes.js';
import { FakeWeb } from '../admission/steam_web/fake_web.js';

const PAGE = 'docs/operating.md';
const BUILD = { version: '1.2.3', node: '20.0.0' };

const FAULTS = Object.fromEntries(ADDRESS_FAULTS.map((fault) => [fault, 0])) as Record<AddressFault, number>;

const idle: MetricFigures = {
  counts: {
    ...new Relay({ startedAt: 0, random: () => new Uint8Array(16) }).counts(),
    notAdmitted: 0,
    tcp: {
      connections: 0,
      closing: 0,
      most: 0,
      refused: { 'address-full': 0, 'address-busy': 0, 'table-full': 0, 'connections-full': 0 },
    },
    backpressureDrops: 0,
    coalescingMs: 0,
    listenersCut: 0,
    certificate: null,
    addresses: new AddressLimits().counts(),
    addressFaults: FAULTS,
  },
  state: 'listening',
  process: {
    cpuUserSeconds: 1.5,
    cpuSystemSeconds: 0.25,
    residentBytes: 4096,
    heapTotalBytes: 2048,
    heapUsedBytes: 1024,
    externalBytes: 512,
    startedAtUnixSeconds: 1_700_000_000,
    loopLag: { p50Seconds: 0.001, p99Seconds: 0.02, maxSeconds: 0.3 },
  },
};

const busy: MetricFigures = {
  ...idle,
  services: {
    admin: { done: 3, failed: 2, refused: 4, limited: 1 },
    webhooks: {
      waiting: 5,
      failedAttempts: 6,
      fates: Object.fromEntries(WEBHOOK_FATES.map((fate) => [fate, 1])) as Record<WebhookFate, number>,
    },
    sanctionsFile: { kept: 9, waiting: 1, failures: 2, rewrites: 3 },
    steam: new FakeWeb().tickets().counts(),
    closedConnections: { operations: 11, admin: 12 },
  },
  counts: {
    ...idle.counts,
    connections: 7,
    participants: 5,
    lobbies: 2,
    publishedFrames: 1000,
    publishedBytes: 80_000,
    drops: { ...idle.counts.drops, 'packet-bad-crc': 3 },
    refusals: { ...idle.counts.refusals, 'lobby-full': 4 },
    notAdmitted: 6,
    tcp: {
      connections: 13,
      closing: 16,
      most: 14,
      refused: { ...idle.counts.tcp.refused, 'address-full': 15 },
    },
    backpressureDrops: 8,
    listenersCut: 9,
    certificate: { expiresUnixSeconds: 1_800_000_000, loaded: 2, refused: 1 },
  },
};

/** Each sample of a text by its name and labels. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

interface Described {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** What a text says of each metric. */
function describedIn(text: string): readonly Described[] {
  return [...text.matchAll(/^# HELP (\S+) (.+)\n# TYPE \1 (\S+)\n\1(?:\{(.*)\})? /gm)].map(
    ([, name = '', help = '', type = '', labels = '']) => ({
      name,
      type,
      help,
      labels: [...labels.matchAll(/(\w+)="/g)].map((match) => match[1]!),
    }),
  );
}

t.test('every count of the relay has a metric under its name', async (t) => {
  const samples = samplesOf(await new RelayMetrics(BUILD).text(busy));
  const wanted: Record<string, number> = {
    'hotmic_build_info{version="1.2.3",node="20.0.0"}': 1,
    hotmic_connections: 7,
    hotmic_participants: 5,
    hotmic_lobbies: 2,
    hotmic_ready: 1,
    hotmic_draining: 0,
    hotmic_voice_frames_published_total: 1000,
    hotmic_voice_bytes_published_total: 80_000,
    'hotmic_voice_frames_dropped_total{reason="packet-bad-crc"}': 3,
    'hotmic_voice_frames_dropped_total{reason="rate-bytes"}': 0,
    'hotmic_refusals_total{code="lobby-full"}': 4,
    hotmic_not_admitted_total: 6,
    hotmic_tcp_connections: 13,
    hotmic_tcp_connections_closing: 16,
    hotmic_tcp_connections_max: 14,
    'hotmic_tcp_refusals_total{reason="address-full"}': 15,
    'hotmic_tcp_refusals_total{reason="connections-full"}': 0,
    'hotmic_operator_connections_closed_total{port="operations"}': 11,
    'hotmic_operator_connections_closed_total{port="admin"}': 12,
    hotmic_backpressure_drops_total: 8,
    hotmic_listeners_cut_total: 9,
    process_cpu_user_seconds_total: 1.5,
    process_cpu_system_seconds_total: 0.25,
    process_cpu_seconds_total: 1.75,
    process_resident_memory_bytes: 4096,
    process_start_time_seconds: 1_700_000_000,
    nodejs_heap_size_total_bytes: 2048,
    nodejs_heap_size_used_bytes: 1024,
    nodejs_external_memory_bytes: 512,
    nodejs_eventloop_lag_p50_seconds: 0.001,
    nodejs_eventloop_lag_p99_seconds: 0.02,
    nodejs_eventloop_lag_max_seconds: 0.3,
    hotmic_tls_certificate_expires_seconds: 1_800_000_000,
    'hotmic_tls_certificates_total{outcome="loaded"}': 2,
    'hotmic_tls_certificates_total{outcome="refused"}': 1,
  };
  for (const [name, value] of Object.entries(wanted)) t.equal(samples.get(name), value, name);
});

t.test('every reason to drop and every refusal is there from the start, at 0', async (t) => {
  const samples = samplesOf(await new RelayMetrics(BUILD).text(idle));
  for (const reason of DROP_REASONS) {
    t.equal(samples.get(`hotmic_voice_frames_dropped_total{reason="${reason}"}`), 0);
  }
  for (const code of Object.keys(CloseCode)) {
    t.equal(samples.get(`hotmic_refusals_total{code="${code}"}`), 0);
  }
});

t.test('a second text shows the current counts and does not add them up', async (t) => {
  const metrics = new RelayMetrics(BUILD);
  const first = await metrics.text(busy);
  t.equal(await metrics.text(busy), first);
  t.not(await metrics.text(idle), first);
});

t.test('two texts made at the same time are independent', async (t) => {
  const metrics = new RelayMetrics(BUILD);
  const alone = await metrics.text(busy);
  for (const text of await Promise.all([metrics.text(busy), metrics.text(busy)])) t.equal(text, alone);
});

t.test('the lag of the loop is how late ticks came, and a stall just after a reading is seen', async (t) => {
  const meter = new LagMeter();
  t.same(meter.read(), { p50Seconds: 0, p99Seconds: 0, maxSeconds: 0 }, 'nothing was seen yet');
  for (let now = 0; now <= 1000; now += 20) t.equal(meter.tick(now, 0.5), TICK_MS);
  t.ok(meter.read().maxSeconds < 1e-6, 'who is in time is not late');
  meter.tick(1220, 1);
  const stalled = meter.read();
  t.ok(Math.abs(stalled.maxSeconds - 0.2) < 0.001, `${stalled.maxSeconds} s of 0.2`);
  for (let now = 1245; now <= 2245; now += 25) meter.tick(now, 0.5);
  const late = meter.read();
  t.ok(Math.abs(late.p50Seconds - 0.005) < 0.0001, `${late.p50Seconds} s of 0.005`);
  t.ok(late.maxSeconds < 0.01, 'the stall is not told twice');
});

t.test('a quiet loop is looked at seldom, and often again once it is busy', async (t) => {
  const meter = new LagMeter();
  t.equal(meter.tick(0, 0), QUIET_TICK_MS);
  t.equal(meter.tick(QUIET_TICK_MS, 0.01), QUIET_TICK_MS);
  t.equal(meter.tick(2 * QUIET_TICK_MS, 0.1), TICK_MS);
  t.equal(meter.tick(2 * QUIET_TICK_MS + TICK_MS, 0.01), QUIET_TICK_MS);
  t.ok(meter.read().maxSeconds < 1e-6, 'a longer wait is not lateness');
});

t.test('two relays in a process share no metrics', async (t) => {
  const one = new RelayMetrics(BUILD);
  const other = new RelayMetrics(BUILD);
  await one.text(busy);
  t.equal(samplesOf(await other.text(idle)).get('hotmic_connections'), 0);
});

t.test('a draining or closing relay is not ready', async (t) => {
  const metrics = new RelayMetrics(BUILD);
  for (const [state, ready, draining] of [
    ['starting', 0, 0],
    ['listening', 1, 0],
    ['draining', 0, 1],
    ['closing', 0, 0],
  ] as const) {
    const samples = samplesOf(await metrics.text({ ...idle, state }));
    t.equal(samples.get('hotmic_ready'), ready, state);
    t.equal(samples.get('hotmic_draining'), draining, state);
  }
});

t.test('names and types follow the conventions of Prometheus', async (t) => {
  const text = await new RelayMetrics(BUILD).text(busy);
  const described = describedIn(text);
  t.equal(described.length, [...text.matchAll(/^# TYPE /gm)].length, 'all are seen');
  for (const { name, type } of described) {
    t.match(name, /^(hotmic|process|nodejs)_[a-z0-9_]+$/);
    t.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
    t.notMatch(name, /_(ms|millis|kb|mb|percent|minutes)(_|$)/, 'base units');
  }
});

t.test('without a certificate there are no metrics of one', async (t) => {
  const metrics = new RelayMetrics(BUILD);
  await metrics.text(busy);
  const samples = samplesOf(await metrics.text(idle));
  t.same(
    [...samples.keys()].filter((name) => name.startsWith('hotmic_tls_')),
    [],
  );
});

t.test(`the table in ${PAGE} lists the metrics of the registry; HOTMIC_WRITE_DOCS=1 writes it`, async (t) => {
  const described = describedIn(await new RelayMetrics(BUILD).text(busy));
  const rows = described.map(({ name, type, labels, help }) => {
    const shown = labels.length > 0 ? `${name}{${labels.join(',')}}` : name;
    return `| \`${shown}\` | ${type} | ${help} |`;
  });
  const table = ['| metric | type | what it tells |', '| --- | --- | --- |', ...rows].join('\n');
  const page = readFileSync(PAGE, 'utf8');
  const there = /<!-- metrics -->\n([\s\S]*?)\n<!-- \/metrics -->/.exec(page)?.[1];
  if (process.env.HOTMIC_WRITE_DOCS && there !== undefined) {
    writeFileSync(
      PAGE,
      page.replace(there, () => table),
    );
  }
  t.equal(there, table);
});
