/**
 * The relays of the benchmark, each in a process of its own on a core of its own: ours as an operator runs it, and the bare one.
 *
 * Forked, this file is such a relay: it reports its port, and its memory when it is asked.
 */

import type * as UWebSockets from 'uWebSockets.js';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startRelay } from '../../relay/index.js';
import { TLS_CIPHERS } from '../../relay/port/tls.js';
import { startBare } from './bare.js';

/** Ours, and what it is compared with. */
export const SUBJECTS = ['hotmic', 'bare uWebSockets'] as const;
export type Subject = (typeof SUBJECTS)[number];

/** What such a process is started with. */
interface Order {
  readonly subject: Subject;
  /** A JSON Web Key Set. */
  readonly keys: unknown;
  readonly tls: TlsFiles | null;
  /** Where ours keeps mutes and bans. Default nowhere. */
  readonly sanctionsFile?: string;
}

/** What 10,000 connections of one address take: all come from this machine. */
const ADDRESS_LIMITS = {
  participants: 20_000,
  lobbies: 20_000,
  connections: 20_000,
  connectionsPerSecond: 20_000,
  connectionBurst: 20_000,
  credentialsPerSecond: 20_000,
  credentialBurst: 20_000,
} as const;

/**
 * What the image and the unit in deploy/ give to Node; the bare relay has it too. V8's young generation grows to 16 MB a space
 * by default, in a process that keeps nearly nothing of what is young.
 */
export const NODE_FLAGS = ['--max-semi-space-size=2'] as const;
/** In the environment, as there: threads for cryptography then share one arena. */
export const ENVIRONMENT = { MALLOC_ARENA_MAX: '1' } as const;

/** A certificate and its key, both in PEM. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/** What a process holds, in bytes, after collection. */
export interface Memory {
  readonly resident: number;
  /** Its share of what it has in common with others counted in part. */
  readonly proportional: number;
  readonly heapUsed: number;
  readonly external: number;
}

export interface RelayProcess {
  readonly pid: number;
  readonly port: number;
  /** Collects garbage, waits until it has settled, and says what is held. Wants `--expose-gc`. */
  memory(): Promise<Memory>;
  close(): Promise<void>;
}

/** Starts a relay on `core`, ahead of other programs where that is allowed. `flags` are for Node. */
export async function startProcess(
  order: Order,
  core: number,
  flags: readonly string[] = [],
): Promise<RelayProcess> {
  const file = fileURLToPath(import.meta.url);
  const [command, ...args] = [
    ...onCore(core),
    process.execPath,
    ...NODE_FLAGS,
    ...flags,
    file,
    JSON.stringify(order),
  ];
  const child = spawn(command!, args, {
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    env: { ...process.env, ...ENVIRONMENT },
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const gone = once(child, 'exit');
  const answer = async <T>(): Promise<T> => {
    const ended = gone.then(() => {
      throw new Error(`Cannot measure ${order.subject}: its process ended\n${said}`);
    });
    return (await Promise.race([once(child, 'message'), ended]))[0] as T;
  };
  const { port } = await answer<{ port: number }>();
  return {
    pid: child.pid!,
    port,
    memory() {
      // That it has ended, `answer` says.
      child.send('memory', () => undefined);
      return answer();
    },
    async close() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/**
 * Before a command: on one core, and ahead of whatever else the machine does. Being nice to others is not enough for that:
 * Linux weighs it within a session alone. Where we may not be scheduled in real time, it is done without.
 */
export function onCore(core: number): string[] {
  return [...(isRealTime() ? ['chrt', '--rr', '1'] : []), 'taskset', '-c', String(core)];
}

/** Whether both relays and the generator are scheduled ahead of other programs. */
export function isRealTime(): boolean {
  realTime ??= spawnSync('chrt', ['--rr', '1', 'true'], { stdio: 'ignore' }).status === 0;
  return realTime;
}
let realTime: boolean | null = null;

/** Ours, as an operator starts it: tokens, every check and limit on, no operations port. */
async function startOurs({ keys, tls, sanctionsFile }: Order): Promise<number> {
  const relay = await startRelay({
    tokens: { keys },
    ...(tls && { tls: { certFile: tls.certificate, keyFile: tls.key } }),
    ...(sanctionsFile !== undefined && { sanctionsFile }),
    limits: { connections: 20_000, lobbies: 2000 },
    // All connections are of one machine: what is bounded by address has to be raised here.
    addressLimits: ADDRESS_LIMITS,
  });
  return relay.port;
}

/** What the bare one gives to uWebSockets: the relay's own TLS options. */
function tlsOptions({ certificate, key }: TlsFiles): UWebSockets.AppOptions {
  return {
    cert_file_name: certificate,
    key_file_name: key,
    ssl_ciphers: TLS_CIPHERS,
    ssl_prefer_low_memory_usage: true,
  };
}

async function settledMemory(): Promise<Memory> {
  if (!globalThis.gc) throw new Error('Cannot measure memory: wants --expose-gc');
  for (let pass = 0; pass < 5; pass++) {
    globalThis.gc();
    await sleep(200);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const rollup = readFileSync('/proc/self/smaps_rollup', 'utf8');
  const proportional = Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]) * 1024;
  return { resident: rss, proportional, heapUsed, external };
}

async function runChild(order: Order): Promise<void> {
  const { subject, tls } = order;
  const port = subject === 'hotmic' ? await startOurs(order) : await startBare(tls ? tlsOptions(tls) : null);
  process.on('message', async () => process.send?.(await settledMemory()));
  process.once('disconnect', () => process.exit());
  process.send?.({ port });
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.send) {
  await runChild(JSON.parse(process.argv[2]!) as Order);
}
