/**
 * Ctrl-Z while somebody speaks: the key comes up before the process stops, and goes down again when it continues, so that no sound from
 * in between is sent as if it were fresh.
 */

import type { Milliseconds } from '../../voice/units.js';

/** The push-to-talk key. */
export interface TalkKey {
  press(): void;
  /** Resolves when the tail has been sent. */
  release(): Promise<void>;
}

export interface SuspensionHooks {
  /** Ends the talkspurt. The process stops when this resolves, but waits no longer than a second. */
  release(): Promise<void>;
  /** Called right before the process stops. */
  beforeStop?(): void;
  /** The process continues. `uncaught`: it was stopped by SIGSTOP, which cannot be caught, so `release` was not called. */
  resumed(after: 'release' | 'uncaught'): void;
}

export interface Suspension {
  readonly state: 'running' | 'suspending' | 'closed';
  /** As SIGTSTP does, for a terminal in raw mode, whose Ctrl-Z is a key. */
  suspend(): Promise<void>;
  /** Leaves SIGTSTP and SIGCONT alone from now on. */
  close(): void;
}

/** The longest that a suspension waits for the tail. */
const TAIL_MS: Milliseconds = 1000;

/** After SIGCONT, before the key goes down: in this time a live input is read, and what waited in its pipe is dropped. */
const RESUME_MS: Milliseconds = 250;

/** Calls `hooks` around each suspension. */
export function onSuspension(hooks: SuspensionHooks): Suspension {
  let state: Suspension['state'] = 'running';
  const suspend = async () => {
    if (state !== 'running') return;
    state = 'suspending';
    let late: NodeJS.Timeout | undefined;
    const waited = new Promise<void>((resolve) => {
      late = setTimeout(resolve, TAIL_MS);
    });
    await Promise.race([hooks.release(), waited]);
    clearTimeout(late);
    // SIGCONT may have come first.
    if (state !== 'suspending') return;
    hooks.beforeStop?.();
    process.kill(process.pid, 'SIGSTOP');
  };
  const resume = () => {
    const after = state === 'suspending' ? 'release' : 'uncaught';
    state = 'running';
    hooks.resumed(after);
  };
  process.on('SIGTSTP', suspend).on('SIGCONT', resume);
  return {
    get state() {
      return state;
    },
    suspend,
    close: () => {
      state = 'closed';
      process.off('SIGTSTP', suspend).off('SIGCONT', resume);
    },
  };
}

/** Releases and presses `key`, which is down, around each suspension, until the returned function is called. */
export function releaseWhileSuspended(key: TalkKey): () => void {
  let resuming: NodeJS.Timeout | undefined;
  const suspension = onSuspension({
    release: () => {
      clearTimeout(resuming);
      return key.release();
    },
    resumed: (after) => {
      if (after === 'release') resuming = setTimeout(() => key.press(), RESUME_MS);
    },
  });
  return () => {
    suspension.close();
    clearTimeout(resuming);
  };
}
