/** The relay time on the wire: whole milliseconds since the relay started, in 32 bits, wrapping. */

import type { Milliseconds } from '../../voice/units.js';

export function relayTimeMs(startedAt: Milliseconds, now: Milliseconds): number {
  return Math.floor(now - startedAt) % 2 ** 32;
}
