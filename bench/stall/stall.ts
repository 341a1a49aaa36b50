/**
 * A listener's process is stopped for 20 s and goes on: how old is the voice that it then plays, how much of it comes, and when does it hear
 * in time again? Ours beside a bare uWebSockets relay, ws, and the message servers that are installed.
 *
 * All processes are on one machine and share one clock: each frame says when it was sent.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, getPriority, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { monotonicMs } from '../../client/clock.js';
import type { TokenJwk } from '../../relay/admission/token_keys.js';
import { mintToken, newKey } from '../../relay/index.js';
import { personSteamId } from '../../voice/steam_id.js';
import { FRAME_MS, type Milliseconds } from '../../voice/units.js';
import { onCore } from '../load/core.js';
import { buildLoad, type TlsFiles } from '../load/generator.js';
import { quantile } from '../mouth/quantile.js';
import { type Row, row, type Trial } from '../result.js';
import { openLine } from './lines.js';
import type { Heard, ListenerReport } from './listener.js';
import { kernelQueue, PEERS, type Peer, type Server } from './servers.js';
import { ageOf, FIRST_TALKER, frameBy, LISTENER, type Line } from './wire.js';

const RUNS = 5;
export const STALL_MS: Milliseconds = 20_000;
/** Before the stall, and after it. */
const BEFORE_MS: Milliseconds = 3000;
const AFTER_MS: Milliseconds = 3000;
/** Older than this is stale: our relay's default. */
const STALE_MS: Milliseconds = 150;
const TALKERS = [1, 8];
const HEALTHY = 3;
const TALKERS_PRIORITY = -15;
const GENERATOR_CORE = 1;
const LOOK_EVERY_MS: Milliseconds = 250;
/** A run is void if more of the frames than this were sent more than 10 ms late. It is then done again, at most so many times. */
const MAX_LATE_SHARE = 0.02;
const AGAIN = 2;
const LATE_MS: Milliseconds = 10;

interface Case {
  readonly peer: Peer;
  readonly talkers: number;
  readonly tls: TlsFiles | null;
}

export interface Run {
  readonly case: string;
  readonly subject: string;
  readonly talkers: number;
  /** The oldest voice that reached the listener's application after the stall, in ms. */
  readonly oldestMs: Milliseconds;
  /** Stale voice that came out of the socket after the stall, in ms of voice per talker. */
  readonly staleVoiceMs: Milliseconds;
  /** From the end of the stall until only voice in time comes. */
  readonly liveAfterMs: Milliseconds;
  /** The most that waited in the relay's kernel for one connection, in bytes. */
  readonly kernelQueueBytes: number;
  /** The age of frames at the listeners that did not stall, p99. */
  readonly othersP99Ms: Milliseconds;
  readonly lateShare: number;
  /** Instants and ages at the stalled listener, from the stall's begin, thinned out: for the plot. */
  readonly ages: readonly Heard[];
}

export const stall: Trial = {
  name: 'stall',
  about: `a listener stopped for ${STALL_MS / 1000} s, ${TALKERS.join(' or ')} talkers, ${RUNS} runs`,
  async run() {
    if (availableParallelism() < 2)
      return { rows: [], void: 'this machine has one core, expected at least two' };
    const built = buildLoad();
    const tls = built.kind === 'built' ? built.tls : null;
    const skipped = tls ? [] : ['TLS: no certificate'];
    const peers = PEERS.filter((peer) => {
      const missing = peer.missing();
      if (missing !== null) skipped.push(missing);
      return missing === null;
    });
    const { privateKey, keySet } = await newKey('EdDSA', 'bench');
    const cases = TALKERS.flatMap((talkers) => [
      ...peers.filter((peer) => peer.tls !== 'tls-only').map((peer): Case => ({ peer, talkers, tls: null })),
      ...(tls
        ? peers.filter((peer) => peer.tls !== 'plain-only').map((peer): Case => ({ peer, talkers, tls }))
        : []),
    ]);
    const runs: Run[] = [];
    let repeated = 0;
    const priority = getPriority();
    preferTalkers(TALKERS_PRIORITY);
    for (let number = 0; number < RUNS; number++) {
      for (const one of cases) {
        let run = await runOnce(one, privateKey, keySet, number === 0);
        for (let again = 0; again < AGAIN && run.lateShare > MAX_LATE_SHARE; again++) {
          repeated += 1;
          run = await runOnce(one, privateKey, keySet, number === 0);
        }
        runs.push(run);
      }
    }
    preferTalkers(priority);
    const late = runs.filter(({ lateShare }) => lateShare > MAX_LATE_SHARE).length;
    return {
      rows: rowsOf(runs),
      void: late > 0 ? `in ${late} of ${runs.length} runs the talkers were late` : null,
      skipped: [
        ...skipped,
        ...(repeated > 0 ? [`${repeated} runs whose talkers were late, done again`] : []),
      ],
      raw: runs,
    };
  },
};

/** This process talks, and hears what the healthy listeners hear: it must not wait for others. Only root may prefer it. */
function preferTalkers(priority: number): void {
  try {
    setPriority(priority);
  } catch {
    // Then talkers who are late make the result void.
  }
}

function nameOf({ talkers, tls }: Case): string {
  return `${talkers} talker${talkers === 1 ? '' : 's'}, ${tls ? 'TLS' : 'plain'}`;
}

