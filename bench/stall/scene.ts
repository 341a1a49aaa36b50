/**
 * One scene of the benchmarks of staleness: talkers and healthy listeners at a relay, and one listener that gets into trouble for a while. All
 * processes are on one machine and share one clock: each frame says when it was sent.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { getPriority, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { monotonicMs } from '../../client/clock.js';
import type { TokenJwk } from '../../relay/admission/token_keys.js';
import { mintToken } from '../../relay/index.js';
import { personSteamId } from '../../voice/steam_id.js';
import { FRAME_MS, type Milliseconds } from '../../voice/units.js';
import { onCore } from '../load/core.js';
import type { TlsFiles } from '../load/generator.js';
import { quantile } from '../mouth/quantile.js';
import { type Row, row } from '../result.js';
import { openLine } from './lines.js';
import type { Heard, ListenerReport } from './listener.js';
import { kernelQueue, type Peer, type Server } from './servers.js';
import { ageOf, FIRST_TALKER, frameBy, LISTENER, type Line } from './wire.js';

/** How long the trouble lasts. */
export const TROUBLE_MS: Milliseconds = 20_000;
/** Before it. */
const BEFORE_MS: Milliseconds = 3000;
/** Older than this is stale: our relay's default. */
const STALE_MS: Milliseconds = 150;
const HEALTHY = 3;
const TALKERS_PRIORITY = -15;
const GENERATOR_CORE = 1;
const LOOK_EVERY_MS: Milliseconds = 250;
const LATE_MS: Milliseconds = 10;
/** A run is void if more of the frames than this were sent more than 10 ms late. It is then done again, at most so many times. */
const MAX_LATE_SHARE = 0.02;
const AGAIN = 4;

/** What the listener suffers. */
export interface Trouble {
  begin(listener: ChildProcess): void | Promise<void>;
  end(listener: ChildProcess): void | Promise<void>;
  /** How long to look afterwards. */
  readonly afterMs: Milliseconds;
}

export interface Scene {
  /** Its name in the results. */
  readonly name: string;
  readonly peer: Peer;
  readonly talkers: number;
  readonly tls: TlsFiles | null;
  readonly trouble: Trouble;
  /** Where the relay listens, and where the listener finds it. Default: 127.0.0.1. */
  readonly host?: { readonly listens: string; readonly found: string };
  /** What comes before the listener's command. Default: nothing. */
  readonly inside?: readonly string[];
}

/** A listener's process is stopped, and goes on. */
export const STOPPED: Trouble = {
  begin: (listener) => void listener.kill('SIGSTOP'),
  end: (listener) => void listener.kill('SIGCONT'),
  afterMs: 3000,
};

export interface Run {
  readonly case: string;
  readonly subject: string;
  readonly talkers: number;
  /** The oldest voice that reached the listener's application after the trouble, in ms. */
  readonly oldestMs: Milliseconds;
  /** Stale voice that came out of the socket after the trouble, in ms of voice per talker. */
  readonly staleVoiceMs: Milliseconds;
  /** From the end of the trouble until only voice in time comes. */
  readonly liveAfterMs: Milliseconds;
  /** The most that waited in the relay's kernel for one connection, in bytes. */
  readonly kernelQueueBytes: number;
  /** The age of frames at the listeners without trouble, p99. */
  readonly othersP99Ms: Milliseconds;
  readonly lateShare: number;
  /** Instants and ages at the stalled listener, from its begin, thinned out: for the plot. */
  readonly ages: readonly Heard[];
}

/** The keys of our relay. */
export interface Keys {
  readonly privateKey: TokenJwk;
  readonly keySet: unknown;
}

/** Plays the scenes, and each again whose talkers were late. */
export async function playAll(
  scenes: readonly Scene[],
  keepsAges: boolean,
  play: (scene: Scene, keepsAges: boolean) => Promise<Run>,
): Promise<{ readonly runs: Run[]; readonly repeated: number }> {
  const runs: Run[] = [];
  let repeated = 0;
  for (const scene of scenes) {
    let run = await play(scene, keepsAges);
    for (let again = 0; again < AGAIN && run.lateShare > MAX_LATE_SHARE; again++) {
      repeated += 1;
      run = await play(scene, keepsAges);
    }
    runs.push(run);
  }
  return { runs, repeated };
}

