/** The last line of `listen` and `record`: what was dropped, if anything. */

import type { LobbyCounts } from '../client/session/counter.js';
import type { LineBudget } from './line_budget.js';

/** What was dropped, in words: `Dropped: 3 voice frames (malformed), 20 ms of sound (queue full)`. Null if nothing was. */
export function dropSummary(counts: Readonly<Record<string, number>>): string | null {
  const parts = Object.entries(counts).flatMap(([what, count]) => (count > 0 ? `${count} ${what}` : []));
  return parts.length === 0 ? null : `Dropped: ${parts.join(', ')}.`;
}

/** What a lobby and its lines have dropped. */
export function lobbyDrops(
  { dropped, participantsRefused }: LobbyCounts,
  lines: Pick<LineBudget, 'leftOut'>,
): Record<string, number> {
  return {
    'voice frames (malformed)': dropped.malformed,
    'voice frames (unknown slot)': dropped['slot-unknown'],
    'voice frames (unknown channel)': dropped['target-unknown'],
    'voice frames (encrypted)': dropped.opaque,
    'participants (too many)': participantsRefused,
    'lines (too many)': lines.leftOut,
  };
}
