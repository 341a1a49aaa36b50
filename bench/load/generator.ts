/**
 * Builds the load generator, bench/load/main.cpp, and runs it against a relay. Nothing here is measured: the generator has its own process, so
 * that no garbage collection delays it.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join as joinPath } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Milliseconds } from '../../voice/units.js';
import { onCore } from './core.js';
import { type Crowd, intervalMs, type Players } from './players.js';

/** Where the benchmarks keep the generator, its certificate and the players. */
export const LOAD_FOLDER = 'out/bench/relay';

/** A certificate and its key, both in PEM. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/** The result of one round, as printed by bench/load/measures.hpp. */
export interface Round {
  readonly elapsedMs: number;
  /** Processor time of the relay's process and of the generator. */
  readonly relayCpuMs: number;
  readonly ownCpuMs: number;
  /** Voice frames sent, and their deliveries to listeners. */
  readonly sent: number;
  readonly deliveries: number;
  /** Control messages received: who is speaking. */
  readonly controls: number;
  readonly frameBytes: number;
  /** Scheduled voice frames, and those sent more than 5 ms after they were due. */
  readonly paced: number;
  readonly late: number;
  readonly lateP99Us: number;
  readonly lateMaxUs: number;
  /** From the due time of a frame until a listener has it. */
  readonly latencyP50Us: number;
  readonly latencyP99Us: number;
  readonly latencyMaxUs: number;
  /** These cover the whole run, not only the time that counts. */
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly foreign: number;
  readonly damaged: number;
  /** From a talker who was not in the listener's hearing set. */
  readonly outside?: number;
  /** Not published by the relay, because the talker was too late or too fast; counted at each listener. */
  readonly withheld?: number;
  /** Messages about hearing sets, in the time that counts. */
  readonly hears?: number;
  readonly blocked: number;
  readonly closed: number;
}

/** What older results do not have. */
export interface TroubledRound extends Round {
  /** In the time that counts: acknowledgements sent, and heartbeats received. */
  readonly acknowledgements: number;
  readonly heartbeats: number;
  /** In the time that counts: how often a listener stopped reading, left, and was in again. */
  readonly stalls: number;
  readonly leaves: number;
  readonly rejoins: number;
  /** These cover the whole run. How often a listener was parked, and the frames that it did not get then. */
  readonly parks: number;
  readonly skipped: number;
  /** Frames that stalling and slow listeners did not get. */
  readonly missed: number;
  /** Stale frames that were read after stalls, and the most after one of them. */
  readonly staleFrames: number;
  readonly mostStaleFrames: number;
}

/** What joining took, as the generator saw it: at most 64 connections join at the same time. */
export interface Joined {
  readonly joined: number;
  /** From the first connection to the last welcome. */
  readonly joinMs: number;
  /** From a connection's begin to its welcome with all pages. */
  readonly joinP50Us: number;
  readonly joinP99Us: number;
  readonly joinMaxUs: number;
  /** Control messages that all connections got until then. */
  readonly joinMessages: number;
  /** The longest welcome, with all pages. */
  readonly welcomeBytes: number;
}

/** A line of progress: the last second. */
export interface Progress {
  readonly atMs: Milliseconds;
  readonly sent: number;
  readonly deliveries: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Listeners that are parked now, and connections that were closed so far. */
  readonly parked: number;
  readonly closed: number;
}

/** Values in µs, rounded to three digits, and how often each occurred. */
export type Recorded = readonly (readonly [us: number, count: number])[];

export const RECORDED = [
  'lateness',
  'latency',
  'age',
  'joining',
  'rejoining',
  'liveAfter',
  'parked',
] as const;

export interface Details {
  readonly histograms: Readonly<Record<(typeof RECORDED)[number], Recorded>>;
  /** Why connections were closed, and how many. */
  readonly reasons: readonly (readonly [why: string, times: number])[];
}

/** Whether the generator could be built, and whether it supports TLS. */
export type Built =
  | {
      readonly kind: 'built';
      readonly program: string;
      readonly tls: TlsFiles | null;
      readonly withoutTls: string;
    }
  | { readonly kind: 'missing'; readonly reason: string };

/** Where the sources are: in this repository, or in the package. This file runs as dist/bench/load/generator.js. */
export const LOAD_SOURCES = fileURLToPath(new URL('../../../bench/load/', import.meta.url));

/** Compiles the generator for the benchmarks, and creates a certificate for their relays. */
export function buildLoad(): Built {
  const compiled = compileLoad(LOAD_FOLDER, 'may-install');
  return compiled.kind === 'missing' ? compiled : withCertificate(compiled, LOAD_FOLDER);
}

/** The generator, and why it has no TLS, or null. */
export type CompiledLoad =
  | { readonly kind: 'compiled'; readonly program: string; readonly withoutTls: string | null }
  | { readonly kind: 'missing'; readonly reason: string };

/** Compiles it into `folder`. */
export function compileLoad(folder: string, mayInstall: 'may-install' | 'installs-nothing'): CompiledLoad {
  const missing = (reason: string) => ({ kind: 'missing', reason }) as const;
  if (process.platform !== 'linux') return missing('the load generator needs Linux');
  const env = { ...process.env, ...(mayInstall === 'installs-nothing' && { HOTMIC_NO_INSTALL: '1' }) };
  const script = joinPath(LOAD_SOURCES, 'build.sh');
  const built = spawnSync('sh', [script, folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  });
  if (built.status !== 0) return missing(`no load generator: ${built.stderr.trim().slice(0, 500)}`);
  const lastLine = built.stdout.trim().split('\n').at(-1) ?? '';
  const withoutTls = lastLine === 'tls' ? null : lastLine.replace(/^plain: /, '');
  return { kind: 'compiled', program: joinPath(folder, 'load'), withoutTls };
}

