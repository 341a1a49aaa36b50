/** What Hotmic's playout claims about its figures. The test of the committed result checks each claim. */

import type { Total } from './playout.js';
import { FIXED_MS, fixedName, OURS } from './subjects.js';

/** The claims that `totals` breaks, in words; none if all are true. @throws Error if a subject is missing. */
export function brokenClaims(totals: readonly Total[]): string[] {
  const broken: string[] = [];
  const find = (name: string, subject: string) => {
    const found = totals.find((total) => total.case === name && total.subject === subject);
    if (!found) throw new Error(`Cannot check the claims: there is no ${subject} on ${name}`);
    return found;
  };
  for (const name of new Set(totals.map((total) => total.case))) {
    const ours = find(name, OURS);
    for (const delayMs of FIXED_MS) {
      const fixed = find(name, fixedName(delayMs));
      if (fixed.delayP95Ms < ours.delayP95Ms && fixed.concealedShare < ours.concealedShare)
        broken.push(`${name}: ${fixed.subject} is better in both, ${words(fixed)} and not ${words(ours)}`);
    }
  }
  const sixty = fixedName(60);
  for (const name of ['clean', 'uniform']) {
    const [ours, fixed] = [find(name, OURS), find(name, sixty)];
    if (ours.delayP95Ms > fixed.delayP95Ms || ours.delayP50Ms > fixed.delayP50Ms)
      broken.push(`${name}: later than ${sixty}, ${words(ours)} and not ${words(fixed)}`);
  }
  const [ours, fixed] = [find('wifi', OURS), find('wifi', sixty)];
  if (ours.concealedShare > fixed.concealedShare / 2)
    broken.push(`wifi: conceals more than half of ${sixty}, ${words(ours)} and not half of ${words(fixed)}`);
  const { afterStallMs } = find('stall', OURS);
  if (afterStallMs === null || afterStallMs > AFTER_STALL_MS)
    broken.push(
      `stall: ${afterStallMs?.toFixed(0)} ms behind live after it, expected at most ${AFTER_STALL_MS}`,
    );
  return broken;
}

const AFTER_STALL_MS = 200;

function words({ delayP95Ms, concealedShare }: Total): string {
  return `p95 ${delayP95Ms.toFixed(1)} ms with ${(100 * concealedShare).toFixed(2)} %`;
}
