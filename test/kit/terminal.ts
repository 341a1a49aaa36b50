/** `hotmic` in its own terminal, by Python's pty: what is written to it are key presses, and closing it hangs up. */

import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

const MAIN = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

/** Passes standard input and output on; at the end of input the terminal is closed. Exits as the command did, 128 and the signal for one. */
const SCRIPT = `
import os, pty, select, sys
pid, fd = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
while True:
    ready, _, _ = select.select([0, fd] if fd >= 0 else [0], [], [])
    if fd in ready:
        try: data = os.read(fd, 65536)
        except OSError: data = b''
        if not data: break
        os.write(1, data)
    if 0 in ready:
        data = os.read(0, 65536)
        if not data: break
        os.write(fd, data)
os.close(fd)
status = os.waitpid(pid, 0)[1]
sys.exit(os.waitstatus_to_exitcode(status) % 256)
`;

/** Why there is no terminal here; false where there is. */
export const NO_TERMINAL: string | false =
  spawnSync('python3', ['-c', 'import pty, os; os.waitstatus_to_exitcode']).status !== 0 &&
  'needs python3, 3.9 or newer';

export interface Terminal {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  /** How often `what` was shown so far. */
  shown(what: string): number;
  /** Until it was shown so often. */
  until(what: string, times: number): Promise<void>;
  type(keys: string): void;
  close(): void;
}

export function startInTerminal(t: Test, args: readonly string[]): Terminal {
  const child = spawn('python3', ['-c', SCRIPT, process.execPath, MAIN, ...args], {
    stdio: 'pipe',
    env: { ...process.env, TERM: 'xterm', LC_ALL: 'C.UTF-8', NO_COLOR: '1' },
  });
  let text = '';
  child.stderr.resume();
  const waiting = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
    for (const look of waiting) look();
  });
  child.stdin.on('error', () => undefined);
  t.teardown(() => child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const shown = (what: string) => text.split(what).length - 1;
  return {
    child,
    ended,
    shown,
    until: (what, times) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (shown(what) < times) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        void ended.then((code) => reject(new Error(`ended with ${code} before ${what} was shown: ${text}`)));
        look();
      }),
    type: (keys) => child.stdin.write(keys),
    close: () => child.stdin.end(),
  };
}
