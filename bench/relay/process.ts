/**
 * The relays of the benchmark, each in its own process and on its own core: ours as an operator runs it, the bare one, and the limit in C.
 *
 * Run as a child process, this file is such a relay: it reports its port and, on request, its memory.
 */

import type * as UWebSockets from 'uWebSockets.js';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startRelay } from '../../relay/index.js';
import { TLS_CIPHERS } from '../../relay/port/tls.js';
import { onCore } from '../load/core.js';
import type { TlsFiles } from '../load/generator.js';
import { ENVIRONMENT, NODE_FLAGS, relayUnderLoad } from '../load/relay_under_load.js';
import { startBare } from './bare.js';
import { startLimit } from './limit.js';

/** The relay in C. */
export const LIMIT = 'C, one send per delivery';
/** Our relay on uWebSockets.js, on our addon with uWebSockets and on ws, and those to compare with. */
export const SUBJECTS = ['hotmic', 'hotmic on the addon', 'hotmic on ws', 'bare uWebSockets', LIMIT] as const;
export type Subject = (typeof SUBJECTS)[number];

/** The parameters of such a process. */
interface Order {
  readonly subject: Subject;
  /** A JSON Web Key Set. */
  readonly keys: unknown;
  readonly tls: TlsFiles | null;
  /** Where ours and the bare one listen. Default: 127.0.0.1. */
  readonly host?: string;
  /** Where our relay keeps mutes and bans. Default: not at all. */
  readonly sanctionsFile?: string;
  /** The tokens of an admin API. Without them the relay has no such port. */
  readonly adminTokens?: string;
  /** Default: the relay's. */
  readonly participantsPerLobby?: number;
}

/** What a relay says when it listens. */
interface Ports {
  readonly port: number;
  readonly adminUrl: string | null;
}

/** The memory of a process in bytes, after garbage collection. */
export interface Memory {
  readonly resident: number;
  /** Proportional set size: memory shared with other processes counts in part. */
  readonly proportional: number;
  readonly heapUsed: number;
  readonly external: number;
}

export interface RelayProcess {
  readonly pid: number;
  readonly port: number;
  /** Of the admin API; null without one. */
  readonly adminUrl: string | null;
  /** Collects garbage, waits until it has settled, and returns the memory in use. Requires `--expose-gc`. */
  memory(): Promise<Memory>;
  close(): Promise<void>;
}

/** Starts a relay on `core`, ahead of other programs if that is allowed. `flags` are for Node. */
export async function startProcess(
  order: Order,
  core: number,
  flags: readonly string[] = [],
): Promise<RelayProcess> {
  if (order.subject === LIMIT) return startLimitProcess(order.tls, core);
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
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  const gone = once(child, 'exit');
  const answer = async <T>(): Promise<T> => {
    const ended = gone.then(() => {
      throw new Error(`Cannot measure ${order.subject}: its process ended\n${errors}`);
    });
    return (await Promise.race([once(child, 'message'), ended]))[0] as T;
  };
  const { port, adminUrl } = await answer<Ports>();
  return {
    pid: child.pid!,
    port,
    adminUrl,
    memory() {
      // If the process has ended, `answer` rejects.
      child.send('memory', () => undefined);
      return answer();
    },
    async close() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

async function startLimitProcess(tls: TlsFiles | null, core: number): Promise<RelayProcess> {
  const { child, port } = await startLimit(tls ? [tls.certificate, tls.key, TLS_CIPHERS] : [], core);
  const gone = once(child, 'exit');
  return {
    pid: child.pid!,
    port,
    adminUrl: null,
    memory: () =>
      Promise.reject(new Error('Cannot measure the memory of the C relay: it is all there from the start')),
    async close() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Our relay as an operator starts it: tokens, all checks and limits, no operations port. */
async function startOurs(order: Order): Promise<Ports> {
  const { subject, keys, tls, host, sanctionsFile, adminTokens, participantsPerLobby } = order;
  process.env.HOTMIC_UWS = subject === 'hotmic on the addon' ? 'addon' : 'package';
  const relay = await startRelay({
    ...relayUnderLoad({ keys, tls, ...(participantsPerLobby !== undefined && { participantsPerLobby }) }),
    sockets: subject === 'hotmic on ws' ? 'ws' : 'uws',
    ...(host !== undefined && { host }),
    ...(sanctionsFile !== undefined && { sanctionsFile }),
    ...(adminTokens !== undefined && {
      admin: { port: 0, tokens: { read: () => adminTokens, from: 'the benchmark' } },
    }),
  });
  return { port: relay.port, adminUrl: relay.adminUrl };
}

/** The relay's own TLS options, for the bare relay. */
function tlsOptions({ certificate, key }: TlsFiles): UWebSockets.AppOptions {
  return {
    cert_file_name: certificate,
    key_file_name: key,
    ssl_ciphers: TLS_CIPHERS,
    ssl_prefer_low_memory_usage: true,
  };
}

async function settledMemory(): Promise<Memory> {
  if (!globalThis.gc) throw new Error('Cannot measure memory: node runs without --expose-gc');
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
  const { subject, tls, host } = order;
  const ports: Ports =
    subject === 'bare uWebSockets'
      ? { port: await startBare(tls ? tlsOptions(tls) : null, host), adminUrl: null }
      : await startOurs(order);
  process.on('message', async () => process.send?.(await settledMemory()));
  process.once('disconnect', () => process.exit());
  process.send?.(ports);
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.send) {
  await runChild(JSON.parse(process.argv[2]!) as Order);
}
