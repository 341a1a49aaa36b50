/**
 * The keys of a terminal: the space bar for push-to-talk, m to mute, q to quit. When the terminal goes away, or the process is suspended,
 * the key comes up.
 */

import { emitKeypressEvents } from 'node:readline';
import { monotonicMs } from '../../client/clock.js';
import { HeldKey, type KeyChange } from './held_key.js';
import type { TalkStyle } from './options.js';
import { onSuspension, type TalkKey } from './suspension.js';

export interface TalkKeysOptions {
  readonly key: TalkKey;
  readonly style: TalkStyle;
  /** m. */
  readonly onMute: () => void;
  /** q, Ctrl-C, or the terminal is gone. */
  readonly onQuit: () => void;
  /** The terminal is the shell's while the process is stopped. */
  readonly onPause: () => void;
  readonly onResume: () => void;
}

/** What the keys do, for a person. */
export function keyHelp(style: TalkStyle): string {
  const rest = 'm mutes, q quits';
  if (style === 'hold') return `hold space to talk, ${rest}`;
  return style === 'toggle' ? `space switches, ${rest}` : rest;
}

/** Reads keys from standard input, a terminal, until the returned function is called. */
export function openTalkKeys(options: TalkKeysOptions): () => void {
  const { key, style } = options;
  const { stdin } = process;
  const hasTalkKey = style === 'hold' || style === 'toggle';
  const held = new HeldKey(style === 'toggle' ? 'toggle' : 'hold');
  let timer: NodeJS.Timeout | undefined;
  let tail: Promise<void> = Promise.resolve();

  const apply = (change: KeyChange) => {
    if (change === 'down') key.press();
    else if (change === 'up') tail = key.release();
    clearTimeout(timer);
    if (held.upAt === null) return;
    // After a stall, the characters that arrived during it are read first.
    timer = setTimeout(() => setImmediate(() => apply(held.time(monotonicMs()))), held.upAt - monotonicMs());
  };
  const suspension = onSuspension({
    release: () => {
      if (!hasTalkKey) return key.release();
      apply(held.letGo());
      return tail;
    },
    beforeStop: () => {
      options.onPause();
      rawMode('off');
    },
    resumed: () => {
      if (hasTalkKey) apply(held.letGo());
      else key.press();
      rawMode('on');
      options.onResume();
    },
  });
  const gone = () => {
    if (hasTalkKey) apply(held.letGo());
    options.onQuit();
  };
  const onKey = (_text: string, { name, ctrl }: { name?: string; ctrl?: boolean }) => {
    if (name === 'q' || (ctrl && name === 'c')) options.onQuit();
    else if (ctrl && name === 'z') void suspension.suspend();
    else if (name === 'm' && suspension.state === 'running') options.onMute();
    else if (hasTalkKey && name === 'space' && suspension.state === 'running')
      apply(held.character(monotonicMs()));
  };

  emitKeypressEvents(stdin);
  rawMode('on');
  stdin.on('keypress', onKey).on('end', gone).on('error', gone).on('close', gone).resume();
  return () => {
    suspension.close();
    clearTimeout(timer);
    // The error handler stays: a later error must not end the process.
    stdin.off('keypress', onKey).off('end', gone).off('close', gone).pause();
    rawMode('off');
  };
}

/** A terminal that is gone has no mode to set. */
function rawMode(mode: 'on' | 'off'): void {
  try {
    process.stdin.setRawMode(mode === 'on');
  } catch {}
}
