/** What a lobby takes from the world around it: clock, timer and chance. Tests have their own. */

import type { Milliseconds } from '../voice/units.js';
import { monotonicMs } from './clock.js';

export interface Rim {
  /** Never goes back. */
  now(): Milliseconds;
  /** Calls back once, after so long; what it returns calls that off. */
  after(ms: Milliseconds, callback: () => void): () => void;
  /** From 0 up to 1. */
  random(): number;
}

export const NODE_RIM: Rim = {
  now: monotonicMs,
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};
