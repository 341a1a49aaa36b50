/** The result of `hotmic bench relay`: as an object for programs, and as lines for people. Pure. */

import { build, type Histogram } from 'hdr-histogram-js';
import type { LinkCounts } from '../../bench/link/link.js';
import { bottleneck, percent } from '../../bench/load/bottleneck.js';
import type { Details, Joined, RECORDED, Recorded, TroubledRound } from '../../bench/load/generator.js';
import type { Milliseconds } from '../../voice/units.js';
import type { BenchPlan } from './plan.js';

/** Longer times count as this one: 100 s, in µs. */
const MAX_MICROSECONDS = 100_000_000;
/** Above this core utilization the relay was saturated. */
const SATURATED_SHARE = 0.95;

const MEASURED = {
  latency: { name: 'dueToDelivered', text: 'due to delivered' },
  age: { name: 'dueToReadInTrouble', text: 'due to read, by listeners in trouble' },
  lateness: { name: 'dueToSent', text: 'due to sent' },
  joining: { name: 'connectToWelcome', text: 'connect to welcome' },
  rejoining: { name: 'connectToWelcomeUnderLoad', text: 'connect to welcome, under load' },
  liveAfter: { name: 'readingAgainToLive', text: 'reading again to live' },
  parked: { name: 'parked', text: 'parked' },
} as const satisfies Record<(typeof RECORDED)[number], { name: string; text: string }>;

const PERCENTILES = { p50: 50, p90: 90, p99: 99, p999: 99.9 } as const;

/** Durations in ms. */
export type Percentiles = Readonly<Record<keyof typeof PERCENTILES | 'max', Milliseconds>> & {
  readonly count: number;
};

/** All that was measured. */
export interface BenchResult {
  readonly plan: BenchPlan;
  readonly joined: Joined;
  readonly details: Details;
  readonly round: TroubledRound;
  readonly link: LinkCounts | null;
}

/** For programs. Fields are only ever added. */
export function reportOf(result: BenchResult) {
  const { plan, joined, details, round, link } = result;
  const { crowd, target, options } = plan;
  const seconds = round.elapsedMs / 1000;
  const due = round.sent * (crowd.lobbySize - 1);
  return {
    void: voidOf(round),
    relay: target.kind === 'own' ? 'own' : target.url.href,
    tls: target.kind === 'own' ? target.tls : target.url.protocol === 'wss:',
    lobbies: crowd.lobbies,
    members: crowd.lobbySize,
    talkers: crowd.talkers,
    packetMs: options.packet,
    seed: options.seed,
    acknowledges: options.acknowledge,
    seconds,
    joined: joined.joined,
    joinedWithinMs: joined.joinMs,
    framesSent: round.sent,
    framesDue: round.paced,
    deliveries: round.deliveries,
    deliveriesDue: due,
    deliveriesPerSecond: round.deliveries / seconds,
    lost: round.lost,
    withheldByTheRelay: round.withheld ?? 0,
    doubled: round.doubled,
    reordered: round.reordered,
    foreign: round.foreign,
    damaged: round.damaged,
    missedByListenersInTrouble: round.missed,
    skippedWhileParked: round.skipped,
    acknowledgements: round.acknowledgements,
    parks: round.parks,
    stalls: round.stalls,
    staleFramesAfterStalls: round.staleFrames,
    mostStaleFramesAfterAStall: round.mostStaleFrames,
    leaves: round.leaves,
    rejoins: round.rejoins,
    closed: round.closed,
    closedBecause: details.reasons.map(([reason, times]) => ({ reason, times })),
    generator: {
      cpuShare: round.ownCpuMs / round.elapsedMs,
      lateShare: round.late / round.paced,
    },
    /** Null for a relay elsewhere: its processor cannot be seen from here. */
    relayCpu:
      target.kind === 'own'
        ? {
            usPerDelivery: (1000 * round.relayCpuMs) / round.deliveries,
            share: round.relayCpuMs / round.elapsedMs,
          }
        : null,
    link: link && { ...linkOf(plan), packets: link },
    percentilesMs: Object.fromEntries(
      Object.entries(MEASURED).map(([recorded, { name }]) => [
        name,
        percentiles(details.histograms[recorded as keyof typeof MEASURED]),
      ]),
    ) as Record<(typeof MEASURED)[keyof typeof MEASURED]['name'], Percentiles>,
  };
}

function linkOf({ target }: BenchPlan) {
  return target.kind === 'own' ? target.link : null;
}

/** Why the result says nothing about the relay, or null. */
export function voidOf(round: TroubledRound): string | null {
  const reason = bottleneck(round);
  return reason === null ? null : `${reason}: this machine was the bottleneck, not the relay`;
}

