/**
 * Ctrl-C, SIGTERM and, for a command whose terminal may close, SIGHUP: the first asks the command to end cleanly, the second ends the
 * process. If the clean end takes too long, the process ends anyway.
 */

import { codeOf, HotmicError } from '../voice/error.js';
import type { Milliseconds } from '../voice/units.js';

/** Exit code after a second signal: what a shell reports for Ctrl-C. */
const SECOND_SIGNAL = 130;

/** How a command ends when it is asked to. */
export interface Ending {
  readonly signals: readonly NodeJS.Signals[];
  /** The longest that it may take, in ms; then the process exits with 1. Infinity: no limit. */
  readonly withinMs: Milliseconds;
}

/** A relay: it handles SIGHUP itself, and its drain has a time limit. */
const SERVICE: Ending = { signals: ['SIGINT', 'SIGTERM'], withinMs: Number.POSITIVE_INFINITY };

/** A participant of a lobby: sends the tail of what was said, and leaves. */
export const MEMBER: Ending = { signals: ['SIGINT', 'SIGTERM', 'SIGHUP'], withinMs: 15_000 };

/** A recording: tracks are padded and the mix is written, a few seconds per hour. */
export const RECORDING: Ending = { signals: MEMBER.signals, withinMs: 300_000 };

/** For the help of a command with this ending. */
export function endingText({ withinMs }: Ending): string {
  const limit = withinMs % 60_000 === 0 ? `${withinMs / 60_000} minutes` : `${withinMs / 1000} seconds`;
  return `\nCtrl-C, SIGTERM or closing the terminal ends it cleanly within ${limit};\na second Ctrl-C ends it at once.`;
}

/** Runs `work` with a signal that is aborted when the process is asked to stop, and when `work` is over. */
export async function untilStopped(
  work: (stop: AbortSignal) => Promise<void>,
  { signals, withinMs }: Ending = SERVICE,
): Promise<void> {
  const controller = new AbortController();
  let late: NodeJS.Timeout | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      // A closing terminal sends it to the process and to its group.
      if (signal === 'SIGHUP') return;
      process.exit(SECOND_SIGNAL);
    }
    if (Number.isFinite(withinMs)) late = setTimeout(() => endAnyway(withinMs), withinMs).unref();
    controller.abort();
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    await work(controller.signal);
  } catch (thrown) {
    // Giving up is what a command should do when it is asked to stop.
    if (!controller.signal.aborted || codeOf(thrown) !== 'ERR_HOTMIC_CLOSED') throw thrown;
  } finally {
    clearTimeout(late);
    // Anything that still waits for the stop would keep the process alive.
    controller.abort();
    for (const signal of signals) process.off(signal, onSignal);
  }
}

function endAnyway(withinMs: Milliseconds): never {
  const { code, message } = new HotmicError(
    'ERR_HOTMIC_CLOSED',
    `Stopped before it ended cleanly: that took more than ${withinMs / 1000} s`,
  );
  process.stderr.write(`hotmic: ${message} [${code}]\n`);
  process.exit(1);
}

/** Resolves when stopped, or after `seconds`. */
export function stopped(stop: AbortSignal, seconds = Number.POSITIVE_INFINITY): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) return resolve();
    // Without a time limit it still has to keep the process alive.
    const timer = Number.isFinite(seconds)
      ? setTimeout(() => finish(), seconds * 1000)
      : setInterval(() => undefined, 1 << 30);
    const finish = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', finish);
      resolve();
    };
    stop.addEventListener('abort', finish);
  });
}
