/** On which core, and how far ahead of other programs, the relays and the generator run. */

import { spawnSync } from 'node:child_process';

/**
 * A prefix for a command that runs it on one core, ahead of everything else on the machine. A nice value is not enough for that: Linux
 * only weighs it within a session. Without permission for real-time scheduling, only the core is set.
 */
export function onCore(core: number): string[] {
  return [...(isRealTime() ? ['chrt', '--rr', '1'] : []), 'taskset', '-c', String(core)];
}

/** Whether the relays and the generator are scheduled ahead of other programs. */
export function isRealTime(): boolean {
  realTime ??= spawnSync('chrt', ['--rr', '1', 'true'], { stdio: 'ignore' }).status === 0;
  return realTime;
}
let realTime: boolean | null = null;