/** Creates a certificate in `folder`, for relays on this machine. */
export function withCertificate(
  { program, withoutTls }: Extract<CompiledLoad, { kind: 'compiled' }>,
  folder: string,
): Built {
  if (withoutTls !== null) return { kind: 'built', program, tls: null, withoutTls };
  const tls = { certificate: joinPath(folder, 'cert.pem'), key: joinPath(folder, 'key.pem') };
  const args =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 7 -subj /CN=localhost';
  const made = spawnSync('openssl', [...args.split(' '), '-keyout', tls.key, '-out', tls.certificate], {
    encoding: 'utf8',
  });
  if (made.status === 0) return { kind: 'built', program, tls, withoutTls: '' };
  return { kind: 'built', program, tls: null, withoutTls: 'no certificate: openssl is missing or failed' };
}

export interface Timing {
  readonly warmUpMs: Milliseconds;
  readonly measureMs: Milliseconds;
  /** Packets from a marker to its terminator. The next talkspurt begins at once. */
  readonly talkspurtPackets: number;
  readonly seed: number;
  /** Interval between packets. Default: the duration of a packet. */
  readonly intervalMs?: Milliseconds;
  /** Whether the talkers speak one after the other, a talkspurt each. Default: all at the same time. */
  readonly turns?: 'in-turn' | 'together';
}

/** The arguments that `timing` stands for. `pid` is the relay's, or 0 if it runs elsewhere. */
export function timingArguments(crowd: Crowd, timing: Timing, pid: number): Record<string, string | number> {
  return {
    talkers: crowd.talkers,
    interval_us: (timing.intervalMs ?? intervalMs(crowd)) * 1000,
    talkspurt: timing.talkspurtPackets,
    turns: timing.turns === 'in-turn' ? 1 : 0,
    warmup_ms: timing.warmUpMs,
    measure_ms: timing.measureMs,
    relay_pid: pid,
    seed: timing.seed,
  };
}

/** A generator that runs. */
export class Generator {
  readonly #child: ChildProcess;
  /** Settles with its exit. Rejects if it ended without a result. */
  readonly ended: Promise<{ joined: Joined; details: Details | null; round: TroubledRound }>;
  /** Resolves when everyone is in. Rejects if it ends before that. */
  readonly joined: Promise<Joined>;

  /** `command` is the generator with what comes before it. */
  constructor(
    command: readonly string[],
    args: Readonly<Record<string, string | number>>,
    onProgress: (progress: Progress) => void = () => undefined,
  ) {
    const [program, ...before] = command;
    const named = Object.entries(args).map(([name, value]) => `${name}=${value}`);
    this.#child = spawn(program!, [...before, ...named], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdin!.on('error', () => undefined);
    let errors = '';
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-2000);
    });
    const exit = once(this.#child, 'close');
    const failed = exit.then(([code]) => {
      throw new Error(`the generator ended with ${code}: ${errors.trim()}`);
    });
    const lines = createInterface({ input: this.#child.stdout! });
    let details: Details | null = null;
    let round: TroubledRound | null = null;
    const joined = new Promise<Joined>((resolve) => {
      lines.on('line', (line) => {
        const read = JSON.parse(line) as object;
        if ('joined' in read) resolve(read as Joined);
        else if ('atMs' in read) onProgress(read as Progress);
        else if ('histograms' in read) details = read as Details;
        else round = read as TroubledRound;
      });
    });
    this.joined = Promise.race([joined, failed]);
    this.ended = this.joined.then(async (joined) => {
      await exit;
      return round === null ? failed : { joined, details, round };
    });
    for (const one of [this.joined, this.ended, failed, exit]) one.catch(() => undefined);
  }

  /** A link that was cut is whole again: from now on it measures when each listener hears in time again. */
  healed(): void {
    this.#child.stdin!.write('healed\n');
  }

  /** Ends it without a result, if it still runs. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'close');
  }
}

interface Against {
  readonly relay: { readonly pid: number; readonly port: number };
  readonly players: Players;
  readonly crowd: Crowd;
  readonly isTls: boolean;
  readonly core: number;
}

/** Joins all players, talks, and checks everything received. `onJoined` is called when all are in, before anyone talks. */
export async function talk(
  against: Against,
  timing: Timing,
  onJoined: () => void = () => {},
): Promise<Round & Joined> {
  const generator = start(against, timingArguments(against.crowd, timing, against.relay.pid));
  try {
    await generator.joined;
    onJoined();
    const { joined, round } = await generator.ended;
    return { ...joined, ...round };
  } catch (cause) {
    throw new Error(`Cannot measure: ${(cause as Error).message}`, { cause });
  }
}

/** Joins all players without talking. Resolves when they are in. They stay until the relay ends. */
export async function join(against: Against): Promise<void> {
  await start(against, { talkers: 0, seed: 1 }).joined;
}

function start(
  { relay, players, crowd, isTls, core }: Against,
  more: Readonly<Record<string, string | number>>,
): Generator {
  return new Generator([...onCore(core), joinPath(LOAD_FOLDER, 'load')], {
    port: relay.port,
    tls: Number(isTls),
    hellos: players.hellos,
    packets: players.frames,
    lobby: crowd.lobbySize,
    ...more,
  });
}
