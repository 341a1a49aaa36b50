/** When a round is void: the machine was too busy to measure, or the relay made a mistake. */

import { bottleneck, percent } from '../load/bottleneck.js';
import type { Round } from '../load/generator.js';

/** Above this core utilization a relay was saturated: it then reads and writes in larger batches, which costs less. */
const MAX_RELAY_SHARE = 0.95;
/** Below this share of deliveries within the time that counts, the relay did not keep up. */
const MIN_DELIVERED_SHARE = 0.99;

/** Why a round is void. Only a busy one may be measured again. */
export interface Fault {
  readonly kind: 'busy' | 'wrong';
  readonly detail: string;
}

/** What no round may count, whatever is measured. */
export const MISTAKES = ['lost', 'withheld', 'doubled', 'reordered', 'foreign', 'damaged', 'closed'] as const;

/** The relay's or the generator's mistakes among `names`, or null. */
export function wrongFault<Name extends string>(
  counts: Readonly<Partial<Record<Name, number>>>,
  names: readonly Name[],
): Fault | null {
  const wrong = names.filter((what) => (counts[what] ?? 0) > 0).map((what) => `${counts[what]} ${what}`);
  return wrong.length > 0 ? { kind: 'wrong', detail: wrong.join(', ') } : null;
}

/** Whether generator or relay had too little processor time, or null. */
export function busyFault(round: Round): Fault | null {
  const generator = bottleneck(round);
  if (generator !== null) return busy(generator);
  const relay = round.relayCpuMs / round.elapsedMs;
  if (relay > MAX_RELAY_SHARE) return busy(`the relay used ${percent(relay)} of its core`);
  return null;
}

/** Why a round is void in which everyone else in a lobby hears each frame. Null if it is valid. */
export function roundFault(round: Round, lobbySize: number): Fault | null {
  const fault = wrongFault(round, MISTAKES) ?? busyFault(round);
  if (fault) return fault;
  const delivered = round.deliveries / (round.sent * (lobbySize - 1));
  return delivered >= MIN_DELIVERED_SHARE ? null : busy(`${percent(delivered)} was delivered in time`);
}

export function busy(detail: string): Fault {
  return { kind: 'busy', detail };
}
