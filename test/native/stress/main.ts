/**
 * The addon under stress, in one process over a stand-in for libsteam_api: `node main.js LIBRARY CALLS WORKERS ROUNDS KILLS SEED`.
 *
 * Eight workers call getVoice, decode, make and cancel tickets, while others open and close and some are killed in the middle;
 * Steam is opened and shut down again and again. `make asan` and `make ubsan` run it instrumented. It prints what was
 * done, in JSON, and exits with 1 where the counts do not add up.
 */

import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { loadAddon } from '../../../native/real/addon.js';
import { openRealSteam } from '../../../native/real/open.js';
import { SeededRandom } from '../../kit/random.js';
import type { Control } from '../../kit/stand_in_steam.js';
import type { StressJob, StressReport } from './worker.js';

const [library = '', calls = '100000', workers = '8', rounds = '100', kills = '200', seed = '1'] =
  process.argv.slice(2);
const random = new SeededRandom(Number(seed));
const WORKER = new URL('./worker.js', import.meta.url);

function start(job: StressJob): { worker: Worker; done: Promise<StressReport | null> } {
  const worker = new Worker(WORKER, { workerData: job });
  const done = new Promise<StressReport | null>((resolve, reject) => {
    let report: StressReport | null = null;
    worker.on('message', (message: StressReport | 'open') => {
      if (message !== 'open') report = message;
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve(report));
  });
  return { worker, done };
}

function open() {
  const opened = openRealSteam({ library, appId: 480 });
  if (opened.kind === 'failed') throw new Error(`${opened.stage}: ${opened.text}`);
  return opened.steam;
}

/** Open and shut down, with something done in between. */
let inits = 0;
for (let round = 0; round < Number(rounds); round++) {
  const steam = open();
  steam.getSteamID();
  steam.getAuthSessionTicket(0n);
  steam.startVoiceRecording();
  steam.runCallbacks();
  steam.close();
  steam.close();
  inits += 1;
}

/** From now on there is always a packet. */
const { control } = createRequire(import.meta.url)(join(dirname(library), '../control.node')) as {
  control: Control;
};
control(library, 'voice repeat 700');

/** Workers that are left to finish, and workers that are killed at random. */
const steam = open();
const job: StressJob = { library, calls: Math.ceil(Number(calls) / Number(workers)), seed: Number(seed) };
const kept = Array.from({ length: Number(workers) }, (_, n) => start({ ...job, seed: job.seed + n }));
let killed = 0;
let callbacks = 0;
let isOver = false;
const all = Promise.all(kept.map(({ done }) => done)).finally(() => {
  isOver = true;
});
await Promise.all(
  Array.from({ length: 3 }, async () => {
    while (!isOver || killed < Number(kills)) {
      const victim = start({ ...job, seed: random.below(2 ** 31), calls: 1_000_000_000 });
      await once(victim.worker, 'message');
      for (let frames = random.below(20); frames > 0; frames--) {
        callbacks += steam.runCallbacks().length;
        await new Promise((resolve) => setImmediate(resolve));
      }
      await victim.worker.terminate();
      killed += 1;
      callbacks += steam.runCallbacks().length;
    }
  }),
);
const reports = await all;
const sum = (name: keyof StressReport) => reports.reduce((total, report) => total + (report?.[name] ?? 0), 0);

const loaded = loadAddon();
if (loaded.kind === 'missing') throw new Error(loaded.reason);
const held = loaded.addon.counts();
const seen = JSON.parse(control(library, 'counts')) as Record<string, number>;
steam.close();
const left = loaded.addon.counts();
const result = {
  inits,
  getVoice: sum('getVoice'),
  packets: sum('packets'),
  decoded: sum('decoded'),
  tickets: sum('tickets'),
  callbacks,
  killed,
  voiceThreads: seen.voiceThreads,
  overlaps: [seen.voiceOverlaps, seen.decompressOverlaps, seen.dispatchOverlaps],
  held: { environments: held.environments, tickets: held.tickets, sessions: held.sessions },
  left: { environments: left.environments, library: left.library },
};
console.log(JSON.stringify(result));
const isRight =
  result.getVoice >= Number(calls) &&
  result.packets > 0 &&
  result.decoded > 0 &&
  result.overlaps.every((count) => count === 0) &&
  held.environments === 1 &&
  held.tickets === 0 &&
  left.environments === 0 &&
  left.library === null;
process.exitCode = isRight ? 0 : 1;
