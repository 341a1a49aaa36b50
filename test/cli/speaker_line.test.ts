/** The line of speakers on unusual terminals. */

import t, { type Test } from 'tap';
import { SpeakerLine } from '../../cli/speaker_line.js';

function shown(t: Test, columns: number): string {
  let text = '';
  const line = new SpeakerLine({ write: (part) => (text += part), isTTY: true, columns }, () => 0);
  t.teardown(() => line.end());
  for (const [slot, name] of ['Ada', 'Ben'].entries()) line.show({ slot, name, speaking: true });
  return text;
}

t.test('a terminal of 0 columns shows everyone, as one of 80 does', async (t) => {
  t.match(shown(t, 0), /Ada.*Ben/);
});

t.test('with NO_COLOR no colour is written', async (t) => {
  const before = process.env.NO_COLOR;
  t.teardown(() => {
    if (before === undefined) delete process.env.NO_COLOR;
    else process.env.NO_COLOR = before;
  });
  process.env.NO_COLOR = '1';
  t.notMatch(shown(t, 80), '\u001b[1;32m');
  delete process.env.NO_COLOR;
  t.match(shown(t, 80), '\u001b[1;32m');
});
