/** Deno drives the capture worker, too. Skipped where there is no `deno` on the PATH and HOTMIC_DENO names none. */

import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import t from 'tap';

const { HOTMIC_DENO: deno = 'deno' } = process.env;
const skip = spawnSync(deno, ['--version']).status === 0 ? false : 'no deno on the PATH';

t.test('a capture on Deno gives packets, closes, and lets the process end', { skip }, async (t) => {
  const module = JSON.stringify(pathToFileURL('dist/native/index.js').href);
  const folder = t.testdir({
    'capture.mjs': `
      import { embeddedSteam, startCapture } from ${module};
      const input = { kind: 'tone' };
      const capture = await startCapture({ steam: embeddedSteam({ steamId: 76561197960265729n, input }) });
      capture.startVoiceRecording();
      await capture.ring.waitAsync(60_000);
      const counts = await capture.close();
      console.log(counts.packets > 0 ? 'closed' : 'no packet');
    `,
  });
  const ended = spawnSync(deno, ['run', '--allow-all', 'capture.mjs'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 180_000,
  });
  t.match(ended, { status: 0, stdout: 'closed\n' }, ended.stderr);
  t.notMatch(ended.stderr, /error/i);
});
