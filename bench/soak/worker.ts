/** The thread of those who come and go in the soak: so many operations a second, and so many frames, until it is told to stop. */

import { parentPort, workerData } from 'node:worker_threads';
import type { TokenJwk } from '../../relay/admission/token_keys.js';
import { SeededRandom } from '../../test/kit/random.js';
import type { Milliseconds } from '../../voice/units.js';
import { Churn, type Operation } from './churn.js';
import { type EarCounts, newEarCounts } from './ear.js';
import { newSeatTally, type SeatTally } from './seat.js';

export interface SoakJob {
  readonly url: string;
  readonly key: TokenJwk;
  readonly lobbies: number;
  readonly operationsPerSecond: number;
  readonly seed: number;
}

/** What the thread of those who come and go reports. */
export interface SoakReport {
  readonly elapsedMs: Milliseconds;
  readonly done: Readonly<Record<Operation, number>>;
  readonly tally: SeatTally;
  readonly ears: EarCounts;
  /** 1 when somebody was still under way long after the end. */
  readonly unsettled: number;
}

/** Between two frames of one who talks. */
const TALK_EVERY_MS = 250;
const TICK_MS = 10;
/** How long the last resumes may take. */
const SETTLE_MS = 30_000;
const FIRST_ACCOUNT = 5_000_000;

const { url, key, lobbies, operationsPerSecond, seed } = workerData as SoakJob;
const tally = newSeatTally();
const ears = newEarCounts();
let accounts = FIRST_ACCOUNT;
const newAccount = () => accounts++;
const churn = new Churn({ url, key, tally, ears, newAccount }, lobbies, new SeededRandom(seed));

await churn.begin();
parentPort?.postMessage('begun');
const startedAt = performance.now();
let operations = 0;
let turns = 0;
const timer = setInterval(() => {
  const elapsedMs = performance.now() - startedAt;
  for (; operations < (elapsedMs / 1000) * operationsPerSecond; operations += 1) churn.step();
  for (; turns < (elapsedMs / TALK_EVERY_MS) * churn.seats; turns += 1) churn.talk();
}, TICK_MS);

parentPort?.once('message', async () => {
  clearInterval(timer);
  const elapsedMs = performance.now() - startedAt;
  const until = performance.now() + SETTLE_MS;
  while (churn.isUnderWay && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 50));
  churn.end();
  const unsettled = churn.isUnderWay ? 1 : 0;
  parentPort?.postMessage({ elapsedMs, done: churn.done, tally, ears, unsettled } satisfies SoakReport);
});
