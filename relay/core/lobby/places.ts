/**
 * Places that end with time: those of participants who are away and may resume with a secret, and of those whose credential expires.
 */

import type { Milliseconds } from '../../../voice/units.js';
import type { Participant } from './lobby.js';

export class Places {
  readonly #resumeWithinMs: Milliseconds;
  readonly #random16: () => string;
  /** The longest away first. */
  readonly #away = new Set<Participant>();
  readonly #bySecret = new Map<string, Participant>();
  readonly #secretOf = new Map<Participant, string>();
  /** Participants whose credential expires, none of them before `#endsNext`. */
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
   * They are here, and can resume with the returned secret from now on; null where nobody can resume. Guests cannot resume: their
   * place would be kept for somebody who has proved nothing.
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
    this.#bySecret.set(secret, participant);
    this.#secretOf.set(participant, secret);
    return secret;
  }

  /** The participant whose resume secret this is. */
  under(secret: string): Participant | undefined {
    return this.#bySecret.get(secret);
  }

  mayResume(participant: Participant): boolean {
    return this.#secretOf.has(participant);
  }

  goAway(participant: Participant): void {
    this.#away.add(participant);
  }

  leave(participant: Participant): void {
    this.#away.delete(participant);
    this.#ending.delete(participant);
    this.#forgetSecret(participant);
  }

  /** When `goneBy` or `endedBy` next may have somebody; infinite when never. */
  get deadline(): Milliseconds {
    if (this.#away.size === 0) return this.#endsNext;
    for (const { presence } of this.#away) {
      return presence.kind === 'away' ? Math.min(presence.until, this.#endsNext) : Number.NEGATIVE_INFINITY;
    }
    return this.#endsNext;
  }

  /** Participants whose place is no longer kept. */
  goneBy(now: Milliseconds): readonly Participant[] {
    const gone: Participant[] = [];
    for (const participant of this.#away) {
      const { presence } = participant;
      if (presence.kind === 'away' && now < presence.until) break;
      gone.push(participant);
    }
    return gone;
  }

  /** Participants whose credential has expired. */
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
    const secret = this.#secretOf.get(participant);
    if (secret === undefined) return;
    this.#secretOf.delete(participant);
    this.#bySecret.delete(secret);
  }
}
