/**
 * What a relay costs in which nobody speaks: the processor time of its whole process with ten silent people, on each of the libraries for the
 * sockets, beside the bare relay in the same run.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Milliseconds } from '../../voice/units.js';
import { isRealTime } from '../load/core.js';
import { buildLoad, join } from '../load/generator.js';
import { type Crowd, type Players, preparePlayers } from '../load/players.js';
import { type Row, row, type Trial } from '../result.js';
import { LIMIT, SUBJECTS, type Subject, startProcess } from './process.js';

const TURNS = 5;
const CROWD: Crowd = { lobbies: 1, lobbySize: 10, talkers: 0, opusFrames: 1 };
/** Until then V8 has compiled and collected what the start left. */
const SETTLE_MS: Milliseconds = 15_000;
const MEASURE_MS: Milliseconds = 30_000;
/** Without the C relay, which has no timer at all. */
export const IDLE_SUBJECTS = SUBJECTS.filter((subject) => subject !== LIMIT);
const RELAY_CORE = 0;
const GENERATOR_CORE = 1;

/** What the scheduler counted for all threads of a process. */
interface Scheduled {
  readonly runNs: number;
  /** How often one of them began to run. */
  readonly slices: number;
}

/** One subject, measured once; the difference of two readings. */
export interface IdleRun extends Scheduled {
  readonly subject: Subject;
  readonly elapsedMs: Milliseconds;
}

export const idle: Trial = {
  name: 'idle',
  about: `${CROWD.lobbySize} silent people in a lobby, ${MEASURE_MS / 1000} s per run, ${TURNS} runs of each subject in fresh processes`,
  async run() {
    const missing = availableParallelism() < 2 ? 'this machine has one core, expected at least two' : null;
    const built = missing === null ? buildLoad() : ({ kind: 'missing', reason: missing } as const);
    if (built.kind === 'missing') return { rows: [], void: built.reason };
    const players = await preparePlayers('idle', CROWD);
    const runs: IdleRun[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      const order = turn % 2 === 0 ? IDLE_SUBJECTS : [...IDLE_SUBJECTS].reverse();
      for (const subject of order) runs.push(await measureRun(subject, players));
    }
    return {
      rows: idleRows(runs),
      void: null,
      raw: { runs, realTime: isRealTime() },
      versions: {
        scheduling: isRealTime() ? 'ahead of other programs (SCHED_RR)' : 'like any other program',
      },
    };
  },
};

async function measureRun(subject: Subject, players: Players): Promise<IdleRun> {
  const relay = await startProcess({ subject, keys: players.keys, tls: null }, RELAY_CORE);
  try {
    await join({ relay, players, crowd: CROWD, isTls: false, core: GENERATOR_CORE });
    await sleep(SETTLE_MS);
    const began = performance.now();
    const before = scheduled(relay.pid);
    await sleep(MEASURE_MS);
    const after = scheduled(relay.pid);
    return {
      subject,
      elapsedMs: performance.now() - began,
      runNs: after.runNs - before.runNs,
      slices: after.slices - before.slices,
    };
  } finally {
    await relay.close();
  }
}

function scheduled(pid: number): Scheduled {
  const sum = { runNs: 0, slices: 0 };
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    // Time on a core, time waiting for one, and the number of slices.
    const [runNs = 0, , slices = 0] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8')
      .split(' ')
      .map(Number);
    sum.runNs += runNs;
    sum.slices += slices;
  }
  return sum;
}

export function idleRows(runs: readonly IdleRun[]): Row[] {
  const metric = (what: string, unit: string, figureOf: (run: IdleRun) => number) =>
    IDLE_SUBJECTS.map((subject) => {
      const own = runs.filter((run) => run.subject === subject);
      return row(subject, 'idle', what, unit, own.map(figureOf));
    });
  return [
    ...metric('CPU', 'ms/s', ({ runNs, elapsedMs }) => runNs / 1000 / elapsedMs),
    ...metric('slices', '/s', ({ slices, elapsedMs }) => (1000 * slices) / elapsedMs),
  ];
}
