/** Push-to-talk in a real terminal: whatever happens to key and terminal, the microphone does not stay open. */

import t, { type Test } from 'tap';
import { joinLobby } from '../../../client/lobby/join.js';
import { startRelay } from '../../../relay/index.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { NO_TERMINAL, startInTerminal } from '../../kit/terminal.js';

const SKIP = { skip: NO_TERMINAL };

/** A relay, and what somebody in the lobby den notices of a talker. */
async function ear(t: Test) {
  const relay = await startRelay({ dev: true });
  const flags: string[] = [];
  const waiting = new Set<() => void>();
  let sayLeft: () => void = () => undefined;
  const left = new Promise<void>((resolve) => {
    sayLeft = resolve;
  });
  const lobby = await joinLobby({
    url: relay.url,
    lobby: 'den',
    steamId: personSteamId(1),
    name: 'ear',
    events: {
      onVoice: (_, { marker, terminator }) => {
        flags.push(marker ? 'M' : terminator ? 'T' : '-');
        for (const look of waiting) look();
      },
      onLeft: () => sayLeft(),
    },
  });
  t.teardown(async () => {
    await lobby.leave();
    await relay.close();
  });
  /** Until what was heard is as `isSo` says. */
  const heard = (isSo: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!isSo()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { args: ['talk', relay.url, '-l', 'den', '--tone', '440', '--push-to-talk'], flags, heard, left };
}

t.test('a held space bar speaks, and releasing it ends the talkspurt', SKIP, async (t) => {
  const { args, flags, heard, left } = await ear(t);
  const terminal = startInTerminal(t, args);
  await terminal.until('off', 1);
  const repeating = setInterval(() => terminal.type(' '), 30);
  await terminal.until('LIVE', 1);
  await heard(() => flags.length >= 20);
  clearInterval(repeating);
  await terminal.until('off', terminal.shown('LIVE') + 1);
  terminal.type('q');
  t.equal(await terminal.ended, 0);
  await left;
  t.match(flags.join(''), /^(M-+T)+$/);
});

t.test('with --toggle the space bar switches', SKIP, async (t) => {
  const { args, flags, heard, left } = await ear(t);
  const terminal = startInTerminal(t, [...args, '--toggle']);
  await terminal.until('off', 1);
  terminal.type(' ');
  await terminal.until('LIVE', 1);
  await heard(() => flags.length >= 5);
  terminal.type(' ');
  await terminal.until('off', 2);
  terminal.type('q');
  t.equal(await terminal.ended, 0);
  await left;
  t.match(flags.join(''), /^M-+T$/);
});

t.test('closing the terminal ends the talkspurt cleanly, and the command', SKIP, async (t) => {
  const { args, flags, heard, left } = await ear(t);
  const terminal = startInTerminal(t, [...args, '--toggle']);
  await terminal.until('off', 1);
  terminal.type(' ');
  await heard(() => flags.length >= 5);
  terminal.close();
  // Node would abort, for it cannot reset a terminal that is gone.
  t.equal(await terminal.ended, 0);
  await left;
  t.match(flags.join(''), /^M-+T$/);
});

t.test('Ctrl-Z ends the talkspurt before the process stops', SKIP, async (t) => {
  const { args, flags, heard } = await ear(t);
  const terminal = startInTerminal(t, [...args, '--toggle']);
  await terminal.until('off', 1);
  terminal.type(' ');
  await heard(() => flags.length >= 5);
  terminal.type('\x1a');
  await heard(() => flags.at(-1) === 'T');
  t.match(flags.join(''), /^M-+T$/);
});
