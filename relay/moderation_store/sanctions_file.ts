/**
 * Keeps mutes and bans across restarts, in a small file. docs/admin.md says how it looks.
 *
 * `keep` returns at once: what is kept while a write is under way goes with the next one. When a write fails, as on a full disk,
 * what holds stays in memory, and the whole file is written anew, with pauses, until that succeeds: what a failed write or fsync left is
 * never built upon.
 */

import { messageOf } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';
import { holdsAny, isAnything, type Sanction } from '../core/sanctions.js';
import { fileError, type OpenedDisk, openSanctionsDisk, type SanctionsDisk } from './sanctions_disk.js';
import { HEADER, readSanctionsText, sanctionKey, sanctionLine } from './sanctions_text.js';

/** Something to log. */
export type SanctionsFileEvent =
  /** A crash cut the last line; it was left out. */
  | { readonly kind: 'sanctions-torn'; readonly bytes: number }
  /** `waiting` changes are not on the disk. They hold, and are tried again. */
  | { readonly kind: 'sanctions-not-kept'; readonly waiting: number; readonly detail: string }
  | { readonly kind: 'sanctions-kept-again' };

export interface SanctionsFileOptions {
  /** Now, in seconds of unix time: what has ended by then does not count as one of `most`. */
  readonly unixSeconds: number;
  /** People whom the relay remembers: its `limits.sanctions`. A file with more is an error. Default 100000. */
  readonly most?: number;
  /** Must not throw. */
  readonly onEvent?: (event: SanctionsFileEvent) => void;
  /** Calls back once after `ms`. What it returns takes that back. Default the system's timer. */
  readonly after?: (ms: Milliseconds, callback: () => void) => () => void;
}

export interface SanctionsFileCounts {
  /** Changes that were given to keep. */
  readonly kept: number;
  /** Of those, the ones that are not on the disk yet. */
  readonly waiting: number;
  /** Writes that failed. */
  readonly failures: number;
  /** Times that the whole file was written. */
  readonly rewrites: number;
}

/** The first pause after a failure; each next one is twice as long. */
const PAUSE_MS: Milliseconds = 500;
const MAX_PAUSE_MS: Milliseconds = 60_000;
const MAX_CLOSE_MS: Milliseconds = 5000;
/** Lines beyond twice what holds, before the file is written anew. */
const SPARE_LINES = 1000;
/** Changes that wait for a write under way; beyond, the whole file is written instead. */
const MAX_WAITING = 10_000;
/** Records that are made into text at once: between them, voice has its turn. */
const RECORDS_A_PIECE = 200;

/**
 * Opens the file, or makes it, with mode 0600. It is written whole at once. What has ended stays in it until the relay forgets it: the
 * clock may be wrong at a start.
 *
 * @throws HotmicError ERR_HOTMIC_FILE: it cannot be read or written, another relay has it, a line does not read (it is named), or
 *   it holds too many.
 */
export async function openSanctionsFile(path: string, options: SanctionsFileOptions): Promise<SanctionsFile> {
  return SanctionsFile.over(path, await openSanctionsDisk(path), options);
}

export class SanctionsFile {
  /** What was in the file when it was opened. */
  readonly sanctions: readonly Sanction[];
  readonly #disk: SanctionsDisk;
  readonly #living: Map<string, Sanction>;
  readonly #onEvent: (event: SanctionsFileEvent) => void;
  readonly #after: NonNullable<SanctionsFileOptions['after']>;
  /** What the next write adds, the last of each person. */
  readonly #pending = new Map<string, Sanction>();
  /** Why the next write has to be a whole one. */
  #mustRewrite = false;
  #lines: number;
  #writing: Promise<void> | null = null;
  #endPause: (() => void) | null = null;
  /** Those who wait for the end of the attempt under way. */
  #onAttempted: (() => void)[] = [];
  #closing: Promise<void> | null = null;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #failed = 0;
  #kept = 0;
  #waiting = 0;
  #failures = 0;
  #rewrites = 0;

  private constructor(disk: SanctionsDisk, living: Map<string, Sanction>, options: SanctionsFileOptions) {
    this.#disk = disk;
    this.#living = living;
    this.sanctions = [...living.values()];
    this.#lines = living.size;
    this.#onEvent = options.onEvent ?? (() => undefined);
    this.#after = options.after ?? systemAfter;
  }

  /** As `openSanctionsFile`, over a disk of the caller's. It is closed when this fails. */
  static async over(
    path: string,
    { disk, bytes }: OpenedDisk,
    options: SanctionsFileOptions,
  ): Promise<SanctionsFile> {
    try {
      const read = readSanctionsText(bytes);
      if (read.kind === 'malformed') throw fileError(path, `line ${read.line}: ${read.detail}`);
      const { most = 100_000 } = options;
      const held = forgetEnded(read.records, most, options.unixSeconds);
      if (held > most) {
        throw fileError(
          path,
          `${held} records hold in it, expected at most ${most}, as limits.sanctions says`,
        );
      }
      const file = new SanctionsFile(disk, read.records, options);
      try {
        await file.#rewrite();
      } catch (thrown) {
        throw fileError(path, messageOf(thrown), thrown);
      }
      if (read.tornBytes > 0) file.#onEvent({ kind: 'sanctions-torn', bytes: read.tornBytes });
      return file;
    } catch (thrown) {
      await disk.close();
      throw thrown;
    }
  }

