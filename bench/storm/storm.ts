/**
 * A storm of reconnects: 5000 participants in 500 lobbies lose their connections within 10 s and resume. Two participants per lobby stay
 * connected, and in every fifth lobby one of them talks. What they hear is checked frame by frame.
 *
 * The relay runs in a separate process, started as an operator does, with tokens and all checks. The reconnecting participants run on
 * another thread, so that they do not delay the talkers.
 */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Row, row, type Trial } from '../result.js';
import { helloWith, MAX_LATE_MS, Member, TALK_EVERY_MS } from './member.js';
import { TokenRelay } from './relay.js';

const LOBBIES = 500;
const STORMING_PER_LOBBY = 10;
const TALKING_LOBBIES = 100;
const STORM_MS = 10_000;
const ROUNDS = 3;
/** Above this share of frames sent more than MAX_LATE_MS after they were due, the machine was too busy to measure. */
const MAX_LATE_SHARE = 0.01;

/** The report of the thread of reconnecting participants. */
export interface StormReport {
  readonly resumed: number;
  /** Resumes that were refused, or took longer than the place is kept. */
  readonly failed: number;
  /** Resumes that changed the slot. */
  readonly moved: number;
  /** From the cut to the welcome, in ms. */
  readonly resumeMs: readonly number[];
}

interface Round {
  readonly report: StormReport;
  readonly sent: number;
  readonly late: number;
  readonly heard: number;
  /** Frames lost, doubled or reordered for those who stayed. */
  readonly wrong: number;
  /** `left` or `joined` messages about participants who were only away. */
  readonly leftOrJoined: number;
  /** From publishing to the listener for those who stayed, in the storm and just before it. */
  readonly stormMs: readonly number[];
  readonly calmMs: readonly number[];
}

export const storm: Trial = {
  name: 'storm',
  about:
    `${LOBBIES * STORMING_PER_LOBBY} participants reconnect within ${STORM_MS / 1000} s and resume, ` +
    `${LOBBIES * 2} stay, ${TALKING_LOBBIES} of them talk; ${ROUNDS} rounds`,
  async run() {
    const rounds: Round[] = [];
    for (let n = 0; n < ROUNDS; n += 1) rounds.push(await runRound());
    return report(rounds);
  },
};

async function runRound(): Promise<Round> {
  const relay = await TokenRelay.start();
  try {
    const stormer = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: {
        url: relay.url,
        key: relay.key,
        lobbies: LOBBIES,
        perLobby: STORMING_PER_LOBBY,
        stormMs: STORM_MS,
      },
    });
    const [ready] = (await once(stormer, 'message')) as ['ready'];
    if (ready !== 'ready')
      throw new Error(`Cannot start the storm: its thread sent ${String(ready)}, expected ready`);

    const tally = { sent: 0, late: 0 };
    const members: Member[] = [];
    for (let lobby = 0; lobby < LOBBIES; lobby += 1) {
      for (const place of [0, 1]) {
        const account = 1_000_000 + lobby * 2 + place;
        members.push(await Member.join(relay.url, await helloWith(relay.key, account, `lobby ${lobby}`)));
      }
    }
    const talkers = members.filter((_, at) => at % 2 === 0).slice(0, TALKING_LOBBIES);
    const stopTalking = talk(talkers, tally);
    await pause(3000);
    const calm = members.flatMap((member) => member.takeDelays());
    for (const member of members) member.countFromNow();
    stormer.postMessage('go');
    const [report] = (await once(stormer, 'message')) as [StormReport];
    const inStorm = members.flatMap((member) => member.takeDelays());
    stopTalking();
    await pause(1000);
    const wrong = members.reduce((sum, member) => sum + member.wrong, 0) + missingTails(members, talkers);
    const round = {
      report,
      ...tally,
      heard: members.reduce((sum, member) => sum + member.heard, 0),
      wrong,
      leftOrJoined: members.reduce((sum, member) => sum + member.leftOrJoined, 0),
      stormMs: inStorm,
      calmMs: calm,
    };
    for (const member of members) member.close();
    await stormer.terminate();
    return round;
  } finally {
    await relay.end();
  }
}

/** Listeners who did not hear a talker's last frame. */
function missingTails(members: readonly Member[], talkers: readonly Member[]): number {
  let missing = 0;
  for (const talker of talkers) {
    const listener = members[members.indexOf(talker) + 1]!;
    if (listener.lastSequence !== talker.lastSent) missing += 1;
  }
  return missing;
}

/** Talkers send on a schedule that does not drift; frames sent late are counted. */
function talk(talkers: readonly Member[], tally: { sent: number; late: number }): () => void {
  const startedAt = performance.now();
  let due = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    for (; ; due += 1) {
      const dueAt = startedAt + (due * TALK_EVERY_MS) / talkers.length;
      if (dueAt > now) return;
      if (now - dueAt > MAX_LATE_MS) tally.late += 1;
      tally.sent += 1;
      talkers[due % talkers.length]!.talk();
    }
  }, 1);
  return () => clearInterval(timer);
}

function report(rounds: readonly Round[]): { rows: Row[]; void: string | null } {
  const each = (name: string, unit: string, value: (round: Round) => number) =>
    row('hotmic', 'storm', name, unit, rounds.map(value));
  const late = Math.max(...rounds.map(({ late, sent }) => late / sent));
  return {
    rows: [
      each('resumed', '', ({ report }) => report.resumed),
      each('not resumed', '', ({ report }) => report.failed),
      each('resumed under another slot', '', ({ report }) => report.moved),
      each('cut to welcome, p50', 'ms', ({ report }) => percentile(report.resumeMs, 0.5)),
      each('cut to welcome, p99', 'ms', ({ report }) => percentile(report.resumeMs, 0.99)),
      each('frames heard by those who stayed', '', ({ heard }) => heard),
      each('lost, doubled or reordered', '', ({ wrong }) => wrong),
      each('left or joined instead of away', '', ({ leftOrJoined }) => leftOrJoined),
      each('publish to listener in the storm, p50', 'ms', ({ stormMs }) => percentile(stormMs, 0.5)),
      each('publish to listener in the storm, p99', 'ms', ({ stormMs }) => percentile(stormMs, 0.99)),
      each('publish to listener before, p99', 'ms', ({ calmMs }) => percentile(calmMs, 0.99)),
    ],
    void:
      late > MAX_LATE_SHARE
        ? `${(100 * late).toFixed(1)} % of frames were sent more than ${MAX_LATE_MS} ms late, expected at most 1 %`
        : null,
  };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
