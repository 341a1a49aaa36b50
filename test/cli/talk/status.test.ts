/** Whether the microphone is live, on a terminal and in a pipe. */

import t, { type Test } from 'tap';
import { TalkStatus } from '../../../cli/talk/status.js';
import { Look } from '../../../cli/terminal/look.js';

const LOOK = new Look({ colours: 'no', characters: 'unicode' });

function statusOf(t: Test, columns: number | null) {
  const written: string[] = [];
  const status = new TalkStatus({
    output: { write: (text: string) => written.push(text), ...(columns && { isTTY: true, columns }) },
    now: () => 0,
    keys: 'm mutes, q quits',
    level: () => -18,
    look: LOOK,
  });
  t.teardown(() => status.end());
  return { status, written };
}

t.test('on a terminal: the state, the level and the keys, as far as they fit', async (t) => {
  const wide = statusOf(t, 80);
  wide.status.set('live');
  t.equal(wide.written.at(-1), '● LIVE          ███████████▎      -18 dB   m mutes, q quits');
  wide.status.set('muted');
  t.ok(wide.written.at(-1)?.startsWith('\r\x1b[J× muted '));
  const narrow = statusOf(t, 20);
  narrow.status.set('off');
  t.equal(narrow.written.at(-1), '○ off          ');
});

t.test('in a pipe: a line per change', async (t) => {
  const { status, written } = statusOf(t, null);
  for (const state of ['live', 'live', 'off', 'lost'] as const) status.set(state);
  t.strictSame(written, ['The microphone is live\n', 'The microphone is off\n', 'There is no microphone\n']);
});

t.test('a line does not end up in the row', async (t) => {
  const { status, written } = statusOf(t, 20);
  status.set('off');
  status.print('news');
  t.equal(written.at(-1), '\r\x1b[Jnews\n○ off          ');
});