function percentiles(recorded: Recorded): Percentiles {
  const histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: MAX_MICROSECONDS,
    numberOfSignificantValueDigits: 3,
  });
  for (const [us, count] of recorded) histogram.recordValueWithCount(Math.min(MAX_MICROSECONDS, us), count);
  const at = Object.entries(PERCENTILES).map(([name, percentile]) => [
    name,
    histogram.getValueAtPercentile(percentile) / 1000,
  ]);
  const max = recorded.at(-1)?.[0] ?? 0;
  return { ...Object.fromEntries(at), max: max / 1000, count: histogram.totalCount } as Percentiles;
}

/** For people: what was delivered, the percentiles as a table, and what shows that they can be believed. */
export function reportLines(result: BenchResult): string[] {
  const report = reportOf(result);
  const { round, plan, link } = result;
  const perSecond = (count: number) => `${whole(count / report.seconds)}/s`;
  const facts: [string, string][] = [
    ['joined', `${report.joined} in ${(report.joinedWithinMs / 1000).toFixed(1)} s`],
    ['sent', `${perSecond(round.sent)}`],
    [
      'delivered',
      `${perSecond(round.deliveries)} of ${perSecond(report.deliveriesDue)} (${percent(round.deliveries / report.deliveriesDue)})`,
    ],
    [
      'lost',
      `${whole(report.lost)}, doubled ${report.doubled}, out of order ${report.reordered}, wrong ${report.foreign + report.damaged}`,
    ],
  ];
  if (report.withheldByTheRelay > 0)
    facts.push(['withheld', `${whole(report.withheldByTheRelay)}: their talkers were late or too fast`]);
  if (report.acknowledges) facts.push(['acknowledged', perSecond(round.acknowledgements)]);
  if (report.parks > 0)
    facts.push([
      'parked',
      `${whole(report.parks)} times, ${whole(report.skippedWhileParked)} frames skipped`,
    ]);
  if (plan.stallingListeners > 0)
    facts.push([
      'stalled',
      `${plan.stallingListeners} listeners, ${whole(report.stalls)} times; then ${whole(report.staleFramesAfterStalls)} stale frames were read`,
    ]);
  if (plan.stallingListeners + plan.slowListeners > 0)
    facts.push(['missed', `${whole(report.missedByListenersInTrouble)} by listeners who stall or are slow`]);
  if (report.leaves > 0) facts.push(['left', `${report.leaves}, joined again ${report.rejoins}`]);
  if (report.closed > 0) {
    const why = report.closedBecause.map(({ reason, times }) => `${times} × ${reason}`).join('; ');
    facts.push(['closed', `${report.closed}: ${why}`]);
  }
  if (link)
    facts.push([
      'link',
      `${whole(link.up.lost + link.down.lost)} packets lost, ${whole(link.up.cut + link.down.cut)} cut of ${whole(link.up.arrived + link.down.arrived)}`,
    ]);
  if (report.relayCpu)
    facts.push([
      'relay',
      `${report.relayCpu.usPerDelivery.toPrecision(3)} µs of processor time per delivery, ${percent(report.relayCpu.share)} of a core` +
        (report.relayCpu.share > SATURATED_SHARE ? ': saturated' : ''),
    ]);
  else facts.push(['relay', 'elsewhere: only what the clock of this machine can tell was measured']);
  facts.push([
    'generator',
    `${percent(report.generator.cpuShare)} of a core, ${percent(report.generator.lateShare)} of the frames sent more than 5 ms late`,
  ]);
  const width = Math.max(...facts.map(([name]) => name.length));
  return [
    ...facts.map(([name, text]) => `${name.padEnd(width)}  ${text}`),
    '',
    ...tableLines(report.percentilesMs),
    ...(report.void === null ? [] : ['', `VOID: ${report.void}`]),
  ];
}

function tableLines(measured: ReturnType<typeof reportOf>['percentilesMs']): string[] {
  const rows = Object.values(MEASURED)
    .filter(({ name }) => measured[name].count > 0)
    .map(({ name, text }) => {
      const { p50, p90, p99, p999, max, count } = measured[name];
      return [text, ...[p50, p90, p99, p999, max].map(milliseconds), whole(count)];
    });
  const all = [['ms', 'p50', 'p90', 'p99', 'p99.9', 'max', 'count'], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
}

function milliseconds(ms: Milliseconds): string {
  return ms >= 100 ? whole(ms) : ms.toFixed(ms >= 10 ? 1 : 2);
}

function whole(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}
