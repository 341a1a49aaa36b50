/**
 * What the embedded Steam records instead of a microphone: a WAV file, raw PCM from a pipe, or a generator.
 *
 * Each returns mono PCM at 24 kHz on request, never more than requested, and never waits.
 */

import { closeSync, constants, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { isatty } from 'node:tty';
import { HotmicError } from '../../voice/error.js';
import { systemReason } from '../../voice/system_reason.js';
import { VOICE_RATE_HZ } from '../../voice/units.js';
import { readWav, type WavChannel } from '../../voice/wav.js';
import { Resampler } from '../../wasm/resampler.js';
import { checkBoolean } from '../user_arguments.js';

/** What to record. Survives structured cloning, so that it can be sent to the capture worker. */
export type VoiceInputOptions =
  /**
   * A WAV file of any rate; without a `path`, from standard input. After its end comes silence, or, with `loop` (default false), the
   * file again. `channel` selects the channel of a file with several; default `mix`.
   */
  | { readonly kind: 'wav'; readonly path?: string; readonly loop?: boolean; readonly channel?: WavChannel }
  /**
   * Raw mono s16 little-endian PCM from a file or named pipe; without a `path`, from standard input. Default rate 24000. With `live`
   * (default false) it is treated like a microphone: sound that comes while nobody records is dropped, not buffered.
   */
  | { readonly kind: 'pcm'; readonly path?: string; readonly sampleRateHz?: number; readonly live?: boolean }
  /** A tone that swells and fades four times a second, like syllables. Default 440 Hz, level 0.3 of full scale. */
  | { readonly kind: 'tone'; readonly frequencyHz?: number; readonly level?: number }
  | { readonly kind: 'silence' };

/** A source of PCM at 24 kHz. */
export interface VoiceInput {
  /** A recording begins. */
  begin(): void;
  /** Fills the front of `target` and returns the number of samples, fewer than requested when no more have come yet. */
  read(target: Int16Array): number;
  /** True when no more will ever come. */
  readonly ended: boolean;
  /** Frees what it holds. A second call does nothing. */
  close(): void;
}

/** The longest WAV that is read into memory. */
const MAX_WAV_BYTES = 512 * 1024 * 1024;

/** How much of a WAV of unknown length is read at once. */
const PIPE_PART_BYTES = 1024 * 1024;

/** The most that is read ahead from a pipe; beyond it the pipe has to wait. */
const MAX_PIPE_AHEAD_SAMPLES = VOICE_RATE_HZ;

/** Opens an input. @throws HotmicError ERR_HOTMIC_INPUT or ERR_HOTMIC_WAV, saying which file and why. */
export function openVoiceInput(options: VoiceInputOptions): VoiceInput {
  checkFlags(options);
  switch (options.kind) {
    case 'wav':
      return new ClipInput(readClip(options.path ?? null, options.channel), options.loop ?? false);
    case 'pcm':
      return new PipeInput(
        options.path ?? null,
        options.sampleRateHz ?? VOICE_RATE_HZ,
        options.live ?? false,
      );
    case 'tone':
      return new ToneInput(options.frequencyHz ?? 440, options.level ?? 0.3);
    case 'silence':
      return { begin() {}, ended: false, read: (target) => target.fill(0).length, close() {} };
  }
}

/** @throws TypeError for a flag that is not a boolean. */
function checkFlags(options: VoiceInputOptions): void {
  if (options.kind === 'wav' && options.loop !== undefined)
    checkBoolean('open the input', 'loop', options.loop);
  if (options.kind === 'pcm' && options.live !== undefined)
    checkBoolean('open the input', 'live', options.live);
}

/**
 * An input that is opened at the first key-down: if two Steams could read one pipe, the one that records gets all of it. `begin`
 * throws what opening throws.
 */
export function inputFromKeyDown(options: VoiceInputOptions): VoiceInput {
  checkFlags(options);
  let input: VoiceInput | null = null;
  return {
    begin() {
      input ??= openVoiceInput(options);
      input.begin();
    },
    read: (target) => input?.read(target) ?? 0,
    get ended() {
      return input?.ended ?? false;
    },
    close: () => input?.close(),
  };
}

/**
 * A whole WAV file as PCM at 24 kHz. Exact when it is 16 bit, mono and 24 kHz already; otherwise resampled, in step with the
 * original.
 *
 * @param path Null for standard input, which is read to its end first.
 * @throws HotmicError ERR_HOTMIC_INPUT or ERR_HOTMIC_WAV, saying which file and why.
 */
export function readClip(path: string | null, channel: WavChannel = 'mix'): Int16Array {
  const name = path ?? 'standard input';
  const wav = readWav(readWavBytes(path, name));
  if (wav.kind === 'malformed') {
    throw new HotmicError('ERR_HOTMIC_WAV', `Cannot read ${name} as WAV: ${wav.reason}`);
  }
  if (channel === 'right' && wav.channels === 1) {
    const message = `Cannot read the right channel of ${name}: it is mono, expected 2 channels or more`;
    throw new HotmicError('ERR_HOTMIC_WAV', message);
  }
  return wav.sampleRateHz === VOICE_RATE_HZ
    ? wav.samplesInt16(channel)
    : resampleClip(wav.samplesFloat(channel), wav.sampleRateHz);
}

/** The file, up to `MAX_WAV_BYTES`. It may be a pipe, whose length is not known in advance. */
function readWavBytes(path: string | null, name: string): Uint8Array {
  const parts: Buffer[] = [];
  let bytes = 0;
  let fd: number | null = null;
  try {
    fd = path === null ? 0 : openSync(path, 'r');
    if (path === null && isatty(0)) {
      throw new HotmicError('ERR_HOTMIC_INPUT', 'Cannot read standard input as WAV: it is a terminal');
    }
    const stat = fstatSync(fd);
    const partBytes = stat.isFile() ? Math.min(stat.size, MAX_WAV_BYTES) + 1 : PIPE_PART_BYTES;
    while (bytes <= MAX_WAV_BYTES) {
      const part = Buffer.allocUnsafeSlow(partBytes);
      const got = readSync(fd, part);
      if (got === 0) break;
      parts.push(part.subarray(0, got));
      bytes += got;
    }
  } catch (cause) {
    if (cause instanceof HotmicError) throw cause;
    throw new HotmicError('ERR_HOTMIC_INPUT', `Cannot read ${name}: ${systemReason(cause)}`, { cause });
  } finally {
    if (fd !== null && fd !== 0) closeSync(fd);
  }
  if (bytes > MAX_WAV_BYTES) {
    const message = `Cannot read ${name}: more than ${MAX_WAV_BYTES} bytes, expected at most that`;
    throw new HotmicError('ERR_HOTMIC_WAV', message);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

function resampleClip(samples: Float32Array, sampleRateHz: number): Int16Array {
  const resampler = new Resampler(sampleRateHz, VOICE_RATE_HZ);
  try {
    const delay = Math.round((resampler.delaySamples * VOICE_RATE_HZ) / sampleRateHz);
    const padded = new Float32Array(samples.length + Math.ceil(resampler.delaySamples));
    padded.set(samples);
    return toInt16(resampler.process(padded).subarray(delay));
  } finally {
    resampler.free();
  }
}

function toInt16(samples: Float32Array): Int16Array {
  return Int16Array.from(samples, (sample) => Math.max(-32768, Math.min(32767, Math.round(sample * 32768))));
}

class ClipInput implements VoiceInput {
  readonly #clip: Int16Array;
  readonly #loop: boolean;
  #at = 0;

  constructor(clip: Int16Array, loop: boolean) {
    this.#clip = clip;
    this.#loop = loop && clip.length > 0;
  }

  get ended(): boolean {
    return !this.#loop && this.#at >= this.#clip.length;
  }

  read(target: Int16Array): number {
    let filled = 0;
    while (filled < target.length && !this.ended) {
      const part = this.#clip.subarray(this.#at, this.#at + target.length - filled);
      target.set(part, filled);
      filled += part.length;
      this.#at += part.length;
      if (this.#loop && this.#at === this.#clip.length) this.#at = 0;
    }
    // After its end a clip is like a silent microphone.
    return target.fill(0, filled).length;
  }

  begin(): void {}

  close(): void {}
}

class ToneInput implements VoiceInput {
  readonly ended = false;
  readonly #frequencyHz: number;
  readonly #level: number;
  #at = 0;

  constructor(frequencyHz: number, level: number) {
    if (!(frequencyHz > 0 && frequencyHz < VOICE_RATE_HZ / 2)) {
      throw new RangeError(`Cannot make a tone: ${frequencyHz} Hz, expected more than 0 and less than 12000`);
    }
    if (!(level >= 0 && level <= 1))
      throw new RangeError(`Cannot make a tone: level is ${level}, expected 0 to 1`);
    this.#frequencyHz = frequencyHz;
    this.#level = level;
  }

  read(target: Int16Array): number {
    for (let i = 0; i < target.length; i++, this.#at++) {
      const seconds = this.#at / VOICE_RATE_HZ;
      const swell = 0.5 - 0.5 * Math.cos(2 * Math.PI * 4 * seconds);
      target[i] = 32767 * this.#level * swell * Math.sin(2 * Math.PI * this.#frequencyHz * seconds);
    }
    return target.length;
  }

  begin(): void {}

  close(): void {}
}

/** Reads what the pipe delivers, up to a second ahead; then it lets the pipe fill up or, when live, drops the oldest. */
class PipeInput implements VoiceInput {
  readonly #live: boolean;
  readonly #stream: Readable;
  readonly #resampler: Resampler | null;
  #buffered = new Int16Array(2 * MAX_PIPE_AHEAD_SAMPLES);
  #start = 0;
  #end = 0;
  /** The first byte of a sample whose second has not come yet. */
  #oddByte: number | null = null;
  #streamEnded = false;

  constructor(path: string | null, sampleRateHz: number, live: boolean) {
    this.#live = live;
    this.#resampler = sampleRateHz === VOICE_RATE_HZ ? null : new Resampler(sampleRateHz, VOICE_RATE_HZ);
    try {
      this.#stream = openPipe(path, live ? 'drop' : 'keep');
    } catch (thrown) {
      this.#resampler?.free();
      throw thrown;
    }
    this.#stream.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#stream.on('end', () => {
      this.#streamEnded = true;
    });
    // A pipe that breaks has ended: the speaker falls silent.
    this.#stream.on('error', () => {
      this.#streamEnded = true;
    });
  }

  begin(): void {
    if (this.#live) this.#start = this.#end;
  }

  get ended(): boolean {
    return this.#streamEnded && this.#start === this.#end;
  }

  read(target: Int16Array): number {
    const samples = Math.min(target.length, this.#end - this.#start);
    target.set(this.#buffered.subarray(this.#start, this.#start + samples));
    this.#start += samples;
    if (this.#end - this.#start < MAX_PIPE_AHEAD_SAMPLES) this.#stream.resume();
    if (this.ended) return target.fill(0, samples).length;
    return samples;
  }

  close(): void {
    this.#stream.destroy();
    this.#resampler?.free();
  }

  #take(bytes: Buffer): void {
    const whole = this.#oddByte === null ? bytes : Buffer.concat([Buffer.of(this.#oddByte), bytes]);
    this.#oddByte = whole.length % 2 === 1 ? whole[whole.length - 1]! : null;
    const pcm = new Int16Array(whole.length >> 1);
    for (let i = 0; i < pcm.length; i++) pcm[i] = whole.readInt16LE(2 * i);
    const samples = this.#resampler
      ? toInt16(this.#resampler.process(Float32Array.from(pcm, (sample) => sample / 32768)))
      : pcm;
    this.#append(samples);
    const excess = this.#end - this.#start - MAX_PIPE_AHEAD_SAMPLES;
    if (excess < 0) return;
    if (this.#live) this.#start += excess;
    else this.#stream.pause();
  }

  #append(samples: Int16Array): void {
    const held = this.#end - this.#start;
    if (this.#end + samples.length > this.#buffered.length) {
      const grown =
        held + samples.length > this.#buffered.length
          ? new Int16Array(2 * (held + samples.length))
          : this.#buffered;
      grown.set(this.#buffered.subarray(this.#start, this.#end));
      this.#buffered = grown;
      this.#start = 0;
      this.#end = held;
    }
    this.#buffered.set(samples, this.#end);
    this.#end += samples.length;
  }
}

/** Pipes and sockets are read without blocking a thread; plain files as usual. `drop` discards what waits in a named pipe. */
function openPipe(path: string | null, waiting: 'keep' | 'drop'): Readable {
  const refuse = (why: string, cause?: unknown) =>
    new HotmicError('ERR_HOTMIC_INPUT', `Cannot read PCM from ${path ?? 'standard input'}: ${why}`, {
      cause,
    });
  let fd = 0;
  try {
    if (path !== null) fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fstatSync(fd);
    if (path !== null && stat.isFIFO() && waiting === 'drop') empty(fd);
    if (stat.isFIFO() || stat.isSocket()) return new Socket({ fd, readable: true, writable: false });
    if (stat.isDirectory()) throw refuse('it is a folder');
    if (isatty(fd)) throw refuse('it is a terminal');
    return createReadStream('', { fd });
  } catch (cause) {
    if (fd > 0) closeSync(fd);
    throw cause instanceof HotmicError ? cause : refuse(systemReason(cause), cause);
  }
}

/** The most that a pipe can hold on Linux without privileges. */
const MAX_PIPE_BYTES = 1024 * 1024;

/** Reads what waits in a non-blocking pipe, and discards it. */
function empty(fd: number): void {
  const scratch = Buffer.alloc(65_536);
  try {
    for (let bytes = 0; bytes < MAX_PIPE_BYTES; ) {
      const read = readSync(fd, scratch);
      if (read === 0) return;
      bytes += read;
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EAGAIN') throw cause;
  }
}
