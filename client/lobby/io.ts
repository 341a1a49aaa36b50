/** The clock, timer and randomness that a lobby uses. Tests pass their own. */

import type { Milliseconds } from '../../voice/units.js';
import { monotonicMs } from '../clock.js';

export interface LobbyIo {
  /** Never goes back. */
  now(): Milliseconds;
  /** Calls `callback` once, after `ms`. The function that it returns cancels the call. */
  after(ms: Milliseconds, callback: () => void): () => void;
  /** From 0 up to, but not including, 1. */
  random(): number;
}

export const NODE_IO: LobbyIo = {
  now: monotonicMs,
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};
