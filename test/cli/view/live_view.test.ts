/** The live view in a real terminal. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { startCli, startRelayCli } from '../../kit/cli.js';
import { NO_TERMINAL, startInTerminal } from '../../kit/terminal.js';

const SKIP = { skip: NO_TERMINAL };

t.test('listen shows who speaks, with a level, and q ends it', SKIP, async (t) => {
  const { relay, url } = await startRelayCli(t);
  const terminal = startInTerminal(t, ['listen', url, '-l', 'den']);
  await terminal.until('nobody else is here', 1);
  startCli(t, ['talk', url, '-l', 'den', '-n', 'Ada', '--tone', '440']);
  await terminal.until('● Ada', 1);
  await terminal.until('█', 1);
  await terminal.until(' ms ', 1);
  terminal.type('q');
  t.equal(await terminal.ended, 0);
  await relay.printed('stderr', /left den: listener/);
});

t.test('record shows its size, and Ctrl-C finishes the recording', SKIP, async (t) => {
  const { url } = await startRelayCli(t);
  const out = mkdtempSync(join(tmpdir(), 'hotmic-view-'));
  t.teardown(() => rmSync(out, { recursive: true }));
  const terminal = startInTerminal(t, ['record', url, '-l', 'den', '--out', out]);
  await terminal.until('REC 0 kB', 1);
  startCli(t, ['talk', url, '-l', 'den', '-n', 'Ada', '--tone', '440']);
  await terminal.until('● Ada', 1);
  await terminal.until('% lost', 1);
  terminal.type('\x03');
  t.equal(await terminal.ended, 0);
  t.ok(existsSync(join(out, 'mix.wav')));
});
