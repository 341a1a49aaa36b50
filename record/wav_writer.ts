/**
 * Writes a mono 16-bit WAV while people speak.
 *
 * PCM can go to any position. Parts that were never written read as silence and take no space on disks with sparse files, so a quiet
 * day costs nothing. Samples are written first and the header's sizes after them: the header never claims more than there is, and a
 * process that is killed leaves a file that plays. (This does not cover a power cut: nothing is synced.)
 *
 * It has no clock: PCM is written when `batchSamples` wait, and when the owner calls `flush()`.
 */

import { HotmicError } from '../voice/error.js';
import { BYTES_PER_SAMPLE, type Samples } from '../voice/units.js';
import { checkWavRate, MAX_WAV_DATA_BYTES, WAV_HEADER_BYTES, wavHeader } from '../voice/wav.js';
import {
  fileError,
  type OpenWavFile,
  openNewFile,
  openOverFile,
  type WavFile,
  writeWhole,
} from './wav_file.js';

/** The longest WAV, in samples: a day at 24 kHz and 51 minutes. */
export const MAX_WAV_SAMPLES: Samples = MAX_WAV_DATA_BYTES / BYTES_PER_SAMPLE;

/** The rate and the bounds of a WAV. */
export interface WavWriterOptions {
  /** 4000 to 192000. */
  readonly sampleRateHz: number;
  /** What to do with an existing file: refuse with ERR_HOTMIC_FILE, or replace it. Default `refuse`. */
  readonly existing?: 'refuse' | 'replace';
  /** The most PCM that waits for the disk, including what is being written, in bytes, 1 or more. Default 4 MiB: 87 s at 24 kHz. */
  readonly maxPendingBytes?: number;
  /** How much PCM starts a write, in samples, 1 or more. Default a quarter of a second. */
  readonly batchSamples?: Samples;
  /** Called once, with the error that ends this recording. Must not throw. */
  readonly onError?: (error: HotmicError) => void;
  /** Replaces the file system. */
  readonly openFile?: OpenWavFile;
}

interface Run {
  readonly position: Samples;
  readonly bytes: Uint8Array;
}

/** A WAV that grows while somebody speaks, and is whole after each flush. */
export class WavWriter {
  readonly path: string;
  readonly sampleRateHz: number;
  /** Samples that were refused after the recording failed. */
  refusedSamples: Samples = 0;

  readonly #options: WavWriterOptions;
  readonly #maxPendingBytes: number;
  readonly #batchBytes: number;
  #failed: HotmicError | null = null;
  #file: WavFile | null = null;
  #fileIsBroken = false;
  #pending: Run[] = [];
  /** Bytes in `#pending`, and of all PCM that waits, including what is being written. */
  #queuedBytes = 0;
  #waitingBytes = 0;
  #draining: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  #end: Samples = 0;
  /** Bytes of samples in the file, and according to its header. */
  #dataBytes = 0;
  #toldBytes: number | null = null;

  private constructor(path: string, options: WavWriterOptions) {
    checkWavRate(options.sampleRateHz);
    this.path = path;
    this.sampleRateHz = options.sampleRateHz;
    this.#options = options;
    this.#maxPendingBytes = checkPositive('maxPendingBytes', options.maxPendingBytes ?? 4 * 1024 * 1024);
    const batchSamples = options.batchSamples ?? Math.ceil(options.sampleRateHz / 4);
    this.#batchBytes = checkPositive('batchSamples', batchSamples) * BYTES_PER_SAMPLE;
  }

  /**
   * Opens the file and writes an empty WAV.
   *
   * @throws HotmicError ERR_HOTMIC_FILE if it cannot be opened, ERR_HOTMIC_DISK_FULL if not even the header fits.
   * @throws RangeError if an option is out of range.
   */
  static async create(path: string, options: WavWriterOptions): Promise<WavWriter> {
    const writer = new WavWriter(path, options);
    try {
      await writer.flush();
    } catch (thrown) {
      await writer.close().catch(() => {});
      throw thrown;
    }
    return writer;
  }

  /** Like `create`, but synchronous: PCM is accepted at once, while the file is being opened. If that fails, the error comes later. */
  static start(path: string, options: WavWriterOptions): WavWriter {
    const writer = new WavWriter(path, options);
    void writer.#drain();
    return writer;
  }