/** Why the runs are void, or null. */
export function voidOf(runs: readonly Run[]): string | null {
  const late = runs.filter(({ lateShare }) => lateShare > MAX_LATE_SHARE).length;
  return late > 0 ? `in ${late} of ${runs.length} runs the talkers were late` : null;
}

/**
 * This process talks, and hears what the healthy listeners hear: it must not wait for others. Only root may prefer it. Returns how to make it
 * like others again.
 */
export function preferTalkers(): () => void {
  const before = getPriority();
  try {
    setPriority(TALKERS_PRIORITY);
  } catch {
    // Then talkers who are late make the result void.
    return () => undefined;
  }
  return () => setPriority(before);
}

export async function play(one: Scene, { privateKey, keySet }: Keys, keepsAges: boolean): Promise<Run> {
  const server = await one.peer.start(one.tls, keySet, one.host?.listens ?? '127.0.0.1');
  const lines: Line[] = [];
  const tokenOf = (account: number) => tokenFor(account, privateKey);
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
    // What the listener has in hand when it is stopped, no relay can take back.
    await speech.untilBetweenFrames();
    const stalledAt = monotonicMs();
    await one.trouble.begin(listener);
    let queue = 0;
    while (monotonicMs() < stalledAt + TROUBLE_MS) {
      await sleep(LOOK_EVERY_MS);
      queue = Math.max(queue, kernelQueue(server.port));
    }
    const thawedAt = monotonicMs();
    await one.trouble.end(listener);
    await sleep(one.trouble.afterMs);
    const lateShare = await speech.stop();
    listener.send('report');
    const [{ heard, stale }] = (await once(listener, 'message')) as [ListenerReport];
    listener.kill('SIGKILL');
    const after = heard.filter(([at]) => at >= thawedAt);
    const old = after.filter(([, age]) => age > STALE_MS);
    const lastOldAt = old.at(-1)?.[0] ?? thawedAt;
    const inTime = after.find(([at, age]) => at >= lastOldAt && age <= STALE_MS);
    return {
      case: one.name,
      subject: one.peer.name,
      talkers: one.talkers,
      oldestMs: Math.max(0, ...after.map(([, age]) => age)),
      staleVoiceMs: ((stale + old.length) * FRAME_MS) / one.talkers,
      liveAfterMs: inTime ? inTime[0] - thawedAt : one.trouble.afterMs,
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
async function startListener(
  { peer, tls, host, inside = [] }: Scene,
  server: Server,
  token: string,
): Promise<ChildProcess> {
  const kind = peer.name === 'hotmic' ? 'client' : server.protocol;
  const file = fileURLToPath(new URL('./listener.js', import.meta.url));
  const url = new URL(server.url);
  if (host) url.hostname = host.found;
  const order = JSON.stringify({ kind, url: url.href, token });
  const [command, ...args] = [...inside, ...onCore(GENERATOR_CORE), process.execPath, file, order];
  const child = spawn(command!, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...(tls && { NODE_EXTRA_CA_CERTS: tls.certificate }) },
  });
  await once(child, 'message');
  return child;
}

/** Everyone talks, a frame each 20 ms; the talkers' frames come one after the other. */
function talk(talkers: readonly Line[]): {
  /** Stops it, and returns the share of frames that were late. */
  stop(): Promise<number>;
  /** Resolves half way between two frames. */
  untilBetweenFrames(): Promise<void>;
} {
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
    async untilBetweenFrames() {
      const sinceFrame = (monotonicMs() - began) % FRAME_MS;
      await sleep((1.5 * FRAME_MS - sinceFrame) % FRAME_MS);
    },
    async stop() {
      state = 'off';
      await ended;
      return late / sent;
    },
  };
}

/** At most one age per 20 ms, the largest, with instants from the trouble's begin. */
function thinned(heard: readonly Heard[], stalledAt: Milliseconds): Heard[] {
  const largest = new Map<number, Heard>();
  for (const [at, age] of heard) {
    const step = Math.floor((at - stalledAt) / FRAME_MS);
    if (age > (largest.get(step)?.[1] ?? -1))
      largest.set(step, [Math.round(at - stalledAt), Math.round(age)]);
  }
  return [...largest.values()].filter(([at]) => at > -500);
}

export function rowsOf(runs: readonly Run[]): Row[] {
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
