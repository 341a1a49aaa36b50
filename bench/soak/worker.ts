/** The thread of the churning players in the soak: performs operations and sends frames at a fixed rate until it is stopped. */

import { parentPort, workerData } from 'node:worker_threads';
import type { TokenJwk } from '../../relay/admission/token_keys.js';
import { SeededRandom } from '../../test/kit/random.js';
import type { Milliseconds } from '../../voice/units.js';
import { Churn, type Operation } from './churn.js';
import { type ListenerCounts, newListenerCounts } from './listener.js';
import { newPlayerTally, type PlayerTally } from './player.js';

export interface SoakJob {
  readonly url: string;
  readonly key: TokenJwk;
  readonly lobbies: number;
  readonly operationsPerSecond: number;
  readonly seed: number;
}

/** The report of the thread of churning players. */
export interface SoakReport {
  readonly elapsedMs: Milliseconds;
  readonly done: Readonly<Record<Operation, number>>;
  readonly tally: PlayerTally;
  readonly heard: ListenerCounts;
  /** 1 if a player was still joining or resuming long after the end. */
  readonly unsettled: number;
}

/** Interval between two frames of one player. */
const TALK_EVERY_MS = 250;
const TICK_MS = 10;
/** Time for the last resumes. */
const SETTLE_MS = 30_000;
const FIRST_ACCOUNT = 5_000_000;

const { url, key, lobbies, operationsPerSecond, seed } = workerData as SoakJob;
const tally = newPlayerTally();
const heard = newListenerCounts();
let accounts = FIRST_ACCOUNT;
const newAccount = () => accounts++;
const churn = new Churn({ url, key, tally, heard, newAccount }, lobbies, new SeededRandom(seed));

await churn.begin();
parentPort?.postMessage('begun');
const startedAt = performance.now();
let operations = 0;
let turns = 0;
const timer = setInterval(() => {
  const elapsedMs = performance.now() - startedAt;
  for (; operations < (elapsedMs / 1000) * operationsPerSecond; operations += 1) churn.step();
  for (; turns < (elapsedMs / TALK_EVERY_MS) * churn.playerCount; turns += 1) churn.talk();
}, TICK_MS);

parentPort?.once('message', async () => {
  clearInterval(timer);
  const elapsedMs = performance.now() - startedAt;
  const until = performance.now() + SETTLE_MS;
  while (churn.isUnsettled && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 50));
  churn.end();
  const unsettled = churn.isUnsettled ? 1 : 0;
  parentPort?.postMessage({ elapsedMs, done: churn.done, tally, heard, unsettled } satisfies SoakReport);
});
