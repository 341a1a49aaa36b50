/**
 * Summarizes refusals, so that no number of them floods a log: the first for each reason is reported at once, the following ones in one line
 * of counts per second, by reason and origin. Pure, and bounded whatever clients do.
 */

import type { Milliseconds } from '../voice/units.js';

/** Refusals since the previous line. */
export interface RefusalsEvent {
  readonly kind: 'refusals';
  /** All refusals except those that were reported one by one. */
  readonly count: number;
  /** By event and reason, such as `not-admitted/address-busy`. */
  readonly reasons: Readonly<Record<string, number>>;
  /** By the first 24 bits of an IPv4 address or 48 of an IPv6 one; `unknown` without an address, `others` beyond 16. */
  readonly from: Readonly<Record<string, number>>;
}

/** Shortest interval between two lines of counts. */
export const DIGEST_EVERY_MS: Milliseconds = 1000;
/** After this time without a refusal for a reason, the next one is reported at once again. */
export const QUIET_MS: Milliseconds = 10_000;
/** Most reasons that are counted separately. They come from closed sets of ours with fewer entries. */
const MAX_REASONS = 100;
/** Most prefixes that are counted separately in one line. */
export const MAX_PREFIXES = 16;

const OTHERS = 'others';

export class RefusalDigest {
  /** Time of the last refusal for each reason. */
  readonly #seenAt = new Map<string, Milliseconds>();
  readonly #reasons = new Map<string, number>();
  readonly #from = new Map<string, number>();
  #count = 0;
  #toldAt: Milliseconds = Number.NEGATIVE_INFINITY;

  /**
   * Counts a refusal, or has it reported.
   *
   * @param reason A word of a closed set: never text from a client.
   * @param from The origin, from `addressPrefix`.
   * @returns Whether to report it by itself; otherwise it is in the next line of counts.
   */
  note(reason: string, from: string, now: Milliseconds): 'tell' | 'counted' {
    const seenAt = this.#seenAt.get(reason);
    const key = seenAt !== undefined || this.#seenAt.size < MAX_REASONS ? reason : OTHERS;
    this.#seenAt.set(key, now);
    if (key === reason && (seenAt === undefined || now - seenAt >= QUIET_MS)) return 'tell';
    this.#count += 1;
    add(this.#reasons, key, MAX_REASONS);
    add(this.#from, from, MAX_PREFIXES);
    return 'counted';
  }

  /** When `due` next has a line of counts; infinite without any counts. */
  get deadline(): Milliseconds {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : this.#toldAt + DIGEST_EVERY_MS;
  }

  /** The line of counts, when one is due. */
  due(now: Milliseconds): RefusalsEvent | null {
    if (now < this.deadline) return null;
    this.#toldAt = now;
    return this.rest();
  }

  /** The counts that were not reported yet, due or not; null without any. */
  rest(): RefusalsEvent | null {
    if (this.#count === 0) return null;
    const event: RefusalsEvent = {
      kind: 'refusals',
      count: this.#count,
      reasons: Object.fromEntries(this.#reasons),
      from: Object.fromEntries(this.#from),
    };
    this.#count = 0;
    this.#reasons.clear();
    this.#from.clear();
    return event;
  }
}

/** Counts a key; beyond `most` keys, `others`. */
function add(counts: Map<string, number>, key: string, most: number): void {
  const counted = counts.has(key) || counts.size < most ? key : OTHERS;
  counts.set(counted, (counts.get(counted) ?? 0) + 1);
}
