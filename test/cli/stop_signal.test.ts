/** How a command that is asked to stop ends: cleanly, or after its limit anyway; and the limit is in its help. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { MEMBER, RECORDING } from '../../cli/stop_signal.js';
import { runCli } from '../kit/cli.js';

/** A process of its own, whose work never ends and that may take `withinMs` to end. */
async function startStuck(t: Test, withinMs: number) {
  const child = spawn(process.execPath, [
    fileURLToPath(new URL('./stuck_child.js', import.meta.url)),
    String(withinMs),
  ]);
  t.teardown(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const closed = once(child, 'close');
  await once(child.stdout, 'data');
  return { child, ended: closed.then(([code]) => ({ code: code as number | null, stderr })) };
}

t.test('work that does not end within its limit is ended anyway, with an error', async (t) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const { child, ended } = await startStuck(t, 20);
    child.kill(signal);
    t.match(await ended, {
      code: 1,
      stderr: 'hotmic: Stopped before it ended cleanly: that took more than 0.02 s [ERR_HOTMIC_CLOSED]\n',
    });
  }
});

t.test('a second signal ends it at once', async (t) => {
  const { child, ended } = await startStuck(t, 3_600_000);
  child.kill('SIGHUP');
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  t.match(await ended, { code: 130, stderr: '' });
});

t.test('the limits are stated in the help of each command', async (t) => {
  t.match([MEMBER.withinMs, RECORDING.withinMs], [15_000, 300_000]);
  for (const [command, limit] of [
    ['talk', /within 15 seconds;/],
    ['listen', /within 15 seconds;/],
    ['record', /within 5 minutes;/],
    ['demo', /within 5 minutes;/],
  ] as const) {
    t.match((await runCli(t, [command, '--help'])).stdout, limit, command);
  }
});
