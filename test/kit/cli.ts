/**
 * The real command line as a child process: what it prints, how it ends. Bounded: a process that runs too long is killed by its pid,
 * and no test leaves one behind.
 */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

const MAIN = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

/** How long a command may run, in ms: a watchdog, far above what a busy machine needs. */
const MAX_RUN_MS = 180_000;

/** How a command ended, and all that it printed. */
export interface Ended {
  /** Exit code; null when it was killed. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running `hotmic`. */
export interface Running {
  readonly pid: number;
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves when it has ended and all of its output has arrived. */
  readonly ended: Promise<Ended>;
  /** The first match of `pattern` in its output, past or future. Rejects if it ends without one. */
  printed(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
}

export interface RunOptions {
  /** Content of standard input; empty by default. `open` leaves it open, for `child.stdin`. */
  readonly input?: Uint8Array | string | 'open';
  /** `leave`: the caller reads `child.stdout`. */
  readonly output?: 'collect' | 'leave';
  readonly cwd?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `hotmic` with `args`. Killed when the test is over, or after three minutes. */
export function startCli(t: Test, args: readonly string[], options: RunOptions = {}): Running {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: 'pipe',
  });
  const printed = { stdout: '', stderr: '' };
  const wake = new Set<() => void>();
  const wakeAll = () => {
    for (const look of wake) look();
  };
  for (const name of ['stdout', 'stderr'] as const) {
    if (name === 'stdout' && options.output === 'leave') continue;
    child[name].setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text;
      wakeAll();
    });
  }
  // A command may close its input without reading it.
  child.stdin.on('error', () => undefined);
  if (options.input !== 'open') child.stdin.end(options.input ?? '');

  const timer = setTimeout(() => child.kill('SIGKILL'), MAX_RUN_MS);
  t.teardown(() => child.kill('SIGKILL'));
  let end: Ended | null = null;
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      end = { code, signal, ...printed };
      resolve(end);
      wakeAll();
    });
  });
  return {
    pid: child.pid!,
    child,
    ended,
    printed: (stream, pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(printed[stream]);
          if (!match && !end) return;
          wake.delete(look);
          if (match) resolve(match);
          else reject(new Error(`hotmic ${args.join(' ')} ended without ${pattern}: ${JSON.stringify(end)}`));
        };
        wake.add(look);
        look();
      }),
    signal: (name) => child.kill(name),
  };
}

/** Runs `hotmic` with `args` to its end. */
export function runCli(t: Test, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return startCli(t, args, options).ended;
}

/** A relay on a free port, and its URL. */
export async function startRelayCli(t: Test): Promise<{ relay: Running; url: string }> {
  const relay = startCli(t, ['relay', '--dev', '--port', '0']);
  const [, url] = await relay.printed('stdout', /Relay listens at (\S+)/);
  return { relay, url: url! };
}

/** Calls `look` until it gives something, for a change without an event: a file that grows. */
export async function untilSeen<T>(look: () => T | null, maxMs = 120_000): Promise<T> {
  const deadline = Date.now() + maxMs;
  for (;;) {
    const seen = look();
    if (seen !== null) return seen;
    if (Date.now() > deadline) throw new Error(`not seen in ${maxMs} ms: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
