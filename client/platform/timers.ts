/** What is the same wherever a client runs: timers, and randomness that need not be secret. */

import type { LobbyIo } from './platform.js';

export const TIMERS: Pick<LobbyIo, 'after' | 'random'> = {
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};