async function runOnce(one: Case, key: TokenJwk, keys: unknown, keepsAges: boolean): Promise<Run> {
  const server = await one.peer.start(one.tls, keys);
  const lines: Line[] = [];
  const tokenOf = (account: number) => tokenFor(account, key);
  try {
    const healthy: Milliseconds[] = [];
    for (let number = 0; number < HEALTHY; number++) {
      const account = LISTENER + 1 + number;
      const onFrame = (frame: Uint8Array) => healthy.push(ageOf(frame, monotonicMs()));
      lines.push(await openLine(server.protocol, server.url, account, await tokenOf(account), onFrame));
    }
    const talkers: Line[] = [];
    for (let number = 0; number < one.talkers; number++) {
      const account = FIRST_TALKER + number;
      const nothing = () => undefined;
      talkers.push(await openLine(server.protocol, server.url, account, await tokenOf(account), nothing));
    }
    lines.push(...talkers);
    const listener = await startListener(one, server, await tokenOf(LISTENER));
    const speech = talk(talkers);
    await sleep(BEFORE_MS);
    const stalledAt = monotonicMs();
    listener.kill('SIGSTOP');
    let queue = 0;
    while (monotonicMs() < stalledAt + STALL_MS) {
      await sleep(LOOK_EVERY_MS);
      queue = Math.max(queue, kernelQueue(server.port));
    }
    const thawedAt = monotonicMs();
    listener.kill('SIGCONT');
    await sleep(AFTER_MS);
    const lateShare = await speech.stop();
    listener.send('report');
    const [{ heard, stale }] = (await once(listener, 'message')) as [ListenerReport];
    listener.kill('SIGKILL');
    const after = heard.filter(([at]) => at >= thawedAt);
    const old = after.filter(([, age]) => age > STALE_MS);
    const lastOldAt = old.at(-1)?.[0] ?? thawedAt;
    const inTime = after.find(([at, age]) => at >= lastOldAt && age <= STALE_MS);
    return {
      case: nameOf(one),
      subject: one.peer.name,
      talkers: one.talkers,
      oldestMs: Math.max(0, ...after.map(([, age]) => age)),
      staleVoiceMs: ((stale + old.length) * FRAME_MS) / one.talkers,
      liveAfterMs: inTime ? inTime[0] - thawedAt : AFTER_MS,
      kernelQueueBytes: queue,
      othersP99Ms: quantile(healthy, 0.99),
      lateShare,
      ages: keepsAges ? thinned(heard, stalledAt) : [],
    };
  } finally {
    for (const line of lines) line.close();
    await server.close();
  }
}

function tokenFor(account: number, key: TokenJwk): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return mintToken({
    key,
    lobby: 'den',
    steamId: personSteamId(account).toString(),
    audience: 'hotmic',
    expiresAt: now + 3600,
    now,
  });
}

/** On the generator's core: so the relay is not in its way. */
async function startListener({ peer, tls }: Case, server: Server, token: string): Promise<ChildProcess> {
  const kind = peer.name === 'hotmic' ? 'client' : server.protocol;
  const file = fileURLToPath(new URL('./listener.js', import.meta.url));
  const order = JSON.stringify({ kind, url: server.url, token });
  const [command, ...args] = [...onCore(GENERATOR_CORE), process.execPath, file, order];
  const child = spawn(command!, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...(tls && { NODE_EXTRA_CA_CERTS: tls.certificate }) },
  });
  await once(child, 'message');
  return child;
}

/** Everyone talks, a frame each 20 ms; the talkers' frames come one after the other. */
function talk(talkers: readonly Line[]): { stop(): Promise<number> } {
  const began = monotonicMs();
  let state: 'on' | 'off' = 'on';
  let late = 0;
  let sent = 0;
  const ended = (async () => {
    for (let sequence = 0; state === 'on'; sequence++) {
      const due = began + sequence * FRAME_MS;
      const wait = due - monotonicMs();
      if (wait > 0) await sleep(wait);
      for (const [number, line] of talkers.entries()) {
        const now = monotonicMs();
        if (now - due > LATE_MS) late += 1;
        sent += 1;
        line.send(frameBy(FIRST_TALKER + number, sequence, now));
      }
    }
  })();
  return {
    async stop() {
      state = 'off';
      await ended;
      return late / sent;
    },
  };
}

/** At most one age per 20 ms, the largest, with instants from the stall's begin. */
function thinned(heard: readonly Heard[], stalledAt: Milliseconds): Heard[] {
  const largest = new Map<number, Heard>();
  for (const [at, age] of heard) {
    const step = Math.floor((at - stalledAt) / FRAME_MS);
    if (age > (largest.get(step)?.[1] ?? -1))
      largest.set(step, [Math.round(at - stalledAt), Math.round(age)]);
  }
  return [...largest.values()].filter(([at]) => at > -500);
}

function rowsOf(runs: readonly Run[]): Row[] {
  const rows: Row[] = [];
  const figures = [
    ['oldest heard', 'ms', ({ oldestMs }: Run) => oldestMs],
    ['stale voice', 'ms', ({ staleVoiceMs }: Run) => staleVoiceMs],
    ['live after', 'ms', ({ liveAfterMs }: Run) => liveAfterMs],
    ['kernel queue', 'bytes', ({ kernelQueueBytes }: Run) => kernelQueueBytes],
    ["others' p99", 'ms', ({ othersP99Ms }: Run) => othersP99Ms],
  ] as const;
  for (const name of new Set(runs.map((run) => run.case))) {
    for (const subject of new Set(runs.map((run) => run.subject))) {
      const each = runs.filter((run) => run.case === name && run.subject === subject);
      if (each.length === 0) continue;
      for (const [metric, unit, figure] of figures)
        rows.push(row(subject, name, metric, unit, each.map(figure)));
    }
  }
  return rows;
}
