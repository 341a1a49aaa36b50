/**
 * Stores mutes and bans in a small file, so that they survive a restart. docs/admin.md describes its format.
 *
 * `keep` returns at once; records kept during a write are part of the next one. When a write fails, for example on a full disk,
 * the records stay in memory, and the whole file is rewritten, with pauses, until that succeeds. The file is never appended to after a failed
 * write or fsync.
 */

import { messageOf } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';
import { holdsAny, isAnything, type Sanction } from '../core/sanctions.js';
import { fileError, type OpenedDisk, openSanctionsDisk, type SanctionsDisk } from './sanctions_disk.js';
import { HEADER, readSanctionsText, sanctionKey, sanctionLine } from './sanctions_text.js';

/** An event for the log. */
export type SanctionsFileEvent =
  /** A crash cut the last line off; it was ignored. */
  | { readonly kind: 'sanctions-torn'; readonly bytes: number }
  /** `waiting` changes are not on the disk. They are in force, and writing them is tried again. */
  | { readonly kind: 'sanctions-not-kept'; readonly waiting: number; readonly detail: string }
  | { readonly kind: 'sanctions-kept-again' };

export interface SanctionsFileOptions {
  /** The current unix time, in seconds: records that have ended do not count towards `most`. */
  readonly unixSeconds: number;
  /** Most records in force: the relay's `limits.sanctions`. A file with more is an error. Default 100000. */
  readonly most?: number;
  /** Must not throw. */
  readonly onEvent?: (event: SanctionsFileEvent) => void;
  /** Calls back once after `ms`. Returns a function that cancels it. Default: the system's timer. */
  readonly after?: (ms: Milliseconds, callback: () => void) => () => void;
}

/** What was written to the file of mutes and bans. */
export interface SanctionsFileCounts {
  /** Changes passed to `keep`. */
  readonly kept: number;
  /** Changes that are not on the disk yet. */
  readonly waiting: number;
  /** Failed writes. */
  readonly failures: number;
  /** Times that the whole file was rewritten. */
  readonly rewrites: number;
}

/** The first pause after a failure; each next one is twice as long. */
const PAUSE_MS: Milliseconds = 500;
const MAX_PAUSE_MS: Milliseconds = 60_000;
const MAX_CLOSE_MS: Milliseconds = 5000;
/** Lines beyond twice the number of records, before the file is rewritten. */
const SPARE_LINES = 1000;
/** Most changes that wait for a write under way; beyond, the whole file is rewritten instead. */
const MAX_WAITING = 10_000;
/** Records that are formatted at once: between the pieces, voice is handled. */
const RECORDS_A_PIECE = 200;

/**
 * Opens the file, or creates it with mode 0600, and rewrites it at once. Records that have ended stay in it until the relay forgets them: the
 * clock may be wrong at the start.
 *
 * @throws HotmicError ERR_HOTMIC_FILE when it cannot be read or written, is in use by another relay, has a malformed line (the error names it),
 *   or has too many records.
 */
export async function openSanctionsFile(path: string, options: SanctionsFileOptions): Promise<SanctionsFile> {
  return SanctionsFile.over(path, await openSanctionsDisk(path), options);
}

export class SanctionsFile {
  /** The records in the file when it was opened. */
  readonly sanctions: readonly Sanction[];
  readonly #disk: SanctionsDisk;
  readonly #living: Map<string, Sanction>;
  readonly #onEvent: (event: SanctionsFileEvent) => void;
  readonly #after: NonNullable<SanctionsFileOptions['after']>;
  /** The records of the next write, the last one of each person and lobby. */
  readonly #pending = new Map<string, Sanction>();
  /** Whether the next write has to be a rewrite. */
  #mustRewrite = false;
  #lines: number;
  #writing: Promise<void> | null = null;
  #endPause: (() => void) | null = null;
  /** Called at the end of the attempt under way. */
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

  /** As `openSanctionsFile`, with a disk of the caller's. The disk is closed when this fails. */
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
          `it has ${held} records in force, expected at most ${most}, the value of limits.sanctions`,
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

  /** Stores a record; one with nothing set removes the person's. Takes microseconds, never throws. Ignored after `close`. */
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

  /** Resolves when all earlier changes are on the disk, or after another failed write. Never rejects. */
  async flush(): Promise<void> {
    const failures = this.#failures;
    while (this.#writing && this.#waiting > 0 && this.#failures === failures) {
      this.#endPause?.();
      await new Promise<void>((resolve) => this.#onAttempted.push(resolve));
    }
  }

  /** Writes waiting changes, retries once after a failure, and closes the file. Takes 5 s at most. Never rejects. Idempotent. */
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
    // A disk that does not respond must not keep the process from ending.
    await Promise.race([done.catch(() => undefined), late]);
    cancel();
    this.#state = 'closed';
  }

  /** Writes until nothing waits. Never rejects. */
  async #writeAll(): Promise<void> {
    // Records kept later in this turn are part of the first write.
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
    // Changes from now on are appended after it.
    const records = [...this.#living.values()];
    this.#pending.clear();
    this.#mustRewrite = false;
    await this.#disk.rewrite(piecesOf(records));
    this.#lines = records.length;
    this.#rewrites += 1;
  }
}

/** Removes ended records beyond `most`, the oldest first. Returns how many records are in force. */
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