  /** Keeps a record; one with nothing set forgets the person. Takes microseconds, never throws. Ignored once it is closed. */
  keep(sanction: Sanction): void {
    if (this.#state !== 'open') return;
    const key = sanctionKey(sanction);
    this.#living.delete(key);
    if (isAnything(sanction)) this.#living.set(key, sanction);
    this.#kept += 1;
    this.#waiting += 1;
    this.#pending.delete(key);
    if (this.#mustRewrite || this.#pending.size >= MAX_WAITING) {
      this.#pending.clear();
      this.#mustRewrite = true;
    } else {
      this.#pending.set(key, sanction);
    }
    this.#writing ??= this.#writeAll();
  }

  counts(): SanctionsFileCounts {
    return { kept: this.#kept, waiting: this.#waiting, failures: this.#failures, rewrites: this.#rewrites };
  }

  /** Resolves when all that was kept before is on the disk; earlier when it fails once more. Never rejects. */
  async flush(): Promise<void> {
    const failures = this.#failures;
    while (this.#writing && this.#waiting > 0 && this.#failures === failures) {
      this.#endPause?.();
      await new Promise<void>((resolve) => this.#onAttempted.push(resolve));
    }
  }

  /** Writes what waits, tries once more if that failed, and lets go of the file. Takes 5 s at most. Never rejects. Again: the same. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#state = 'closing';
    let cancel = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = this.#after(MAX_CLOSE_MS, resolve);
    });
    const done = this.flush().then(() => this.#disk.close());
    // A disk that does not answer must not hold the process.
    await Promise.race([done.catch(() => undefined), late]);
    cancel();
    this.#state = 'closed';
  }

  /** Until nothing waits. Never rejects. */
  async #writeAll(): Promise<void> {
    // What else is kept in this turn goes with the first write.
    await Promise.resolve();
    while (this.#waiting > 0 && this.#state !== 'closed') {
      const taken = this.#waiting;
      try {
        await this.#write();
        this.#waiting -= taken;
        if (this.#failed > 0) this.#onEvent({ kind: 'sanctions-kept-again' });
        this.#failed = 0;
      } catch (thrown) {
        this.#pending.clear();
        this.#mustRewrite = true;
        this.#failures += 1;
        const detail = messageOf(thrown);
        this.#onEvent({ kind: 'sanctions-not-kept', waiting: this.#waiting, detail });
        const pauseMs = Math.min(MAX_PAUSE_MS, PAUSE_MS * 2 ** this.#failed);
        this.#failed = Math.min(this.#failed + 1, 16);
        const pause = this.#state === 'open' ? this.#pause(pauseMs) : null;
        this.#attempted();
        if (!pause) break;
        await pause;
      }
      this.#attempted();
    }
    this.#writing = null;
  }

  #attempted(): void {
    for (const resolve of this.#onAttempted.splice(0)) resolve();
  }

  #pause(ms: Milliseconds): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#after(ms, () => this.#endPause?.());
      this.#endPause = () => {
        this.#endPause = null;
        cancel();
        resolve();
      };
    });
  }

  async #write(): Promise<void> {
    const isLong = this.#lines + this.#pending.size > 2 * this.#living.size + SPARE_LINES;
    if (this.#mustRewrite || isLong) return this.#rewrite();
    const lines = [...this.#pending.values()].map(sanctionLine);
    this.#pending.clear();
    await this.#disk.append(lines.join(''));
    this.#lines += lines.length;
  }

  async #rewrite(): Promise<void> {
    // What changes from here on is written behind it.
    const records = [...this.#living.values()];
    this.#pending.clear();
    this.#mustRewrite = false;
    await this.#disk.rewrite(piecesOf(records));
    this.#lines = records.length;
    this.#rewrites += 1;
  }
}

/** Forgets of what has ended, the first first, as much as is beyond `most` records. How many hold. */
function forgetEnded(records: Map<string, Sanction>, most: number, unixSeconds: number): number {
  const ended = [...records].filter(([, record]) => !holdsAny(record, unixSeconds));
  const held = records.size - ended.length;
  const excess = Math.max(0, records.size - most);
  for (const [key] of ended.slice(0, excess)) records.delete(key);
  return held;
}

function* piecesOf(records: readonly Sanction[]): Iterable<string> {
  yield `${HEADER}\n`;
  for (let at = 0; at < records.length; at += RECORDS_A_PIECE) {
    yield records
      .slice(at, at + RECORDS_A_PIECE)
      .map(sanctionLine)
      .join('');
  }
}

function systemAfter(ms: Milliseconds, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  timer.unref();
  return () => clearTimeout(timer);
}
