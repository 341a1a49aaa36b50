/** A simulated clock and timer for a lobby, starting at 0; its random numbers are always 0. */

import type { LobbyIo } from '../../client/platform/platform.js';

export function simulatedIo(): { io: LobbyIo; tick: (ms: number) => void } {
  let now = 0;
  const timers = new Map<object, { at: number; callback: () => void }>();
  const io: LobbyIo = {
    now: () => now,
    after: (ms, callback) => {
      const key = {};
      timers.set(key, { at: now + ms, callback });
      return () => timers.delete(key);
    },
    random: () => 0,
  };
  const tick = (ms: number) => {
    const end = now + ms;
    for (;;) {
      const [due] = [...timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (!due) break;
      timers.delete(due[0]);
      now = due[1].at;
      due[1].callback();
    }
    now = end;
  };
  return { io, tick };
}
