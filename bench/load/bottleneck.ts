/** Whether the load generator was the bottleneck of a round: then the round says nothing about the relay. */

import type { Round } from './generator.js';

/** Above this share of frames sent more than 5 ms late, or above this core utilization, it was. */
const MAX_LATE_SHARE = 0.01;
const MAX_GENERATOR_SHARE = 0.9;

/** What shows that it was, or null. */
export function bottleneck(round: Round): string | null {
  const late = round.late / round.paced;
  if (late > MAX_LATE_SHARE) return `${percent(late)} of the frames were sent more than 5 ms late`;
  const own = round.ownCpuMs / round.elapsedMs;
  if (own > MAX_GENERATOR_SHARE) return `the generator used ${percent(own)} of its core`;
  return null;
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
