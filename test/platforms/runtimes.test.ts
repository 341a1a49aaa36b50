/**
 * The parts of Hotmic on Bun and Deno. `make runtimes` installs both under out/; HOTMIC_BUN and HOTMIC_DENO name others. Skipped
 * without.
 */

import { execFileSync, spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { startRelay } from '../../relay/server.js';
import { CELLS, type SmokeLine } from './result.js';

const RUNTIMES = [
  { name: 'Bun', installed: 'bun', variable: 'HOTMIC_BUN', args: [] },
  { name: 'Deno', installed: 'deno', variable: 'HOTMIC_DENO', args: ['run', '--allow-all'] },
] as const;

/** A watchdog, in ms. */
const WATCHDOG_MS = 600_000;

/** The program, or null if it is not installed. */
function find(name: string, variable: string): string | null {
  const { [variable]: given } = process.env;
  if (given) return given;
  const path = execFileSync('sh', ['test/runtimes.sh', '--installed', name], { encoding: 'utf8' }).trim();
  return path === '' ? null : path;
}

async function run(program: string, args: readonly string[]) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: WATCHDOG_MS });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { status, stdout, stderr };
}

for (const { name, installed, variable, args } of RUNTIMES) {
  const program = process.platform === 'win32' ? null : find(installed, variable);
  const skip = program === null ? `no ${name}: make runtimes` : false;

  // The real Steam's addon, and uWebSockets, are Node's.
  for (const cell of CELLS.filter((it) => it !== 'addon' && it !== 'relay on uws')) {
    t.test(`${name} runs the ${cell}`, { skip }, async (t) => {
      const relay = await startRelay({ dev: true });
      t.teardown(() => relay.close());
      const smoke = ['dist/test/platforms/smoke.js', cell, '--relay', relay.url];
      const { status, stdout, stderr } = await run(program!, [...args, ...smoke]);
      t.equal(status, 0, stderr);
      const { node, cells } = JSON.parse(stdout) as SmokeLine;
      t.match(node, new RegExp(`^${name} \\d`));
      t.same(cells, { [cell]: 'pass' });
    });
  }

  t.test(`a relay on ${name} takes ws, and says why`, { skip }, async (t) => {
    const module = JSON.stringify(pathToFileURL('dist/relay/index.js').href);
    const folder = t.testdir({
      'relay.mjs': `
        import { startRelay } from ${module};
        const relay = await startRelay({ dev: true });
        console.log(relay.sockets.why);
        await relay.close();
      `,
    });
    const { status, stdout, stderr } = await run(program!, [...args, `${folder}/relay.mjs`]);
    t.equal(status, 0, stderr);
    t.match(
      stdout,
      /^ws, because uWebSockets\.js (does not load|has no binary) .*it is for Node only, and this is /,
    );
  });

  t.test(`a capture on ${name} gives packets, closes, and lets the process end`, { skip }, async (t) => {
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
    const ended = await run(program!, [...args, `${folder}/capture.mjs`]);
    t.match(ended, { status: 0, stdout: 'closed\n' }, ended.stderr);
    t.notMatch(ended.stderr, /error/i);
  });
}
