/**
 * A soak: the relay at half the load of `make bench ONLY=relay`, for MINUTES (10 by default), and every frame checked at every
 * listener; meanwhile others come and go in the same lobbies, talk to channels and whisper, break their connections and resume, and
 * are muted, deafened, kicked and banned. Nothing may go astray, and the relay's memory has to stay flat.
 *
 * Relay and generator have a core each; those who come and go are on a thread of this process.
 */

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Milliseconds } from '../../voice/units.js';
import { buildLoad, type Round, talk } from '../relay/load.js';
import { type Crowd, intervalMs, type Players, preparePlayers } from '../relay/players.js';
import { isRealTime, type Memory, type RelayProcess, startProcess } from '../relay/process.js';
import { roundFault } from '../relay/relay.js';
import { type Row, row, type Trial } from '../result.js';
import { EAR_FAULTS } from './ear.js';
import type { SoakJob, SoakReport } from './worker.js';

const CROWD: Crowd = { lobbies: 400, lobbySize: 10, talkers: 2, opusFrames: 5 };
const CHURNED_LOBBIES = 40;
const OPERATIONS_PER_SECOND = 20;
const SEED = Number(process.env.HOTMIC_SEED ?? 6);
const MINUTES = Number(process.env.MINUTES ?? 10);
/** As long as a token lives, less what joining takes. */
const MAX_MINUTES = 300;
const WARM_UP_MS: Milliseconds = 4000;
const [RELAY_CORE, GENERATOR_CORE] = [0, 1];

/** The relay's memory is read so often, and in a shorter soak at least this many times. */
const SAMPLE_EVERY_MS: Milliseconds = 30_000;
const MIN_SAMPLES = 18;
/** Flat: the median of the last third of the samples is at most so many times that of the second third. */
const MAX_GROWTH = 1.05;

export type MemorySample = Memory & { readonly atMs: Milliseconds };

export interface Soaked {
  readonly round: Round;
  readonly report: SoakReport;
  readonly samples: readonly MemorySample[];
  /** Why the relay could not be asked for its memory any more, or null. */
  readonly ended: string | null;
}

