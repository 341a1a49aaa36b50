/** A rehearsal that cannot begin, or is stopped, leaves nothing behind. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t from 'tap';
import { type Part, rehearse } from '../../cli/rehearsal.js';
import { runCli } from '../kit/cli.js';

const TONE = { kind: 'tone' } as const;

t.test('a part with an invalid name rejects, and nothing keeps running', async (t) => {
  const turns = [{ atMs: 60_000, holdMs: null }];
  const parts: Part[] = [
    { name: 'Ada', input: TONE, turns },
    { name: 'x'.repeat(65), input: TONE, turns },
  ];
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./rehearsal_child.js', import.meta.url)), JSON.stringify(parts)],
    { stdio: ['ignore', 'pipe', 'inherit'], timeout: 180_000 },
  );
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  // Its relay writes to the same standard output, which is closed only when both are gone.
  const [code, signal] = await once(child, 'close');
  t.match({ code, signal }, { code: 0, signal: null });
  t.match(stdout, /^RangeError: Cannot join: name is "x{65}", expected 1 to 64 characters[^\n]*\n$/);
});

t.test('a stop that was aborted before the start ends it at once', async (t) => {
  const parts: Part[] = [
    { name: 'Ada', input: TONE, turns: [{ atMs: 0, holdMs: null }] },
    { name: 'Ben', input: TONE, turns: [{ atMs: 3_600_000, holdMs: 1000 }] },
  ];
  const result = await rehearse({ parts, stop: AbortSignal.abort() });
  t.match(result.parts, [
    { name: 'Ada', captured: 0, talkspurts: 0 },
    { name: 'Ben', captured: 0, talkspurts: 0 },
  ]);
});

t.test('a stop in the middle releases the keys, and the tails are heard', async (t) => {
  const controller = new AbortController();
  const { parts } = await rehearse({
    parts: [
      { name: 'Ada', input: TONE, turns: [{ atMs: 0, holdMs: null }] },
      { name: 'Ben', input: TONE, turns: [{ atMs: 3_600_000, holdMs: 1000 }] },
    ],
    stop: controller.signal,
    events: { onSpeaking: () => controller.abort() },
  });
  const [ada, ben] = parts;
  t.ok(ada!.captured > 0);
  t.match(ada, { talkspurts: 1, decoded: ada!.captured, lost: 0 });
  t.match(ben, { talkspurts: 0, captured: 0 });
});

t.test('a demo that fails before anybody could speak does not say that nobody spoke', async (t) => {
  const folder = t.testdir({ 'no_relay.mjs': "if (process.argv[2] === 'relay') process.exit(3);" });
  const args = ['demo', '--out', join(folder, 'out')];
  const { code, stdout, stderr } = await runCli(t, args, {
    env: { NODE_OPTIONS: `--import=${pathToFileURL(join(folder, 'no_relay.mjs')).href}` },
  });
  t.equal(code, 1);
  t.match(stderr, /^hotmic: /m);
  t.notMatch(stdout, /Nobody spoke/);
});
