/**
 * The ring against npm's ringbuf.js and postMessage, in one run: the latency of one packet to a waiting receiver, the processor time of
 * both threads, and the throughput at full speed.
 */

import { type Row, row, type Trial } from '../result.js';
import { METHODS, type Method } from './methods.js';
import { type Job, type Received, runJob, type Sent } from './run.js';
import { measureVoice } from './voice.js';

const ROUNDS = 5;

/** One voice: 50 packets per second, for 4 s per round. */
const PACED = { warmUp: 25, packets: 200, packetBytes: 120, paceMs: 20 } as const;

/** A packet of one Opus frame, and one of several. */
const FLAT_OUT_BYTES = [120, 700] as const;
const FLAT_OUT = { warmUp: 100_000, packets: 300_000 } as const;
/** postMessage has no bound: what its receiver has not read yet stays in memory. */
const FLAT_OUT_BY_MESSAGE = { warmUp: 20_000, packets: 60_000 } as const;

/** Above this share of packets that left more than MAX_LATE_US after they were due, the machine was too busy to be measured. */
const MAX_LATE_SHARE = 0.01;
const MAX_LATE_US = 1000;

interface Measured {
  readonly paced: { readonly sent: Sent; readonly received: Received }[];
  /** Packets per second, for each of FLAT_OUT_BYTES. */
  readonly rates: readonly number[][];
}

export const ring: Trial = {
  name: 'ring',
  about:
    `packets between two threads; paced: ${PACED.packetBytes} bytes every ${PACED.paceMs} ms, ` +
    `${PACED.packets} per round; ${ROUNDS} rounds, the subjects in turns`,
  async run() {
    const all = new Map<Method, Measured>(
      METHODS.map((method) => [method, { paced: [], rates: FLAT_OUT_BYTES.map(() => []) }]),
    );
    for (let round = 0; round < ROUNDS; round++) {
      for (const [method, { paced, rates }] of all) {
        paced.push(await runJob(method, PACED));
        for (const [at, packetBytes] of FLAT_OUT_BYTES.entries()) {
          const job: Job = {
            ...(method.by.startsWith('post') ? FLAT_OUT_BY_MESSAGE : FLAT_OUT),
            packetBytes,
            paceMs: 0,
          };
          const { received } = await runJob(method, job);
          rates[at]!.push(((job.packets - 1) / received.elapsedMs) * 1000);
        }
      }
    }
    const voice = await measureVoice(ROUNDS);
    const { rows, skipped, ...rest } = report(all);
    return {
      rows: [...rows, ...voice.rows],
      skipped: [...skipped, ...voice.skipped],
      ...rest,
      versions: { 'ringbuf.js': '0.4.0' },
    };
  },
};

/** Rows of one metric stand together, so that the methods can be compared. */
function report(all: ReadonlyMap<Method, Measured>): { rows: Row[]; void: string | null; skipped: string[] } {
  const rows: Row[] = [];
  const skipped: string[] = [];
  const metric = (name: string, unit: string, valuesOf: (measured: Measured) => (number | null)[]) => {
    for (const [method, measured] of all) {
      const values = valuesOf(measured).filter((value) => value !== null);
      if (values.length > 0) rows.push(row(method.subject, method.name, name, unit, values));
      else skipped.push(`${name}, ${method.subject}: this system does not report it`);
    }
  };
  const hops = ({ paced }: Measured) => paced.map(({ received }) => received.hopsUs);
  metric('hop p50', 'µs', (measured) => hops(measured).map((hop) => quantile(hop, 0.5)));
  metric('hop p99', 'µs', (measured) => hops(measured).map((hop) => quantile(hop, 0.99)));
  metric('hop p99, all rounds as one', 'µs', (measured) => [quantile(hops(measured).flat(), 0.99)]);
  metric('hop, longest', 'µs', (measured) => hops(measured).map((hop) => quantile(hop, 1)));
  const seconds = (PACED.packets * PACED.paceMs) / 1000;
  const perSecond = (cpuMs: number | null) => (cpuMs === null ? null : cpuMs / seconds);
  metric('CPU of the receiver, paced', 'ms/s', ({ paced }) =>
    paced.map(({ received }) => perSecond(received.cpuMs)),
  );
  metric('CPU of the sender, paced', 'ms/s', ({ paced }) => paced.map(({ sent }) => perSecond(sent.cpuMs)));
  for (const [at, bytes] of FLAT_OUT_BYTES.entries()) {
    metric(`flat out, ${bytes} bytes`, 'packets/s', ({ rates }) => rates[at]!);
  }
  for (const [at, bytes] of FLAT_OUT_BYTES.entries()) {
    const ours = [...all].filter(([method]) => method.by === 'hotmic');
    for (const [method, { rates }] of all) {
      const [own] = ours.filter(([{ receiver }]) => receiver === method.receiver);
      if (!own || method === own[0]) continue;
      const ratios = own[1].rates[at]!.map((rate, round) => rate / rates[at]![round]!);
      rows.push(
        row(
          'hotmic',
          own[0].name,
          `flat out, ${bytes} bytes / ${method.subject}${method.by.endsWith('transfer') ? ', transferred' : ''}`,
          '×',
          ratios,
        ),
      );
    }
  }
  const lateness = [...all.values()].flatMap(({ paced }) => paced.flatMap(({ sent }) => sent.latenessUs));
  rows.push(row('generator', 'all, paced', 'sent after due time, p99', 'µs', [quantile(lateness, 0.99)]));
  return { rows, void: tooLate(lateness), skipped };
}

/** Why the figures are void: the generator was late too often. Null if they are valid. */
export function tooLate(latenessUs: readonly number[]): string | null {
  const share = latenessUs.filter((us) => us > MAX_LATE_US).length / latenessUs.length;
  if (share <= MAX_LATE_SHARE) return null;
  return `${(100 * share).toFixed(1)} % of the paced packets were sent more than ${MAX_LATE_US} µs late`;
}

/** The smallest value that `share` of them do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}
