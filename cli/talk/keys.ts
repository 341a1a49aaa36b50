/**
 * The space bar of a terminal as the push-to-talk key. When the terminal goes away, or the process is suspended, the key comes up.
 */

import { emitKeypressEvents } from 'node:readline';
import { monotonicMs } from '../../client/clock.js';
import { HeldKey, type KeyChange, type KeyMode } from './held_key.js';
import { onSuspension, type TalkKey } from './suspension.js';

/** Reads keys from standard input, a terminal, until the returned function is called. `onQuit`: q, Ctrl-C, or the terminal is gone. */
export function openTalkKeys(key: TalkKey, mode: KeyMode, onQuit: () => void): () => void {
  const { stdin } = process;
  const held = new HeldKey(mode);
  let timer: NodeJS.Timeout | undefined;
  let tail: Promise<void> = Promise.resolve();

  const show = (text: string) =>
    process.stderr.write(`\r\x1b[2K${text} (${mode === 'hold' ? 'hold space' : 'space'}, q)`);
  const apply = (change: KeyChange) => {
    if (change === 'down') key.press();
    else if (change === 'up') tail = key.release();
    if (change !== null) show(change === 'down' ? '● speaking' : '○ silent');
    clearTimeout(timer);
    if (held.upAt === null) return;
    // After a stall, the characters that arrived during it are read first.
    timer = setTimeout(() => setImmediate(() => apply(held.time(monotonicMs()))), held.upAt - monotonicMs());
  };
  const suspension = onSuspension({
    release: () => {
      apply(held.letGo());
      return tail;
    },
    beforeStop: () => {
      rawMode('off');
      process.stderr.write('\n');
    },
    resumed: () => {
      apply(held.letGo());
      rawMode('on');
      show('○ silent');
    },
  });
  const gone = () => {
    apply(held.letGo());
    onQuit();
  };
  const onKey = (_text: string, { name, ctrl }: { name?: string; ctrl?: boolean }) => {
    if (name === 'q' || (ctrl && name === 'c')) onQuit();
    else if (ctrl && name === 'z') void suspension.suspend();
    else if (name === 'space' && suspension.state === 'running') apply(held.character(monotonicMs()));
  };

  emitKeypressEvents(stdin);
  rawMode('on');
  stdin.on('keypress', onKey).on('end', gone).on('error', gone).on('close', gone).resume();
  show('○ silent');
  return () => {
    suspension.close();
    clearTimeout(timer);
    // The error handler stays: a later error must not end the process.
    stdin.off('keypress', onKey).off('end', gone).off('close', gone).pause();
    rawMode('off');
    process.stderr.write('\n');
  };
}

/** A terminal that is gone has no mode to set. */
function rawMode(mode: 'on' | 'off'): void {
  try {
    process.stdin.setRawMode(mode === 'on');
  } catch {}
}
