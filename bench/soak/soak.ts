/**
 * A soak: the relay at half the load of `make bench ONLY=relay`, for MINUTES (default 10), with every frame checked at every listener.
 * At the same time, churning players join and leave the same lobbies, talk to channels and whisper, break their connections and resume,
 * and are muted, deafened, kicked and banned. No frame may go astray, and the relay's memory must stay flat.
 *
 * Relay and generator each have their own core. The churning players run on a thread of this process.
 */

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Milliseconds } from '../../voice/units.js';
import { type Round, talk } from '../load/generator.js';
import { type Crowd, intervalMs, type Players, preparePlayers } from '../load/players.js';
import { type Memory, type RelayProcess, startProcess } from '../relay/process.js';
import { GENERATOR_CORE, prepareMachine, RELAY_CORE, scheduling } from '../relay/rounds.js';
import { roundFault } from '../relay/validity.js';
import { type Row, row, type Trial } from '../result.js';
import { LISTENER_FAULTS } from './listener.js';
import type { SoakJob, SoakReport } from './worker.js';

const CROWD: Crowd = { lobbies: 400, lobbySize: 10, talkers: 2, opusFrames: 5 };
const CHURNED_LOBBIES = 40;
const OPERATIONS_PER_SECOND = 20;
const SEED = Number(process.env.HOTMIC_SEED ?? 6);
const MINUTES = Number(process.env.MINUTES ?? 10);
/** The lifetime of a token, less the time for joining. */
const MAX_MINUTES = 300;
const WARM_UP_MS: Milliseconds = 4000;

/** How often the relay's memory is read; a shorter soak reads it at least MIN_SAMPLES times. */
const SAMPLE_EVERY_MS: Milliseconds = 30_000;
const MIN_SAMPLES = 18;
/** Memory is flat if the median of the last third of the samples is at most this multiple of that of the second third. */
const MAX_GROWTH = 1.05;

export type MemorySample = Memory & { readonly atMs: Milliseconds };

export interface Soaked {
  readonly round: Round;
  readonly report: SoakReport;
  readonly samples: readonly MemorySample[];
  /** Why the relay's memory could no longer be read, or null. */
  readonly ended: string | null;
}

export const soak: Trial = {
  name: 'soak',
  about:
    `${CROWD.lobbies} lobbies of ${CROWD.lobbySize} with ${CROWD.talkers} talkers at half load for ${MINUTES} min, ` +
    `${OPERATIONS_PER_SECOND} operations per second in ${CHURNED_LOBBIES} of them, seed ${SEED} (MINUTES, HOTMIC_SEED)`,
  async run() {
    if (!(MINUTES > 0 && MINUTES <= MAX_MINUTES)) {
      throw new RangeError(
        `Cannot soak: MINUTES is ${process.env.MINUTES}, expected more than 0 and at most ${MAX_MINUTES}`,
      );
    }
    const built = prepareMachine();
    if (built.kind === 'missing') return { rows: [], void: built.reason };
    const soaked = await soakFor(MINUTES * 60_000, await preparePlayers('soak', CROWD));
    const faults = soakFaults(soaked, CROWD.lobbySize);
    return {
      rows: soakRows(soaked),
      void: faults.length > 0 ? faults.join('; ') : null,
      raw: { minutes: MINUTES, seed: SEED, ...soaked },
      versions: {
        packets: `one of ${CROWD.opusFrames} Opus frames every ${2 * intervalMs(CROWD)} ms`,
        scheduling: scheduling(),
        flat: `the median of the last third of the samples is at most ${MAX_GROWTH} times that of the second third`,
      },
    };
  },
};

