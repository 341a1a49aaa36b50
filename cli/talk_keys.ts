/**
 * The space bar of a terminal as the push-to-talk key. When the terminal goes away, or the process is suspended, the key comes up.
 */

import { emitKeypressEvents } from 'node:readline';
import { monotonicMs } from '../client/clock.js';
import { HeldKey, type KeyChange, type KeyMode } from './held_key.js';

/** What the key drives. */
export interface TalkKey {
  press(): void;
  /** Resolves when the tail was said. */
  release(): Promise<void>;
}

/** The longest that a suspension waits for the tail, in ms. */
const TAIL_MS = 1000;

/** Reads the keys of standard input, a terminal, until what it returns is called. `onQuit`: q, Ctrl-C, or the terminal is gone. */
export function openTalkKeys(key: TalkKey, mode: KeyMode, onQuit: () => void): () => void {
  const { stdin } = process;
  const held = new HeldKey(mode);
  let timer: NodeJS.Timeout | undefined;
  let tail: Promise<void> = Promise.resolve();
  let state: 'open' | 'suspending' | 'closed' = 'open';

  const show = (text: string) =>
    process.stderr.write(`\r\x1b[2K${text} (${mode === 'hold' ? 'hold space' : 'space'}, q)`);
  const apply = (change: KeyChange) => {
    if (change === 'down') key.press();
    else if (change === 'up') tail = key.release();
    if (change !== null) show(change === 'down' ? '● speaking' : '○ silent');
    clearTimeout(timer);
    if (held.upAt === null) return;
    // Behind a stall the characters that came in it are read first.
    timer = setTimeout(() => setImmediate(() => apply(held.time(monotonicMs()))), held.upAt - monotonicMs());
  };
  const gone = () => {
    apply(held.letGo());
    onQuit();
  };
  const suspend = async () => {
    if (state !== 'open') return;
    state = 'suspending';
    apply(held.letGo());
    const late = new Promise((resolve) => setTimeout(resolve, TAIL_MS).unref());
    await Promise.race([tail, late]);
    if (state !== 'suspending') return;
    rawMode('off');
    process.stderr.write('\n');
    process.kill(process.pid, 'SIGSTOP');
  };
  const resume = () => {
    // It may have been stopped without a word.
    apply(held.letGo());
    if (state === 'closed') return;
    state = 'open';
    rawMode('on');
    show('○ silent');
  };
  const onKey = (_text: string, { name, ctrl }: { name?: string; ctrl?: boolean }) => {
    if (name === 'q' || (ctrl && name === 'c')) onQuit();
    else if (ctrl && name === 'z') void suspend();
    else if (name === 'space' && state === 'open') apply(held.character(monotonicMs()));
  };

  emitKeypressEvents(stdin);
  rawMode('on');
  stdin.on('keypress', onKey).on('end', gone).on('error', gone).on('close', gone).resume();
  process.on('SIGTSTP', suspend).on('SIGCONT', resume);
  show('○ silent');
  return () => {
    state = 'closed';
    clearTimeout(timer);
    process.off('SIGTSTP', suspend).off('SIGCONT', resume);
    // An error that comes later is nobody's.
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