export const soak: Trial = {
  name: 'soak',
  about:
    `${CROWD.lobbies} lobbies of ${CROWD.lobbySize} with ${CROWD.talkers} talkers at half load for ${MINUTES} min, ` +
    `${OPERATIONS_PER_SECOND} operations a second in ${CHURNED_LOBBIES} of them, seed ${SEED} (MINUTES, HOTMIC_SEED)`,
  async run() {
    if (!(MINUTES > 0 && MINUTES <= MAX_MINUTES)) {
      throw new RangeError(`Cannot soak: MINUTES is ${process.env.MINUTES}, wants up to ${MAX_MINUTES}`);
    }
    const built = buildLoad();
    if (built.kind === 'missing') return { rows: [], void: built.reason };
    if (availableParallelism() < 2) return { rows: [], void: 'this machine has one core, wants two' };
    const soaked = await soakFor(MINUTES * 60_000, await preparePlayers('soak', CROWD));
    const faults = soakFaults(soaked, CROWD.lobbySize);
    return {
      rows: soakRows(soaked),
      void: faults.length > 0 ? faults.join('; ') : null,
      raw: { minutes: MINUTES, seed: SEED, ...soaked },
      versions: {
        packets: `one of ${CROWD.opusFrames} Opus frames every ${2 * intervalMs(CROWD)} ms`,
        scheduling: isRealTime() ? 'ahead of other programs (SCHED_RR)' : 'as any other program',
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

/** Reads the relay's memory again and again, until it is told to end. */
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
    // The generator has gone meanwhile: it is not the memory of a relay at work.
    if (over.aborted) return;
    samples.push({ atMs: performance.now() - startedAt, ...memory });
  }
}

/** How many times the second third's median the last third's is; null with fewer than six samples. */
export function growth(values: readonly number[]): number | null {
  const third = Math.floor(values.length / 3);
  if (third < 2) return null;
  return median(values.slice(-third)) / median(values.slice(-2 * third, -third));
}

/** Why a soak does not count; empty when it does. */
export function soakFaults({ round, report, samples, ended }: Soaked, lobbySize: number): string[] {
  const { ears, tally, done } = report;
  const faults: string[] = [];
  if (ended !== null) faults.push(ended);
  const fault = roundFault(round, lobbySize);
  if (fault !== null) faults.push(fault.detail);
  for (const what of EAR_FAULTS)
    if (ears[what] > 0) faults.push(`those who come and go: ${ears[what]} ${what}`);
  if (tally.resumesFailed > 0) faults.push(`${tally.resumesFailed} resumes failed`);
  for (const [what, times] of Object.entries(tally.unexpected)) faults.push(`${times} times ${what}`);
  if (report.unsettled > 0) faults.push('somebody was still on the way in after the end');
  const idle = Object.entries({
    ...done,
    'talk while muted': tally.spokenMuted,
    hear: ears.heard,
    resume: tally.resumed,
  })
    .filter(([, times]) => times === 0)
    .map(([what]) => what);
  if (idle.length > 0) faults.push(`not once: ${idle.join(', ')}`);
  for (const what of ['resident', 'heapUsed'] as const) {
    const grown = growth(samples.map((one) => one[what]));
    if (grown === null) faults.push('too few samples of memory');
    else if (grown > MAX_GROWTH)
      faults.push(`${what} grew ${grown.toFixed(3)} times, wants at most ${MAX_GROWTH}`);
  }
  return faults;
}

export function soakRows({ round, report, samples }: Soaked): Row[] {
  const { done, tally, ears, elapsedMs } = report;
  const rows: Row[] = [];
  const add = (subject: string, name: string, metric: string, unit: string, value: number) => {
    rows.push(row(subject, name, metric, unit, [value]));
  };
  const voice = (metric: string, value: number) => add('hotmic', 'voice', metric, '', value);
  voice('frames checked at the players', round.deliveries);
  for (const what of ['lost', 'doubled', 'reordered', 'foreign', 'damaged', 'closed'] as const)
    voice(`${what} at the players`, round[what]);
  voice("talkers' frames checked at those who come and go", ears.followed);
  voice('lost, doubled or reordered there', ears.lost + ears.doubled + ears.reordered);
  voice('frames to channels and whispered, heard', ears.heard);
  voice('frames sent by the muted', tally.spokenMuted);
  voice('frames of the muted heard', ears.ofTheMuted);
  voice('heard by the deafened', ears.byTheDeafened);
  voice('heard outside the channel, or of nobody', ears.outsideChannel + ears.ofNobody);
  for (const [operation, times] of Object.entries(done)) add('hotmic', 'operations', operation, '', times);
  const all = Object.values(done).reduce((sum, times) => sum + times, 0);
  add('hotmic', 'operations', 'all', '/s', (1000 * all) / elapsedMs);
  add('hotmic', 'operations', 'resumed', '', tally.resumed);
  add('hotmic', 'operations', 'resumes that failed', '', tally.resumesFailed);
  add('hotmic', 'operations', 'bans that held', '', tally.bansHeld);
  for (const [figure, metric] of [
    ['resident', 'resident'],
    ['heapUsed', "V8's heap"],
  ] as const) {
    const values = samples.map((one) => one[figure] / 2 ** 20);
    if (values.length === 0) continue;
    add('hotmic', 'memory', `${metric} after a third`, 'MiB', values[Math.floor(values.length / 3)]!);
    add('hotmic', 'memory', `${metric} at the end`, 'MiB', values.at(-1)!);
    add('hotmic', 'memory', `${metric}, last third / second`, '×', growth(values) ?? Number.NaN);
  }
  add('hotmic', 'load', 'its core in use', '%', (100 * round.relayCpuMs) / round.elapsedMs);
  add('hotmic', 'load', 'from due to delivered, p99', 'ms', round.latencyP99Us / 1000);
  add('generator', 'load', 'its core in use', '%', (100 * round.ownCpuMs) / round.elapsedMs);
  add('generator', 'load', 'left after it was due, p99', 'ms', round.lateP99Us / 1000);
  add('generator', 'load', 'left more than 5 ms late', '%', (100 * round.late) / round.paced);
  return rows;
}

function median(values: readonly number[]): number {
  return row('', '', '', '', values).median;
}
