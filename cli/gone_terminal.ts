/**
 * A terminal that closes while a command runs: writing to it fails, and Node aborts at exit because it cannot reset its mode
 * (node::ResetStdio). Neither is a failure of the command, which ends cleanly at SIGHUP.
 */

import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';

/** The standard streams that were terminals when the process began. */
const TERMINALS = [0, 1, 2].filter((fd) => isatty(fd));

/** Whether the standard stream was a terminal that has closed. */
export function isGone(fd: number): boolean {
  return TERMINALS.includes(fd) && !isatty(fd);
}

/** At exit, closes the streams of a closed terminal, so that Node does not reset them. Call it once. */
export function closeGoneTerminals(): void {
  process.on('exit', () => {
    for (const fd of TERMINALS) if (isGone(fd)) closeSync(fd);
  });
}
