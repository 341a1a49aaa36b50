/**
 * Instants of what a game does, in the order in which it does it: no two are the same, though the clock may give one twice. Publisher and
 * lobby compare theirs, so those of one clock are counted together.
 */

import type { Milliseconds } from '../voice/units.js';

/** About 15 ns: what a double still tells apart after four years of uptime. */
const STEP_MS: Milliseconds = 2 ** -16;

const known = new WeakMap<() => Milliseconds, () => Milliseconds>();

/** Reads `clock`, strictly later with each call. */
export function strictClock(clock: () => Milliseconds): () => Milliseconds {
  const given = known.get(clock);
  if (given) return given;
  let last = Number.NEGATIVE_INFINITY;
  const next = () => {
    last = Math.max(clock(), last + STEP_MS);
    return last;
  };
  known.set(clock, next);
  return next;
}