async function soakFor(measureMs: Milliseconds, players: Players): Promise<Soaked> {
  const folder = mkdtempSync(join(tmpdir(), 'hotmic-soak-'));
  const order = {
    subject: 'hotmic',
    keys: players.keys,
    tls: null,
    sanctionsFile: join(folder, 'sanctions'),
  } as const;
  const relay = await startProcess(order, RELAY_CORE, ['--expose-gc']);
  const job: SoakJob = {
    url: `ws://127.0.0.1:${relay.port}/`,
    key: players.key,
    lobbies: CHURNED_LOBBIES,
    operationsPerSecond: OPERATIONS_PER_SECOND,
    seed: SEED,
  };
  const churn = new Worker(new URL('./worker.js', import.meta.url), { workerData: job });
  try {
    await once(churn, 'message');
    const samples: MemorySample[] = [];
    const over = new AbortController();
    let ended: string | null = null;
    let sampling: Promise<void> = Promise.resolve();
    const round = await talk(
      { relay, players, crowd: CROWD, isTls: false, core: GENERATOR_CORE },
      {
        warmUpMs: WARM_UP_MS,
        measureMs,
        talkspurtPackets: 40,
        seed: SEED,
        intervalMs: 2 * intervalMs(CROWD),
      },
      () => {
        const everyMs = Math.min(SAMPLE_EVERY_MS, measureMs / MIN_SAMPLES);
        sampling = sample(relay, everyMs, over.signal, samples).catch((error: Error) => {
          ended = error.message.split('\n')[0]!;
        });
      },
    );
    over.abort();
    await sampling;
    churn.postMessage('stop');
    const [report] = (await once(churn, 'message')) as [SoakReport];
    return { round, report, samples, ended };
  } finally {
    await churn.terminate();
    await relay.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Reads the relay's memory periodically, until `over` is aborted. */
async function sample(
  relay: RelayProcess,
  everyMs: Milliseconds,
  over: AbortSignal,
  samples: MemorySample[],
): Promise<void> {
  const startedAt = performance.now();
  for (let at = 1; ; at += 1) {
    const inMs = Math.max(0, startedAt + at * everyMs - performance.now());
    await sleep(inMs, undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) return;
    const memory = await relay.memory();
    // The generator has ended, so this is not the memory of a relay under load.
    if (over.aborted) return;
    samples.push({ atMs: performance.now() - startedAt, ...memory });
  }
}

/** The median of the last third divided by that of the second third; null with fewer than six samples. */
export function growth(values: readonly number[]): number | null {
  const third = Math.floor(values.length / 3);
  if (third < 2) return null;
  return median(values.slice(-third)) / median(values.slice(-2 * third, -third));
}

/** Why a soak is void; empty if it is valid. */
export function soakFaults({ round, report, samples, ended }: Soaked, lobbySize: number): string[] {
  const { heard, tally, done } = report;
  const faults: string[] = [];
  if (ended !== null) faults.push(ended);
  const fault = roundFault(round, lobbySize);
  if (fault !== null) faults.push(fault.detail);
  for (const what of LISTENER_FAULTS)
    if (heard[what] > 0) faults.push(`churning players: ${heard[what]} ${what}`);
  if (tally.resumesFailed > 0) faults.push(`${tally.resumesFailed} resumes failed`);
  for (const [what, times] of Object.entries(tally.unexpected)) faults.push(`${what}: ${times} times`);
  if (report.unsettled > 0) faults.push('a player was still joining or resuming after the end');
  const idle = Object.entries({
    ...done,
    'talk while muted': tally.spokenMuted,
    hear: heard.fromPlayers,
    resume: tally.resumed,
  })
    .filter(([, times]) => times === 0)
    .map(([what]) => what);
  if (idle.length > 0) faults.push(`never happened: ${idle.join(', ')}`);
  for (const what of ['resident', 'heapUsed'] as const) {
    const grown = growth(samples.map((one) => one[what]));
    if (grown === null) faults.push('too few samples of memory');
    else if (grown > MAX_GROWTH)
      faults.push(`${what} grew to ${grown.toFixed(3)} times, expected at most ${MAX_GROWTH}`);
  }
  return faults;
}

export function soakRows({ round, report, samples }: Soaked): Row[] {
  const { done, tally, heard, elapsedMs } = report;
  const rows: Row[] = [];
  const add = (subject: string, name: string, metric: string, unit: string, value: number) => {
    rows.push(row(subject, name, metric, unit, [value]));
  };
  const voice = (metric: string, value: number) => add('hotmic', 'voice', metric, '', value);
  voice('frames checked by the generator', round.deliveries);
  for (const what of ['lost', 'doubled', 'reordered', 'foreign', 'damaged', 'closed'] as const)
    voice(`${what} at the generator`, round[what]);
  voice("talkers' frames checked by churning players", heard.fromTalkers);
  voice('lost, doubled or reordered at churning players', heard.lost + heard.doubled + heard.reordered);
  voice('frames heard from channels and whispers', heard.fromPlayers);
  voice('frames sent while muted', tally.spokenMuted);
  voice('frames heard from muted players', heard.ofTheMuted);
  voice('frames heard while deafened', heard.byTheDeafened);
  voice('frames heard outside the channel, or from unknown slots', heard.outsideChannel + heard.ofNobody);
  for (const [operation, times] of Object.entries(done)) add('hotmic', 'operations', operation, '', times);
  const all = Object.values(done).reduce((sum, times) => sum + times, 0);
  add('hotmic', 'operations', 'all', '/s', (1000 * all) / elapsedMs);
  add('hotmic', 'operations', 'resumed', '', tally.resumed);
  add('hotmic', 'operations', 'resumes failed', '', tally.resumesFailed);
  add('hotmic', 'operations', 'banned players refused', '', tally.bansEnforced);
  for (const [figure, metric] of [
    ['resident', 'resident'],
    ['heapUsed', 'V8 heap'],
  ] as const) {
    const values = samples.map((one) => one[figure] / 2 ** 20);
    if (values.length === 0) continue;
    add('hotmic', 'memory', `${metric} after one third`, 'MiB', values[Math.floor(values.length / 3)]!);
    add('hotmic', 'memory', `${metric} at the end`, 'MiB', values.at(-1)!);
    add('hotmic', 'memory', `${metric}, last third / second`, '×', growth(values) ?? Number.NaN);
  }
  add('hotmic', 'load', 'core utilization', '%', (100 * round.relayCpuMs) / round.elapsedMs);
  add('hotmic', 'load', 'due to delivered, p99', 'ms', round.latencyP99Us / 1000);
  add('generator', 'load', 'core utilization', '%', (100 * round.ownCpuMs) / round.elapsedMs);
  add('generator', 'load', 'sent after due time, p99', 'ms', round.lateP99Us / 1000);
  add('generator', 'load', 'sent more than 5 ms late', '%', (100 * round.late) / round.paced);
  return rows;
}

function median(values: readonly number[]): number {
  return row('', '', '', '', values).median;
}
