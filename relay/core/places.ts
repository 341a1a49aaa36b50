/**
 * The places of participants that end by time: of those who are away and may be back, under which resume secret, and of those whose
 * credential ends.
 */

import type { Milliseconds } from '../../voice/units.js';
import type { Participant } from './participant.js';

export class Places {
  readonly #resumeWithinMs: Milliseconds;
  readonly #random16: () => string;
  /** The longest away first. */
  readonly #away = new Set<Participant>();
  readonly #bySecret = new Map<string, Participant>();
  /** Whose credential ends, and no one's before `#endsNext`. */
  readonly #ending = new Set<Participant>();
  #endsNext = Number.POSITIVE_INFINITY;

  /** @param random16 16 random bytes that nobody can guess, in hexadecimal. */
  constructor(resumeWithinMs: Milliseconds, random16: () => string) {
    this.#resumeWithinMs = resumeWithinMs;
    this.#random16 = random16;
  }

  get away(): number {
    return this.#away.size;
  }

  /**
   * They are here, and their place is kept under a new resume secret from now on; null where there is no resuming. For guests there is
   * none: a place that nobody has to prove anything for would be held for nothing.
   */
  arrive(participant: Participant): string | null {
    this.#away.delete(participant);
    this.#forgetSecret(participant);
    if (participant.expiresAt < Number.POSITIVE_INFINITY) {
      this.#ending.add(participant);
      this.#endsNext = Math.min(this.#endsNext, participant.expiresAt);
    }
    if (this.#resumeWithinMs === 0 || participant.kind === 'guest') return null;
    const secret = this.#random16();
    participant.resumeSecret = secret;
    this.#bySecret.set(secret, participant);
    return secret;
  }

  /** Whose place it is. */
  under(secret: string): Participant | undefined {
    return this.#bySecret.get(secret);
  }

  goAway(participant: Participant): void {
    this.#away.add(participant);
  }

  leave(participant: Participant): void {
    this.#away.delete(participant);
    this.#ending.delete(participant);
    this.#forgetSecret(participant);
  }

  /** Who has been away for too long. */
  goneBy(now: Milliseconds): readonly Participant[] {
    const gone: Participant[] = [];
    for (const participant of this.#away) {
      if (now - participant.awaySince < this.#resumeWithinMs) break;
      gone.push(participant);
    }
    return gone;
  }

  /** Whose credential has ended. */
  endedBy(now: Milliseconds): readonly Participant[] {
    if (now < this.#endsNext) return [];
    this.#endsNext = Number.POSITIVE_INFINITY;
    const ended: Participant[] = [];
    for (const participant of this.#ending) {
      if (now >= participant.expiresAt) ended.push(participant);
      else this.#endsNext = Math.min(this.#endsNext, participant.expiresAt);
    }
    return ended;
  }

  #forgetSecret(participant: Participant): void {
    if (participant.resumeSecret !== null) this.#bySecret.delete(participant.resumeSecret);
    participant.resumeSecret = null;
  }
}
