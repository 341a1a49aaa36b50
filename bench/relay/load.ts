/**
 * Builds the load generator of bench/load/ and runs it on its own core against a relay.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Milliseconds } from '../../voice/units.js';
import { onCore } from './core.js';
import { type Crowd, intervalMs, type Players } from './players.js';
import type { RelayProcess, TlsFiles } from './process.js';

const PROGRAM = 'out/bench/relay/load';
const CERTIFICATE: TlsFiles = { certificate: 'out/bench/relay/cert.pem', key: 'out/bench/relay/key.pem' };

/** The result of one round, as printed by bench/load/main.cpp. */
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
  /** Messages about hearing sets, in the time that counts. */
  readonly hears?: number;
  readonly blocked: number;
  readonly closed: number;
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

/** Whether the generator could be built, and whether it supports TLS. */
export type Built =
  | { readonly kind: 'built'; readonly tls: TlsFiles | null; readonly withoutTls: string }
  | { readonly kind: 'missing'; readonly reason: string };

/** Compiles the generator, and creates a certificate for both relays. */
export function buildLoad(): Built {
  const script = fileURLToPath(new URL('../../../bench/load/build.sh', import.meta.url));
  const built = spawnSync('sh', [script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (built.status !== 0)
    return { kind: 'missing', reason: `no load generator: ${built.stderr.trim().slice(0, 500)}` };
  const lastLine = built.stdout.trim().split('\n').at(-1) ?? '';
  if (lastLine !== 'tls') return { kind: 'built', tls: null, withoutTls: lastLine };
  const { certificate, key } = CERTIFICATE;
  const args =
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 7 -subj /CN=localhost ` +
    `-keyout ${key} -out ${certificate}`;
  const made = spawnSync('openssl', args.split(' '), { encoding: 'utf8' });
  if (made.status === 0) return { kind: 'built', tls: CERTIFICATE, withoutTls: '' };
  return { kind: 'built', tls: null, withoutTls: 'no certificate: openssl is missing or failed' };
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

interface Against {
  readonly relay: RelayProcess;
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
  const child = start(against, [
    `talkers=${against.crowd.talkers}`,
    `interval_us=${(timing.intervalMs ?? intervalMs(against.crowd)) * 1000}`,
    `talkspurt=${timing.talkspurtPackets}`,
    `turns=${timing.turns === 'in-turn' ? 1 : 0}`,
    `warmup_ms=${timing.warmUpMs}`,
    `measure_ms=${timing.measureMs}`,
    `relay_pid=${against.relay.pid}`,
    `seed=${timing.seed}`,
  ]);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stdout?.once('data', onJoined);
  const [code] = await once(child, 'close');
  const lines = output.trim().split('\n');
  const result = lines.at(-1) ?? '';
  if (code !== 0 || !result.includes('relayCpuMs'))
    throw new Error(`Cannot measure: the generator ended with ${code}`);
  return { ...(JSON.parse(lines[0]!) as Joined), ...(JSON.parse(result) as Round) };
}

/** Joins all players without talking. Resolves when they are in. They stay until the relay ends. */
export async function join(against: Against): Promise<void> {
  const child = start(against, ['talkers=0', 'seed=1']);
  const joined = once(child.stdout!, 'data');
  const ended = once(child, 'close').then(([code]) => {
    throw new Error(`Cannot measure: the generator ended with ${code}`);
  });
  ended.catch(() => undefined);
  await Promise.race([joined, ended]);
}

function start({ relay, players, crowd, isTls, core }: Against, more: readonly string[]): ChildProcess {
  const args = [
    `port=${relay.port}`,
    `tls=${Number(isTls)}`,
    `hellos=${players.hellos}`,
    `packets=${players.frames}`,
    `lobby=${crowd.lobbySize}`,
    ...more,
  ];
  const [command, ...before] = onCore(core);
  return spawn(command!, [...before, PROGRAM, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
}
