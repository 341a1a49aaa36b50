/**
 * The keyboard while a live view is shown: keys are not echoed, which would tear the view, and q ends the command as Ctrl-C does. Ctrl-Z
 * stops the process, with the terminal as it was.
 */

export interface QuitKeys {
  close(): void;
}

const CTRL_C = '\x03';
const CTRL_Z = '\x1a';

/** Reads standard input if it is a terminal. `onPause`: the process is about to be stopped. */
export function openQuitKeys(onPause: () => void): QuitKeys {
  const { stdin } = process;
  if (!stdin.isTTY) return { close() {} };
  let state: 'open' | 'closed' = 'open';
  const onData = (keys: Buffer) => {
    const text = keys.toString('latin1');
    // Whoever waits for the signal counts them: the second ends the process at once.
    if (text === 'q' || text.includes(CTRL_C)) process.kill(process.pid, 'SIGINT');
    else if (text.includes(CTRL_Z)) {
      onPause();
      rawMode('off');
      process.kill(process.pid, 'SIGSTOP');
    }
  };
  const onContinue = () => rawMode('on');
  const ignore = () => undefined;
  // The error handler stays: a terminal that is gone must not end the process before its clean end.
  stdin.on('data', onData).on('error', ignore).resume();
  process.prependListener('SIGCONT', onContinue);
  rawMode('on');
  return {
    close: () => {
      if (state === 'closed') return;
      state = 'closed';
      process.off('SIGCONT', onContinue);
      stdin.off('data', onData).pause();
      rawMode('off');
    },
  };
}

/** A terminal that is gone has no mode to set. */
function rawMode(mode: 'on' | 'off'): void {
  try {
    process.stdin.setRawMode(mode === 'on');
  } catch {}
}
