/**
 * Ctrl-Z while `talk` speaks without push-to-talk: the key comes up before the process stops, and goes down again when it goes on, so
 * that no sound of the time between is sent as if it were fresh.
 */

import type { Milliseconds } from '../voice/units.js';
import type { TalkKey } from './talk_keys.js';

/** The longest that a suspension waits for the tail. */
const TAIL_MS: Milliseconds = 1000;

/** After SIGCONT, before the key goes down: a live input is read meanwhile, and what waited in its pipe is dropped. */
const RESUME_MS: Milliseconds = 250;

/** Releases and presses `key`, which is down, around each suspension, until what it returns is called. SIGSTOP cannot be caught. */
export function releaseWhileSuspended(key: TalkKey): () => void {
  let state: 'speaking' | 'suspended' | 'closed' = 'speaking';
  let resuming: NodeJS.Timeout | undefined;
  const suspend = async () => {
    if (state !== 'speaking') return;
    state = 'suspended';
    let late: NodeJS.Timeout | undefined;
    const waited = new Promise<void>((resolve) => {
      late = setTimeout(resolve, TAIL_MS);
    });
    await Promise.race([key.release(), waited]);
    clearTimeout(late);
    if (state === 'suspended') process.kill(process.pid, 'SIGSTOP');
  };
  const resume = () => {
    if (state !== 'suspended') return;
    clearTimeout(resuming);
    resuming = setTimeout(() => {
      state = 'speaking';
      key.press();
    }, RESUME_MS);
  };
  process.on('SIGTSTP', suspend).on('SIGCONT', resume);
  return () => {
    state = 'closed';
    clearTimeout(resuming);
    process.off('SIGTSTP', suspend).off('SIGCONT', resume);
  };
}
