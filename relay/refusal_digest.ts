/**
 * Refusals, told so that no number of them floods a log: the first for each reason at once, and of what follows one line a second with
 * counts, by reason and by where it came from. Pure; bounded, whatever anybody does.
 */

import type { Milliseconds } from '../voice/units.js';

/** How many were refused since the line before. */
export interface RefusalsEvent {
  readonly kind: 'refusals';
  /** All of them; those told one by one are not among them. */
  readonly count: number;
  /** By event and reason, such as `not-admitted/address-busy`. */
  readonly reasons: Readonly<Record<string, number>>;
  /** By the first 24 bits of an IPv4 address or 48 of an IPv6 one; `unknown` without an address, `others` beyond 16. */
  readonly from: Readonly<Record<string, number>>;
}

/** A line of counts comes at most this often. */
export const DIGEST_EVERY_MS: Milliseconds = 1000;
/** A reason that nobody was refused for during this long is told at once again. */
export const QUIET_MS: Milliseconds = 10_000;
/** Reasons that are counted apart. They are closed sets of ours, and fewer. */
const MAX_REASONS = 100;
/** Prefixes that are counted apart in one line. */
export const MAX_PREFIXES = 16;

const OTHERS = 'others';

export class RefusalDigest {
  /** When each reason was last seen. */
  readonly #seenAt = new Map<string, Milliseconds>();
  readonly #reasons = new Map<string, number>();
  readonly #from = new Map<string, number>();
  #count = 0;
  #toldAt: Milliseconds = Number.NEGATIVE_INFINITY;

  /**
   * Somebody was refused.
   *
   * @param reason A word of a closed set: never what a client said.
   * @param from Where from, as `addressPrefix` has it.
   * @returns Whether it is to be told by itself; otherwise it is in the next line of counts.
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

  /** The line of counts, when there is one to tell. Call it often, such as every 100 ms. */
  due(now: Milliseconds): RefusalsEvent | null {
    if (this.#count === 0 || now - this.#toldAt < DIGEST_EVERY_MS) return null;
    this.#toldAt = now;
    return this.rest();
  }

  /** What was counted and not told yet, whenever that was; null without any. */
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

/** Counts a key, or, beyond so many keys, `others`. */
function add(counts: Map<string, number>, key: string, most: number): void {
  const counted = counts.has(key) || counts.size < most ? key : OTHERS;
  counts.set(counted, (counts.get(counted) ?? 0) + 1);
}
