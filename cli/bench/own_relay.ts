/**
 * The relay that `hotmic bench relay` starts for itself, in its own process, so that its processor time can be told from the rest.
 *
 * Run as a child process, this file is that relay.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TlsFiles } from '../../bench/load/generator.js';
import { ENVIRONMENT, NODE_FLAGS, relayUnderLoad } from '../../bench/load/relay_under_load.js';
import { startRelay } from '../../relay/index.js';
import { codeOf, type ErrorCode, HotmicError, messageOf } from '../../voice/error.js';

interface Order {
  readonly host: string;
  /** A JSON Web Key Set. */
  readonly keys: unknown;
  readonly tls: TlsFiles | null;
  readonly participantsPerLobby: number;
}

type Report =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly code: string | null; readonly message: string };

export interface OwnRelay {
  readonly pid: number;
  readonly port: number;
  close(): Promise<void>;
}

/** Starts it. `inside` comes before its command. */
export async function startOwnRelay(order: Order, inside: readonly string[]): Promise<OwnRelay> {
  const [command, ...args] = [
    ...inside,
    process.execPath,
    ...NODE_FLAGS,
    fileURLToPath(import.meta.url),
    JSON.stringify(order),
  ];
  const child = spawn(command!, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...ENVIRONMENT },
    // Out of the terminal's group: Ctrl-C is for the parent, which ends this process.
    detached: true,
  });
  const gone = once(child, 'exit');
  const [report] = (await Promise.race([
    once(child, 'message'),
    gone.then(() => [{ kind: 'failed', code: null, message: 'Cannot start the relay: its process ended' }]),
  ])) as [Report];
  if (report.kind === 'failed')
    throw new HotmicError((report.code ?? 'ERR_HOTMIC_LISTEN') as ErrorCode, report.message);
  return {
    pid: child.pid!,
    port: report.port,
    async close() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Ends when the parent is gone. */
async function runChild({ host, keys, tls, participantsPerLobby }: Order): Promise<void> {
  process.once('disconnect', () => process.exit());
  const report = (message: Report) => process.send?.(message);
  try {
    const relay = await startRelay({ ...relayUnderLoad({ keys, tls, participantsPerLobby }), host });
    report({ kind: 'listening', port: relay.port });
  } catch (thrown) {
    report({ kind: 'failed', code: codeOf(thrown), message: messageOf(thrown) });
    process.disconnect?.();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.send)
  await runChild(JSON.parse(process.argv[2]!) as Order);