  /** The error that ended this recording, or null. It does not change any more. */
  get failed(): HotmicError | null {
    return this.#failed;
  }

  /** Length of the track: all accepted PCM, or, after the file has failed, what it contains. */
  get samples(): Samples {
    return this.#fileIsBroken ? (this.#toldBytes ?? 0) / BYTES_PER_SAMPLE : this.#end;
  }

  /**
   * Queues PCM for `position`, in samples from the start of the track, whole, 0 or more. `pcm` is copied. Sound at that position is
   * overwritten.
   *
   * @returns Whether it was accepted. After a failure nothing is: ERR_HOTMIC_DISK_BEHIND (too much waits), ERR_HOTMIC_WAV_FULL (4 GiB),
   * ERR_HOTMIC_DISK_FULL or ERR_HOTMIC_FILE, which `failed`, `onError`, `flush` and `close` report.
   * @throws RangeError for any other `position`; HotmicError ERR_HOTMIC_CLOSED after `close()`.
   */
  writeAt(position: Samples, pcm: Int16Array): boolean {
    if (!Number.isSafeInteger(position) || position < 0) {
      throw new RangeError(`Cannot record at sample ${position}: expected a whole number, 0 or more`);
    }
    if (this.#closing) {
      throw new HotmicError('ERR_HOTMIC_CLOSED', `Cannot record to ${this.path}: the recording is closed`);
    }
    if (pcm.length === 0) return this.#failed === null;
    const end = position + pcm.length;
    const waitingBytes = this.#waitingBytes + pcm.byteLength;
    if (!this.#failed && end > MAX_WAV_SAMPLES) {
      this.#fail('ERR_HOTMIC_WAV_FULL', `${end} samples, expected at most ${MAX_WAV_SAMPLES} (4 GiB)`);
    } else if (!this.#failed && waitingBytes > this.#maxPendingBytes) {
      const most = this.#maxPendingBytes;
      this.#fail(
        'ERR_HOTMIC_DISK_BEHIND',
        `${waitingBytes} bytes are waiting for the disk, expected at most ${most}`,
      );
    }
    if (this.#failed) {
      this.refusedSamples += pcm.length;
      return false;
    }
    const bytes = new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength).slice();
    this.#pending.push({ position, bytes });
    this.#queuedBytes += bytes.length;
    this.#waitingBytes = waitingBytes;
    this.#end = Math.max(this.#end, end);
    if (this.#queuedBytes >= this.#batchBytes) void this.#drain();
    return true;
  }

  /**
   * Writes all accepted PCM, and the header.
   *
   * @throws HotmicError The error that ended this recording, every time. PCM from before ERR_HOTMIC_DISK_BEHIND and ERR_HOTMIC_WAV_FULL
   * is still written.
   */
  async flush(): Promise<void> {
    await this.#writeOut();
    if (this.#failed) throw this.#failed;
  }

  /**
   * Writes all accepted PCM and closes the file, whatever happened. A second call returns the same promise.
   *
   * @param finalSamples Length up to which silence is added, `samples` to `MAX_WAV_SAMPLES`. Default: none is added. A file that failed
   * keeps its length.
   * @throws HotmicError The error that ended this recording; RangeError if `finalSamples` is out of range, and nothing is closed.
   */
  close(finalSamples: Samples = this.samples): Promise<void> {
    if (this.#closing) return this.#closing;
    if (
      !(Number.isInteger(finalSamples) && finalSamples >= this.samples && finalSamples <= MAX_WAV_SAMPLES)
    ) {
      const range = `${this.samples} to ${MAX_WAV_SAMPLES}`;
      return Promise.reject(
        new RangeError(`Cannot close ${this.path} at ${finalSamples} samples: expected ${range}`),
      );
    }
    this.#closing = this.#finish(finalSamples);
    return this.#closing;
  }

  async #finish(finalSamples: Samples): Promise<void> {
    await this.#writeOut();
    const file = this.#file;
    if (file) {
      if (!this.#fileIsBroken) await this.#attempt(() => this.#pad(file, finalSamples * BYTES_PER_SAMPLE));
      await this.#attempt(() => file.close());
    }
    if (this.#failed) throw this.#failed;
  }

  async #pad(file: WavFile, dataBytes: number): Promise<void> {
    if (dataBytes <= this.#dataBytes) return;
    await file.truncate(WAV_HEADER_BYTES + dataBytes);
    this.#end = dataBytes / BYTES_PER_SAMPLE;
    this.#dataBytes = dataBytes;
    await this.#tellLength(file);
  }

  async #writeOut(): Promise<void> {
    // Again, in case PCM came while a drain was ending.
    while (!this.#fileIsBroken && (!this.#file || this.#waitingBytes > 0)) await this.#drain();
  }

  /** Never rejects: errors are in `#failed`. */
  #drain(): Promise<void> {
    this.#draining ??= this.#attempt(() => this.#writePending()).finally(() => {
      this.#draining = null;
    });
    return this.#draining;
  }

  async #writePending(): Promise<void> {
    if (this.#fileIsBroken) return;
    if (!this.#file) {
      this.#file = await this.#open();
      await this.#tellLength(this.#file);
    }
    const file = this.#file;
    while (this.#pending.length > 0) {
      const runs = this.#pending;
      const batchBytes = this.#queuedBytes;
      this.#pending = [];
      this.#queuedBytes = 0;
      for (const run of joinRuns(runs)) await this.#writeRun(file, run);
      await this.#tellLength(file);
      this.#waitingBytes -= batchBytes;
    }
  }

  #open(): Promise<WavFile> {
    const { openFile, existing } = this.#options;
    if (openFile) return openFile(this.path);
    return existing === 'replace' ? openOverFile(this.path) : openNewFile(this.path);
  }

  async #writeRun(file: WavFile, run: Run): Promise<void> {
    const at = run.position * BYTES_PER_SAMPLE;
    await writeWhole(file, run.bytes, WAV_HEADER_BYTES + at, (done) => {
      // Half a sample, where the disk was full, does not count.
      this.#dataBytes = Math.max(this.#dataBytes, at + done - (done % BYTES_PER_SAMPLE));
    });
  }

  /** Writes the header once its samples are in the file. In one write: a reader sees either the old sizes or the new. */
  async #tellLength(file: WavFile): Promise<void> {
    const dataBytes = this.#dataBytes;
    await writeWhole(file, wavHeader(this.sampleRateHz, dataBytes), 0);
    this.#toldBytes = dataBytes;
  }

  /** Runs an action on the file. If it fails, the file is kept playable and the rest is given up. */
  async #attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (thrown) {
      this.#fileIsBroken = true;
      this.refusedSamples += this.#waitingBytes / BYTES_PER_SAMPLE;
      this.#pending = [];
      this.#queuedBytes = 0;
      this.#waitingBytes = 0;
      const file = this.#file;
      if (file && this.#toldBytes !== null) {
        // The header's block was allocated long ago, so this works on a full disk. If not, the old header is still true.
        await this.#tellLength(file).catch(() => {});
        await file.truncate(WAV_HEADER_BYTES + this.#toldBytes).catch(() => {});
      }
      const action = this.#toldBytes === null ? 'create recording' : 'write recording';
      this.#settle(fileError(action, this.path, thrown));
    }
  }

  #fail(code: 'ERR_HOTMIC_WAV_FULL' | 'ERR_HOTMIC_DISK_BEHIND', why: string): void {
    this.#settle(new HotmicError(code, `Cannot go on recording to ${this.path}: ${why}`));
  }

  #settle(error: HotmicError): void {
    if (this.#failed) return;
    this.#failed = error;
    this.#options.onError?.(error);
  }
}

/** Joins adjacent runs, so that a batch is one write. They are not sorted: of two at one position the later wins. */
function joinRuns(runs: readonly Run[]): Run[] {
  const joined: Run[] = [];
  for (let from = 0; from < runs.length; ) {
    const first = runs[from]!;
    let bytes = 0;
    let to = from;
    for (
      ;
      to < runs.length && runs[to]!.position * BYTES_PER_SAMPLE === first.position * BYTES_PER_SAMPLE + bytes;
      to++
    ) {
      bytes += runs[to]!.bytes.length;
    }
    const whole = new Uint8Array(bytes);
    let filled = 0;
    for (const run of runs.slice(from, to)) {
      whole.set(run.bytes, filled);
      filled += run.bytes.length;
    }
    joined.push({ position: first.position, bytes: whole });
    from = to;
  }
  return joined;
}

function checkPositive(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new RangeError(`Cannot record: ${name} is ${value}, expected a whole number, 1 or more`);
}
