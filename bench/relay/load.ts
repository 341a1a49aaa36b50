/**
 * The load generator, bench/load/: built once, then run on a core of its own against a relay, and what it found.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Milliseconds } from '../../voice/units.js';
import { type Crowd, intervalMs, type Players } from './players.js';
import { onCore, type RelayProcess, type TlsFiles } from './process.js';

const PROGRAM = 'out/bench/relay/load';
const CERTIFICATE: TlsFiles = { certificate: 'out/bench/relay/cert.pem', key: 'out/bench/relay/key.pem' };

/** One round, as bench/load/main.cpp prints it. */
export interface Round {
  readonly elapsedMs: number;
  /** Processor time of the relay's process and of the generator's. */
  readonly relayCpuMs: number;
  readonly ownCpuMs: number;
  /** Voice frames, and how often one came to a listener. */
  readonly sent: number;
  readonly deliveries: number;
  /** Control messages that came meanwhile: who speaks. */
  readonly controls: number;
  readonly frameBytes: number;
  /** Voice frames on the raster, and those of them that left more than 5 ms after they were due. */
  readonly paced: number;
  readonly late: number;
  readonly lateP99Us: number;
  readonly lateMaxUs: number;
  /** From when a frame was due to a listener's hands. */
  readonly latencyP50Us: number;
  readonly latencyP99Us: number;
  readonly latencyMaxUs: number;
  /** Over the whole run, and not only the time that counts. */
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly foreign: number;
  readonly damaged: number;
  readonly blocked: number;
  readonly closed: number;
}

/** Says whether the generator is there, and whether it can do TLS. */
export type Built =
  | { readonly kind: 'built'; readonly tls: TlsFiles | null; readonly withoutTls: string }
  | { readonly kind: 'missing'; readonly reason: string };

/** Compiles the generator, and makes a certificate for both relays. */
export function buildLoad(): Built {
  const script = fileURLToPath(new URL('../../../bench/load/build.sh', import.meta.url));
  const built = spawnSync('sh', [script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (built.status !== 0)
    return { kind: 'missing', reason: `no load generator: ${built.stderr.trim().slice(0, 500)}` };
  const said = built.stdout.trim().split('\n').at(-1) ?? '';
  if (said !== 'tls') return { kind: 'built', tls: null, withoutTls: said };
  const { certificate, key } = CERTIFICATE;
  const args =
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 7 -subj /CN=localhost ` +
    `-keyout ${key} -out ${certificate}`;
  const made = spawnSync('openssl', args.split(' '), { encoding: 'utf8' });
  if (made.status === 0) return { kind: 'built', tls: CERTIFICATE, withoutTls: '' };
  return { kind: 'built', tls: null, withoutTls: 'no certificate: openssl is not there or failed' };
}

export interface Timing {
  readonly warmUpMs: Milliseconds;
  readonly measureMs: Milliseconds;
  /** Packets from a marker to its terminator. The next begins at once. */
  readonly talkspurtPackets: number;
  readonly seed: number;
  /** From one packet to the next. Default as much as a packet holds. */
  readonly intervalMs?: Milliseconds;
}

interface Against {
  readonly relay: RelayProcess;
  readonly players: Players;
  readonly crowd: Crowd;
  readonly isTls: boolean;
  readonly core: number;
}

/** Joins all, talks, and checks all that comes back. `onJoined` is called when all are in, before anybody talks. */
export async function talk(against: Against, timing: Timing, onJoined = () => {}): Promise<Round> {
  const child = start(against, [
    `talkers=${against.crowd.talkers}`,
    `interval_us=${(timing.intervalMs ?? intervalMs(against.crowd)) * 1000}`,
    `talkspurt=${timing.talkspurtPackets}`,
    `warmup_ms=${timing.warmUpMs}`,
    `measure_ms=${timing.measureMs}`,
    `relay_pid=${against.relay.pid}`,
    `seed=${timing.seed}`,
  ]);
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdout?.once('data', onJoined);
  const [code] = await once(child, 'close');
  const result = said.trim().split('\n').at(-1) ?? '';
  if (code !== 0 || !result.includes('relayCpuMs'))
    throw new Error(`Cannot measure: the generator ended with ${code}`);
  return JSON.parse(result) as Round;
}

/** Joins all and says nothing. Resolves when they are in; they go when the relay does. */
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
