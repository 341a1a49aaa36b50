/** Files in memory that fail when told to: a full disk, a slow disk, a broken one, for the tests of record/. */

import type { WavFile } from '../../record/wav_file.js';

export class StandInFile implements WavFile {
  /** What the file holds. */
  bytes = Buffer.alloc(0);
  /** Every write: where, and how much was asked. */
  readonly writes: { readonly position: number; readonly length: number }[] = [];
  closed = 0;
  /** No byte fits at or beyond this position. */
  room = Number.POSITIVE_INFINITY;
  /** The most that one write takes. */
  mostBytes = Number.POSITIVE_INFINITY;
  /** Thrown by every write while it is set. */
  broken: Error | null = null;
  /** Awaited by every write: a disk that is behind. */
  gate: Promise<void> = Promise.resolve();

  async write(bytes: Uint8Array, offset: number, length: number, position: number) {
    this.writes.push({ position, length });
    await this.gate;
    if (this.broken) throw this.broken;
    const fits = Math.min(length, this.mostBytes, this.room - position);
    if (fits <= 0) throw systemError('ENOSPC', 'no space left on device, write');
    this.#grow(position + fits);
    this.bytes.set(bytes.subarray(offset, offset + fits), position);
    return { bytesWritten: fits };
  }

  async truncate(length: number): Promise<void> {
    if (this.broken) throw this.broken;
    this.#grow(length);
    this.bytes = this.bytes.subarray(0, length);
  }

  async close(): Promise<void> {
    this.closed += 1;
  }

  #grow(length: number): void {
    if (length > this.bytes.length)
      this.bytes = Buffer.concat([this.bytes, Buffer.alloc(length - this.bytes.length)]);
  }
}

/** An error as node:fs throws it. */
export function systemError(code: string, text: string): Error {
  return Object.assign(new Error(`${code}: ${text}`), { code });
}

/** A promise and what resolves it. */
export function gate(): { readonly shut: Promise<void>; readonly open: () => void } {
  let open = () => {};
  const shut = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { shut, open };
}
