/** The metrics of the services beside voice: told where one runs, and without a sample, or at 0, where none does. */

import t from 'tap';
import { type MetricFigures, RelayMetrics } from '../../../relay/operations/metrics.js';
import type { ServiceCounts } from '../../../relay/operations/service_counts.js';
import { AddressLimits } from '../../../relay/port/address_limits.js';
import { FakeWeb } from '../admission/steam_web/fake_web.js';
import { Bench } from '../kit.js';
import { hooksIn, World } from '../webhooks/kit.js';

function textOf(services: ServiceCounts | null): Promise<string> {
  const figures: MetricFigures = {
    counts: {
      ...new Bench().relay.counts(),
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
      addresses: new AddressLimits({}).counts(),
      addressFaults: { missing: 0, unclear: 0, disagree: 0, 'too-long': 0, 'peer-unknown': 0 },
    },
    state: 'listening',
    process: {
      cpuUserSeconds: 0,
      cpuSystemSeconds: 0,
      residentBytes: 0,
      heapTotalBytes: 0,
      heapUsedBytes: 0,
      externalBytes: 0,
      startedAtUnixSeconds: 0,
      loopLag: { p50Seconds: 0, p99Seconds: 0, maxSeconds: 0 },
    },
    ...(services && { services }),
  };
  return new RelayMetrics({ version: '1', node: '2' }).text(figures);
}

const NAMES = /^hotmic_(?:admin|webhook|sanctions_|steam)[^ ]* .*$/gm;

t.test('services that run have metrics', async (t) => {
  const text = await textOf({
    admin: { done: 1, failed: 2, refused: 3, limited: 4 },
    webhooks: { ...hooksIn(new World()).webhooks.counts(), waiting: 5, failedAttempts: 6 },
    sanctionsFile: { kept: 7, waiting: 8, failures: 9, rewrites: 10 },
    steam: { ...new FakeWeb().tickets().counts(), requests: 11, overBudget: 12, requestsInDay: 13 },
    closedConnections: { operations: 11 },
  });
  t.same(text.match(NAMES), [
    'hotmic_webhooks_waiting 5',
    'hotmic_sanctions_unkept 8',
    'hotmic_steam_requests_in_day 13',
    'hotmic_steam_requests_per_day 100000000',
    'hotmic_webhook_attempts_failed_total 6',
    'hotmic_sanctions_writes_failed_total 9',
    'hotmic_steam_requests_total 11',
    'hotmic_steam_over_budget_total 12',
    'hotmic_admin_requests_total{outcome="done"} 1',
    'hotmic_admin_requests_total{outcome="failed"} 2',
    'hotmic_admin_requests_total{outcome="refused"} 3',
    'hotmic_admin_requests_total{outcome="limited"} 4',
    'hotmic_webhooks_total{fate="delivered"} 0',
    'hotmic_webhooks_total{fate="dropped"} 0',
    'hotmic_webhooks_total{fate="given-up"} 0',
    'hotmic_webhooks_total{fate="rejected"} 0',
    'hotmic_webhooks_total{fate="unsent"} 0',
  ]);
});

t.test('services that do not run have no samples except counters at 0', async (t) => {
  const none = [
    'hotmic_webhook_attempts_failed_total 0',
    'hotmic_sanctions_writes_failed_total 0',
    'hotmic_steam_requests_total 0',
    'hotmic_steam_over_budget_total 0',
  ];
  t.same((await textOf(null)).match(NAMES), none);
  t.same(
    (
      await textOf({ admin: null, webhooks: null, sanctionsFile: null, closedConnections: {}, steam: null })
    ).match(NAMES),
    none,
  );
});
