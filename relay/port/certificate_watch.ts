/**
 * When a certificate's files are to be read again: after they changed, however that was done (written over, renamed
 * over as certbot's links are, a folder of links swapped as Kubernetes does it), and not in the middle of it. Pure:
 * what the files look like and what time it is are told.
 */

import type { BigIntStats } from 'node:fs';
import type { Milliseconds } from '../../voice/units.js';

/** Of what was refused: perhaps its time has not come yet, or a disk was away. */
const RETRY_MS = 60_000;
/** Between two that were taken. uWebSockets never gives back what a certificate took, some 40 kB. */
const MIN_BETWEEN_MS = 60_000;

/** How a file looks without reading it, through all links; null when it is not there. */
export function markOf(about: BigIntStats | null): string {
  if (!about) return 'absent';
  const { dev, ino, size, mtimeNs, ctimeNs } = about;
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

export class CertificateWatch {
  /** What was read last, be it good or not. */
  #tried: string;
  #seen: string;
  #retryAt: Milliseconds = Number.POSITIVE_INFINITY;
  #notBefore: Milliseconds = Number.NEGATIVE_INFINITY;

  /** @param marks How the files looked before they were read for the first time. */
  constructor(marks: readonly string[]) {
    this.#tried = marks.join('\n');
    this.#seen = this.#tried;
  }

  /**
   * Whether to read the files now. Ask every few seconds; `done` has to follow a yes. A change counts when it looked the
   * same twice: certificate and key are two files, and one is there before the other.
   */
  isDue(marks: readonly string[], now: Milliseconds): boolean {
    const seen = marks.join('\n');
    const isSettled = seen === this.#seen;
    this.#seen = seen;
    return isSettled && now >= this.#notBefore && (seen !== this.#tried || now >= this.#retryAt);
  }

  /** The files were read as they looked then. */
  done(marks: readonly string[], outcome: 'loaded' | 'unchanged' | 'refused', now: Milliseconds): void {
    this.#tried = marks.join('\n');
    this.#retryAt = outcome === 'refused' ? now + RETRY_MS : Number.POSITIVE_INFINITY;
    if (outcome === 'loaded') this.#notBefore = now + MIN_BETWEEN_MS;
  }
}
