/**
 * Decides when to read a certificate's files again: after a change of any kind (overwritten, replaced by a rename
 * as certbot does with links, or by swapping a folder of links as Kubernetes does), and not in the middle of it. Pure:
 * the marks of the files and the time are arguments.
 */

import type { BigIntStats } from 'node:fs';
import type { Milliseconds } from '../../voice/units.js';

/** Before a refused certificate is tried again: it may become valid, or a disk may return. */
const RETRY_MS = 60_000;
/** Between two new certificates. uWebSockets.js never frees the memory of one, about 40 kB. */
const MIN_BETWEEN_MS = 60_000;

/** A mark that changes with a file, from its status through all links; `null` stands for a missing file. */
export function markOf(about: BigIntStats | null): string {
  if (!about) return 'absent';
  const { dev, ino, size, mtimeNs, ctimeNs } = about;
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

export class CertificateWatch {
  /** The marks when the files were last read, with or without success. */
  #tried: string;
  #seen: string;
  #retryAt: Milliseconds = Number.POSITIVE_INFINITY;
  #notBefore: Milliseconds = Number.NEGATIVE_INFINITY;

  /** @param marks The marks before the files were read for the first time. */
  constructor(marks: readonly string[]) {
    this.#tried = marks.join('\n');
    this.#seen = this.#tried;
  }

  /**
   * Whether to read the files now. Call it every few seconds; `done` has to follow a yes. A change counts when the marks were
   * the same twice: certificate and key are two files, and one is written before the other.
   */
  isDue(marks: readonly string[], now: Milliseconds): boolean {
    const seen = marks.join('\n');
    const isSettled = seen === this.#seen;
    this.#seen = seen;
    return isSettled && now >= this.#notBefore && (seen !== this.#tried || now >= this.#retryAt);
  }

  /** The files were read when they had these marks. */
  done(marks: readonly string[], outcome: 'loaded' | 'unchanged' | 'refused', now: Milliseconds): void {
    this.#tried = marks.join('\n');
    this.#retryAt = outcome === 'refused' ? now + RETRY_MS : Number.POSITIVE_INFINITY;
    if (outcome === 'loaded') this.#notBefore = now + MIN_BETWEEN_MS;
  }
}
