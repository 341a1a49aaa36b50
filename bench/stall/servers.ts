/** The relays of the benchmark, each as a process: ours, a bare uWebSockets, one on ws, and what is installed. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import type { TlsFiles } from '../load/generator.js';
import { type Subject, startProcess } from '../relay/process.js';
import type { Protocol } from './lines.js';

export interface Server {
  readonly protocol: Protocol;
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface Peer {
  readonly name: string;
  readonly tls: 'too' | 'plain-only' | 'tls-only';
  /** Why it cannot be measured here; null when it can. */
  missing(): string | null;
  /** @param host Where it listens. */
  start(tls: TlsFiles | null, keys: unknown, host: string): Promise<Server>;
}

const RELAY_CORE = 0;
const START_MS = 30_000;

export const PEERS: readonly Peer[] = [
  relay('hotmic'),
  relay('bare uWebSockets'),
  {
    name: 'ws',
    tls: 'plain-only',
    missing: () => null,
    start: (_tls, _keys, host) => startWs(host),
  },
  program('NATS', 'nats-server', 'nats', (port, host) => ['-a', host, '-p', String(port)]),
  program('mosquitto', 'mosquitto', 'mqtt', (port, host) => {
    const file = join(mkdtempSync(join(tmpdir(), 'hotmic-')), 'mosquitto.conf');
    writeFileSync(file, `listener ${port} ${host}\nallow_anonymous true\nset_tcp_nodelay true\n`);
    return ['-c', file];
  }),
  // With a certificate of its own. A player who is silent for 20 s must not be put out for it.
  program(
    'Murmur',
    'murmurd',
    'murmur',
    (port, host) => {
      const folder = mkdtempSync(join(tmpdir(), 'hotmic-'));
      const file = join(folder, 'murmur.ini');
      const lines = [
        `host=${host}`,
        `port=${port}`,
        `database=${folder}/murmur.sqlite`,
        `logfile=${folder}/murmur.log`,
      ];
      writeFileSync(
        file,
        [
          ...lines,
          'timeout=120',
          'autobanAttempts=0',
          'bonjour=false',
          `uname=${userInfo().username}`,
          '',
        ].join('\n'),
      );
      return ['-fg', '-ini', file];
    },
    'tls-only',
  ),
];

function relay(subject: Subject): Peer {
  return {
    name: subject,
    tls: 'too',
    missing: () => null,
    async start(tls, keys, host) {
      const { port, close } = await startProcess({ subject, keys, tls, host }, RELAY_CORE);
      return { protocol: 'hotmic', url: `${tls ? 'wss' : 'ws'}://localhost:${port}/`, port, close };
    },
  };
}

/** The package ws, passing on every binary message to everyone else. Run as a child process by `WS_CHILD`. */
async function startWs(host: string): Promise<Server> {
  const child = spawn(process.execPath, [new URL(import.meta.url).pathname, 'ws', host], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [port] = (await once(child, 'message')) as [number];
  return { protocol: 'hotmic', url: `ws://127.0.0.1:${port}/`, port, close: () => end(child) };
}

function program(
  name: string,
  command: string,
  protocol: Protocol,
  argumentsFor: (port: number, host: string) => readonly string[],
  tls: Peer['tls'] = 'plain-only',
): Peer {
  return {
    name,
    tls,
    missing() {
      const found = spawnSync('sh', ['-c', `PATH="$PATH:/usr/sbin"; command -v ${command}`]).status === 0;
      return found
        ? null
        : `${name}: ${command} is not installed; on Debian: apt-get install ${command === 'murmurd' ? 'mumble-server' : command}`;
    },
    async start(_tls, _keys, host) {
      const port = await freePort();
      const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin` };
      const child = spawn(command, argumentsFor(port, host), { stdio: 'ignore', env });
      await untilListening(port);
      return { protocol, url: `tcp://127.0.0.1:${port}`, port, close: () => end(child) };
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function untilListening(port: number): Promise<void> {
  for (let waited = 0; waited < START_MS; waited += 50) {
    const socket = createConnection({ host: '127.0.0.1', port });
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    await sleep(50);
  }
  throw new Error(`Cannot measure: nothing listens on port ${port} after ${START_MS / 1000} s`);
}

/** The most bytes that wait unacknowledged or unsent in this machine's kernel, in any connection from this local port. */
export function kernelQueue(port: number): number {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let most = 0;
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(file, 'utf8').split('\n').slice(1)) {
      const [, local, , state, queues] = line.trim().split(/\s+/);
      // Established; the queue of what is sent comes first.
      if (!local?.endsWith(wanted) || state !== '01') continue;
      most = Math.max(most, Number.parseInt(queues!.split(':')[0]!, 16));
    }
  }
  return most;
}

if (process.argv[2] === 'ws' && process.send) {
  const server = new WebSocketServer({ port: 0, host: process.argv[3]!, perMessageDeflate: false });
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (!isBinary) {
        socket.send('{"type":"welcome"}');
        return;
      }
      for (const other of server.clients) {
        if (other !== socket && other.readyState === WebSocket.OPEN) other.send(data);
      }
    });
    socket.on('error', () => undefined);
  });
  await once(server, 'listening');
  process.send((server.address() as { port: number }).port);
  process.once('disconnect', () => process.exit());
}
