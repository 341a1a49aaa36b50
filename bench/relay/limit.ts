/** The relay in C with one send per delivery (bench/limit/relay.c), in its own process and on its own core. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Compiled, compileC } from '../compile.js';
import { onCore } from '../load/core.js';

const PROGRAM = 'out/bench/relay/limit';

/** Compiles it. */
export function buildLimit(): Compiled {
  return compileC('bench/limit/relay.c', PROGRAM, 'tls');
}

/** Starts it on `core`; `args` are those of relay.c. Its standard input must stay open: it ends with it. */
export async function startLimit(
  args: readonly string[],
  core: number,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const [command, ...before] = onCore(core);
  const child = spawn(command!, [...before, PROGRAM, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`Cannot measure the C relay: it ended with ${code}`);
  });
  ended.catch(() => undefined);
  const [line] = (await Promise.race([once(child.stdout!, 'data'), ended])) as [Buffer];
  return { child, port: Number(line.toString()) };
}
