/**
 * Ctrl-C and SIGTERM: the first asks the command to end in order, the second ends the process.
 */

import { codeOf } from '../voice/error.js';

/** Runs `work` with a signal that is aborted at the first SIGINT or SIGTERM, and when `work` is over. */
export async function untilStopped(work: (stop: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    await work(controller.signal);
  } catch (thrown) {
    // Whoever was asked to stop and gave up for it did what was asked.
    if (!controller.signal.aborted || codeOf(thrown) !== 'ERR_HOTMIC_CLOSED') throw thrown;
  } finally {
    // Whoever still waits for the stop would keep the process alive.
    controller.abort();
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
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
