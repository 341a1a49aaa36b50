/**
 * Ctrl-C, SIGTERM and, for a command whose terminal may close, SIGHUP: the first asks the command to end in order, the second ends the
 * process. Where the end takes too long, the process ends anyway.
 */

import { codeOf, HotmicError } from '../voice/error.js';
import type { Milliseconds } from '../voice/units.js';

/** Exit code of a process that was told twice, as a shell shows Ctrl-C. */
const TOLD_TWICE = 130;

/** How a command ends that was asked to. */
export interface Ending {
  readonly signals: readonly NodeJS.Signals[];
  /** The longest that it may take, in ms; then the process ends with 1. Infinity: as long as it takes. */
  readonly withinMs: Milliseconds;
}

/** A relay: what it does at SIGHUP is its own, and its drain has a time limit of its own. */
const SERVICE: Ending = { signals: ['SIGINT', 'SIGTERM'], withinMs: Number.POSITIVE_INFINITY };

/** Somebody in a lobby: the tail of what is said, a goodbye. */
export const MEMBER: Ending = { signals: ['SIGINT', 'SIGTERM', 'SIGHUP'], withinMs: 15_000 };

/** A recording: tracks are filled up and the mix is written, a few seconds for each hour. */
export const RECORDING: Ending = { signals: MEMBER.signals, withinMs: 300_000 };

/** For the help of a command that ends so. */
export function endingText({ withinMs }: Ending): string {
  const limit = withinMs % 60_000 === 0 ? `${withinMs / 60_000} minutes` : `${withinMs / 1000} seconds`;
  return `\nCtrl-C, SIGTERM or a closed terminal ends it in order, within ${limit} at most; a second Ctrl-C ends it at once.`;
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
      // A terminal that closes tells it to the process and to its group.
      if (signal === 'SIGHUP') return;
      process.exit(TOLD_TWICE);
    }
    if (Number.isFinite(withinMs)) late = setTimeout(() => endAnyway(withinMs), withinMs).unref();
    controller.abort();
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    await work(controller.signal);
  } catch (thrown) {
    // Whoever was asked to stop and gave up for it did what was asked.
    if (!controller.signal.aborted || codeOf(thrown) !== 'ERR_HOTMIC_CLOSED') throw thrown;
  } finally {
    clearTimeout(late);
    // Whoever still waits for the stop would keep the process alive.
    controller.abort();
    for (const signal of signals) process.off(signal, onSignal);
  }
}

function endAnyway(withinMs: Milliseconds): never {
  const { code, message } = new HotmicError(
    'ERR_HOTMIC_CLOSED',
    `Stopped without an end in order: it took more than ${withinMs / 1000} s`,
  );
  process.stderr.write(`hotmic: ${message} [${code}]\n`);
  process.exit(1);
}

/** Resolves at the stop, or after `seconds`. */
export function stopped(stop: AbortSignal, seconds = Number.POSITIVE_INFINITY): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) return resolve();
    // Without an end of its own it still has to keep the process alive.
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
