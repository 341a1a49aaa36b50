/**
 * A clock that never returns the same instant twice, so that the order of an application's calls is known. Publisher and lobby compare
 * their instants, so all readers of one clock share one strict clock.
 */

import type { Milliseconds } from '../voice/units.js';

/** About 15 ns: a double can still represent this difference after four years of uptime. */
const STEP_MS: Milliseconds = 2 ** -16;

const known = new WeakMap<() => Milliseconds, () => Milliseconds>();

/** Returns a function that reads `clock` and returns a strictly later instant with each call. */
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
